"""Makes a machine's memory go further: what is not used just now is kept compressed, files too.

The kernel unpacks an initramfs to where it stays as it is for good. The first process moves all of it to a
file system whose pages can be swapped out, and begins anew; the swap space is memory, compressed (zram).
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from pathlib import Path
from typing import NoReturn

_MOUNTED_OVER = frozenset({"proc", "sys", "dev", "run", "tmp"})
_NEW_ROOT = "/run"
_MOVE = 0x2000
_PAGE = 4096
_HEADER = struct.Struct("<III")
_HEADER_BEGINS = 1024
_MAGIC = b"SWAPSPACE2"
_DEVICE = Path("/dev/zram0")
_SETTINGS = Path("/sys/block/zram0")
_VM = Path("/proc/sys/vm")

_libc = ctypes.CDLL(None, use_errno=True)


def move_root(then: tuple[str, ...]) -> NoReturn:
    """Moves all files to a root that can be swapped out, and becomes that program in it."""
    _check(_libc.mount(b"tmpfs", _NEW_ROOT.encode(), b"tmpfs", ctypes.c_ulong(0), b"mode=755,size=95%"))
    move("/", _NEW_ROOT, _MOUNTED_OVER)
    os.chdir(_NEW_ROOT)
    _check(_libc.mount(b".", b"/", None, ctypes.c_ulong(_MOVE), None))
    os.chroot(".")
    os.chdir("/")
    os.execv(then[0], then)  # noqa: S606 - this very process, once more


def move(old: str, new: str, only_folder: frozenset[str] = frozenset()) -> None:
    """Moves what is in a folder, file by file, so that hardly more than one is there twice.

    Of the folders named in `only_folder` the new one has the names and rights alone.
    """
    for name in sorted(os.listdir(old)):  # noqa: PTH208 - nothing is imported that it can do without
        source, target = f"{old}/{name}", f"{new}/{name}"
        mode = os.lstat(source).st_mode
        if stat.S_ISDIR(mode):
            os.mkdir(target)  # noqa: PTH102 - the same
            os.chmod(target, stat.S_IMODE(mode))  # noqa: PTH101 - the same
            if name not in only_folder:
                move(source, target)
            continue
        if stat.S_ISLNK(mode):
            os.symlink(os.readlink(source), target)  # noqa: PTH115, PTH211 - the same
        elif stat.S_ISREG(mode):
            _copy(source, target, stat.S_IMODE(mode))
        os.unlink(source)  # noqa: PTH108 - the same


def _copy(source: str, target: str, mode: int) -> None:
    reader = os.open(source, os.O_RDONLY)
    writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    os.fchmod(writer, mode)
    while os.sendfile(writer, reader, None, 1 << 24):
        pass
    os.close(reader)
    os.close(writer)


def swap_header(pages: int) -> bytes:
    """The first page of a swap space of so many pages, as mkswap(8) writes it."""
    head = bytearray(_PAGE)
    _HEADER.pack_into(head, _HEADER_BEGINS, 1, pages - 1, 0)
    head[-len(_MAGIC) :] = _MAGIC
    return bytes(head)


def compress_unused() -> None:
    """From now on pages that nobody uses are compressed when memory is short; OSError without the driver."""
    total = Path("/proc/meminfo").read_text().split()[1]  # its first line is MemTotal
    pages = int(total) * 1024 // _PAGE
    (_SETTINGS / "disksize").write_text(str(pages * _PAGE))
    with _DEVICE.open("r+b") as device:
        device.write(swap_header(pages))
    _check(_libc.swapon(str(_DEVICE).encode(), 0))
    # Nothing is near anything else in memory: what is read ahead of a disk would only be unpacked in vain.
    (_VM / "page-cluster").write_text("0")
    (_VM / "swappiness").write_text("100")


def _check(result: int) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
