"""Reads objects out of one pack by its index, of the second version; gitformat-pack(5).

The pack is read, not mapped: what was read is then not counted as our memory for as long as the pack is open.
"""

from __future__ import annotations

import mmap
import os
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple, Self

from dulwich.pack import apply_delta

from oakroot.git.errors import FileTooLarge
from oakroot.git.inflating import inflated, read_ahead

NAME_OCTETS = 20
KINDS = {1: b"commit", 2: b"tree", 3: b"blob", 4: b"tag"}
OFFSET_DELTA = 6
NAME_DELTA = 7
INDEX_HEAD = b"\xfftOc\0\0\0\2"
FANOUT_AT = 8
NAMES_AT = FANOUT_AT + 256 * 4
CHECKSUM_OCTETS = 4
OFFSET_OCTETS = 4
FAR = 1 << 31
# Contents that others are stored as differences to, kept while many objects are read: so many octets, and so
# many objects. Of ten thousand small files one in nine is then unpacked twice, and the others are not kept.
BASES_OCTETS = 16 * 1024 * 1024
BASES = 1000


class Object(NamedTuple):
    """An object as it is: `commit`, `tree`, `blob` or `tag`, and its content."""

    kind: bytes
    content: bytes


class _Entry(NamedTuple):
    """What stands in a pack at some place: an object, or a difference to one."""

    kind: int
    content: bytes
    base: int | bytes | None
    """Where the other object stands, or its name."""


class Pack:
    """One pack. Closed by `close`."""

    def __init__(self, index: mmap.mmap, pack: int, largest: int) -> None:
        self._index = index
        self._pack = pack
        self._largest = largest
        self._count = self._number(NAMES_AT - 4)
        self._bases: OrderedDict[int, Object] = OrderedDict()
        self._bases_octets = 0

    @classmethod
    def opened(cls, path: Path, largest: int) -> Self | None:
        """The pack with this index; None where it is gone, or its index is of another version."""
        try:
            with path.open("rb") as file:
                index = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (FileNotFoundError, ValueError):  # ValueError: an empty file
            return None
        if index[: len(INDEX_HEAD)] == INDEX_HEAD:
            try:
                return cls(index, os.open(path.with_suffix(".pack"), os.O_RDONLY | os.O_CLOEXEC), largest)
            except FileNotFoundError:
                pass  # `git gc` has just replaced it
        index.close()
        return None

    def close(self) -> None:
        """Closes its files."""
        self._index.close()
        os.close(self._pack)
        self.forget()

    def forget(self) -> None:
        """Lets go of what is kept for the objects that are read next."""
        self._bases.clear()
        self._bases_octets = 0

    def offset_of(self, name: bytes) -> int | None:
        """Where the object of this name begins; None where it is not in the pack."""
        first = name[0]
        low = self._number(FANOUT_AT + 4 * (first - 1)) if first else 0
        start, end = (NAMES_AT + NAME_OCTETS * at for at in (low, self._number(FANOUT_AT + 4 * first)))
        place = self._index.find(name, start, end)
        while place >= 0 and (place - NAMES_AT) % NAME_OCTETS:
            place = self._index.find(name, place + 1, end)
        return None if place < 0 else self._offset((place - NAMES_AT) // NAME_OCTETS)

    def _offset(self, at: int) -> int:
        offsets = NAMES_AT + (NAME_OCTETS + CHECKSUM_OCTETS) * self._count
        offset = self._number(offsets + OFFSET_OCTETS * at)
        if offset < FAR:
            return offset
        far = offsets + OFFSET_OCTETS * self._count + 8 * (offset - FAR)
        return int.from_bytes(self._index[far : far + 8])

    def _number(self, at: int) -> int:
        return int.from_bytes(self._index[at : at + 4])

    def read(self, offset: int) -> Object:
        """The object that begins there.

        Raises:
            FileTooLarge: found out before its content is unpacked.
            OSError, ValueError, zlib.error, IndexError: the pack cannot be read, or is damaged.
        """
        differences: list[tuple[int, bytes]] = []
        at = offset
        while (found := self._bases.get(at)) is None:
            entry = self._entry(at)
            if entry.base is None:
                found = Object(KINDS[entry.kind], entry.content)
                self._keep(at, found)
                break
            differences.append((at, entry.content))
            base = entry.base if isinstance(entry.base, int) else self.offset_of(entry.base)
            if base is None or len(differences) > self._count:
                raise ValueError("a difference to nothing")
            at = base
        for at, difference in reversed(differences):
            found = Object(found.kind, self._changed(found.content, difference))
            self._keep(at, found)
        return found

    def _changed(self, base: bytes, difference: bytes) -> bytes:
        _, at = _size(difference, 0)
        size, _ = _size(difference, at)
        check_size(size, self._largest)
        return b"".join(apply_delta(base, difference))

    def _keep(self, offset: int, item: Object) -> None:
        self._bases[offset] = item
        self._bases_octets += len(item.content)
        while self._bases_octets > BASES_OCTETS or len(self._bases) > BASES:
            self._bases_octets -= len(self._bases.popitem(last=False)[1].content)

    def _entry(self, offset: int) -> _Entry:
        """Reads the header, which has a base in it for a difference, and unpacks what follows."""
        octets = read_ahead(self._pack, offset)
        first = octets[0]
        kind, size, at, shift = first >> 4 & 7, first & 15, 1, 4
        while octets[at - 1] & 0x80:
            size |= (octets[at] & 0x7F) << shift
            shift += 7
            at += 1
        check_size(size, self._largest)
        base: int | bytes | None = None
        if kind == OFFSET_DELTA:
            distance, at = _distance(octets, at)
            base = offset - distance
        elif kind == NAME_DELTA:
            base, at = octets[at : at + NAME_OCTETS], at + NAME_OCTETS
        return _Entry(kind, inflated(octets, at, size, self._pack, offset), base)


def check_size(size: int, largest: int) -> None:
    """Raises FileTooLarge for more octets than are read."""
    if size > largest:
        raise FileTooLarge(f"it has {size} octets, and more than {largest} are not read")


def _size(octets: bytes, at: int) -> tuple[int, int]:
    """A number as a difference begins with two of them, and where it ends."""
    size = shift = 0
    while True:
        octet = octets[at]
        size |= (octet & 0x7F) << shift
        shift += 7
        at += 1
        if not octet & 0x80:
            return size, at


def _distance(octets: bytes, at: int) -> tuple[int, int]:
    """How far back the base of a difference stands, and where that number ends."""
    distance = octets[at] & 0x7F
    while octets[at] & 0x80:
        at += 1
        distance = (distance + 1 << 7) + (octets[at] & 0x7F)
    return distance, at + 1
