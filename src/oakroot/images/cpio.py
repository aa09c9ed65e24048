"""The archive that Linux unpacks into its first file system: cpio in the form "newc"."""

from __future__ import annotations

import stat
from collections.abc import Iterator

from oakroot.images.rejected import ImageError
from oakroot.images.tree import Device, Entry, File, Folder, Link, Tree, walk

_MAGIC = b"070701"
_TRAILER = "TRAILER!!!"
_FIELDS = 13
_HEADER = len(_MAGIC) + 8 * _FIELDS
_ALIGNMENT = 4


def write(tree: Tree, epoch: int) -> bytes:
    """The archive: sorted, numbered, everything root's, of one time."""
    pieces = []
    for number, (path, entry) in enumerate(walk(tree), start=1):
        pieces.append(_member(path, entry, number, epoch))
    pieces.append(_record(_TRAILER, b"", [0, 0, 0, 0, 1, 0], (0, 0)))
    return b"".join(pieces)


def read(octets: bytes) -> Iterator[tuple[str, Entry]]:
    """What an archive made here holds; ImageError if it is broken."""
    position = 0
    while octets[position : position + len(_MAGIC)] == _MAGIC:
        numbers = octets[position + len(_MAGIC) : position + _HEADER]
        if not numbers.isalnum():  # what int() takes besides: signs, spaces
            break
        fields = [int(numbers[8 * index : 8 * index + 8], 16) for index in range(_FIELDS)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name_end = position + _HEADER + name_size
        name = octets[position + _HEADER : name_end - 1].decode()
        if name == _TRAILER:
            return
        start = _aligned(name_end)
        yield name, _entry(mode, octets[start : start + size], (fields[9], fields[10]))
        position = _aligned(start + size)
    raise ImageError("the archive is cut off or broken")


def _member(path: str, entry: Entry, number: int, epoch: int) -> bytes:
    device = (0, 0)
    content = b""
    links, mode = 1, stat.S_IFCHR | 0o600
    match entry:
        case File():
            mode = stat.S_IFREG | (0o755 if entry.executable else 0o644)
            content = entry.content
        case Link():
            mode = stat.S_IFLNK | 0o777
            content = entry.target.encode()
        case Folder():
            mode = stat.S_IFDIR | entry.mode
            links = 2
        case Device():
            device = (entry.major, entry.minor)
    return _record(path, content, [number, mode, 0, 0, links, epoch], device)


def _record(name: str, content: bytes, first: list[int], device: tuple[int, int]) -> bytes:
    octets = name.encode() + b"\0"
    fields = [*first, len(content), 0, 0, *device, len(octets), 0]
    header = _MAGIC + "".join(f"{field:08X}" for field in fields).encode()
    return _padded(header + octets) + _padded(content)


def _entry(mode: int, content: bytes, device: tuple[int, int]) -> Entry:
    if stat.S_ISDIR(mode):
        return Folder(stat.S_IMODE(mode))
    if stat.S_ISLNK(mode):
        return Link(content.decode())
    if stat.S_ISCHR(mode):
        return Device(*device)
    return File(content, executable=bool(mode & 0o111))


def _aligned(position: int) -> int:
    return -(-position // _ALIGNMENT) * _ALIGNMENT


def _padded(octets: bytes) -> bytes:
    return octets + bytes(_aligned(len(octets)) - len(octets))
