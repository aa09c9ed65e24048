"""A certifier with its primary and its authority, in one process and on one clock that nobody waits for.

What the core decides is carried out a moment later: UPDATEs change zones, changed zones come back as copies.
What must not live here: what a certifier should do.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Mapping

import dns.name
import dns.rcode

from oakroot._engine import Catalogue, Zone, read_zone
from oakroot.certificates.forms import TTL, Published, read_records, request_record
from oakroot.certificates.names import read_name, records_name
from oakroot.certificates.rejected import RejectedError
from oakroot.certificates.signing_request import read_signing_request
from oakroot.certifier import core
from oakroot.certifier.events import (
    Action,
    Answered,
    Ask,
    Event,
    Log,
    Moment,
    Probe,
    Probed,
    Remember,
    Remembered,
    SendUpdate,
    Started,
    TimePassed,
    UpdateEnded,
    UpdateLost,
    UpdateTaken,
    UpdateUnwanted,
    ZonesChanged,
)
from oakroot.certifier.places import find_place, texts_at
from tests.certificates.minting import START
from tests.certifier.authority import FakeAuthority

Outcome = UpdateTaken | UpdateUnwanted | UpdateLost
Records = list[tuple[str, int, str, str]]
_HOT = 3000
"""So many events within a second are a loop."""

ZONE = """\
$TTL 3600
@ SOA ns1 hostmaster 1 86400 7200 1048576 300
@ NS ns1
ns1 A 192.0.2.1
"""


class Stage:
    """The world around one certifier."""

    def __init__(self, zones: Mapping[str, str] | None = None, settings: core.Settings | None = None) -> None:
        """`zones`: what each has besides the usual."""
        self.settings = settings or core.Settings()
        self.now = Moment(START, 0.0)
        self.zones = {apex: _zone(apex, text) for apex, text in (zones or {"example.org.": ""}).items()}
        self.authority = FakeAuthority(self._texts, lambda: self.now.wall)
        self.remembered: Mapping[str, Remembered] = {}
        self.logs: list[str] = []
        self.updates: list[SendUpdate] = []
        self.primary: Callable[[SendUpdate], Outcome | None] = lambda _: None
        """What the primary says instead of taking an UPDATE; None: takes it."""
        self.prober: Callable[[Probe], tuple[tuple[str, ...], tuple[str, ...]]] = lambda _: ((), ())
        self.transfer_seconds = 0.1
        self.late: dict[type[object], float] = {}
        """In how many seconds questions of these kinds are answered, that take long."""
        self.deeds = 0
        """How many actions were carried out, lines of the log aside."""
        self._seen: tuple[object, bool] = (None, False)
        """What was found last of which hosts, as of which serials."""
        self._numbers = itertools.count()
        self._events: list[tuple[float, int, Event]] = []
        self.state = core.new_state(self.settings)
        self.start()

    # --- what a test does ---

    def start(self) -> None:
        """Starts the certifier, anew if it ran: it knows what it remembered, and what comes to it."""
        self.state = core.new_state(self.settings)
        self._events.clear()
        self._later(0.0, Started(self.remembered))
        self._later(0.05, ZonesChanged(self.catalogue, tuple(self.zones)))

    def publish(self, host: str, *rdatas: str, der: bytes | None = None) -> None:
        """Publishes a request as `oakroot certify` does: all records at the name are replaced."""
        owner = records_name(read_name(host)).to_text()
        new = [*rdatas, *([] if der is None else [request_record(read_signing_request(der))])]
        zone = self._zone_of(owner)
        self._change(zone, zone.records_of(owner, "TLSA"), [(owner, TTL, "TLSA", rdata) for rdata in new])

    def run(self, seconds: float) -> None:
        """Lets so much time pass."""
        self._run(lambda: False, self.now.monotonic + seconds)

    def run_until(self, condition: Callable[[], bool], seconds: float = 86400.0) -> None:
        """Lets time pass until something is so."""
        self._run(condition, self.now.monotonic + seconds)
        assert condition(), "\n".join(self.logs[-30:])

    def set_clock(self, wall: float) -> None:
        """Sets the world's clock."""
        self.now = Moment(wall, self.now.monotonic)

    def happen(self, event: Event) -> None:
        """Something that no action caused."""
        self._handle(event)

    # --- what a test looks at ---

    @property
    def catalogue(self) -> Catalogue:
        """The primary's zones."""
        return Catalogue().with_zones(list(self.zones.values()))

    def published(self, host: str) -> Published:
        """The records of a host."""
        owner = records_name(read_name(host)).to_text()
        return read_records(rdata for *_, rdata in self._zone_of(owner).records_of(owner, "TLSA"))

    def certified(self, *hosts: str) -> bool:
        """Whether all of them have the certificate that they asked for."""
        serials = tuple(zone.serial for zone in self.zones.values())
        if (hosts, serials) != self._seen[0]:
            self._seen = ((hosts, serials), all(self._is_certified(host) for host in hosts))
        return self._seen[1]

    def challenges(self) -> list[str]:
        """Names that have challenges."""
        records = itertools.chain.from_iterable(zone.records() for zone in self.zones.values())
        return [owner for owner, _, kind, _ in records if kind == "TXT" and "_acme-challenge" in owner]

    def said(self, text: str) -> int:
        """How many lines of the log have this."""
        return sum(text in line for line in self.logs)

    # --- the machinery ---

    def _run(self, condition: Callable[[], bool], end: float) -> None:
        busy, since = 0, self.now.monotonic
        while not condition():
            moment, event = self._next()
            if moment > end:
                if not isinstance(event, TimePassed):
                    self._later(moment - self.now.monotonic, event)
                self._move(end)
                return
            if moment - since > 1.0:
                busy, since = 0, moment
            busy += 1
            assert busy < _HOT, "a loop:\n" + "\n".join(self.logs[-10:])
            self._move(max(moment, self.now.monotonic))
            self._handle(event)

    def _next(self) -> tuple[float, Event]:
        wake = core.wake_at(self.state)
        if self._events and (wake is None or self._events[0][0] <= wake):
            moment, _, event = heapq.heappop(self._events)
            return moment, event
        return (float("inf") if wake is None else wake), TimePassed()

    def _move(self, monotonic: float) -> None:
        self.now = Moment(self.now.wall + monotonic - self.now.monotonic, monotonic)

    def _handle(self, event: Event) -> None:
        self.state, actions = core.handle(self.state, event, self.now)
        for action in actions:
            self.deeds += not isinstance(action, Log)
            self._carry_out(action)

    def _carry_out(self, action: Action) -> None:
        match action:
            case Log():
                self.logs.append(f"{action.level}: {action.text}")
            case Remember(remembered):
                self.remembered = remembered
            case Ask(ticket, question):
                answer = Answered(ticket, self.authority.answer(question))
                self._later(self.late.get(type(question), 0.2), answer)
            case SendUpdate():
                self.updates.append(action)
                self._later(0.1, UpdateEnded(action.ticket, self._update(action)))
            case Probe(ticket):
                self._later(0.1, Probed(ticket, *self.prober(action)))

    def _later(self, seconds: float, event: Event) -> None:
        heapq.heappush(self._events, (self.now.monotonic + seconds, next(self._numbers), event))

    def _update(self, update: SendUpdate) -> Outcome:
        return self.primary(update) or self.take(update)

    def take(self, update: SendUpdate) -> Outcome:
        """The primary takes an UPDATE, or finds that what it requires is not so."""
        zone = self.zones[update.zone]
        for owner, kind in {(owner, kind) for owner, kind, _ in update.required}:
            wanted = sorted(rdata for *name, rdata in update.required if tuple(name) == (owner, kind))
            if wanted != sorted(rdata for *_, rdata in zone.records_of(owner, kind)):
                return UpdateUnwanted(dns.rcode.NXRRSET, "NXRRSET")
        present = {(owner, kind, rdata) for owner, _, kind, rdata in _standing(zone, update.add)}
        add = [
            (owner, update.ttl, kind, rdata)
            for owner, kind, rdata in update.add
            if (owner, kind, rdata) not in present
        ]
        self._change(zone, _standing(zone, update.delete), add)
        return UpdateTaken()

    def _change(self, zone: Zone, remove: Records, add: Records) -> None:
        self.zones[zone.apex] = zone.changed(remove, add).with_serial(zone.serial + 1)
        self._later(self.transfer_seconds, ZonesChanged(self.catalogue, (zone.apex,)))

    def _zone_of(self, owner: str) -> Zone:
        return self.zones[find_place(self.catalogue, dns.name.from_text(owner)).zone]

    def _texts(self, name: dns.name.Name) -> tuple[str, ...]:
        try:
            return texts_at(self.catalogue, find_place(self.catalogue, name))
        except RejectedError:
            return ()

    def _is_certified(self, host: str) -> bool:
        published = self.published(host)
        request = published.request()
        return request is not None and bool(published.chain_for(request))


def _zone(apex: str, text: str) -> Zone:
    zone, findings = read_zone((ZONE + text).encode(), apex, apex)
    assert zone is not None, [finding.message for finding in findings]
    return zone


def _standing(zone: Zone, wanted: Iterable[tuple[str, str, str]]) -> Records:
    """The records among these that the zone has."""
    return [
        record
        for owner, kind, rdata in wanted
        for record in zone.records_of(owner, kind)
        if record[3] == rdata
    ]
