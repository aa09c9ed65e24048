"""Files inside a commit: listing, finding, comparing, and building the next tree. Nothing is checked out."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, NewType, Self, cast

from dulwich.objects import S_ISGITLINK, Blob, ObjectID, ShaFile, Tree

from oakroot.git.entries import Difference, Entry, entries
from oakroot.git.errors import PathRefused, printable

BlobId = NewType("BlobId", str)

GetTree = Callable[[ObjectID], Tree]

FILE = 0o100644
SYMLINK_REASON = "a symbolic link; links are not followed"
SUBMODULE_REASON = "a submodule; its files are not in this repository"
NAME_REASON = "a file whose name is not UTF-8"
LONGEST_PATH = 4096


class Files(Mapping[str, BlobId]):
    """The regular files of a commit: path -> id of the content; equal ids mean equal content.

    Iterating gives the files of the root folder. Those further down are found when asked for by their path,
    so that a tree of thousands of folders costs nothing. `left_out` tells what in the root folder is no
    regular file, and why; folders are neither files nor worth a word.
    """

    def __init__(
        self,
        get_tree: GetTree,
        root: ObjectID,
        files: dict[str, BlobId],
        left_out: Mapping[str, str],
        changed: frozenset[str] | None = None,
    ) -> None:
        """`files` and `left_out` tell what is in the root folder; see `listed` and `after`."""
        self._get_tree = get_tree
        self._files = files
        self.root = root
        self.left_out = left_out
        self.changed = changed
        """Names in the root, also of folders, whose content is another than in the files that these were made
        `after`; None where more may differ."""

    @classmethod
    def listed(cls, get_tree: GetTree, root: ObjectID, octets: bytes) -> Self:
        """The files of the commit with this root folder, `octets` as git writes it."""
        files: dict[str, BlobId] = {}
        left_out: dict[str, str] = {}
        for raw, entry in entries(octets):
            if stat.S_ISREG(entry.mode) and (name := _text(raw)) is not None:
                files[name] = BlobId(entry.content)
            elif not stat.S_ISDIR(entry.mode):
                shown_name = printable(raw.decode("utf-8", "backslashreplace"))
                left_out[shown_name] = _no_file(entry.mode) or NAME_REASON
        return cls(get_tree, root, files, left_out)

    def after(self, root: ObjectID, change: Difference) -> Files | None:
        """The files of another commit, told by what differs in its root folder: the rest is not looked at.

        None where that is not enough: names of what is left out need not be unique.
        """
        gone, come = _plain(change.gone), _plain(change.come)
        if gone is None or come is None:
            return None
        files = dict(self._files)
        for name in gone:
            files.pop(name, None)
        files.update(
            {name: BlobId(entry.content) for name, entry in come.items() if stat.S_ISREG(entry.mode)}
        )
        kinds = ({name: stat.S_IFMT(entry.mode) for name, entry in side.items()} for side in (gone, come))
        changed = frozenset(come) if next(kinds) == next(kinds) else None
        return Files(self._get_tree, root, files, self.left_out, changed)

    def __getitem__(self, path: str) -> BlobId:
        if path in self._files:
            return self._files[path]
        try:
            return BlobId(find_file(self._get_tree, self.root, path).decode("ascii"))
        except PathRefused:
            raise KeyError(path) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def _plain(found: Mapping[bytes, Entry]) -> dict[str, Entry] | None:
    """Files and folders by name; None where there is anything else among them."""
    plain = {_text(raw): entry for raw, entry in found.items() if _no_file(entry.mode) is None}
    named = {name: entry for name, entry in plain.items() if name is not None}
    return named if len(named) == len(found) else None


def _text(raw: bytes) -> str | None:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def find_file(get_tree: GetTree, root: ObjectID, path: str) -> ObjectID:
    """The blob of the regular file at `path`, which is relative to the root.

    Raises:
        PathRefused: it leaves the tree, does not exist, or is no regular file.
    """
    parts = normalised(path)
    tree = get_tree(root)
    for depth, part in enumerate(parts):
        name = part.encode("utf-8")
        if name not in tree:
            raise PathRefused(f"{shown(path)} does not exist in this commit")
        mode, target = tree[name]
        last = depth == len(parts) - 1
        if stat.S_ISDIR(mode) and not last:
            tree = get_tree(target)
            continue
        here = shown("/".join(parts[: depth + 1]))
        if reason := _no_file(mode):
            raise PathRefused(f"{here} is {reason}")
        if stat.S_ISDIR(mode):
            raise PathRefused(f"{here} is a folder, not a file")
        if not last:
            raise PathRefused(f"{here} is a file, so {shown(path)} does not exist in this commit")
        return target
    raise PathRefused(f"{shown(path)} is the root folder, not a file")


def normalised(path: str) -> tuple[str, ...]:
    """The parts of a path from the root of the tree, `.` and `..` resolved by name.

    Raises:
        PathRefused: it is empty, absolute, or leaves the tree.
    """
    if not path or "\0" in path or len(path) > LONGEST_PATH or not _encodable(path):
        raise PathRefused(f"{shown(path)} is no path of a file")
    if path.startswith("/"):
        raise PathRefused(f"{shown(path)} is absolute; only files of the same repository can be read")
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and not parts:
            raise PathRefused(f"{shown(path)} leaves the repository; only files inside it can be read")
        if part == "..":
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return tuple(parts)


def replace_files(
    get_tree: GetTree, root: ObjectID, changes: Mapping[str, bytes]
) -> tuple[ObjectID, list[ShaFile], dict[ObjectID, ObjectID]]:
    """The root tree after writing these files, the objects that are new, and what new files replace.

    Modes and all other files stay.

    Raises:
        PathRefused: a path leaves the tree, or something there is no regular file.
    """
    nested: dict[tuple[str, ...], bytes] = {}
    for path, content in changes.items():
        parts = normalised(path)
        if not parts or path.endswith("/"):
            raise PathRefused(f"{shown(path)} is a folder, not a file")
        nested[parts] = content
    made = _Made([], {})
    tree = _replaced(get_tree, get_tree(root), nested, made)
    return tree.id, made.objects, made.formers


class _Made(NamedTuple):
    objects: list[ShaFile]
    formers: dict[ObjectID, ObjectID]


def _replaced(get_tree: GetTree, old: Tree, changes: Mapping[tuple[str, ...], bytes], made: _Made) -> Tree:
    tree = cast("Tree", old.copy())
    folders: dict[str, dict[tuple[str, ...], bytes]] = {}
    for (first, *rest), content in changes.items():
        if rest:
            folders.setdefault(first, {})[tuple(rest)] = content
        else:
            _write_file(tree, first, content, made)
    for name, inner in folders.items():
        raw = name.encode("utf-8")
        mode, target = _entry(tree, raw) or (stat.S_IFDIR, None)
        if not stat.S_ISDIR(mode):
            raise PathRefused(f"{shown(name)} is no folder, so no file can be written below it")
        below = _replaced(get_tree, Tree() if target is None else get_tree(target), inner, made)
        tree[raw] = (stat.S_IFDIR, below.id)
    if tree.id != old.id:
        made.objects.append(tree)
    return tree


def _write_file(tree: Tree, name: str, content: bytes, made: _Made) -> None:
    raw = name.encode("utf-8")
    mode, target = _entry(tree, raw) or (FILE, None)
    if reason := _no_file(mode):
        raise PathRefused(f"{shown(name)} is {reason}")
    if stat.S_ISDIR(mode):
        raise PathRefused(f"{shown(name)} is a folder, not a file")
    blob = Blob.from_string(content)
    if blob.id != target:
        made.objects.append(blob)
        if target is not None:
            made.formers[blob.id] = target
        tree[raw] = (mode, blob.id)


def shown(path: str) -> str:
    """A path in quotes, fit for a message."""
    return repr(printable(path, 200))


def _no_file(mode: int) -> str | None:
    if stat.S_ISLNK(mode):
        return SYMLINK_REASON
    return SUBMODULE_REASON if S_ISGITLINK(mode) else None


def _entry(tree: Tree, name: bytes) -> tuple[int, ObjectID] | None:
    if name not in tree:
        return None
    return tree[name]


def _encodable(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
