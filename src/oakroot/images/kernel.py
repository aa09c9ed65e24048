"""Takes the kernel out of the file in which Linux on x86-64 is distributed (bzImage). Pure.

Virtual machine monitors without firmware start it as it is, by the entry that it has for them (PVH). Nothing
is changed: these are the octets that the distributed kernel unpacks itself into.
"""

from __future__ import annotations

import struct

from oakroot.images.rejected import ImageError

# Linux, Documentation/arch/x86/boot.rst: how long its first part is, and where in the rest the kernel begins.
_SECTORS, _PAYLOAD, _SECTOR = 0x1F1, 0x248, 512
_LZ4_LEGACY = 0x184C2102
_LONG = 15
_SHORTEST_COPY = 4


def unpack_kernel(package: str, octets: bytes) -> bytes:
    """The kernel as an ELF file; ImageError if it is packed in another way than Debian's."""
    try:
        offset, length = struct.unpack_from("<II", octets, _PAYLOAD)
        begin = (octets[_SECTORS] + 1) * _SECTOR + offset
        kernel = _unpack_lz4(octets[begin : begin + length])
    except (IndexError, struct.error):
        kernel = b""
    if not kernel.startswith(b"\x7fELF"):
        raise ImageError(f"{package}: its kernel is not packed with LZ4, or is broken")
    return kernel


def _unpack_lz4(octets: bytes) -> bytes:
    """What a legacy frame of LZ4 holds: a magic number, blocks after their lengths, its whole length."""
    pieces = []
    if struct.unpack_from("<I", octets)[0] == _LZ4_LEGACY:
        position = 4
        while position + 8 <= len(octets):
            size = struct.unpack_from("<I", octets, position)[0]
            position += 4
            pieces.append(_unpack_block(octets[position : position + size]))
            position += size
    return b"".join(pieces)


def _unpack_block(block: bytes) -> bytes:
    made = bytearray()
    position = 0
    while True:
        token = block[position]
        count, position = _length(block, position + 1, token >> 4)
        made += block[position : position + count]
        position += count
        if position >= len(block):
            return bytes(made)
        back = block[position] | block[position + 1] << 8
        count, position = _length(block, position + 2, token & 0xF)
        count += _SHORTEST_COPY
        piece = made[len(made) - back : len(made) - back + count]
        # A copy may reach into what it makes: then it repeats.
        made += piece if back >= count else (piece * (count // back + 1))[:count]


def _length(block: bytes, position: int, count: int) -> tuple[int, int]:
    """A length and the position after it."""
    if count == _LONG:
        while block[position] == 0xFF:  # noqa: PLR2004 - more follows
            count += 0xFF
            position += 1
        count += block[position]
        position += 1
    return count, position
