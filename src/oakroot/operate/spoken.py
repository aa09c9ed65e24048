"""Numbers and moments in words for a person."""

from __future__ import annotations

from datetime import UTC, datetime

_STEPS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def span(seconds: float) -> str:
    """How long something takes: its largest two units."""
    if seconds < 1:
        return f"{max(seconds, 0) * 1000:.0f} ms"
    parts: list[str] = []
    for size, unit in _STEPS:
        if seconds >= size or (parts and size >= 1):
            parts.append(f"{int(seconds // size)} {unit}")
            seconds %= size
    return " ".join(parts[:2])


def ago(moment: float, now: float) -> str:
    """How long since something."""
    return "now" if now - moment < 1 else f"{span(now - moment)} ago"


def moment_of(seconds: float) -> str:
    """A moment in the world's time."""
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d %H:%M:%S} UTC"


def amount(number: int) -> str:
    """A number with its thousands apart."""
    return f"{number:,}"
