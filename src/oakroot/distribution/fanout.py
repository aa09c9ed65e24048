"""What follows for others from a change of our zones or keys: NOTIFYs to all who should know.

Sans I/O, with the time as an argument. Zones that changed wait here until their targets are looked up, some
at a time: a start with ten thousand zones must not keep the server from answering. What must not live here:
how a NOTIFY is sent and acknowledged (`outbox`), and who is told (`targets`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

import dns.name

from oakroot._engine import Catalogue
from oakroot.distribution.outbox import Ended, Moment, Outbox, Send
from oakroot.distribution.targets import (
    Configured,
    Directory,
    Enlisted,
    IsLeftOut,
    KeySecondaries,
    Link,
    NameServers,
    Place,
    Target,
    nobody,
    place_of_link,
)
from oakroot.frozen import frozen
from oakroot.keys.keyring import GrantedKey, Keyring, difference

LOOKUPS = 20
PAUSE = 0.01
"""Targets of so many zones are looked up in one go, then there is a rest: NOTIFYs go out no faster either.

After a start with ten thousand zones others want the processor, too.
"""
LINKS_LIMIT = 1000
LINKS_PER_SOURCE = 8
"""Connections kept for one key from one address: each counts against the limits of the server."""


@frozen
class Settings:
    """What the operator decides, and where we listen."""

    configured: Sequence[Configured] = ()
    port: int = 53
    own: frozenset[tuple[str, int]] = frozenset()
    is_left_out: IsLeftOut = nobody
    """Who is not told: ourselves at addresses that `own` does not list, and those whom we copy."""


@frozen
class Changed:
    """What is served from now on, and what is new about it."""

    catalogue: Catalogue
    keyring: Keyring
    apexes: Collection[str]
    """All zones that are served."""
    changed: Collection[str]
    """Those that are new, changed, or served no longer."""


@dataclass(slots=True)
class Fanout:
    """All that is still to be told, and to whom."""

    settings: Settings
    identifiers: Callable[[], int]

    _outbox: Outbox = field(init=False)
    _directory: Directory = field(init=False)
    _servers: NameServers = field(init=False)
    _apexes: Collection[str] = ()
    _pending: dict[str, NameServers | None] = field(default_factory=dict)
    """Zones to tell everybody of. Of one that is gone: where its name servers stand, which is what was served
    before."""
    _wished: dict[str, set[Place]] = field(default_factory=dict)
    """Zones to tell some targets of: together, since looking for the targets of a zone finds them all."""
    _enlisted: list[Enlisted] = field(default_factory=list)
    _rest_until: float = 0.0

    def __post_init__(self) -> None:
        self._outbox = Outbox(self.identifiers)
        self._servers = NameServers(Catalogue())
        self._directory = self._direct(Keyring())

    def publish(self, news: Changed) -> None:
        """Zones or keys have changed; the very first time everybody is told of every zone."""
        before, self._servers = self._servers, NameServers(news.catalogue)
        self._apexes = news.apexes
        for apex in news.changed:
            if news.catalogue.zone(apex) is not None:
                self._pending[apex] = None
            elif self._pending.get(apex) is None:
                self._pending[apex] = before
        self._follow_keys(news.keyring)

    def configure(self, settings: Settings) -> None:
        """The operator has decided anew; who is new among those to notify is told of every zone."""
        known = set(self.settings.configured)
        self.settings = settings
        self._directory = self._direct(self._directory.keyring)
        for each in settings.configured:
            if each not in known:
                self._wish(lambda _: True, (each.address, each.port))

    def enlist(self, link: Link, granted: GrantedKey, zone: dns.name.Name) -> None:
        """A peer asked over TCP for the SOA of this zone, signed by a key that may transfer it.

        Its connection is kept, to tell it of changes. A question for `.` means all zones that the key covers;
        it is told of each of them now.
        """
        enlisted = Enlisted(link, granted.key, granted.grant.zone, zone)
        self._enlisted = [each for each in self._enlisted if not _same(each, enlisted)]
        alike = [each for each in self._enlisted if _source(each) == _source(enlisted)]
        links = dict.fromkeys(each.link.peer for each in alike)
        if link.peer not in links and len(links) >= LINKS_PER_SOURCE:
            oldest = next(iter(links))
            self._enlisted = [each for each in self._enlisted if each.link.peer != oldest]
        self._enlisted = [*self._enlisted[-LINKS_LIMIT + 1 :], enlisted]
        if zone == dns.name.root:
            self._wish(enlisted.wants, place_of_link(link))

    def hang_up(self) -> tuple[Ended, ...]:
        """Lets go of connections that their peers have closed; gives what could be sent over them only."""
        open_ones = [each for each in self._enlisted if not each.link.has_ended()]
        if len(open_ones) == len(self._enlisted):
            return ()
        self._enlisted = open_ones
        return self._outbox.hang_up()

    def release(self) -> None:
        """Lets go of all connections that are kept."""
        self._enlisted = []

    def remind(self, address: str, granted: GrantedKey) -> None:
        """A peer without a connection asked what there is for its key: it is told where it is known to be."""
        self._wish(granted.grant.covers, (address, self.settings.port))

    def asked(self, address: str, zone: dns.name.Name) -> tuple[Ended, ...]:
        """A peer at this address asked for the zone, signed: a NOTIFY about it has reached him."""
        return self._outbox.asked(address, zone.canonicalize().to_text())

    def receive(self, address: str, wire: bytes, now: Moment) -> Ended | None:
        """A message came from this address; None where it ends nothing."""
        return self._outbox.receive(address, wire, now)

    def waiting(self) -> Counter[str]:
        """How many NOTIFYs wait to be acknowledged, by the address of their target."""
        return self._outbox.waiting()

    @property
    def links(self) -> int:
        """How many connections are kept, to tell their peers of changes."""
        return len({each.link.peer for each in self._enlisted})

    def wake_at(self) -> float | None:
        """When to call `poll` next; None: not before something else happens."""
        moments = [self._rest_until] if self._pending or self._wished else []
        if (due := self._outbox.wake_at()) is not None:
            moments.append(due)
        return min(moments, default=None)

    def poll(self, now: Moment) -> Iterator[Send | Ended]:
        """What is to be sent now, and what has come to its end in vain."""
        if now.monotonic >= self._rest_until:
            self._look_up(now.monotonic)
            if self._pending or self._wished:
                self._rest_until = now.monotonic + PAUSE
            else:
                self._servers.forget()
        yield from self._outbox.poll(now)

    def _look_up(self, now: float) -> None:
        for _ in range(min(LOOKUPS, len(self._pending))):
            apex = next(iter(self._pending))
            self._tell_all(apex, self._pending.pop(apex) or self._servers, now)
        for _ in range(min(LOOKUPS, len(self._wished))):
            apex = next(iter(self._wished))
            self._tell(apex, self._wished.pop(apex), now)

    def _tell_all(self, apex: str, servers: NameServers, now: float) -> None:
        for target in self._targets(apex, servers):
            self._outbox.put(apex, target, now)

    def _tell(self, apex: str, places: set[Place], now: float) -> None:
        """Tells some of those who are told of the zone's changes."""
        for target in self._targets(apex, self._servers):
            link = None if target.link is None else place_of_link(target.link)
            if target.place in places or link in places:
                self._outbox.put(apex, target, now)

    def _targets(self, apex: str, servers: NameServers) -> tuple[Target, ...]:
        zone = dns.name.from_text(apex)
        return self._directory.targets(zone, servers.of(apex), self._enlisted)

    def _follow_keys(self, keyring: Keyring) -> None:
        """Keys that are gone are used no more; secondaries of new ones are told of all their zones."""
        change = difference(self._directory.keyring, keyring)
        if not change:
            return
        self._directory = self._direct(keyring)
        lost = {granted.key.name for granted in (*change.removed, *change.changed)}
        self._enlisted = [each for each in self._enlisted if each.key.name not in lost]
        for apex, place in self._outbox.drop(lambda target: any(key.name in lost for key in target.keys)):
            # There may be another key for it, or it is told without one.
            self._wished.setdefault(apex, set()).add(place)
        for granted in (*change.added, *change.changed):
            if granted.grant.secondary is not None:
                place = (str(granted.grant.secondary), self.settings.port)
                self._wish(granted.grant.covers, place)

    def _wish(self, wanted: Callable[[dns.name.Name], bool], place: Place) -> None:
        for apex in self._apexes:
            # Of a zone that is pending, everybody will be told.
            if apex not in self._pending and wanted(dns.name.from_text(apex)):
                self._wished.setdefault(apex, set()).add(place)

    def _direct(self, keyring: Keyring) -> Directory:
        settings = self.settings
        return Directory(
            keyring,
            KeySecondaries(keyring, settings.port),
            settings.configured,
            settings.port,
            settings.own,
            settings.is_left_out,
        )


def _same(one: Enlisted, other: Enlisted) -> bool:
    return (one.link.peer, one.key.name, one.zone) == (other.link.peer, other.key.name, other.zone)


def _source(enlisted: Enlisted) -> tuple[str, dns.name.Name]:
    return enlisted.link.peer[0], enlisted.key.name
