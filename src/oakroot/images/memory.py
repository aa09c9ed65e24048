"""Makes a machine's memory go further: what is not used just now is kept compressed, files too.

The kernel unpacks an initramfs to where it stays as it is for good. The first process moves all of it to a
file system whose pages can be swapped out, and begins anew; the swap space is memory, compressed (zram).
"""

from __future__ import annotations

import os
import stat
import struct
import zlib
from typing import NoReturn

from oakroot.images.kernel_calls import MOVE, load_module, mount, swap_on, unmount

_MOUNTED_OVER = frozenset({"proc", "sys", "dev", "run", "tmp"})
_NEW_ROOT = "/run"
_NEEDED = (("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"))
_MODULES = "/lib/modules"
_DRIVERS = ("-zsmalloc.ko", "-lzo-rle.ko", "-zram.ko")
_PAGE = 4096
_PIECE = 1 << 20
PACKED = ".gz"
"""What files end with that are unpacked on the way."""
_GZIP = 31
_HEADER = struct.Struct("<III")
_HEADER_BEGINS = 1024
_MAGIC = b"SWAPSPACE2"
_DEVICE = "/dev/zram0"


def move_root(then: tuple[str, ...]) -> NoReturn:
    """Moves all files to a root that can be swapped out, and becomes that program in it."""
    for kind, place in _NEEDED:
        mount(kind, place, kind)
    used = in_use()
    try:
        compress_unused()
    except OSError as problem:
        os.write(2, f"oakroot: warning: unused memory is not compressed: {problem}\n".encode())
    for _, place in _NEEDED:
        unmount(place)
    mount("tmpfs", _NEW_ROOT, "tmpfs", options="mode=755,size=95%")
    move("", _NEW_ROOT, used, _MOUNTED_OVER)
    os.chdir(_NEW_ROOT)
    mount(".", "/", None, MOVE)
    os.chroot(".")
    os.chdir("/")
    os.execv(then[0], then)  # noqa: S606 - this very process, once more


def in_use() -> frozenset[str]:
    """The files that this process runs, and cannot lose a page of."""
    with open("/proc/self/maps") as maps:  # noqa: PTH123 - nothing is imported that it can do without
        return frozenset(line.split()[-1] for line in maps)


def move(old: str, new: str, used: frozenset[str], only_folder: frozenset[str] = frozenset()) -> None:
    """Moves what is in a folder, and hardly any of it is there twice: but for the files in use.

    What ends with `PACKED` is unpacked. Of the folders named in `only_folder` the new one has the names and
    rights alone.
    """
    for name in sorted(os.listdir(old or "/")):  # noqa: PTH208 - the same
        source, target = f"{old}/{name}", f"{new}/{name}"
        mode = os.lstat(source).st_mode
        if stat.S_ISDIR(mode):
            os.mkdir(target)  # noqa: PTH102 - the same
            os.chmod(target, stat.S_IMODE(mode))  # noqa: PTH101 - the same
            if name not in only_folder:
                move(source, target, used)
            continue
        if stat.S_ISLNK(mode):
            os.symlink(os.readlink(source), target)  # noqa: PTH115, PTH211 - the same
        elif name.endswith(PACKED):
            _unpack(source, target.removesuffix(PACKED), stat.S_IMODE(mode))
        elif stat.S_ISREG(mode):
            _move_file(source, target, stat.S_IMODE(mode), shrinks=source not in used)
        os.unlink(source)  # noqa: PTH108 - the same


def _move_file(source: str, target: str, mode: int, *, shrinks: bool) -> None:
    """From the end to the beginning, so that what was moved can be cut off."""
    reader = os.open(source, os.O_RDWR if shrinks else os.O_RDONLY)
    writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    os.fchmod(writer, mode)
    last = max(os.fstat(reader).st_size - 1, 0)
    for begin in range(last // _PIECE * _PIECE, -1, -_PIECE):
        os.pwrite(writer, os.pread(reader, _PIECE, begin), begin)
        if shrinks:
            os.ftruncate(reader, begin)
    os.close(reader)
    os.close(writer)


def _unpack(source: str, target: str, mode: int) -> None:
    unpacker = zlib.decompressobj(wbits=_GZIP)
    writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    os.fchmod(writer, mode)
    with open(source, "rb") as reader:  # noqa: PTH123 - the same
        while piece := reader.read(_PIECE // 16):
            while piece:
                os.write(writer, unpacker.decompress(piece, _PIECE))
                piece = unpacker.unconsumed_tail
    os.write(writer, unpacker.flush())
    os.close(writer)


def swap_header(pages: int) -> bytes:
    """The first page of a swap space of so many pages, as mkswap(8) writes it."""
    head = bytearray(_PAGE)
    _HEADER.pack_into(head, _HEADER_BEGINS, 1, pages - 1, 0)
    head[-len(_MAGIC) :] = _MAGIC
    return bytes(head)


def compress_unused() -> None:
    """From now on pages that nobody uses are compressed when memory is short; OSError without the driver."""
    for module in sorted(os.listdir(_MODULES)):  # noqa: PTH208 - the same
        if module.endswith(_DRIVERS):
            load_module(f"{_MODULES}/{module}")
    with open("/proc/meminfo") as facts:  # noqa: PTH123 - the same
        total = int(facts.readline().split()[1])  # the first line is MemTotal
    pages = total * 1024 // _PAGE
    _set("/sys/block/zram0/disksize", str(pages * _PAGE))
    with open(_DEVICE, "r+b") as device:  # noqa: PTH123 - the same
        device.write(swap_header(pages))
    swap_on(_DEVICE)
    # Nothing is near anything else in memory: what is read ahead of a disk would only be unpacked in vain.
    _set("/proc/sys/vm/page-cluster", "0")
    _set("/proc/sys/vm/swappiness", "100")


def _set(place: str, value: str) -> None:
    with open(place, "w") as setting:  # noqa: PTH123 - the same
        setting.write(value)
