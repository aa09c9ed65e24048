"""The certificate that a server shows over TLS: read from its files, and again when these change.

What is said of it is for the log. Whether certificate and key are of use together is told by whoever shows
them. A certificate that has expired is shown all the same: its clients decide, and some know it by its key.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from oakroot.late import Part, part

_log = logging.getLogger(__name__)

Stamp = tuple[tuple[int, int, int], ...]
"""What differs between two states of some files: device and time as the system has them."""


class CertificateError(Exception):
    """A certificate cannot be shown; the text names the file and quotes nothing of it."""


class CertificateFiles:
    """A certificate chain and its key in two files, which `show` is given whenever they change."""

    def __init__(self, chain: Path, key: Path, show: Callable[[bytes, bytes], None]) -> None:
        """`show` takes the two texts, and raises ValueError with what is wrong about them."""
        self._chain = chain
        self._key = key
        self._show = show
        self._tried: Stamp = ()
        self.not_after: float | None = None
        """Until when the one is valid that is shown; in seconds since 1970."""

    @property
    def files(self) -> tuple[Path, Path]:
        """Chain and key."""
        return self._chain, self._key

    def load(self) -> None:
        """Reads and shows them; CertificateError when that cannot be."""
        self._tried = stamp(self._chain, self._key)
        chain, key = read(self._chain), read(self._key)
        try:
            facts = part(Part.CERTIFICATE_FACTS).read_facts(chain, datetime.now(UTC))
            self._show(chain, key)
        except ValueError as error:
            raise CertificateError(f"{self._chain} with {self._key}: {error}") from None
        self.not_after = facts.not_after
        _log.log(logging.INFO if facts.is_valid else logging.WARNING, "%s", facts.text)

    def renew(self) -> None:
        """Shows what the files hold now, if they changed; the log tells once what is wrong with them."""
        if stamp(self._chain, self._key) == self._tried:
            return
        try:
            self.load()
        except CertificateError as error:
            _log.error("the TLS certificate is not renewed: %s", error)


def stamp(*files: Path) -> Stamp:
    """Another value once one of the files was written or replaced; equal while none can be looked at."""
    found = []
    for file in files:
        try:
            state = os.stat(file)  # noqa: PTH116 - as fields, without another object
        except OSError:
            return ()
        found.append((state.st_ino, state.st_mtime_ns, state.st_size))
    return tuple(found)


def read(file: Path) -> bytes:
    """The content; CertificateError names the file."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise CertificateError(f"cannot read {file}: {error.strerror}") from None
