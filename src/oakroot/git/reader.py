"""Reads objects by id from folders of this machine, as the octets they are or as dulwich has them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar, cast

from dulwich.object_store import DiskObjectStore
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree

from oakroot.git.entries import Folder
from oakroot.git.errors import GitError, RepositoryBroken, StorageFailed, printable
from oakroot.git.objects import Objects

# About ten million records: what a commit holds is unpacked in memory, and a few octets can become very many.
LARGEST_FILE = 256 * 1024 * 1024

# The newest root folder and the one before: each is compared with the next.
FOLDERS_KEPT = 2

T = TypeVar("T", bound=ShaFile)


class Reader:
    """The objects in some folders. Used by one thread at a time; each thread may have one of its own."""

    def __init__(self, objects: DiskObjectStore, folders: Sequence[Path]) -> None:
        """`folders` are those where `objects` has its objects, the one to look in first before the others."""
        self._objects = objects
        self._reader = Objects(LARGEST_FILE)
        self._folders: dict[ObjectID, Folder] = {}
        self._commit: Commit | None = None  # the last one: who asks for its parents asks for it again
        self._look_in(folders)

    def _look_in(self, folders: Sequence[Path]) -> None:
        self._places = tuple(folders)
        self._reader.use(self._places)

    def close(self) -> None:
        """Closes all files."""
        self._reader.close()
        self._objects.close()

    def __contains__(self, name: ObjectID) -> bool:
        return name in self._reader or name in self._objects

    def commit(self, commit: ObjectID) -> Commit:
        """The commit object of this id; RepositoryBroken if there is none."""
        if self._commit is None or self._commit.id != commit:
            content = self._content(commit, Commit)
            self._commit = (
                self._read(commit, Commit)
                if content is None
                else cast("Commit", Commit.from_raw_string(Commit.type_num, content, commit))
            )
        return self._commit

    def tree(self, tree: ObjectID) -> Tree:
        """The tree object of this id; RepositoryBroken if there is none."""
        content = self._content(tree, Tree)
        return self._read(tree, Tree) if content is None else Tree.from_string(content)

    def folder(self, tree: ObjectID) -> Folder:
        """The same as git keeps it, for those who need not all of it read."""
        folder = self._folders.pop(tree, None)
        if folder is None:
            octets = self._content(tree, Tree)
            folder = Folder(self._read(tree, Tree).as_raw_string() if octets is None else octets)
        self._folders[tree] = folder
        if len(self._folders) > FOLDERS_KEPT:
            del self._folders[next(iter(self._folders))]
        return folder

    def blob(self, blob: ObjectID) -> bytes:
        """The content of a file; RepositoryBroken if there is none, FileTooLarge before it is unpacked."""
        content = self._content(blob, Blob)
        return self._read(blob, Blob).data if content is None else content

    def rest(self) -> None:
        """Lets go of memory that only helps while many objects are read."""
        self._reader.rest()
        self._folders = dict(list(self._folders.items())[-1:])

    def known_parents(self, commit: ObjectID) -> list[ObjectID]:
        """The parents of a commit that are there."""
        return [parent for parent in self.commit(commit).parents if parent in self]

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
