"""Unpacks what git has deflated, never more of it than its header says.

How long a packed form is nobody knows before its end. It is read in pieces, since the kernel copies each in
one go, and on many systems is not preempted meanwhile: with megabytes whoever answers on the same processor
would wait for milliseconds. A mapped file would spare the copies, but ends the process where the disk fails.
"""

from __future__ import annotations

import os
import zlib

# Most objects of a zone repository are smaller than that, and then one read is enough.
READ_AHEAD = 4096
PIECE = 2**17


def read_ahead(descriptor: int, at: int) -> bytes:
    """What begins there, in full if that is little."""
    return os.pread(descriptor, READ_AHEAD, at)


def inflated(octets: bytes, start: int, size: int, descriptor: int, at: int, *, header: int = 0) -> bytes:
    """The `size` octets whose packed form begins at `start` of `octets`; these were read at `at`.

    `header`: so many octets come before them, in the part that was read ahead, and are left out.

    ValueError, zlib.error: there are more or fewer, or the packed form is damaged.
    """
    if size <= READ_AHEAD:
        # Nearly always all of it was read, and one call will do: what so few octets can become is no danger.
        try:
            content = zlib.decompress(octets[start : start + READ_AHEAD], bufsize=size + 1)
        except zlib.error:
            pass  # there is more to be read, or it is damaged
        else:
            if len(content) == size:
                return content
    unpacker = zlib.decompressobj()
    packed, at = octets[start:], at + len(octets)
    pieces: list[bytes] = []
    room = header + size + 1  # one more than there should be, so that too many are noticed
    while packed:
        pieces.append(unpacker.decompress(packed, room))
        room -= len(pieces[-1])
        if unpacker.eof or not room:
            break
        packed = os.pread(descriptor, PIECE, at)
        at += len(packed)
    if not unpacker.eof or room != 1:
        raise ValueError("an object of another size than its header says, or an incomplete one")
    pieces[0] = pieces[0][header:]  # and not of the whole, which would be copied once more
    return b"".join(pieces)
