"""Folders as git writes them: mode, name and id of each entry, sorted by name; and what differs between two.

Of ten thousand files mostly one has changed. So what both folders begin and end with is compared as a whole,
and only the entries in between are read. Where entries begin cannot be told from the octets around, so some
of these places are remembered from one version of a folder to the next.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from oakroot.frozen import frozen
from oakroot.git.errors import RepositoryBroken

_Raw = tuple[bytes, bytes, bytes]
_DAMAGED = "a folder in the repository is damaged; check the remote with `git fsck`"
_ENTRY = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL)
# Many of them, to be passed over.
_ENTRIES = re.compile(rb"(?:[^\0]+\0.{20}){0,16}", re.DOTALL)
_STEPS = (4096, 256)


class Entry(NamedTuple):
    """What a folder has under one name: the kind of thing, and the id of its content."""

    mode: int
    content: str


class Folder:
    """The octets of a folder, and where some of its entries begin, as far as that was looked for."""

    __slots__ = ("octets", "starts")

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.starts = [0]
        """In their order."""

    def start_within(self, most: int) -> int:
        """Where an entry begins, at or not far before `most`."""
        place = bisect_right(self.starts, most)
        at = self.starts[place - 1]
        passed = []
        while (found := _ENTRIES.match(self.octets, at)) is not None and at < found.end() <= most:
            at = found.end()
            passed.append(at)
        self.starts[place:place] = passed
        return at


@frozen
class Difference:
    """By name, what one of two folders has and the other has not, or has otherwise."""

    gone: dict[bytes, Entry]
    come: dict[bytes, Entry]


def entries(octets: bytes) -> Iterator[tuple[bytes, Entry]]:
    """All that is in a folder, by name. RepositoryBroken: these octets are no folder's."""
    at = 0
    for found in _ENTRY.finditer(octets):
        if found.start() != at:
            break
        at = found.end()
        mode, name, content = found.groups()
        yield name, Entry(int(mode, 8), content.hex())
    if at != len(octets):
        raise RepositoryBroken(_DAMAGED)


def difference(older: Folder, newer: Folder) -> Difference:
    """What became of a folder, given how it was before and after. RepositoryBroken: one of them is none."""
    old, new = older.octets, newer.octets
    old_at = new_at = 0
    gone: list[_Raw] = []
    come: list[_Raw] = []
    starts = [0]
    while (old_left := len(old) - old_at) | (new_left := len(new) - new_at):
        same = _same(old, old_at, new, new_at)
        if same and (start := older.start_within(old_at + same)) > old_at:
            passed = older.starts[bisect_right(older.starts, old_at) : bisect_right(older.starts, start)]
            starts += [at + new_at - old_at for at in passed]
            old_at, new_at = start, new_at + start - old_at
        elif old_left >= new_left:
            entry, old_at = _entry(old, old_at)
            gone.append(entry)
        else:
            entry, new_at = _entry(new, new_at)
            come.append(entry)
    newer.starts = starts
    twice = set(gone) & set(come)
    return Difference(_read(gone, twice), _read(come, twice))


def _same(old: bytes, old_at: int, new: bytes, new_at: int) -> int:
    """How many octets both surely have alike from there on."""
    most, count = min(len(old) - old_at, len(new) - new_at), 0
    for step in _STEPS:
        while (
            count + step <= most
            and old[old_at + count : old_at + count + step] == new[new_at + count : new_at + count + step]
        ):
            count += step
    return count


def _entry(octets: bytes, at: int) -> tuple[_Raw, int]:
    found = _ENTRY.match(octets, at)
    if found is None:
        raise RepositoryBroken(_DAMAGED)
    mode, name, content = found.groups()
    return (mode, name, content), found.end()


def _read(entries: Iterable[_Raw], left_out: set[_Raw]) -> dict[bytes, Entry]:
    return {entry[1]: Entry(int(entry[0], 8), entry[2].hex()) for entry in entries if entry not in left_out}
