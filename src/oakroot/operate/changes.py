"""What lately became of the files of the repository, as values for who shows it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from itertools import islice

from oakroot.frozen import frozen

LINES_LIMIT = 60
"""Lines of one file's difference."""
FILES_LIMIT = 10
OCTETS_LIMIT = 256 * 1024
"""Longer files are named, and not compared."""

# A key that somebody wrote into a zone file by mistake; key files are not shown at all.
_SECRET = re.compile(r"(?i)\b(DNSKEY[ \t]+0[ \t]+3[ \t]+(?:157|16[1-5])|secret)\b.*")


@frozen
class FileChange:
    """A file, and the lines of its difference: each begins with `+`, `-` or a blank."""

    path: str
    lines: tuple[str, ...]


@frozen
class Change:
    """A commit."""

    commit: str
    author: str
    moment: float
    subject: str
    files: tuple[FileChange, ...] = ()


def compare(path: str, old: bytes, new: bytes) -> FileChange:
    """What became of a file; of one that holds keys, or is long, only that it changed."""
    if path == "_keys" or path.endswith("._keys"):
        return FileChange(path, (" keys have changed; secrets are not shown",))
    if max(len(old), len(new)) > OCTETS_LIMIT:
        return FileChange(path, (" too long to be shown",))
    lines = list(_difference(old, new))
    if len(lines) > LINES_LIMIT:
        lines = [*lines[:LINES_LIMIT], f" and {len(lines) - LINES_LIMIT} more lines"]
    return FileChange(path, tuple(lines))


def _difference(old: bytes, new: bytes) -> Iterator[str]:
    before, after = (text.decode("utf-8", "replace").splitlines() for text in (old, new))
    for line in islice(difflib.unified_diff(before, after, n=1, lineterm=""), 2, None):
        if not line.startswith("@@"):
            yield _SECRET.sub("(a secret, not shown)", line)
