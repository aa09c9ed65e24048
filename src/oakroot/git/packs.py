"""Reads objects out of one pack by its index, of the second version; gitformat-pack(5).

The pack is read, not mapped: what was read is then not counted as our memory for as long as the pack is open.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple, Self

from dulwich.pack import apply_delta

from oakroot.git.errors import FileTooLarge
from oakroot.git.inflating import READ_AHEAD, inflated

NAME_OCTETS = 20
KINDS = {1: b"commit", 2: b"tree", 3: b"blob", 4: b"tag"}
OFFSET_DELTA = 6
NAME_DELTA = 7
INDEX_HEAD = b"\xfftOc\0\0\0\2"
FANOUT_AT = 8
FANOUT = struct.Struct(">256I")
NAMES_AT = FANOUT_AT + FANOUT.size
CHECKSUM_OCTETS = 4
OFFSET = struct.Struct(">I")
FAR_OFFSET = struct.Struct(">Q")
FAR = 1 << 31
# Contents that others are stored as differences to, kept while many objects are read: so many octets, and so
# many objects. Of ten thousand small files one in nine is then unpacked twice, and the others are not kept.
BASES_OCTETS = 16 * 1024 * 1024
BASES = 1000
# A call of the system costs as much as all else that is done for a small object.
STRETCH = 32 * 1024


class Object(NamedTuple):
    """An object as it is: `commit`, `tree`, `blob` or `tag`, and its content."""

    kind: bytes
    content: bytes


class Pack:
    """One pack. Closed by `close`."""

    def __init__(self, index: mmap.mmap, pack: int, largest: int) -> None:
        self._index = index
        self._pack = pack
        self._largest = largest
        # How many names begin with a lesser octet, for each and for all.
        self._before = (0, *FANOUT.unpack_from(index, FANOUT_AT))
        self._count = self._before[-1]
        self._offsets_at = NAMES_AT + (NAME_OCTETS + CHECKSUM_OCTETS) * self._count
        self._bases: OrderedDict[int, Object] = OrderedDict()
        self._bases_octets = 0
        self._ahead = b""
        self._ahead_at = -STRETCH

    @classmethod
    def opened(cls, path: Path, largest: int) -> Self | None:
        """The pack with this index; None where it is gone, or its index is of another version."""
        try:
            with path.open("rb") as file:
                index = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (FileNotFoundError, ValueError):  # ValueError: an empty file
            return None
        if len(index) >= NAMES_AT and index[: len(INDEX_HEAD)] == INDEX_HEAD:
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
        self._ahead, self._ahead_at = b"", -STRETCH

    def offset_of(self, name: bytes) -> int | None:
        """Where the object of this name begins; None where it is not in the pack."""
        first = name[0]
        end = NAMES_AT + NAME_OCTETS * self._before[first + 1]
        place = self._index.find(name, NAMES_AT + NAME_OCTETS * self._before[first], end)
        while place >= 0 and (place - NAMES_AT) % NAME_OCTETS:
            place = self._index.find(name, place + 1, end)
        return None if place < 0 else self._offset((place - NAMES_AT) // NAME_OCTETS)

    def _offset(self, at: int) -> int:
        offset: int = OFFSET.unpack_from(self._index, self._offsets_at + OFFSET.size * at)[0]
        if offset < FAR:
            return offset
        far = self._offsets_at + OFFSET.size * self._count + FAR_OFFSET.size * (offset - FAR)
        return int(FAR_OFFSET.unpack_from(self._index, far)[0])

    def read(self, offset: int) -> Object:
        """The object that begins there.

        Raises:
            FileTooLarge: found out before its content is unpacked.
            OSError, ValueError, zlib.error, IndexError: the pack cannot be read, or is damaged.
        """
        differences: list[tuple[int, bytes]] = []
        at = offset
        while (found := self._bases.get(at)) is None:
            kind, content, base = self._entry(at)
            if base is None:
                found = Object(KINDS[kind], content)
                self._keep(at, found)
                break
            differences.append((at, content))
            if isinstance(base, bytes):
                base = self.offset_of(base)
            if base is None or len(differences) > self._count:
                raise ValueError("a difference to nothing")
            at = base
        for at, difference in reversed(differences):
            found = Object(found.kind, self._changed(found.content, difference))
            self._keep(at, found)
        return found

    def _changed(self, base: bytes, difference: bytes) -> bytes:
        check_size(_size_after(difference), self._largest)
        return b"".join(apply_delta(base, difference))

    def _keep(self, offset: int, item: Object) -> None:
        self._bases[offset] = item
        self._bases_octets += len(item.content)
        while self._bases_octets > BASES_OCTETS or len(self._bases) > BASES:
            self._bases_octets -= len(self._bases.popitem(last=False)[1].content)

    def _entry(self, offset: int) -> tuple[int, bytes, int | bytes | None]:
        """Kind and content of what stands there; for a difference where the other object is, or its name."""
        octets, at = self._octets_at(offset)
        kind, size, at, shift = octets[at] >> 4 & 7, octets[at] & 15, at + 1, 4
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
        return kind, inflated(octets, at, size, self._pack, self._ahead_at), base

    def _octets_at(self, offset: int) -> tuple[bytes, int]:
        """What stands there, in full if that is little, with all that was read with it; and where it begins.

        Whoever reads many objects reads most of them as they stand, one behind the other.
        """
        start = offset - self._ahead_at
        if not 0 <= start <= len(self._ahead) - READ_AHEAD:
            octets = STRETCH if abs(start) < STRETCH else READ_AHEAD
            self._ahead, self._ahead_at, start = os.pread(self._pack, octets, offset), offset, 0
        return self._ahead, start


def check_size(size: int, largest: int) -> None:
    """Raises FileTooLarge for more octets than are read."""
    if size > largest:
        raise FileTooLarge(f"it has {size} octets, and more than {largest} are not read")


def _size_after(difference: bytes) -> int:
    """The second of the two numbers that a difference begins with: how long what it makes is."""
    at = 0
    while difference[at] & 0x80:
        at += 1
    size = shift = 0
    more = True
    while more:
        at += 1
        size |= (difference[at] & 0x7F) << shift
        shift += 7
        more = bool(difference[at] & 0x80)
    return size


def _distance(octets: bytes, at: int) -> tuple[int, int]:
    """How far back the base of a difference stands, and where that number ends."""
    distance = octets[at] & 0x7F
    while octets[at] & 0x80:
        at += 1
        distance = (distance + 1 << 7) + (octets[at] & 0x7F)
    return distance, at + 1
