"""One thing the doctor has to say: what is wrong, with whom, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from oakroot.frozen import frozen

SOON = 3 * 86400.0
"""Signatures and certificates that end within so many seconds should have been renewed."""

Severity = Literal["error", "warning", "note"]


@frozen
class Finding:
    """`about` is a server, a name or the zone. Errors break resolution for somebody; notes are just so."""

    severity: Severity
    code: str
    about: str
    message: str
    advice: str | None = None


def date(moment: float) -> str:
    """A moment as a sentence tells it."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"


def listed(words: Iterable[object]) -> str:
    """Words with commas and an `and`, in their order."""
    texts = list(map(str, words))
    if len(texts) < 2:  # noqa: PLR2004 - then there is nothing to join
        return "".join(texts)
    return f"{', '.join(texts[:-1])} and {texts[-1]}"
