"""The files of one commit (or of one folder) as the loader and the checker see them.

No git and no file system here: the files are a listing of paths and versions, their octets come from a
function.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from oakroot.frozen import frozen
from oakroot.zones.filenames import may_hold_keys


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
