"""Takes from a program or library what is not loaded: symbols and debugging information. Pure."""

from __future__ import annotations

import struct

_MAGIC = b"\x7fELF\x02\x01"  # 64 bits, the least octet first
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_LOADED = struct.Struct("<IIQQQQ")


def strip(octets: bytes) -> bytes:
    """The file up to the end of its last segment, without the table of sections; other files as they are."""
    if not octets.startswith(_MAGIC) or len(octets) < _HEADER.size:
        return octets
    fields = list(_HEADER.unpack_from(octets))
    start, size, count = fields[5], fields[9], fields[10]
    end = start + size * count
    if end > len(octets):
        return octets
    for index in range(count):
        _, _, offset, _, _, length = _LOADED.unpack_from(octets, start + index * size)
        end = max(end, offset + length)
    fields[6] = fields[12] = fields[13] = 0  # where the sections' table is, how many, which has their names
    return _HEADER.pack(*fields) + octets[_HEADER.size : end]
