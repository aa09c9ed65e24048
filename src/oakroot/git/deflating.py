"""Long files compressed in parts, most of which stay as they are from one version to the next.

git keeps a file as one zlib stream. Where a compressor begins anew, at the border of an octet (an empty
stored block sees to that, RFC 1951 §3.2.4), a stream can be put together of parts that were compressed
before: so a commit costs what it changes. What must not live here: where a version is kept, and of which
file it is.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from dulwich.objects import ObjectID, ShaFile

SHORTEST_FILE = 2**15
"""Shorter ones are compressed in less time than a file takes to be made."""
PART_LENGTH = 2**13
OCTETS_LIMIT = 2**26
# So many octets of a part are looked for, so often; what changed before it became so much longer at most.
_ANCHOR, _TRIES, _SHIFT = 64, 8, PART_LENGTH
# A stream begins with the method, the window and the checksum of both (RFC 1950 §2.2), and ends with an empty
# last block.
_HEAD = b"\x78\x01"
_LAST_BLOCK = b"\x03\x00"


class _Part(NamedTuple):
    octets: bytes
    compressed: bytes


class Deflater:
    """Compresses objects. Parts of the versions written last are kept, up to a number of octets."""

    def __init__(self, octets_limit: int = OCTETS_LIMIT) -> None:
        self._octets_limit = octets_limit
        self._kept: OrderedDict[ObjectID, tuple[_Part, ...]] = OrderedDict()

    def deflate(self, item: ShaFile, former: ObjectID | None, level: int) -> bytes:
        """The object as git keeps it by itself. `former`: the version of the same file before this one."""
        if former is None or item.raw_length() < SHORTEST_FILE:
            return item.as_legacy_object(compression_level=level)
        content = item.as_raw_string()
        head = b"%s %d\0" % (item.type_name, len(content))
        parts = tuple(_parts(content, self._kept.pop(former, ()), level))
        self._keep(item.id, parts)
        checksum = zlib.adler32(content, zlib.adler32(head)).to_bytes(4)
        compressed = (part.compressed for part in parts)
        return b"".join((_HEAD, _compress(head, level), *compressed, _LAST_BLOCK, checksum))

    def _keep(self, name: ObjectID, parts: tuple[_Part, ...]) -> None:
        self._kept[name] = parts
        octets = [sum(len(part.octets) for part in kept) for kept in self._kept.values()]
        while len(self._kept) > 1 and sum(octets) > self._octets_limit:
            self._kept.popitem(last=False)
            del octets[0]


def _parts(content: bytes, former: tuple[_Part, ...], level: int) -> Iterator[_Part]:
    """The content, in parts of the former version as far as they are found in their order."""
    at = gone = 0
    for part in former:
        # Short ones become part of their neighbours: there would be one for each record added at the end.
        is_long = len(part.octets) >= PART_LENGTH // 2
        found = _find(content, part.octets, at, at + gone + _SHIFT) if is_long else None
        if found is None:
            gone += len(part.octets)
            continue
        yield from _new_parts(content, at, found, level)
        yield part
        at, gone = found + len(part.octets), 0
    yield from _new_parts(content, at, len(content), level)


def _find(content: bytes, octets: bytes, at: int, end: int) -> int | None:
    """Where these octets begin between the two places."""
    # To look for all of them at once takes as long as to compress them.
    for _ in range(_TRIES):
        at = content.find(octets[:_ANCHOR], at, end)
        if at < 0:
            return None
        if content.startswith(octets, at):
            return at
        at += 1
    return None


def _new_parts(content: bytes, start: int, end: int, level: int) -> Iterator[_Part]:
    """Parts of about the same length: a short rest would be found where it does not belong."""
    length = end - start
    count = max(round(length / PART_LENGTH), min(length, 1))
    borders = [start + length * number // count for number in range(count + 1)] if count else []
    for one, other in pairwise(borders):
        octets = content[one:other]
        yield _Part(octets, _compress(octets, level))


def _compress(octets: bytes, level: int) -> bytes:
    compressor = zlib.compressobj(level, wbits=-zlib.MAX_WBITS)
    return compressor.compress(octets) + compressor.flush(zlib.Z_SYNC_FLUSH)
