"""A folder on this machine as a tree of zone files, so that it is checked like a commit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from oakroot.zones.tree import Tree

_LINK = "a symbolic link; links are not followed"


class Folder(Mapping[str, str]):
    """The regular files of a folder by path, each read when it is asked for.

    A file's id is its path: a folder is looked at once, and nothing is compared with another version. What
    leaves the folder, by its path or over a symbolic link, is not there. `given` names a file that the user
    asked for, which may be whatever can be read: a link, or a pipe.
    """

    def __init__(self, root: Path, given: Path | None = None) -> None:
        self._root = root.resolve()
        self._given = given

    def __getitem__(self, path: str) -> str:
        if self._given is not None and path == self._given.name:
            return path
        file = self._root / path
        if "\0" in path or not file.is_file() or not file.resolve().is_relative_to(self._root):
            raise KeyError(path)
        return path

    def __iter__(self) -> Iterator[str]:
        """The files of the folder itself; those further down are found when they are asked for."""
        return (
            file.name for file in sorted(self._root.iterdir()) if file.is_file() and not file.is_symlink()
        )

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def tree(self) -> Tree:
        """The folder for those who read trees."""
        links = {file.name: _LINK for file in self._root.iterdir() if file.is_symlink()}
        return Tree("", self, self._read, left_out=links)

    def _read(self, path: str) -> bytes:
        if self._given is not None and path == self._given.name:
            return self._given.read_bytes()
        return (self._root / path).read_bytes()
