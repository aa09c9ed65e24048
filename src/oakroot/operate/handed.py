"""What a process leaves to the one after it, in memory alone: it is gone with whoever has it.

A file without a name (memfd_create(2)), sealed, so that nobody changes what another one reads:

    oakroot handed 1
    (16 octets that cookies are made with, then entries, each after its length in eight octets)

What must not live here: what an entry means, and how the file comes to the other process.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress

NAME = "oakroot-handed"
"""What it is called where systemd keeps it."""
MOST_OCTETS = 1 << 28
"""What has no room is not worth to be kept twice: the other process can find it out again."""
_HEAD = b"oakroot handed 1\n"
_SECRET_LENGTH = 16
_BEGINNING = len(_HEAD) + _SECRET_LENGTH
_LENGTH = 8
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW


class HandedError(Exception):
    """Nothing that a process of ours has left; the text says why."""


def pack(cookie_secret: bytes, entries: Iterable[bytes], most: int = MOST_OCTETS) -> int:
    """The descriptor of a new one; entries that have no room are left out. OSError."""
    descriptor = os.memfd_create(NAME, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(_HEAD + cookie_secret)
            for entry in entries:
                if file.tell() + _LENGTH + len(entry) <= most:
                    file.write(len(entry).to_bytes(_LENGTH))
                    file.write(entry)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


class Handed:
    """What the process before has left."""

    def __init__(self, descriptor: int) -> None:
        """HandedError: it is not that, and the descriptor is closed."""
        self._descriptor = descriptor
        try:
            os.set_inheritable(descriptor, False)  # noqa: FBT003 - it has no name
            sealed = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) & _SEALS == _SEALS
            self._size = os.fstat(descriptor).st_size
            beginning = os.pread(descriptor, _BEGINNING, 0)
        except OSError as error:
            self.close()
            raise HandedError(f"it cannot be read: {error.strerror}") from None
        self.cookie_secret = beginning.removeprefix(_HEAD)
        if not sealed or len(self.cookie_secret) != _SECRET_LENGTH or len(beginning) != _BEGINNING:
            self.close()
            raise HandedError("it does not begin as it should")

    def entries(self) -> Iterator[bytes]:
        """All of them, in their order; HandedError."""
        at = _BEGINNING
        while at < self._size:
            length = int.from_bytes(os.pread(self._descriptor, _LENGTH, at))
            at += _LENGTH
            if length > self._size - at:
                raise HandedError("it ends too early")
            yield os.pread(self._descriptor, length, at)
            at += length

    def close(self) -> None:
        """Lets it go."""
        with suppress(OSError):
            os.close(self._descriptor)
        self._descriptor = -1
