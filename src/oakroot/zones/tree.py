"""The files of one commit (or of one folder) as the loader and the checker see them.

No git and no file system here: the files are a listing of paths and versions, their octets come from a
function.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from oakroot.frozen import frozen
from oakroot.zones.filenames import may_hold_keys

AHEAD_OCTETS = 256 * 1024


@frozen
class Since:
    """What differs from an earlier version whose root has the same names, of the same kinds."""

    commit: str
    contents: Collection[str]
    """Names in the root, of files and of folders, whose content may differ."""


@frozen
class Tree:
    """Some version of a zone repository.

    `files` maps each path to the id of its content: equal ids mean equal content. `read` gives the octets of
    an id. A ValueError of it says in words for the file's author why it is not read; whatever else it raises
    passes through to the caller of the loader.
    """

    commit: str
    files: Mapping[str, str]
    read: Callable[[str], bytes]
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Names in the root that are no regular files (links, submodules), with the reason."""
    since: Since | None = None
    """None: anything may differ from any earlier version."""

    def content(self, path: str) -> bytes:
        """The octets of a file; raises KeyError where there is no such file."""
        return self.read(self.files[path])

    def reading_ahead(self, paths: Iterable[str]) -> Tree:
        """The same for whoever asks for the contents of these files next, once each, in this order."""
        return replace(self, read=_Ahead(self.read, iter([self.files[path] for path in paths])))


@dataclass(slots=True)
class _Ahead:
    """Reads the contents of many files before the first is used.

    Reading git's objects and reading zone text are much code and many tables each; that they took turns for
    each of ten thousand small files cost a quarter of their time, in the processor's caches.
    """

    read: Callable[[str], bytes]
    coming: Iterator[str]
    at_hand: dict[str, bytes] = field(default_factory=dict)

    def __call__(self, blob: str) -> bytes:
        if not self.at_hand:
            self._go_ahead()
        content = self.at_hand.pop(blob, None)
        return self.read(blob) if content is None else content

    def _go_ahead(self) -> None:
        octets = 0
        for blob in self.coming:
            with suppress(ValueError):  # told to whoever asks for it
                self.at_hand[blob] = self.read(blob)
                octets += len(self.at_hand[blob])
            if octets >= AHEAD_OCTETS:
                break


@dataclass(slots=True)
class Includes:
    """Answers the `$INCLUDE`s of one zone file, and remembers what was asked for.

    A path is taken from the root of the tree, wherever the including file is, as BIND takes it from its
    directory.
    """

    tree: Tree
    seen: dict[str, str | None] = field(default_factory=dict)

    def __call__(self, written: str) -> bytes:
        """The content of the path as written; raises ValueError, in words for the zone's author."""
        path = resolve(written)
        blob = self.tree.files.get(path)
        # Also what is missing is remembered: its arrival must have the zone read again.
        self.seen[path] = blob
        if blob is None:
            raise ValueError(f"there is no regular file {path} in the repository")
        return self.tree.read(blob)


def resolve(written: str) -> str:
    """The path in the tree that an `$INCLUDE` names; raises ValueError for what may not be included."""
    if written.startswith("/"):
        raise ValueError("an absolute path leaves the repository; write it relative to the repository's root")
    path = posixpath.normpath(written)
    if path == ".." or path.startswith("../"):
        raise ValueError("the path leaves the repository")
    if may_hold_keys(path):
        raise ValueError("a key file cannot be included: its secrets would be served")
    return path
