"""Looks how long the signatures of our zones hold, now and then; to renew them is their signer's business.

It is the engine that looks, in a thread: of a signed zone of a million records that takes its time, of an
unsigned one none.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from oakroot._engine import Catalogue
from oakroot.operate.overview import Overview

PERIOD = 300.0
"""Seconds between two looks: margins are days."""
FIRST_SECONDS = 5.0
"""Until it is looked again whether there are zones."""


class Signatures:
    """When the first signature of each signed zone expires, as it was seen last."""

    def __init__(self, overview: Callable[[], Overview], catalogue: Callable[[], Catalogue]) -> None:
        self._overview = overview
        self._catalogue = catalogue
        self._expiries: dict[str, int] = {}

    @property
    def expiries(self) -> Mapping[str, int]:
        """By apex, in seconds since 1970."""
        return MappingProxyType(self._expiries)

    async def keep_looking(self) -> None:
        """Looks at all zones, again and again."""
        while True:
            zones = await self.look()
            # Right after a start there are none yet.
            await asyncio.sleep(PERIOD if zones else FIRST_SECONDS)

    async def look(self) -> int:
        """Looks at all zones once; gives how many there are."""
        catalogue = self._catalogue()
        apexes = [zone.apex for zone in self._overview().zones if zone.is_served]
        self._expiries = await asyncio.to_thread(_expiries, catalogue, apexes, int(time.time()))
        return len(apexes)


def _expiries(catalogue: Catalogue, apexes: list[str], now: int) -> dict[str, int]:
    zones = ((apex, catalogue.zone(apex)) for apex in apexes)
    found = ((apex, None if zone is None else zone.earliest_expiration(now)) for apex, zone in zones)
    return {apex: moment for apex, moment in found if moment is not None}
