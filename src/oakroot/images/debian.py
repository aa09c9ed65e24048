"""Reads Debian packages: an `ar` archive with the files in a tar archive. No script of a package is run."""

from __future__ import annotations

import io
import lzma
import tarfile
from collections.abc import Iterator

from oakroot.images.rejected import ImageError
from oakroot.images.tree import Entry, File, Link, plain_path

_MAGIC = b"!<arch>\n"
_HEADER = 60


def unpack(package: str, octets: bytes) -> Iterator[tuple[str, Entry]]:
    """(path, entry) of each file and link of a package; ImageError names the package if it is none."""
    member, content = _data_member(package, octets)
    try:
        plain = lzma.decompress(content) if member.endswith(".xz") else content
        with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
            yield from _entries(archive)
    except (lzma.LZMAError, tarfile.TarError) as problem:
        raise ImageError(f"{package}: {member}: {problem}") from None


def _entries(archive: tarfile.TarFile) -> Iterator[tuple[str, Entry]]:
    for member in archive:
        path = plain_path(member.name)
        if member.isreg():
            opened = archive.extractfile(member)
            yield path, File(opened.read() if opened else b"", executable=bool(member.mode & 0o111))
        elif member.issym():
            yield path, Link(member.linkname)
        elif member.islnk():
            yield path, Link("/" + plain_path(member.linkname))


def _data_member(package: str, octets: bytes) -> tuple[str, bytes]:
    if not octets.startswith(_MAGIC):
        raise ImageError(f"{package} is no Debian package")
    position = len(_MAGIC)
    while position + _HEADER <= len(octets):
        header = octets[position : position + _HEADER]
        name = header[:16].decode("ascii", "replace").strip().rstrip("/")
        digits = header[48:58].strip()
        if not digits.isdigit():
            break
        start, size = position + _HEADER, int(digits)
        if name in {"data.tar.xz", "data.tar"}:
            return name, octets[start : start + size]
        if name.startswith("data.tar"):
            raise ImageError(f"{package}: {name} is compressed in a way that is not read: xz is")
        position = start + size + size % 2
    raise ImageError(f"{package} is a broken Debian package: it has no files")
