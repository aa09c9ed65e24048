"""Reads protocol buffers as their specification has them, without a schema, and apart from our own writer."""

from __future__ import annotations

from typing import TypeAlias

Fields: TypeAlias = dict[int, "int | bytes"]


def fields(octets: bytes) -> Fields:
    """Each field by its number; none may be there twice."""
    found: Fields = {}
    at = 0
    while at < len(octets):
        key, at = _varint(octets, at)
        number, kind = key >> 3, key & 7
        assert number not in found, f"field {number} is there twice"
        if kind == 0:
            found[number], at = _varint(octets, at)
        else:
            length, at = _varint(octets, at) if kind == 2 else (4, at)
            value, at = octets[at : at + length], at + length
            assert len(value) == length
            assert kind in (2, 5)
            found[number] = value if kind == 2 else int.from_bytes(value, "little")
    return found


def _varint(octets: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (octets[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if octets[at - 1] < 0x80:
            return number, at
