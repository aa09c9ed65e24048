"""The archive of all Python code in an image: 1,100 small files take twice the memory of one. Pure.

An initramfs stays in memory for good, and Python reads what it imports out of an archive as well.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping

from oakroot.images.contents import ARCHIVE, LIBRARY, SITE
from oakroot.images.rejected import ImageError
from oakroot.images.tree import Entry, File, Tree


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
    """Every entry, and in place of the archive what is in it; ImageError if it cannot be read."""
    for path, entry in tree.items():
        if path != ARCHIVE or not isinstance(entry, File):
            yield path, entry
            continue
        try:
            with zipfile.ZipFile(io.BytesIO(entry.content)) as archive:
                for name in archive.namelist():
                    yield f"{path}/{name}", File(archive.read(name))
        except zipfile.BadZipFile as problem:
            raise ImageError(f"{path}: {problem}") from None
