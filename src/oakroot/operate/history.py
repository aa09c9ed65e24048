"""What was counted in the last minutes, for plots: a ring of pulses, and the rates between them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise

from oakroot.frozen import frozen

PULSE_SECONDS = 5.0
PULSES = 180
"""A quarter of an hour."""


@frozen
class Pulse:
    """Counters at one moment."""

    moment: float
    queries: int
    updates: int
    update_seconds: float
    """All of the time that updates took together."""


@frozen
class Point:
    """What happened between two pulses: a second's share, and how long an update took on average."""

    moment: float
    queries: float
    update_latency: float | None
    """None: there was no update."""


@dataclass(slots=True)
class History:
    """The last pulses."""

    _pulses: deque[Pulse] = field(default_factory=lambda: deque(maxlen=PULSES))

    def add(self, pulse: Pulse) -> None:
        """One more; the oldest goes."""
        self._pulses.append(pulse)

    def points(self) -> list[Point]:
        """What happened from each to the next."""
        return [_between(*pair) for pair in pairwise(self._pulses)]


def _between(older: Pulse, newer: Pulse) -> Point:
    seconds = max(newer.moment - older.moment, 0.001)
    updates = newer.updates - older.updates
    latency = (newer.update_seconds - older.update_seconds) / updates if updates > 0 else None
    return Point(newer.moment, max(0, newer.queries - older.queries) / seconds, latency)
