"""Transfers side by side: fair, bounded, and at the pace of those who read."""

from __future__ import annotations

from dataclasses import dataclass

import dns.message
import pytest

from oakroot._engine import Request
from oakroot.distribution import transfers
from oakroot.distribution.transfers import Done, Message, Order, Transfers
from oakroot.protocol.transfer_server import Whole
from tests.distribution.stage import Instant
from tests.secondary.authority import hosts, make_zone

QUERY = dns.message.make_query("example.org.", "AXFR").to_wire()
SMALL = make_zone(1)
LARGE = make_zone(1, *hosts(3000))


@dataclass
class Peer:
    """A connection whose reader a test moves."""

    peer: tuple[str, int] = ("192.0.2.6", 4000)
    waiting: int = 0
    gone: bool = False
    received: int = 0

    def unsent(self) -> int:
        return self.waiting

    def is_gone(self) -> bool:
        return self.gone


def order(peer: Peer, *, large: bool = False) -> Order:
    return Order(peer, QUERY, Whole(LARGE if large else SMALL), None)


def turned(queue: Transfers, now: float = 0.0, *, reading: bool = True) -> list[Message | Done]:
    """What a turn gives; peers take what they are sent, or do not."""
    steps = []
    for step in queue.turn(Instant(now)):
        steps.append(step)
        if isinstance(step, Message):
            assert isinstance(step.stream, Peer)
            step.stream.received += 1
            step.stream.waiting += 0 if reading else len(step.wire)
    return steps


def test_a_transfer_is_sent_to_its_end() -> None:
    queue, peer = Transfers(), Peer()
    assert queue.add(order(peer))
    (message,) = turned(queue)
    assert isinstance(message, Message)
    (done,) = turned(queue)
    assert isinstance(done, Done)
    assert (done.messages, done.octets, done.failure) == (1, len(message.wire), None)
    assert not queue.is_ready()


def test_a_turn_is_short() -> None:
    queue = Transfers()
    peers = [Peer((f"192.0.2.{number}", 4000)) for number in range(10)]
    for peer in peers:
        queue.add(order(peer, large=True))
    turned(queue)
    assert sum(peer.received for peer in peers) == transfers.MESSAGES_PER_TURN
    assert queue.is_ready()


def test_peers_take_turns() -> None:
    queue = Transfers()
    greedy, modest = Peer(), Peer(("192.0.2.7", 4000))
    for _ in range(5):
        queue.add(order(greedy, large=True))
    queue.add(order(modest, large=True))
    while modest.received < 3:
        turned(queue)
    assert greedy.received <= 5 * 4


def test_of_one_source_only_some_are_served_at_a_time() -> None:
    queue = Transfers()
    for _ in range(100):
        queue.add(order(Peer(), large=True))
    modest = Peer(("192.0.2.7", 4000))
    queue.add(order(modest))
    rounds = 0
    while not modest.received:
        turned(queue)
        rounds += 1
    assert rounds <= 1 + transfers.PER_SOURCE // transfers.MESSAGES_PER_TURN


def test_who_does_not_read_is_sent_no_more_until_he_does() -> None:
    queue, peer = Transfers(), Peer()
    queue.add(order(peer, large=True))
    while queue.is_ready():
        turned(queue, reading=False)
    assert peer.waiting < 2 * Request.HIGH_BACKLOG + 65536
    sent = peer.received
    assert turned(queue) == []
    peer.waiting = 0
    assert queue.is_ready()
    turned(queue)
    assert peer.received == sent + 1


def test_who_does_not_read_for_long_is_given_up() -> None:
    queue, peer = Transfers(), Peer()
    queue.add(order(peer, large=True))
    while queue.is_ready():
        turned(queue, reading=False)
    due = queue.wake_at()
    assert due == transfers.STALL_SECONDS
    (done,) = turned(queue, due)
    assert isinstance(done, Done)
    assert done.failure == "the peer read nothing for 60 s"
    assert queue.wake_at() is None


def test_who_hung_up_is_forgotten() -> None:
    queue, peer = Transfers(), Peer()
    queue.add(order(peer, large=True))
    turned(queue)
    peer.gone = True
    assert queue.is_ready()
    (done,) = turned(queue)
    assert isinstance(done, Done)
    assert done.failure == "the peer closed the connection"


def test_those_who_wait_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "ACTIVE_LIMIT", 2)
    queue = Transfers()
    peers = [Peer((f"192.0.2.{number}", 4000)) for number in range(9)]
    for peer in peers:
        queue.add(order(peer))
    while queue.is_ready():
        turned(queue)
    assert [peer.received for peer in peers] == [1] * 9


def test_when_too_many_wait_no_more_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "WAITING_LIMIT", 3)
    queue = Transfers()
    assert [queue.add(order(Peer())) for _ in range(4)] == [True, True, True, False]
