"""The bare repository on our own disk: what was fetched stays there, and reading never asks the network."""

from __future__ import annotations

import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import closing, suppress
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, cast

from dulwich.file import FileLocked
from dulwich.object_format import DEFAULT_OBJECT_FORMAT
from dulwich.object_store import DiskObjectStore
from dulwich.objects import ObjectID, ShaFile
from dulwich.pack import PackData, PackInflater, read_pack_header
from dulwich.refs import Ref
from dulwich.repo import Repo

from oakroot.git.deflating import Deflater
from oakroot.git.errors import InvalidSetting, StorageFailed
from oakroot.git.presence import Presence
from oakroot.git.reader import Reader
from oakroot.git.writing import write_object, write_ref

HEAD_REF = Ref(b"refs/oakroot/head")
# Fewer objects are kept one by one, as git does (fetch.unpackLimit): a pack for every small change would cost
# two file descriptors each, for ever. When there are many single ones, they become one pack.
UNPACK_LIMIT = 100
SINGLE_OBJECTS_LIMIT = 1000
# Enough for the server to find common ground; if history was rewritten further back, more is sent again.
HAVES = 64
NONE: Mapping[ObjectID, ObjectID] = MappingProxyType({})


class Copy(Reader):
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
            self._presence = Presence(directory)
            self._remove_locks()
        except OSError as error:
            self._remove()
            raise StorageFailed(f"no copy can be kept in {directory}: {error.strerror}") from error
        super().__init__(self._repo.object_store, [Path(self._repo.object_store.path)])
        self._head: ObjectID | None = self._repo.refs.as_dict().get(HEAD_REF)
        self._added = SINGLE_OBJECTS_LIMIT
        self._deflater = Deflater()

    @property
    def objects(self) -> DiskObjectStore:
        """The objects, for dulwich's functions."""
        return self._objects

    def close(self) -> None:
        """Closes all files; a temporary copy is removed."""
        super().close()
        with suppress(OSError):  # the next start begins with an older head
            self.keep_head()
        self._repo.close()
        self._presence.close()
        self._remove()

    @property
    def head(self) -> ObjectID | None:
        """The commit last taken as head, if its objects are still there."""
        return self._head if self._head is not None and self._head in self else None

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
        if not cut and not uncut:
            return
        try:
            self._repo.update_shallow(cut, uncut)
        except FileLocked as error:
            if not self._remove_locks():
                raise StorageFailed(f"another process is writing {error.filename!s}") from None
            self._repo.update_shallow(cut, uncut)

    def borrow(self, objects: Path) -> None:
        """Uses another repository's objects in place of own ones, as `git clone --shared` does.

        What that one borrows itself is looked up anew each time.
        """
        self._objects.close()  # it opens again what it needs
        borrowed = [Path(cast("DiskObjectStore", store).path) for store in self._objects.alternates]
        if objects not in borrowed:
            self._objects.add_alternate_path(objects)
        # Nearly everything is there, so that is where to look first.
        self._look_in([objects, Path(self._objects.path)])

    def reader(self) -> Reader:
        """Another reader of what is here, for another thread."""
        return Reader(DiskObjectStore(self._objects.path), self._places)

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

    def add(self, objects: Iterable[ShaFile], formers: Mapping[ObjectID, ObjectID] = NONE) -> None:
        """Keeps single objects, contents before what refers to them. `formers`: as in `NewObjects`."""
        for item in sorted(objects, key=lambda item: -item.type_num):
            write_object(self._objects, item, self._deflater, formers.get(item.id))
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
            for parent in self.known_parents(current):
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)
        return None

    def walker(self) -> RecentCommits:
        """What to tell a server that we have."""
        return RecentCommits(self.head, self.shallow, self.known_parents)

    def _unpack(self, file: BinaryIO) -> None:
        # In memory: dulwich maps files, and cannot unmap one that turns out to be damaged.
        with closing(PackData.from_file(BytesIO(file.read()), DEFAULT_OBJECT_FORMAT)) as data:
            data.check()
            objects = list(PackInflater.for_pack_data(data, resolve_ext_ref=self._objects.get_raw))
        self.add(objects)

    def _sweep(self) -> None:
        """Removes what a failed intake leaves behind; dulwich does not."""
        with self._presence.alone() as is_alone:
            for pattern in ("tmp_pack_*", "pack/tmp*.pack") if is_alone else ():
                for leftover in Path(self._objects.path).glob(pattern):
                    leftover.unlink(missing_ok=True)

    def _remove_locks(self) -> bool:
        """Removes dulwich's locks of files, unless they may be a living process's."""
        with self._presence.alone() as is_alone:
            for lock in self.path.glob("*.lock") if is_alone else ():
                lock.unlink()
        return is_alone

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


def _open_or_make(directory: Path) -> Repo:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not any(directory.iterdir()):
        return Repo.init_bare(str(directory))
    if (directory / "objects").is_dir() and (directory / "HEAD").is_file():
        return Repo(str(directory), bare=True)
    raise InvalidSetting(f"{directory} holds other files than a copy of a repository; give an empty folder")
