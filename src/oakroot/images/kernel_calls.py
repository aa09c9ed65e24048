"""Linux's calls that a first process needs and Python has not. OSError tells what the kernel refuses."""

from __future__ import annotations

import ctypes
import os

MOVE = 0x2000
NOSUID_NODEV_NOEXEC = 0x0E
READ_ONLY_AGAIN = 0x01 | 0x20
_FINIT_MODULE = 313

_libc = ctypes.CDLL(None, use_errno=True)


def mount(
    source: str | None, place: str, kind: str | None, flags: int = 0, options: str | None = None
) -> None:
    """Lays a file system over a place, or moves one there."""
    words = [None if each is None else each.encode() for each in (source, place, kind, options)]
    _check(_libc.mount(*words[:3], ctypes.c_ulong(flags), words[3]))


def unmount(place: str) -> None:
    """Takes a file system from its place, though some of it be in use: see umount2(2), MNT_DETACH."""
    _check(_libc.umount2(place.encode(), 2))


def swap_on(device: str) -> None:
    """See swapon(2)."""
    _check(_libc.swapon(device.encode(), 0))


def load_module(file: str) -> None:
    """See finit_module(2)."""
    with open(file, "rb") as module:  # noqa: PTH123 - nothing is imported that a first process can do without
        number, descriptor = ctypes.c_long(_FINIT_MODULE), ctypes.c_long(module.fileno())
        _check(_libc.syscall(number, descriptor, b"", ctypes.c_long(0)))


def switch_off() -> None:
    """See reboot(2): a virtual machine that must not start again ends."""
    _libc.reboot(0x01234567)


def _check(result: int) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
