"""The config drive: what a machine is told by a disk, where its monitor has no other way to hand over files.

A disk whose first octets are a cpio archive ("newc", what `cpio -H newc` writes): plain files, one of which,
`arguments`, has words as a shell would read them, and the others are secrets. There is no file system. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from oakroot.images import cpio
from oakroot.images.rejected import ImageError
from oakroot.images.tree import File

ARGUMENTS = "arguments"
LARGEST = 1 << 20
"""No drive is read any further."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,30}\Z")
"""What a secret can be called."""
_SECTOR = 512


class BrokenDriveError(Exception):
    """A disk is no config drive; the message is for the console."""


def write_drive(files: Mapping[str, bytes]) -> bytes:
    """The disk's octets; ImageError if it would hold more than is read."""
    archive = cpio.write({name: File(content) for name, content in files.items()}, 0)
    if len(archive) > LARGEST:
        raise ImageError(f"a config drive of {len(archive)} octets: a machine reads {LARGEST}")
    return archive.ljust(-(-len(archive) // _SECTOR) * _SECTOR, b"\0")


def read_drive(octets: bytes) -> dict[str, bytes]:
    """(name -> content) of what a disk begins with; BrokenDriveError says what is wrong with it."""
    found: dict[str, bytes] = {}
    try:
        for path, entry in cpio.read(octets[:LARGEST]):
            name = path.removeprefix("./")
            if name == ".":  # as `find . | cpio` has it
                continue
            if not isinstance(entry, File):
                raise BrokenDriveError(f"config drive: {name!r} is no plain file")
            if not NAME.match(name):
                raise BrokenDriveError(f"config drive: {name!r} is no name for a secret")
            if name in found:
                raise BrokenDriveError(f"config drive: {name} is there twice")
            found[name] = entry.content
    except (ValueError, ImageError):
        raise BrokenDriveError(
            f"config drive: this is no whole cpio archive (newc) of at most {LARGEST} octets"
        ) from None
    return found
