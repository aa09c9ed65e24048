"""A repository on this machine as the person at its keyboard has it: its commits, and its folder's files.

For the operator's tools. The service's own copy of a remote is `copy`; what talks to a server, `repository`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

from dulwich.diff_tree import tree_changes
from dulwich.errors import NotGitRepository
from dulwich.index import IndexEntry
from dulwich.object_store import DiskObjectStore, iter_tree_contents
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.objectspec import parse_commit, parse_object
from dulwich.refs import HEADREF, Ref
from dulwich.repo import Repo

from oakroot.frozen import frozen
from oakroot.git.errors import InvalidSetting, RepositoryBroken, printable
from oakroot.git.trees import Files

_REMOTE_BRANCHES = b"refs/remotes/"
_HEADS = b"refs/heads/"
_FOLDERS_KEPT = 64


class RevisionUnknown(InvalidSetting):
    """What the user named is no commit of this repository."""


@frozen
class Revision:
    """One commit: who, when, and why."""

    commit: str
    tree: str
    parents: tuple[str, ...]
    author: str
    time: int
    """When it was committed, in seconds since 1970."""
    message: str

    @property
    def subject(self) -> str:
        """The message's first line."""
        return printable(self.message.strip().partition("\n")[0], 200)


class Checkout:
    """The repository that a folder belongs to. Raises GitError types, and OSError for files of the folder."""

    def __init__(self, directory: Path, environment: Mapping[str, str] | None = None) -> None:
        """Finds the repository at `directory` or above it; InvalidSetting where there is none.

        `environment` is that of a hook: git names there where it keeps objects that were pushed but not yet
        accepted (git-receive-pack(1), "quarantine environment").
        """
        try:
            self._repo = Repo.discover(directory)
        except (NotGitRepository, OSError):
            message = (
                f"{directory} is in no git repository; begin one with `git init`, or name another folder"
            )
            raise InvalidSetting(message) from None
        self._objects: DiskObjectStore = self._repo.object_store
        self._folders: dict[ObjectID, Mapping[bytes, ObjectID]] = {}
        quarantine = (environment or {}).get("GIT_QUARANTINE_PATH")
        if quarantine:
            # Known to this process alone: `add_alternate_path` would write it into the repository for good.
            self._objects.alternates.append(DiskObjectStore(quarantine))

    def close(self) -> None:
        """Closes all files."""
        self._repo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_reason: object) -> None:
        self.close()

    @property
    def folder(self) -> Path | None:
        """Where the files lie that are worked on; None for a bare repository."""
        return None if self._repo.bare else Path(self._repo.path)

    def revision(self, name: str) -> Revision:
        """The commit that a user names, in most of the ways git knows (gitrevisions(7)); RevisionUnknown."""
        wanted = name.encode("utf-8", "surrogateescape")
        # One of dulwich's readers knows abbreviated ids, the other knows `~` and `^`.
        readers = (parse_commit, parse_object) if name and "//" not in name else ()
        for read in readers:
            try:
                found = read(self._repo, wanted)
            except (KeyError, ValueError, IndexError, TypeError):
                continue
            if isinstance(found, Commit):
                return _revision(found)
        raise RevisionUnknown(f"{printable(name, 80)!r} names no commit of this repository")

    def head(self) -> Revision | None:
        """The newest commit of the branch that is checked out; None before the first."""
        try:
            return _revision(self._commit(self._repo.head()))
        except KeyError:
            return None

    def parents(self, revision: Revision) -> tuple[Revision, ...]:
        """The commits before it, as far as this repository has them (a shallow clone's end somewhere)."""
        there = (ObjectID(name.encode()) for name in revision.parents)
        return tuple(_revision(self._commit(name)) for name in there if name in self._objects)

    def entry(self, revision: Revision, path: str) -> str | None:
        """The id of what is at `path` in a commit, file or folder; None for nothing."""
        found = ObjectID(revision.tree.encode())
        for name in path.encode("utf-8", "surrogateescape").split(b"/"):
            entry = self._entries(found).get(name)
            if entry is None:
                return None
            found = entry
        return found.decode()

    def upstream(self) -> str | None:
        """The remote branch that a `git push` from here would move; None where there is no such thing."""
        names = self._repo.refs.follow(HEADREF)[0]
        if not names or not names[-1].startswith(_HEADS):
            return None
        branch = names[-1].removeprefix(_HEADS)
        config = self._repo.get_config()
        try:
            remote = config.get((b"branch", branch), b"remote")
            merged = config.get((b"branch", branch), b"merge").removeprefix(_HEADS)
        except KeyError:
            remote, merged = b"origin", branch
        ref = Ref(_REMOTE_BRANCHES + remote + b"/" + merged)
        return (
            f"{remote.decode()}/{merged.decode('utf-8', 'surrogateescape')}"
            if ref in self._repo.refs
            else None
        )

    def files(self, revision: Revision) -> Files:
        """The regular files of a commit by path, as the primary sees them."""
        root = ObjectID(revision.tree.encode())
        return Files.listed(self._tree, root, self._tree(root).as_raw_string())

    def blob(self, blob: str) -> bytes:
        """The content with this id."""
        found = self._objects[ObjectID(blob.encode())]
        if not isinstance(found, Blob):
            raise RepositoryBroken(f"object {blob} is no file; check the repository with `git fsck`")
        return found.data

    def paths(self, revision: Revision) -> dict[str, str]:
        """All files of a commit, those in folders too, with the ids of their contents."""
        tree = ObjectID(revision.tree.encode())
        entries = iter_tree_contents(self._objects, tree)
        return {_text(entry.path): entry.sha.decode() for entry in entries if entry.path and entry.sha}

    def changed(self, before: Revision | None, after: Revision) -> frozenset[str]:
        """Paths of files that differ between two commits; None stands for no files at all."""
        old = None if before is None else ObjectID(before.tree.encode())
        changes = tree_changes(self._objects, old, ObjectID(after.tree.encode()))
        sides = (side for change in changes for side in (change.old, change.new))
        return frozenset(_text(side.path) for side in sides if side is not None and side.path)

    def work_files(self) -> WorkFiles:
        """The files as they lie in the folder; InvalidSetting for a bare repository."""
        folder = self.folder
        if folder is None:
            raise InvalidSetting("a bare repository has no folder of files; name a revision")
        index = self._repo.open_index()
        known = {_text(path): entry for path, entry in index.items() if isinstance(entry, IndexEntry)}
        return WorkFiles(folder, known, _index_time(Path(self._repo.controldir()) / "index"))

    def _entries(self, tree: ObjectID) -> Mapping[bytes, ObjectID]:
        """What a folder holds. History walks through many versions of few folders, so some are kept."""
        known = self._folders.get(tree)
        if known is None:
            found = self._objects[tree]
            items = found.iteritems() if isinstance(found, Tree) else ()
            known = {item.path: item.sha for item in items if item.path and item.sha}
            if len(self._folders) >= _FOLDERS_KEPT:
                self._folders.pop(next(iter(self._folders)))
            self._folders[tree] = known
        return known

    def _commit(self, name: ObjectID) -> Commit:
        found = self._objects[name]
        if not isinstance(found, Commit):
            raise RepositoryBroken(f"object {printable(name, 64)} is no commit")
        return found

    def _tree(self, name: ObjectID) -> Tree:
        found = self._objects[name]
        if not isinstance(found, Tree):
            raise RepositoryBroken(f"object {printable(name, 64)} is no folder")
        return found


class WorkFiles(Mapping[str, str]):
    """The regular files of a folder by path, with the ids their contents have, or would have, in git.

    Iterating gives those of the folder itself; those further down are found when asked for. A file that git's
    index knows and that did not change since is not read.
    """

    def __init__(self, folder: Path, index: Mapping[str, IndexEntry], index_time: int) -> None:
        self._folder = folder.resolve()
        self._index = index
        self._index_time = index_time
        self._places: dict[str, Path] = {}
        self._known: dict[str, str] = {}
        with os.scandir(self._folder) as entries:
            listed = sorted(
                (entry.name, entry.is_symlink(), entry.is_file(follow_symlinks=False)) for entry in entries
            )
        self._root = {name: None for name, _, is_file in listed if is_file}
        self.left_out = {
            name: "a symbolic link; links are not followed" for name, is_link, _ in listed if is_link
        }

    def __getitem__(self, path: str) -> str:
        if path not in self._known:
            self._known[path] = self._identify(path)
        return self._known[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._root)

    def __len__(self) -> int:
        return len(self._root)

    def content(self, blob: str) -> bytes | None:
        """The octets of a file with this id, where one was met whose content git does not have."""
        place = self._places.get(blob)
        return None if place is None else place.read_bytes()

    def tracked_below(self) -> Iterator[str]:
        """The files in folders that git knows of, whether they are there or not."""
        return (path for path in self._index if "/" in path)

    def _identify(self, path: str) -> str:
        place = self._place(path)
        entry = self._index.get(path)
        if entry is not None and self._is_as_indexed(place, entry):
            return entry.sha.decode()
        content = place.read_bytes()
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        self._places[blob] = place
        return blob

    def _place(self, path: str) -> Path:
        """Where the file lies; KeyError if there is none, or if it is not in this folder at all."""
        place = self._folder / path
        if path in self._root:
            return place
        if "\0" in path or not place.is_file() or not place.resolve().is_relative_to(self._folder):
            raise KeyError(path)
        return place

    def _is_as_indexed(self, place: Path, entry: IndexEntry) -> bool:
        found = place.stat()
        modified = _nanoseconds(entry.mtime)
        # Changed in the same instant in which the index was written, a file may look as it did before
        # ("racy git").
        return found.st_size == entry.size and found.st_mtime_ns == modified < self._index_time


def _index_time(index: Path) -> int:
    try:
        return index.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _nanoseconds(moment: float | tuple[int, int]) -> int:
    if isinstance(moment, tuple):
        return moment[0] * 1_000_000_000 + moment[1]
    return int(moment * 1_000_000_000)


def _revision(commit: Commit) -> Revision:
    return Revision(
        commit=commit.id.decode(),
        tree=commit.tree.decode(),
        parents=tuple(parent.decode() for parent in commit.parents),
        author=printable(commit.author, 200),
        time=commit.commit_time,
        message=commit.message.decode("utf-8", "replace"),
    )


def _text(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
