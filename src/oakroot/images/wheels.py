"""Reads wheels, and makes one of Oakroot as it is installed here."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping

from oakroot.images.rejected import ImageError
from oakroot.images.tree import Entry, File, plain_path

_LICENSE = re.compile(r"[^/]+\.dist-info/(licen[cs]es?/|licen[cs]e|copying|notice)", re.IGNORECASE)
_MOMENT = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip archive can tell."""


def unpack(wheel: str, octets: bytes) -> Iterator[tuple[str, Entry]]:
    """(path below the packages' folder, file) of what a wheel has to import; ImageError if it is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            for member in archive.infolist():
                if not member.is_dir():
                    yield plain_path(member.filename), File(archive.read(member))
    except (zipfile.BadZipFile, RuntimeError) as problem:
        raise ImageError(f"{wheel} is a broken wheel: {problem}") from None


def licenses(wheel: str, octets: bytes) -> bytes:
    """What a wheel says of its licence, and the texts in it; ImageError if it is none."""
    pieces = []
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith(".dist-info/METADATA"):
                    lines = archive.read(name).partition(b"\n\n")[0].splitlines()
                    pieces = [
                        line for line in lines if line.startswith((b"License:", b"License-Expression:"))
                    ]
            pieces += [
                archive.read(name)
                for name in sorted(archive.namelist())
                if _LICENSE.match(name) and name[-1] != "/"
            ]
    except (zipfile.BadZipFile, RuntimeError) as problem:
        raise ImageError(f"{wheel} is a broken wheel: {problem}") from None
    return b"\n".join(pieces) or b"The wheel names none."


def pack(files: Mapping[str, bytes]) -> bytes:
    """A zip archive of these files, the same for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, content in sorted(files.items()):
            member = zipfile.ZipInfo(path, _MOMENT)
            member.external_attr = 0o644 << 16
            archive.writestr(member, content)
    return buffer.getvalue()
