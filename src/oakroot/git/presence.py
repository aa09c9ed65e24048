"""Who has a copy of a repository open, beside us: an old process serves on while its successor has started.

dulwich locks a file by another one beside it, and does not say whose it is. While anybody else is here it may
be a living one's, and so may any other file that looks left over.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Presence:
    """A lock on one file of the folder, which all who are here share until they leave, or die."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "HEAD").open("r+b")
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def close(self) -> None:
        """Leaves."""
        self._file.close()

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether nobody else is here; if so, nobody comes meanwhile."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            is_alone = False
        else:
            is_alone = True
        try:
            yield is_alone
        finally:
            # In either case: who asks for the one lock in vain may have lost the other.
            fcntl.flock(self._file, fcntl.LOCK_SH)
