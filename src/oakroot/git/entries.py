"""Folders as git writes them: mode, name and id of each entry, sorted by name; and what differs between two.

Of ten thousand files mostly one has changed. So what both folders begin and end with is compared as a whole,
and only the entries in between are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from oakroot.frozen import frozen
from oakroot.git.errors import RepositoryBroken

_Raw = tuple[bytes, bytes, bytes]
_DAMAGED = "a folder in the repository is damaged; check the remote with `git fsck`"
_ENTRY = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL)
# Many of them, to be passed over.
_ENTRIES = re.compile(rb"(?:[^\0]+\0.{20}){0,64}", re.DOTALL)
_STEP = 4096


class Entry(NamedTuple):
    """What a folder has under one name: the kind of thing, and the id of its content."""

    mode: int
    content: str


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


def difference(older: bytes, newer: bytes) -> Difference:
    """What became of a folder, given its octets before and after. RepositoryBroken: these are no folder's."""
    end = _same_end(older, newer)
    old_at = new_at = _entries_within(older, _same_start(older, newer))
    gone: list[_Raw] = []
    come: list[_Raw] = []
    # The rest is the same once as much is left of both, and an entry begins there in both.
    while (old_left := len(older) - old_at) != (new_left := len(newer) - new_at) or old_left > end:
        if old_left >= new_left:
            entry, old_at = _entry(older, old_at)
            gone.append(entry)
        else:
            entry, new_at = _entry(newer, new_at)
            come.append(entry)
    same = set(gone) & set(come)
    return Difference(_read(gone, same), _read(come, same))


def _same_start(older: bytes, newer: bytes) -> int:
    """How many octets both surely begin with."""
    most, at = min(len(older), len(newer)), 0
    while at + _STEP <= most and older[at : at + _STEP] == newer[at : at + _STEP]:
        at += _STEP
    return at


def _same_end(older: bytes, newer: bytes) -> int:
    """How many octets both surely end with."""
    most, count = min(len(older), len(newer)), 0
    while count + _STEP <= most and _from_end(older, count) == _from_end(newer, count):
        count += _STEP
    return count


def _from_end(octets: bytes, count: int) -> bytes:
    end = len(octets) - count
    return octets[end - _STEP : end]


def _entries_within(octets: bytes, most: int) -> int:
    """Where an entry begins, at or not far before `most`."""
    at = 0
    while (found := _ENTRIES.match(octets, at)) is not None and at < found.end() <= most:
        at = found.end()
    return at


def _entry(octets: bytes, at: int) -> tuple[_Raw, int]:
    found = _ENTRY.match(octets, at)
    if found is None:
        raise RepositoryBroken(_DAMAGED)
    mode, name, content = found.groups()
    return (mode, name, content), found.end()


def _read(entries: Iterable[_Raw], left_out: set[_Raw]) -> dict[bytes, Entry]:
    return {entry[1]: Entry(int(entry[0], 8), entry[2].hex()) for entry in entries if entry not in left_out}
