"""The files of an image, as values: paths without a leading slash, each with what is there.

Owners and times are no part of it: all belongs to root, and has the time of the lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from oakroot.frozen import frozen
from oakroot.images.rejected import ImageError


@frozen
class File:
    """Octets that are read, and perhaps run."""

    content: bytes
    executable: bool = False


@frozen
class Link:
    """Another name for what is at `target`."""

    target: str


@frozen
class Folder:
    """A folder that must be there although it is empty."""

    mode: int = 0o755


@frozen
class Device:
    """A character device."""

    major: int
    minor: int


Entry = File | Link | Folder | Device
Tree = Mapping[str, Entry]


def plain_path(name: str) -> str:
    """The path that an archive's member has in an image; ImageError if it leads out of it."""
    path = PurePosixPath(name)
    parts = path.parts[1:] if path.is_absolute() else path.parts
    if ".." in parts:
        raise ImageError(f"an archive's path leads out of the image: {name!r}")
    return "/".join(parts)


def walk(tree: Tree) -> Iterator[tuple[str, Entry]]:
    """Every entry in order of path, each after the folder it is in, named or not."""
    made: set[str] = set()
    for path, entry in sorted(tree.items()):
        for parent in reversed(PurePosixPath(path).parents[:-1]):
            name = str(parent)
            if name not in made and name not in tree:
                made.add(name)
                yield name, Folder()
        yield path, entry
