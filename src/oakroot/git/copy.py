"""The bare repository on our own disk: what was fetched stays there, and reading never asks the network."""

from __future__ import annotations

import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Collection, Iterable
from contextlib import closing, suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from dulwich.object_format import DEFAULT_OBJECT_FORMAT
from dulwich.object_store import DiskObjectStore
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree
from dulwich.pack import PackData, PackInflater, read_pack_header
from dulwich.refs import Ref
from dulwich.repo import Repo

from oakroot.git.errors import GitError, InvalidSetting, RepositoryBroken, StorageFailed, printable
from oakroot.git.objects import Objects
from oakroot.git.writing import write_object, write_ref

HEAD_REF = Ref(b"refs/oakroot/head")
# Fewer objects are kept one by one, as git does (fetch.unpackLimit): a pack for every small change would cost
# two file descriptors each, for ever. When there are many single ones, they become one pack.
UNPACK_LIMIT = 100
SINGLE_OBJECTS_LIMIT = 1000
# About ten million records: what a commit holds is unpacked in memory, and a few octets can become very many.
LARGEST_FILE = 256 * 1024 * 1024
# Enough for the server to find common ground; if history was rewritten further back, more is sent again.
HAVES = 64

T = TypeVar("T", bound=ShaFile)


class Copy:
    """Objects by id, and one ref: the head last fetched or pushed. Used by one thread at a time."""

    def __init__(self, directory: Path | None) -> None:
        """Opens or makes the copy in `directory`, or in a temporary folder that `close` removes.

        Raises:
            StorageFailed: the folder cannot be made or used.
            InvalidSetting: it holds something else.
        """
        self._temporary: Path | None = None
        try:
            if directory is None:
                directory = self._temporary = Path(tempfile.mkdtemp(prefix="oakroot-git-"))
            self.path = directory
            self._repo = _open_or_make(directory)
        except OSError as error:
            self._remove()
            raise StorageFailed(f"no copy can be kept in {directory}: {error.strerror}") from error
        self._objects: DiskObjectStore = self._repo.object_store
        self._reader = Objects(LARGEST_FILE)
        self._reader.use([Path(self._objects.path)])
        self._head: ObjectID | None = self._repo.refs.as_dict().get(HEAD_REF)
        self._added = SINGLE_OBJECTS_LIMIT

    @property
    def objects(self) -> DiskObjectStore:
        """The objects, for dulwich's functions."""
        return self._objects

    def close(self) -> None:
        """Closes all files; a temporary copy is removed."""
        self._reader.close()
        with suppress(OSError):  # the next start begins with an older head
            self.keep_head()
        self._repo.close()
        self._remove()

    @property
    def head(self) -> ObjectID | None:
        """The commit last taken as head, if its objects are still there."""
        return self._head if self._head is not None and self._head in self._objects else None

    @head.setter
    def head(self, commit: ObjectID) -> None:
        self._head = commit

    def keep_head(self) -> None:
        """Writes the head down, for the next start; an older one only makes its first fetch longer."""
        if self._head is not None and self._temporary is None:
            write_ref(self._repo, HEAD_REF, self._head)

    @property
    def shallow(self) -> set[ObjectID]:
        """Commits whose parents were left out on purpose."""
        return self._repo.get_shallow()

    def update_shallow(self, cut: set[ObjectID] | None, uncut: set[ObjectID] | None) -> None:
        """Notes where the server cut history off."""
        if cut or uncut:
            self._repo.update_shallow(cut, uncut)

    def borrow(self, objects: Path) -> None:
        """Uses another repository's objects in place of own ones, as `git clone --shared` does."""
        borrowed = [Path(cast("DiskObjectStore", store).path) for store in self._objects.alternates]
        if objects not in borrowed:
            self._objects.add_alternate_path(objects)
        # Nearly everything is there, so that is where to look first.
        self._reader.use([objects, Path(self._objects.path)])

    def commit(self, commit: ObjectID) -> Commit:
        """The commit object of this id; RepositoryBroken if there is none."""
        return self._read(commit, Commit)

    def tree(self, tree: ObjectID) -> Tree:
        """The tree object of this id; RepositoryBroken if there is none."""
        content = self._content(tree, Tree)
        return self._read(tree, Tree) if content is None else Tree.from_string(content)

    def tree_octets(self, tree: ObjectID) -> bytes:
        """The same as git keeps it, for those who need not all of it read."""
        content = self._content(tree, Tree)
        return self._read(tree, Tree).as_raw_string() if content is None else content

    def blob(self, blob: ObjectID) -> bytes:
        """The content of a file; RepositoryBroken if there is none, FileTooLarge before it is unpacked."""
        content = self._content(blob, Blob)
        return self._read(blob, Blob).data if content is None else content

    def rest(self) -> None:
        """Lets go of memory that only helps while many objects are read."""
        self._reader.rest()

    def take_pack(self, file: BinaryIO) -> None:
        """Takes in the objects of a pack just received, all or none that matter.

        Raises whatever dulwich raises for a damaged pack; the caller translates.
        """
        if file.seek(0, 2) == 0:
            return
        file.seek(0)
        _version, count = read_pack_header(file.read)
        file.seek(0)
        try:
            if count >= UNPACK_LIMIT:
                self._objects.add_thin_pack(file.read, None)
            elif count > 0:
                self._unpack(file)
        except BaseException:
            self._sweep()
            raise

    def add(self, objects: Iterable[ShaFile]) -> None:
        """Keeps single objects, contents before what refers to them."""
        for item in sorted(objects, key=lambda item: -item.type_num):
            write_object(self._objects, item)
            self._added += 1
        # Counting looks into 256 folders, so it is done when there may be as many.
        if self._added > SINGLE_OBJECTS_LIMIT:
            self._added = self._objects.count_loose_objects()
            if self._added > SINGLE_OBJECTS_LIMIT:
                self._objects.pack_loose_objects()
                self._added = 0

    def descends(self, commit: ObjectID, ancestor: ObjectID) -> bool:
        """Whether `ancestor` is in the history of `commit`, as far as it was fetched.

        Commit times are not looked at: clocks of laptops are wrong too often.
        """
        return self.find_ancestor(commit, {ancestor}) is not None

    def find_ancestor(
        self, commit: ObjectID, wanted: Collection[ObjectID], until: ObjectID | None = None
    ) -> ObjectID | None:
        """The first of the wanted commits in the history of `commit`, itself included; not beyond `until`."""
        seen = {commit} if until is None else {commit, until}
        waiting = deque([commit])
        while waiting:
            current = waiting.popleft()
            if current in wanted:
                return current
            for parent in self._known_parents(current):
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)
        return None

    def walker(self) -> RecentCommits:
        """What to tell a server that we have."""
        return RecentCommits(self.head, self.shallow, self._known_parents)

    def _known_parents(self, commit: ObjectID) -> list[ObjectID]:
        return [parent for parent in self.commit(commit).parents if parent in self._objects]

    def _unpack(self, file: BinaryIO) -> None:
        # In memory: dulwich maps files, and cannot unmap one that turns out to be damaged.
        with closing(PackData.from_file(BytesIO(file.read()), DEFAULT_OBJECT_FORMAT)) as data:
            data.check()
            objects = list(PackInflater.for_pack_data(data, resolve_ext_ref=self._objects.get_raw))
        self.add(objects)

    def _content(self, name: ObjectID, kind: type[ShaFile]) -> bytes | None:
        """What an object holds; None where only dulwich may find it."""
        try:
            found = self._reader.read(name)
        except Exception as error:
            raise _explained(error, name) from error
        if found is None:
            return None
        _check_kind(name, found.kind, kind)
        return found.content

    def _read(self, name: ObjectID, kind: type[T]) -> T:
        try:
            item = self._objects[name]
        except Exception as error:
            raise _explained(error, name) from error
        _check_kind(name, item.type_name, kind)
        return cast("T", item)

    def _sweep(self) -> None:
        """Removes what a failed intake leaves behind; dulwich does not."""
        for pattern in ("tmp_pack_*", "pack/tmp*.pack"):
            for leftover in Path(self._objects.path).glob(pattern):
                leftover.unlink(missing_ok=True)

    def _remove(self) -> None:
        if self._temporary is not None:
            with suppress(OSError):  # a temporary folder already gone, or the system's to clean up
                shutil.rmtree(self._temporary)


class RecentCommits:
    """dulwich's graph walker over our newest commits, nearest first, until the server knows one."""

    def __init__(
        self,
        head: ObjectID | None,
        shallow: set[ObjectID],
        parents: Callable[[ObjectID], list[ObjectID]],
    ) -> None:
        self.shallow = shallow
        self._parents = parents
        self._waiting = deque([] if head is None else [head])
        self._told: set[ObjectID] = set()
        self._common = False

    def __next__(self) -> ObjectID | None:
        while self._waiting and not self._common and len(self._told) < HAVES:
            commit = self._waiting.popleft()
            if commit not in self._told:
                self._told.add(commit)
                self._waiting.extend(self._parents(commit))
                return commit
        return None

    def ack(self, sha: ObjectID, /) -> None:  # noqa: ARG002 - whichever it is, it is enough
        """The server has this commit."""
        self._common = True

    def nak(self) -> None:
        """The server has none so far."""


def _explained(error: Exception, name: ObjectID) -> GitError:
    """What it means when an object cannot be read."""
    shown = printable(name, 64)
    match error:
        case GitError():
            return error
        case KeyError():
            return RepositoryBroken(f"object {shown} is missing; check the remote with `git fsck`")
        case OSError():
            return StorageFailed(f"object {shown} cannot be read: {error.strerror}")
        case _:
            # As in `translated`: damaged objects fail in a dozen ways.
            return RepositoryBroken(f"object {shown} is damaged; check the remote with `git fsck`")


def _check_kind(name: ObjectID, kind: bytes, wanted: type[ShaFile]) -> None:
    if kind != wanted.type_name:
        shown = printable(name, 64)
        raise RepositoryBroken(f"object {shown} is a {kind.decode()}, not a {wanted.type_name.decode()}")


def _open_or_make(directory: Path) -> Repo:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not any(directory.iterdir()):
        return Repo.init_bare(str(directory))
    if (directory / "objects").is_dir() and (directory / "HEAD").is_file():
        for lock in directory.glob("*.lock"):
            lock.unlink()  # nobody else writes here, so whoever held it is dead
        return Repo(str(directory), bare=True)
    raise InvalidSetting(f"{directory} holds other files than a copy of a repository; give an empty folder")
