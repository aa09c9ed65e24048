"""Asks the name servers of our zones for their serials, slowly and without end. `agreement` judges.

One zone after the other, with pauses in between; what was heard of zones that are gone is forgotten.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdatatype

from oakroot._engine import Catalogue
from oakroot.operate.agreement import Heard, Verdict, judge
from oakroot.operate.overview import Overview

ANSWER_SECONDS = 3.0
PAUSE = 0.5
"""Seconds between two zones."""
FIRST_SECONDS = 5.0
"""Until it is looked again whether there are zones."""
SERVERS_LIMIT = 16
"""Addresses asked for one zone."""
ZONES_LIMIT = 1000
"""Zones asked about, so that a round comes to its end."""

Resolve = Callable[[str], Awaitable[Sequence[str]]]
Ask = Callable[[str, str], Awaitable[Heard]]
"""The serial of a zone, by apex and address."""


class Nameservers:
    """What the name servers of all zones said last."""

    def __init__(
        self,
        overview: Callable[[], Overview],
        catalogue: Callable[[], Catalogue],
        ask: Ask,
        resolve: Resolve,
    ) -> None:
        self._overview = overview
        self._catalogue = catalogue
        self._ask = ask
        self._resolve = resolve
        self._verdicts: dict[str, Verdict] = {}

    @property
    def verdicts(self) -> Mapping[str, Verdict]:
        """By apex."""
        return MappingProxyType(self._verdicts)

    async def keep_asking(self, seconds: float) -> None:
        """Asks about every zone once in so many seconds, as far as the pauses allow."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            apexes = [zone.apex for zone in self._overview().zones if zone.is_served][:ZONES_LIMIT]
            self._verdicts = {apex: self._verdicts[apex] for apex in apexes if apex in self._verdicts}
            for apex in apexes:
                await self.look(apex)
                await asyncio.sleep(PAUSE)
            # Right after a start there are no zones yet.
            rest = seconds if apexes else min(seconds, FIRST_SECONDS)
            await asyncio.sleep(max(PAUSE, began + rest - loop.time()))

    async def look(self, apex: str) -> None:
        """Asks the name servers of one zone."""
        catalogue = self._catalogue()
        names = _server_names(catalogue, apex)
        places = [(name, address) for name in names for address in await self._addresses(catalogue, name)]
        heard = await asyncio.gather(*(self._named(apex, *place) for place in places[:SERVERS_LIMIT]))
        # What is served now, not when they were asked: that a version came meanwhile is no fault of theirs.
        zone = self._catalogue().zone(apex)
        if zone is not None and heard:
            self._verdicts[apex] = judge(zone.serial, heard)

    async def _named(self, apex: str, name: str, address: str) -> Heard:
        heard = await self._ask(apex, address)
        return Heard(f"{name} ({address})", heard.serial, heard.is_silent)

    async def _addresses(self, catalogue: Catalogue, name: str) -> Sequence[str]:
        """Those that our own zones hold, else what the system's resolver knows."""
        found = [rdata for kind in ("A", "AAAA") for rdata in _records(catalogue, name, kind)]
        return found or await self._resolve(name)


def _server_names(catalogue: Catalogue, apex: str) -> Iterable[str]:
    zone = catalogue.zone(apex)
    return () if zone is None else [rdata for *_, rdata in zone.records_of(apex, "NS")]


def _records(catalogue: Catalogue, name: str, kind: str) -> list[str]:
    """Of the nearest of our zones at or above a name; glue, too."""
    above = dns.name.from_text(name).canonicalize()
    while True:
        zone = catalogue.zone(above.to_text())
        if zone is not None:
            return [rdata for *_, rdata in zone.records_of(name, kind)]
        if above == dns.name.root:
            return []
        above = above.parent()


def asking(port: int) -> Ask:
    """Asks over UDP, and over TCP where the answer is truncated."""

    async def ask(apex: str, address: str) -> Heard:
        query = dns.message.make_query(apex, dns.rdatatype.SOA, flags=0)
        try:
            reply, _ = await dns.asyncquery.udp_with_fallback(query, address, ANSWER_SECONDS, port)
        except (dns.exception.DNSException, OSError, EOFError):
            return Heard(address, is_silent=True)
        found = reply.get_rrset(
            reply.answer, query.question[0].name, query.question[0].rdclass, dns.rdatatype.SOA
        )
        if found is None or not reply.flags & dns.flags.AA:
            return Heard(address)
        return Heard(address, found[0].serial)

    return ask


async def resolve(name: str) -> Sequence[str]:
    """The addresses of a name that none of our zones holds; none where nobody knows them."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_DGRAM)
    except (OSError, TimeoutError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(place[0]) for *_, place in found))
