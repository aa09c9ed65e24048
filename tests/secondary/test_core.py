"""A secondary through made-up histories: what it serves is always sound, and it recovers by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import dns.rcode
import dns.rdatatype
from hypothesis import given, settings
from hypothesis import strategies as st

from oakroot.protocol.notify import build_notify
from oakroot.protocol.tsig_client import sign_request
from oakroot.secondary import core, events
from oakroot.secondary.sources import Server
from oakroot.secondary.state import NEVER, Idle, Queued, Transferring
from tests.protocol.keys import make_key
from tests.scenarios.secondary_script import FAULTS
from tests.scenarios.secondary_stage import Packet, Primary, Stage
from tests.secondary.authority import Authority, hosts, make_zone, name

ADDRESSES = ("192.0.2.1", "192.0.2.9")
APEXES = ("one.mirage.", "two.mirage.", "mirage.")
TIMES = "3600 600 40000 60"
EXPIRE = 40000
KEYS = (
    make_key("a.192.0.2.1._transfer.one.mirage."),
    make_key("a.192.0.2.9._transfer.one.mirage."),
    make_key("a.192.0.2.1._transfer"),
)

History = Callable[["World"], None]


class World:
    """A stage with two primaries, and what is known about the versions there ever were."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.stage.keys = list(KEYS)
        self.stage.settings = replace(self.stage.settings, transfers=2)
        self.serials = dict.fromkeys(APEXES, 0)
        self.records: dict[tuple[str, int], list[tuple[str, int, str, str]]] = {}
        for address in ADDRESSES:
            self.stage.primaries[address] = Primary(Authority(KEYS))
        for apex in APEXES:
            self.publish(apex)
        self.identifier = 0

    def publish(self, apex: str, only: str | None = None) -> None:
        """A new version, at one primary or at both."""
        self.serials[apex] += 1
        serial = self.serials[apex]
        zone = make_zone(serial, *hosts(3, first=serial), apex=apex, times=TIMES)
        self.records[apex, serial] = zone.records()
        for address, primary in self.stage.primaries.items():
            if only in (None, address):
                primary.authority.serve(zone)

    def drop(self, apex: str) -> None:
        """No primary has the zone any more."""
        for primary in self.stage.primaries.values():
            primary.authority.versions.pop(apex, None)

    def notify(self, apex: str, address: str, *, signed: bool) -> None:
        """A NOTIFY by a primary."""
        self.identifier = (self.identifier + 1) % 65536
        wire = build_notify(name(apex), self.identifier)
        if signed:
            wire, _ = sign_request(wire, KEYS[2], int(self.stage.now.wall))
        self.stage.happens(events.PacketReceived(Packet(wire, peer=(address, 5353))))

    def check(self) -> None:
        """What must be so at any time."""
        state = self.stage.state
        assert state is not None
        wanted = sorted((entry.due, apex) for apex, entry in state.zones.items() if entry.due != NEVER)
        assert list(state.agenda.entries) == wanted
        assert len(state.transfers) <= 2
        running = [entry for entry in state.zones.values() if isinstance(entry.phase, Transferring)]
        assert sorted(state.transfers.values()) == sorted(entry.apex for entry in running)
        queued = [entry.apex for entry in state.zones.values() if isinstance(entry.phase, Queued)]
        assert sorted(state.queue) == sorted(queued)
        for apex in APEXES:
            self._check_served(apex, state)

    def _check_served(self, apex: str, state: core.State) -> None:
        zone, entry = self.stage.served(apex), state.zones.get(apex)
        held = None if entry is None else entry.held
        assert (zone is None) == (held is None)
        if zone is not None and held is not None:
            assert zone.records() == self.records[apex, zone.serial], (
                "a version is served whole or not at all"
            )
            assert held.expires > self.stage.now.monotonic - 1, "nothing is served after it has expired"

    def recover(self) -> None:
        """All faults end; nobody helps."""
        for primary in self.stage.primaries.values():
            primary.down, primary.silent, primary.cuts_transfers_after = None, False, None
            primary.authority.spoil.clear()
            primary.authority.clock_error = 0
        for apex in APEXES:
            self.publish(apex)
        self.stage.holds_answers = self.stage.holds_transfers = False
        self.stage.end_transfers()
        self.stage.passes(2 * EXPIRE)


def serve(apex: str, address: str | None) -> History:
    return lambda world: world.publish(apex, address)


def drop(apex: str) -> History:
    return lambda world: world.drop(apex)


def wait(seconds: float) -> History:
    return lambda world: world.stage.passes(seconds)


def notify(apex: str, address: str, signed: bool) -> History:  # noqa: FBT001 - drawn by hypothesis
    return lambda world: world.notify(apex, address, signed=signed)


def hang_up(address: str) -> History:
    return lambda world: world.stage.hangs_up(Server(address))


def restart() -> History:
    return lambda world: world.stage.starts()


def refresh() -> History:
    return lambda world: world.stage.happens(events.RefreshRequested())


def fault(address: str, kind: str, what: str) -> History:
    def happen(world: World) -> None:
        spoil = world.stage.primaries[address].authority.spoil
        spoil[dns.rdatatype.from_text(kind)] = FAULTS[what]

    return happen


def network(address: str, kind: int) -> History:
    def happen(world: World) -> None:
        primary = world.stage.primaries[address]
        primary.down = "connection refused" if kind == 0 else None
        primary.silent = kind == 1
        primary.cuts_transfers_after = 1 if kind == 2 else None
        primary.authority.clock_error = 900 if kind == 3 else 0

    return happen


def hold(answers: bool, transfers: bool) -> History:  # noqa: FBT001 - drawn by hypothesis
    def happen(world: World) -> None:
        world.stage.holds_answers, world.stage.holds_transfers = answers, transfers

    return happen


apexes, addresses = st.sampled_from(APEXES), st.sampled_from(ADDRESSES)
HISTORIES = st.lists(
    st.one_of(
        st.builds(serve, apexes, st.none() | addresses),
        st.builds(drop, apexes),
        st.builds(wait, st.sampled_from([0.5, 6.0, 15.0, 700.0, 4000.0, 50000.0])),
        st.builds(notify, apexes, addresses, st.booleans()),
        st.builds(hang_up, addresses),
        st.builds(restart),
        st.builds(refresh),
        st.builds(fault, addresses, st.sampled_from(["SOA", "AXFR", "IXFR"]), st.sampled_from(list(FAULTS))),
        st.builds(network, addresses, st.integers(0, 4)),
        st.builds(hold, st.booleans(), st.booleans()),
    ),
    max_size=25,
)


@settings(max_examples=100)
@given(HISTORIES)
def test_whatever_happens_zones_are_served_whole_and_recover(history: list[History]) -> None:
    world = World()
    world.stage.starts()
    for happen in history:
        happen(world)
        world.check()
    world.recover()
    world.check()
    # Zones that no key names come back when somebody speaks of them, if they ever went.
    for apex in APEXES:
        world.notify(apex, ADDRESSES[0], signed=True)
    world.stage.passes(60)
    for apex in APEXES:
        zone = world.stage.served(apex)
        assert zone is not None
        assert zone.serial == world.serials[apex]


@settings(max_examples=40)
@given(HISTORIES)
def test_nothing_is_served_when_no_primary_was_there_for_longer_than_expire(history: list[History]) -> None:
    world = World()
    world.stage.starts()
    for happen in history:
        happen(world)
    world.stage.holds_answers = world.stage.holds_transfers = False
    world.stage.end_transfers()
    for address, primary in world.stage.primaries.items():
        primary.down = "connection refused"
        world.stage.hangs_up(Server(address))
    world.stage.passes(EXPIRE + 1)
    assert all(world.stage.served(apex) is None for apex in APEXES)


@settings(max_examples=100)
@given(st.binary(max_size=100), st.booleans())
def test_any_octets_over_a_link_or_as_a_packet_do_no_harm(octets: bytes, over_link: bool) -> None:  # noqa: FBT001
    world = World()
    world.stage.starts()
    event: events.Event = events.PacketReceived(Packet(octets))
    if over_link:
        event = events.LinkHeard(Server(ADDRESSES[0]), octets)
    world.stage.happens(event)
    world.check()


def test_a_long_quiet_life_costs_few_questions_and_no_state() -> None:
    world = World()
    world.stage.starts()
    world.stage.passes(60)
    assert world.stage.state is not None
    before = sum(primary.questions for primary in world.stage.primaries.values())
    world.stage.passes(100 * 3600)
    after = sum(primary.questions for primary in world.stage.primaries.values())
    # One zone is named by a key; its refresh is an hour, and jitter takes up to a tenth off.
    assert 100 <= after - before <= 112
    assert all(isinstance(entry.phase, Idle) for entry in world.stage.state.zones.values())
