"""What a role shows of itself to be watched, and what its operator wants of that.

Apart from `watch`, which does it: most of what that needs is loaded only for those who ask for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from oakroot._engine import Catalogue
from oakroot.frozen import frozen
from oakroot.operate.changes import Change
from oakroot.operate.history import Pulse
from oakroot.operate.overview import Overview

INFLUX_PORT = 8094
INFLUX_SECONDS = 10.0
"""Between two pushes."""


class Role(Protocol):
    """A running role, as far as it is watched."""

    def overview(self) -> Overview:
        """What there is to tell the operator now."""

    @property
    def catalogue(self) -> Catalogue:
        """What is served now."""

    def pulse(self) -> Pulse:
        """What was counted so far, cheaply."""

    async def changes(self) -> Sequence[Change]:
        """What lately became of the repository, the newest first; nothing where there is none."""


@frozen
class Settings:
    """What the operator wants of it."""

    address: tuple[str, int] | None = None
    """Where metrics and health are shown."""
    zones_limit: int = 1000
    """How many zones have metrics of their own."""
    ask_seconds: float = 300.0
    """How often the name servers of each zone are asked for its serial; 0: never."""
    influx: tuple[str, int] | None = None
    """Where metrics are pushed to."""
    name: str = ""
    """What this server is called there."""
    port: int = 53
    """Where the name servers of our zones listen."""
    counts: Callable[[], Mapping[str, int]] = dict
    """What this process counts besides its role."""

    @property
    def is_wanted(self) -> bool:
        """Whether anybody is to be shown anything."""
        return self.address is not None or self.influx is not None
