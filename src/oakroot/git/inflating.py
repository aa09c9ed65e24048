"""Unpacks what git has deflated; long forms are mapped for as long as that takes.

How long a packed form is nobody knows before its end, so more has to be at hand than there is. Were that
read, the kernel would copy megabytes in one go, and on many systems it is not preempted meanwhile: whoever
answers on the same processor would wait for milliseconds.
"""

from __future__ import annotations

import mmap
import os
import zlib

# Most objects of a zone repository are smaller than that, and then one read is enough.
READ_AHEAD = 4096
# What deflate adds to octets that it cannot make fewer: five for each 16 KiB, and a frame.
GROWTH = 2000
FRAME = 64


def read_ahead(descriptor: int, at: int) -> bytes:
    """What begins there, in full if that is little."""
    return os.pread(descriptor, READ_AHEAD, at)


def inflated(octets: bytes, start: int, size: int, descriptor: int, at: int) -> bytes:
    """The `size` octets whose packed form begins at `start` of `octets`; these were read ahead at `at`.

    ValueError, zlib.error: there are more or fewer, or the packed form is damaged.
    """
    if len(octets) < READ_AHEAD or len(octets) - start >= size + size // GROWTH + FRAME:
        content = _inflated(octets[start:], size)
    else:
        with (
            mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as file,
            memoryview(file) as whole,
            whole[at + start :] as packed,
        ):
            content = _inflated(packed, size)
    if len(content) != size:
        raise ValueError("an object of another size than its header says")
    return content


def _inflated(packed: bytes | memoryview, size: int) -> bytes:
    # With its size given, the content is unpacked into its place at once; what follows is not looked at.
    return zlib.decompress(packed, bufsize=max(size, 1))
