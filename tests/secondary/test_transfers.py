"""Transfers over real connections, whole and broken ones."""

from __future__ import annotations

import queue
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from oakroot._engine import Zone
from oakroot.protocol.transfer_client import Failed, Limits, Received
from oakroot.secondary.events import StartTransfer, TransferEnded
from oakroot.secondary.sources import Server, Source
from oakroot.secondary.transfers import Messages, Transfers
from tests.protocol.keys import granted
from tests.secondary.authority import KEY, ZONE, Authority, hosts, make_zone, name
from tests.secondary.primary_server import Faults, PrimaryServer

PATIENCE = 20.0
SOON = Limits(seconds=10.0, idle_seconds=0.2)


@contextmanager
def primary(*versions: Zone, faults: Faults | None = None) -> Iterator[PrimaryServer]:
    authority = Authority(records_per_message=4)
    for version in versions:
        authority.serve(version)
    with PrimaryServer(authority, faults or Faults()) as server:
        yield server


def transfer(
    address: tuple[str, int], base: Zone | None = None, limits: Limits | None = None, local: str | None = None
) -> TransferEnded:
    ended: queue.SimpleQueue[TransferEnded] = queue.SimpleQueue()
    source = Source(Server(*address), granted(KEY), local)
    Transfers(ended.put, limits).start(StartTransfer(5, name(ZONE), source, base))
    return ended.get(timeout=PATIENCE)


def reason(ended: TransferEnded) -> str:
    assert isinstance(ended.outcome, Failed), ended
    return ended.outcome.reason


def test_a_zone_arrives() -> None:
    zone = make_zone(7, *hosts(500))
    with primary(zone) as server:
        ended = transfer(server.address)
    assert isinstance(ended.outcome, Received)
    assert ended.outcome.zone is not None
    assert ended.outcome.zone.records() == zone.records()
    assert (ended.number, ended.doubts) == (5, ())


def test_differences_arrive() -> None:
    old, new = make_zone(7), make_zone(8, *hosts(3))
    with primary(old, new) as server:
        ended = transfer(server.address, base=old)
    assert isinstance(ended.outcome, Received)
    assert ended.outcome.zone is not None
    assert ended.outcome.zone.records() == new.records()


@pytest.mark.parametrize("cut_octets", [False, True])
@pytest.mark.parametrize("after", [0, 1, 2, 5])
def test_a_connection_that_is_closed_at_any_message_brings_nothing(after: int, cut_octets: bool) -> None:  # noqa: FBT001
    with primary(make_zone(7, *hosts(30)), faults=Faults(cut_after=after, cut_octets=cut_octets)) as server:
        ended = transfer(server.address)
    assert reason(ended) == f"it closed the connection after {after} message" + "s" * (after != 1)


def test_differences_that_are_cut_are_asked_for_as_a_whole() -> None:
    old, new = make_zone(7), make_zone(8, *hosts(30))
    with primary(old, new, faults=Faults(cut_after=1)) as server:
        ended = transfer(server.address, base=old)
        assert len(server.peers) == 2
    assert ended.doubts == ("it closed the connection after 1 message",)
    assert "it closed the connection" in reason(ended)


def test_a_primary_that_falls_silent_is_given_up() -> None:
    with primary(make_zone(7, *hosts(30)), faults=Faults(silent_after=2)) as server:
        ended = transfer(server.address, limits=SOON)
    assert reason(ended) == "it sent no whole message for 0.2 s after 2 messages"


def test_a_transfer_that_takes_too_long_is_given_up() -> None:
    with primary(make_zone(7, *hosts(30)), faults=Faults(silent_after=2)) as server:
        ended = transfer(server.address, limits=Limits(seconds=0.2))
    assert "the transfer took longer than 0.2 s" in reason(ended)


def test_a_primary_that_is_not_there_is_named_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = probe.getsockname()
    assert reason(transfer(address)) == "cannot connect: Connection refused"


def test_the_address_of_ours_may_be_chosen() -> None:
    with primary(make_zone(7)) as server:
        transfer(server.address, local="127.0.0.42")
        assert server.peers == ["127.0.0.42"]


def test_transfers_that_are_stopped_end_at_once() -> None:
    ended: queue.SimpleQueue[TransferEnded] = queue.SimpleQueue()
    with primary(make_zone(7, *hosts(30)), faults=Faults(silent_after=1)) as server:
        transfers = Transfers(ended.put)
        source = Source(Server(*server.address), granted(KEY))
        transfers.start(StartTransfer(1, name(ZONE), source, None))
        while server.authority.asked == []:
            pass
        transfers.stop()
        assert " message" in reason(ended.get(timeout=PATIENCE))


def test_a_bug_is_told_and_ends_the_transfer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("oakroot.secondary.transfers.Transfers._transfer", fail)
    ended = transfer(("127.0.0.1", 1))
    assert reason(ended) == "a bug in Oakroot (ZeroDivisionError); its log says more"
    assert "please report it" in caplog.text


def test_messages_are_found_however_octets_come() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        messages = Messages(ours)
        wires = [b"", b"a", b"bc" * 1000, b"d" * 65535]
        stream = b"".join(len(wire).to_bytes(2) + wire for wire in wires)
        for start, end in ((0, 1), (1, 3), (3, 700), (700, len(stream))):
            theirs.sendall(stream[start:end])
        theirs.shutdown(socket.SHUT_WR)
        assert [messages.take(time.monotonic() + PATIENCE) for _ in wires] == wires
        with pytest.raises(EOFError):
            messages.take(time.monotonic() + PATIENCE)


def test_octets_that_trickle_do_not_put_off_the_deadline() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"\0\x50only a few")
        with pytest.raises(TimeoutError):
            Messages(ours).take(0.0)
