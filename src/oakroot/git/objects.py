"""Reads the octets of objects where git keeps them: single files, and packs.

dulwich reads these too, with many steps for each object. A start with ten thousand zone files takes a second
of them, so what is needed most is read here: blobs and trees by their SHA-1. What is not found here
(alternates of alternates, other indices, other hashes) is left to dulwich. Formats: gitrepository-layout(5),
gitformat-pack(5).
"""

from __future__ import annotations

import os
import zlib
from binascii import unhexlify
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from oakroot.git.inflating import inflated, read_ahead
from oakroot.git.packs import NAME_OCTETS, Object, Pack, check_size

# The header of a single object: its kind, its size in digits, and a zero.
LONGEST_HEADER = 32


class Objects:
    """The objects in one or more folders named `objects`. Used by one thread at a time."""

    def __init__(self, largest: int) -> None:
        """`largest`: more octets than that no content may have."""
        self._largest = largest
        self._folders: list[Path] = []
        self._packs: dict[Path, Pack] = {}

    def use(self, folders: Sequence[Path]) -> None:
        """Looks in these folders, in this order, and at what is there now."""
        self._folders = list(folders)
        self._look()

    def close(self) -> None:
        """Closes all files."""
        for pack in self._packs.values():
            pack.close()
        self._packs.clear()

    def rest(self) -> None:
        """Lets go of memory that only helps while many objects are read."""
        for pack in self._packs.values():
            pack.forget()

    def __contains__(self, name: bytes) -> bool:
        """Whether there is an object of this name in hexadecimal digits; False: it may be elsewhere."""
        if len(name) != 2 * NAME_OCTETS:
            return False
        raw, path = unhexlify(name), os.fsdecode(name[:2] + b"/" + name[2:])
        return any(pack.offset_of(raw) is not None for pack in self._packs.values()) or any(
            os.path.exists(f"{folder}/{path}")  # noqa: PTH110 - of each commit's parents
            for folder in self._folders
        )

    def read(self, name: bytes) -> Object | None:
        """The object with this name in hexadecimal digits; None where it is not found.

        Raises:
            FileTooLarge: found out before its content is unpacked.
            OSError, ValueError, zlib.error, IndexError: the storage cannot be read, or is damaged.
        """
        if len(name) != 2 * NAME_OCTETS:
            return None
        found = self._find(name)
        if found is None and self._look():
            found = self._find(name)
        return found

    def _find(self, name: bytes) -> Object | None:
        raw = unhexlify(name)
        for pack in self._packs.values():
            if (offset := pack.offset_of(raw)) is not None:
                return pack.read(offset)
        digits = name.decode("ascii")
        for folder in self._folders:
            with suppress(FileNotFoundError, NotADirectoryError):
                return _single(folder / digits[:2] / digits[2:], self._largest)
        return None

    def _look(self) -> bool:
        """Opens packs that are new, closes those that are gone; says whether there are new ones."""
        there: list[Path] = []
        for folder in self._folders:
            with suppress(FileNotFoundError, NotADirectoryError):
                there += sorted((folder / "pack").glob("pack-*.idx"))
        for path in self._packs.keys() - there:
            self._packs.pop(path).close()
        new = [path for path in there if path not in self._packs]
        for path in new:
            if (pack := Pack.opened(path, self._largest)) is not None:
                self._packs[path] = pack
        return any(path in self._packs for path in new)


def _single(path: Path, largest: int) -> Object:
    with path.open("rb", buffering=0) as file:
        octets = read_ahead(file.fileno(), 0)
        header = zlib.decompressobj().decompress(octets, LONGEST_HEADER)
        kind, _, rest = header.partition(b" ")
        digits, end, _ = rest.partition(b"\0")
        if not end:
            raise ValueError("an object without a header")
        size, header_size = int(digits), len(kind) + len(digits) + 2
        check_size(size, largest)
        return Object(kind, inflated(octets, 0, size, file.fileno(), 0, header=header_size))
