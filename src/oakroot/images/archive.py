"""What is packed within an image, since its memory is the machine's. Pure.

All Python code is in one archive: 1,100 small files take twice the memory of one, and Python imports out of
it as well. A machine's libraries are unpacked by its first process, once the kernel let go of the initramfs.
"""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping

from oakroot.images.contents import ARCHIVE, LIBRARY, SITE
from oakroot.images.memory import PACKED
from oakroot.images.rejected import ImageError
from oakroot.images.tree import Entry, File, Tree

_UNUSED_AT_FIRST = re.compile(rf"{SITE}/.+\.so\Z|usr/lib/x86_64-linux-gnu/lib(crypto|ssl)\.so\.[0-9.]+\Z")


def with_packed_libraries(tree: Tree, compress: Callable[[bytes], bytes]) -> dict[str, Entry]:
    """The tree with those libraries compressed that the first process does without when it begins."""
    packed: dict[str, Entry] = {}
    for path, entry in tree.items():
        if isinstance(entry, File) and _UNUSED_AT_FIRST.match(path):
            packed[path + PACKED] = File(compress(entry.content), entry.executable)
        else:
            packed[path] = entry
    return packed


def with_archive(tree: Tree, pack: Callable[[Mapping[str, bytes]], bytes]) -> dict[str, Entry]:
    """The tree with all Python code in one file, which `pack` makes of (name to import by -> content)."""
    code: dict[str, bytes] = {}
    rest: dict[str, Entry] = {}
    for path, entry in sorted(tree.items()):
        if isinstance(entry, File) and path.endswith((".py", ".pyc")):
            code[path.removeprefix(f"{SITE}/").removeprefix(f"{LIBRARY}/")] = entry.content
        else:
            rest[path] = entry
    return rest | {ARCHIVE: File(pack(code))}


def flattened(tree: Tree) -> Iterator[tuple[str, Entry]]:
    """Every entry, and in place of what is packed what is in it; ImageError if it cannot be read."""
    for path, entry in unpacked(tree):
        if path != ARCHIVE or not isinstance(entry, File):
            yield path, entry
            continue
        try:
            with zipfile.ZipFile(io.BytesIO(entry.content)) as archive:
                for name in archive.namelist():
                    yield f"{path}/{name}", File(archive.read(name))
        except zipfile.BadZipFile as problem:
            raise ImageError(f"{path}: {problem}") from None


def unpacked(tree: Tree) -> Iterator[tuple[str, Entry]]:
    """Every entry as a machine has it once it runs; ImageError if a library cannot be read."""
    for path, entry in tree.items():
        if isinstance(entry, File) and path.endswith(PACKED):
            try:
                yield path.removesuffix(PACKED), File(gzip.decompress(entry.content), entry.executable)
            except (OSError, EOFError, zlib.error) as problem:
                raise ImageError(f"{path}: {problem}") from None
        else:
            yield path, entry
