"""A file told as a change of an earlier version of it, as git does in packs (gitformat-pack(5)).

Meant for long texts of which some lines changed: whoever pushes one line of a zone of a million should not
send the others again. What must not live here: which version the other side has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from zlib import Z_BEST_SPEED

from dulwich.object_format import DEFAULT_OBJECT_FORMAT
from dulwich.objects import ObjectID, ShaFile
from dulwich.pack import REF_DELTA, UnpackedObject, pack_object_chunks

from oakroot.frozen import frozen

SHORTEST_FILE = 4096
"""Of shorter ones a delta saves nothing."""

# Where lines differ, so many octets of a later line are looked for in the old file, within so many octets,
# and so many lines are tried; then the files are not alike enough.
_ANCHOR = 48
_WINDOW = 2**18
_LINES = 2000
_FIRST_STEP, _LONGEST_STEP = 2**8, 2**20
# What one instruction may copy in packs of version 2, and what one may insert.
_LONGEST_COPY = 2**16
_LONGEST_INSERT = 127
_COPY = 0x80


@frozen
class Delta:
    """What makes an object of another one, which both sides have."""

    base: ObjectID
    octets: bytes


@frozen
class NewObjects:
    """What a commit brings."""

    objects: Sequence[ShaFile]
    formers: Mapping[ObjectID, ObjectID]
    """Of files: the version in whose place each is."""
    deltas: Mapping[ObjectID, Delta]
    """What may be sent in the place of some of them."""


def packed(item: ShaFile, delta: Delta | None) -> UnpackedObject:
    """An object as it goes into a pack, the fast way: git's usual compression takes a second for 20 MB."""
    name = bytes.fromhex(item.id.decode("ascii"))
    if delta is not None:
        base = bytes.fromhex(delta.base.decode("ascii"))
        return UnpackedObject(REF_DELTA, delta_base=base, sha=name, decomp_chunks=[delta.octets])
    unpacked = UnpackedObject(item.type_num, sha=name, decomp_chunks=item.as_raw_chunks())
    octets = pack_object_chunks(
        item.type_num,
        unpacked.decomp_chunks,
        compression_level=Z_BEST_SPEED,
        object_format=DEFAULT_OBJECT_FORMAT,
    )
    unpacked.comp_chunks = list(octets)
    return unpacked


def make_delta(old: bytes, new: bytes) -> bytes | None:
    """What makes `new` of `old`; None where that would not be much shorter than `new`."""
    parts = [_number(len(old)), _number(len(new))]
    at_old = at_new = 0
    while at_new < len(new):
        alike = _length_alike(old, at_old, new, at_new)
        parts += _copies(at_old, alike)
        at_old, at_new = at_old + alike, at_new + alike
        if at_new == len(new):
            break
        found = _meet_again(old, at_old, new, at_new)
        if found is None:
            return None
        next_old, next_new = found
        parts += _inserts(new[at_new:next_new])
        at_old, at_new = next_old, next_new
    return b"".join(parts)


def _length_alike(old: bytes, at_old: int, new: bytes, at_new: int) -> int:
    """How many octets are the same from there on."""
    most = min(len(old) - at_old, len(new) - at_new)
    alike, step = 0, _FIRST_STEP
    while alike < most:
        step = min(step, most - alike)
        one, other = at_old + alike, at_new + alike
        if old[one : one + step] == new[other : other + step]:
            alike += step
            step = min(2 * step, _LONGEST_STEP)
        elif step == 1:
            break
        else:
            step //= 2
    return alike


def _meet_again(old: bytes, at_old: int, new: bytes, at_new: int) -> tuple[int, int] | None:
    """Where both go on alike, at the beginning of a line; the end of both counts as that."""
    line = at_new
    for _ in range(_LINES):
        line = new.find(b"\n", line) + 1
        if line == 0 or line == len(new):
            return at_old, len(new)
        place = old.find(new[line : line + _ANCHOR], at_old, at_old + _WINDOW)
        if place >= 0:
            return place, line
    return None


def _number(value: int) -> bytes:
    """Seven bits an octet, the lowest first; the highest bit says that more follow."""
    octets = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def _copies(start: int, length: int) -> Iterator[bytes]:
    for offset in range(start, start + length, _LONGEST_COPY):
        yield _copy(offset, min(_LONGEST_COPY, start + length - offset))


def _copy(offset: int, length: int) -> bytes:
    """The instruction tells which octets of both numbers follow: those that are not 0. 2^16 is told as 0."""
    fields = offset.to_bytes(4, "little") + (length & 0xFFFF).to_bytes(2, "little")
    kind = sum(1 << bit for bit, octet in enumerate(fields) if octet)
    return bytes([_COPY | kind, *(octet for octet in fields if octet)])


def _inserts(octets: bytes) -> Iterator[bytes]:
    for start in range(0, len(octets), _LONGEST_INSERT):
        part = octets[start : start + _LONGEST_INSERT]
        yield bytes([len(part)]) + part
