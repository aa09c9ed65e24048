"""`oakroot secondary` with BIND, Knot DNS and NSD as its primary: transfers, NOTIFY, restarts, new zones.

The secondary is the command itself, in a process of its own; so are the primaries. What must not live here:
their configuration files (`tests/peers/primaries`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import dns.tsigkeyring
import dns.update
import pytest

from tests.peers.ports import Address, free_port
from tests.peers.primaries import PRIMARIES, BindPrimary, KnotPrimary, Primary
from tests.peers.secondary_process import PATIENCE, SecondaryProcess, ask, can_bind, serial_in
from tests.protocol.keys import make_key
from tests.secondary.authority import hosts, zone_text

ZONE = "example.org."
OTHER = "example.net."
ROOT_KEY = make_key("peer._transfer.")
KEY = make_key("peer._transfer.example.org.")
NEW_KEY = make_key("newer._transfer.example.org.", secret=b"another secret of the same sizes")
SECONDARY = "127.0.0.2"
# Refresh and retry are what a test may wait for; NOTIFY should make that needless.
TIMES = "20 5 3600 60"

PEERS = pytest.mark.parametrize(("kind", "address"), PRIMARIES, ids=[kind.name for kind, _ in PRIMARIES])


def text(serial: int, *records: str) -> str:
    return zone_text(serial, *records, times=TIMES)


@dataclass
class World:
    """A primary and its secondary."""

    primary: Primary
    secondary: SecondaryProcess

    def publish(self, serial: int, *records: str, apex: str = ZONE) -> None:
        """The primary gets a new version."""
        self.primary.serve({apex: text(serial, *records)})
        deadline = time.monotonic() + PATIENCE
        while self.primary.is_running and primary_serial(self.primary, apex) != serial:
            assert time.monotonic() < deadline, self.primary.log_tail()


@pytest.fixture
def make_world(tmp_path: Path, require: Callable[[str], str]) -> Iterator[Callable[..., World]]:
    started: list[World] = []

    def make(kind: type[Primary], address: str, *keys: object, state: bool = False) -> World:
        require(kind.program)
        port = free_port()
        here: Address = (SECONDARY, port)
        known = list(keys) or [KEY]
        primary = kind((address, free_port()), here, known, tmp_path / kind.name)  # type: ignore[arg-type]
        secondary = SecondaryProcess(here, known, primary.address, tmp_path / "oakroot")  # type: ignore[arg-type]
        secondary.state = tmp_path / "state" if state else None
        world = World(primary, secondary)
        started.append(world)
        return world

    yield make
    for world in started:
        world.secondary.stop()
        world.primary.stop()


def start(world: World, *records: str) -> None:
    """Both, with the first version, which the secondary has in the end."""
    world.publish(1, *records)
    world.primary.start()
    world.secondary.start()
    world.secondary.until_serial(ZONE, 1)


@PEERS
def test_a_zone_arrives_whole(kind: type[Primary], address: str, make_world: Callable[..., World]) -> None:
    world = make_world(kind, address)
    start(world, *hosts(2000), "*.w MX 10 mail", "sub NS ns.sub", "ns.sub A 192.0.2.9")
    assert "AXFR, incoming" in world.secondary.log
    ours = transferred(world.secondary.address)
    theirs = transferred(world.primary.address)
    assert ours == theirs
    assert len(ours) == 2000 + 6


def transferred(address: Address) -> list[str]:
    """All records of the zone, as dnspython transfers them."""
    keyring = {KEY.name: KEY.for_dnspython()}
    messages = dns.query.xfr(
        address[0],
        ZONE,
        port=address[1],
        keyring=keyring,
        keyname=KEY.name,
        relativize=False,
        lifetime=PATIENCE,
    )
    lines = {
        f"{rrset.name} {rrset.ttl} {dns.rdatatype.to_text(rrset.rdtype)} {rdata.to_text()}"
        for message in messages
        for rrset in message.answer
        for rdata in rrset
    }
    return sorted(lines)


@PEERS
def test_ten_changes_arrive_as_differences_also_in_bursts(
    kind: type[Primary], address: str, make_world: Callable[..., World]
) -> None:
    world = make_world(kind, address)
    start(world, *hosts(200))
    for serial in range(2, 7):
        world.publish(serial, *hosts(200, first=serial))
        world.secondary.until_serial(ZONE, serial)
    for serial in range(7, 12):
        world.publish(serial, *hosts(200, first=serial))
    world.secondary.until_serial(ZONE, 11)
    assert transferred(world.secondary.address) == transferred(world.primary.address)
    log = world.secondary.log
    assert log.count("IXFR, incoming") >= 6
    assert "given up" not in log
    assert "NOTIFY, incoming" in log


def test_knots_transactions_arrive_as_differences(make_world: Callable[..., World]) -> None:
    world = make_world(KnotPrimary, "127.0.0.3")
    start(world)
    knot = world.primary
    assert isinstance(knot, KnotPrimary)
    for number in range(10):
        knot.set_record(ZONE, f"new{number}", 60, "A", f"192.0.2.{number}")
    world.secondary.until(f"new9.{ZONE}", "A", lambda reply: bool(reply.answer))
    assert transferred(world.secondary.address) == transferred(knot.address)
    assert "given up" not in world.secondary.log


@PEERS
def test_the_primary_restarts(kind: type[Primary], address: str, make_world: Callable[..., World]) -> None:
    world = make_world(kind, address)
    start(world)
    world.primary.stop()
    assert serial_in(world.secondary.ask(ZONE) or dns.message.Message()) == 1
    world.publish(2)
    world.primary.start()
    world.secondary.until_serial(ZONE, 2)


@PEERS
def test_the_secondary_restarts_without_and_with_its_primary(
    kind: type[Primary], address: str, make_world: Callable[..., World]
) -> None:
    world = make_world(kind, address, state=True)
    start(world)
    world.secondary.stop()
    world.publish(2)
    world.secondary.start()
    world.secondary.until_serial(ZONE, 2)
    world.secondary.stop()
    world.primary.stop()
    world.secondary.start()
    world.secondary.until_serial(ZONE, 2)


@PEERS
def test_a_secondary_killed_in_the_middle_of_a_transfer_recovers(
    kind: type[Primary], address: str, make_world: Callable[..., World]
) -> None:
    world = make_world(kind, address, state=True)
    start(world)
    world.publish(2, *hosts(30_000))
    world.secondary.until_said("IXFR, incoming, remote")
    world.secondary.kill()
    world.secondary.start()
    # What is on disk is a whole version, whichever it is; the newest one follows.
    world.secondary.until(ZONE, "SOA", lambda reply: serial_in(reply) in {1, 2})
    world.secondary.until_serial(ZONE, 2)
    assert "refused" not in world.secondary.log
    world.secondary.until(f"host29999.{ZONE}", "TXT", lambda reply: bool(reply.answer))


@PEERS
def test_zones_come_and_go_with_a_key_for_all(
    kind: type[Primary], address: str, make_world: Callable[..., World]
) -> None:
    world = make_world(kind, address, ROOT_KEY)
    world.publish(1)
    world.primary.start()
    world.secondary.start()
    # A server that has just started notifies once, perhaps before we listened; a change tells us for sure.
    world.publish(2)
    world.secondary.until_serial(ZONE, 2)
    world.publish(1, apex=OTHER)
    world.publish(2, apex=OTHER)
    world.secondary.until_serial(OTHER, 2)
    world.primary.serve({OTHER: None})
    deadline = time.monotonic() + PATIENCE
    while primary_serial(world.primary, OTHER) is not None:
        assert time.monotonic() < deadline, world.primary.log_tail()
    # None of them says goodbye: somebody else has to.
    notify(world, OTHER)
    if world.primary.signs_refusals:
        world.secondary.until_refused(OTHER)
    else:
        world.secondary.until_said("the reply is not signed (it says REFUSED")
        world.secondary.until_serial(OTHER, 2)
    assert serial_in(world.secondary.ask(ZONE) or dns.message.Message()) == 2


def primary_serial(primary: Primary, apex: str) -> int | None:
    return serial_in(ask(primary.address, dns.message.make_query(apex, "SOA")))


def notify(world: World, apex: str) -> None:
    """A signed NOTIFY, as the primary could have sent it."""
    message = dns.message.make_query(apex, "SOA")
    message.set_opcode(dns.opcode.NOTIFY)
    message.use_tsig({ROOT_KEY.name: ROOT_KEY.for_dnspython()}, ROOT_KEY.name)
    assert ask(world.secondary.address, message).rcode() == dns.rcode.NOERROR


@PEERS
def test_a_key_is_replaced_while_both_are_there(
    kind: type[Primary], address: str, make_world: Callable[..., World]
) -> None:
    world = make_world(kind, address, KEY, NEW_KEY)
    start(world)
    world.primary.stop()
    world.primary.keys = [NEW_KEY]
    world.publish(2)
    world.primary.start()
    world.secondary.until_serial(ZONE, 2)


@PEERS
def test_without_notify_refresh_finds_the_new_version(
    kind: type[Primary], address: str, make_world: Callable[..., World]
) -> None:
    world = make_world(kind, address)
    world.primary.secondary = ("127.0.0.9", 9)
    world.primary.serve({ZONE: zone_text(1, times="3 2 3600 60")})
    world.primary.start()
    world.secondary.start()
    world.secondary.until_serial(ZONE, 1)
    world.publish(2)
    world.secondary.until_serial(ZONE, 2)
    assert "NOTIFY, incoming" not in world.secondary.log


def test_bind_updates_arrive(make_world: Callable[..., World]) -> None:
    world = make_world(BindPrimary, "127.0.0.1")
    bind = world.primary
    assert isinstance(bind, BindPrimary)
    bind.takes_updates = True
    start(world)
    for number in range(10):
        update = dns.update.UpdateMessage(ZONE, keyring={KEY.name: KEY.for_dnspython()}, keyname=KEY.name)
        update.add(f"new{number}", 60, "A", f"192.0.2.{number}")
        assert ask(bind.address, update).rcode() == dns.rcode.NOERROR
    world.secondary.until(f"new9.{ZONE}", "A", lambda reply: bool(reply.answer))
    assert transferred(world.secondary.address) == transferred(bind.address)
    assert "given up" not in world.secondary.log


def test_names_of_keys_tell_the_addresses_as_they_are_in_life(
    tmp_path: Path, require: Callable[[str], str]
) -> None:
    require(KnotPrimary.program)
    primary_address, own_address = ("127.0.53.1", 53), ("127.0.53.2", 53)
    if not (can_bind(primary_address) and can_bind(own_address)):
        pytest.skip("this user may not listen on port 53 of loopback")
    key = make_key("127.0.53.1.127.0.53.2._transfer.example.org.")
    with (
        KnotPrimary(primary_address, own_address, [key], tmp_path / "knot") as primary,
        SecondaryProcess(own_address, [key], None, tmp_path / "oakroot") as secondary,
    ):
        primary.serve({ZONE: text(1)})
        secondary.until_serial(ZONE, 1)
        primary.serve({ZONE: text(2)})
        secondary.until_serial(ZONE, 2)
        assert f"127.0.53.1@53, key {key.text}" in secondary.log
