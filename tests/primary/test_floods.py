"""Floods of updates that must not be made: each has its answer, and none costs git, memory or the log."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import dns.message
import dns.opcode
import dns.rcode
import dns.update
import pytest

from oakroot.keys.dnskey import write_dnskey
from oakroot.keys.key import Key
from oakroot.primary import core, events
from oakroot.protocol import update as reading
from oakroot.protocol.tsig_client import sign_request
from oakroot.roles.events import Log, Moment, Note, PacketReceived, SendReply
from oakroot.roles.quota import QUOTA_LINES
from tests.peers.git_servers import BareRepository
from tests.primary.running import running
from tests.protocol.keys import make_key
from tests.scenarios.stage import WALL, Packet
from tests.zones.repositories import Repository, zone_text

KEY = make_key("personal._update.mirage.")
STRANGER = make_key("stranger._update.mirage.")
COPIER = make_key("copier._transfer.mirage.")
OTHER_ZONE = make_key("other._update.example.org.")
NOW = Moment(WALL, 1000.0)
FLOOD = 300


def primary(settings: core.Settings | None = None) -> core.State:
    """One that serves, and whose git is idle."""
    keys = f"{write_dnskey(KEY)}\n{write_dnskey(OTHER_ZONE)}\n{write_dnskey(COPIER)}\n"
    loading = Repository().holds({"mirage": zone_text(), "_keys": keys})
    state, _ = core.handle(core.new_state(settings or core.Settings()), events.Started(), NOW)
    state, _ = core.handle(state, events.Fetched(loading), NOW)
    state, _ = core.handle(state, events.Recalled({}, 0), NOW)
    return state


def update(number: int, owner: str = "new.mirage.", text: str = "x") -> bytes:
    message = dns.update.UpdateMessage("mirage.", id=number & 0xFFFF)
    message.use_edns(0)
    message.add(dns.name.from_text(owner), 60, "TXT", f'"{text} {number}"')
    return message.to_wire()


def signed(wire: bytes, key: Key = KEY) -> bytes:
    return sign_request(wire, key, int(WALL))[0]


def malformed(number: int) -> bytes:
    """An update whose last record is cut off, signed all the same."""
    wire = update(number)
    return wire[:-3]


FLOODS: dict[str, tuple[Callable[[int], bytes], int]] = {
    "unsigned": (update, dns.rcode.REFUSED),
    "of an unknown key": (lambda number: signed(update(number), STRANGER), dns.rcode.NOTAUTH),
    "of a key for another zone": (lambda number: signed(update(number), OTHER_ZONE), dns.rcode.REFUSED),
    "outside of the zone": (lambda number: signed(update(number, "a.example.org.")), dns.rcode.NOTZONE),
    "cut off": (malformed, dns.rcode.FORMERR),
    "signed, changed on the way": (
        lambda number: signed(update(number)).replace(b"x ", b"y "),
        dns.rcode.NOTAUTH,
    ),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_that_must_not_be_made_leaves_nothing_behind(kind: str) -> None:
    make, rcode = FLOODS[kind]
    state = before = primary()
    answers, lines = [], 0
    for number in range(FLOOD):
        state, actions = core.handle(state, PacketReceived(Packet(make(number))), NOW)
        answers += [action.wire for action in actions if isinstance(action, SendReply)]
        lines += sum(isinstance(action, Log) for action in actions)
        assert all(isinstance(action, SendReply | Log | Note) for action in actions), (
            "git is not asked for anything"
        )
    assert {wire[3] & 15 for wire in answers} == {rcode}
    assert len(answers) == FLOOD
    assert lines <= QUOTA_LINES
    assert (state.updates, state.writing, state.memory) == (before.updates, before.writing, before.memory)
    assert core.wake_at(state) == core.wake_at(before)


@pytest.mark.parametrize("key", [None, COPIER])
def test_an_update_of_who_may_send_none_is_refused_unread(
    key: Key | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(query: bytes) -> None:
        raise AssertionError(f"{len(query)} octets of a stranger are read")

    monkeypatch.setattr(reading, "read", read)
    state = primary()
    wire = update(1) if key is None else signed(update(1), key)
    _, actions = core.handle(state, PacketReceived(Packet(wire)), NOW)
    (answer,) = (action.wire for action in actions if isinstance(action, SendReply))
    assert answer[3] & 15 == dns.rcode.REFUSED


def test_updates_beyond_the_limit_are_told_to_come_later() -> None:
    state = primary(core.Settings(updates_limit=10))
    late = 0
    for number in range(100):
        wire = signed(update(number))
        state, actions = core.handle(state, PacketReceived(Packet(wire)), NOW)
        late += sum(
            isinstance(action, SendReply) and action.wire[3] & 15 == dns.rcode.SERVFAIL for action in actions
        )
    # The first one is in the commit under way.
    assert (len(state.writing), len(state.updates), late) == (1, 10, 89)


def test_large_updates_are_bounded_by_their_octets() -> None:
    state = primary(core.Settings(updates_octets=200_000))
    for number in range(40):
        message = dns.update.UpdateMessage("mirage.", id=number)
        for line in range(200):
            message.add("wide", 60, "TXT", f'"{number} {line} {"x" * 200}"')
        state, _ = core.handle(state, PacketReceived(Packet(signed(message.to_wire(max_size=65535)))), NOW)
    assert 0 < sum(len(each.query) for each in state.updates) <= 200_000


def test_a_primary_under_a_flood_makes_the_update_of_who_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = BareRepository(tmp_path / "zones.git")
    remote.commit({"mirage": zone_text(1), "_keys": f"{write_dnskey(KEY)}\n".encode()})
    steps = 0
    real = core.handle

    def counted(state: core.State, event: object, now: Moment) -> tuple[core.State, tuple[object, ...]]:
        nonlocal steps
        steps += 1
        return real(state, event, now)  # type: ignore[arg-type]

    monkeypatch.setattr(core, "handle", counted)

    async def dialogue() -> None:
        async with running(remote.path) as primary:
            await primary.until(lambda: dns.message.make_query("mirage.", "SOA"), "hostmaster.mirage. 1 ")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                for number in range(FLOOD):
                    udp.sendto(update(number), primary.address)
            wanted = dns.update.UpdateMessage("mirage.")
            wanted.add("wanted", 60, "A", "192.0.2.1")
            wanted.use_tsig(KEY.for_dnspython())
            assert (await primary.ask(wanted, tcp=True)).rcode() == dns.rcode.NOERROR
            # A step for each packet, a few for git and its timers: nothing turns in circles.
            assert steps <= FLOOD + 50

    asyncio.run(dialogue())
    assert "wanted" in remote.show("mirage")
    assert "new" not in remote.show("mirage")
