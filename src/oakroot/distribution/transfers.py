"""Transfers side by side: whose turn it is to get the next message.

Sans I/O. Peers take turns, so that a slow or greedy one does not hold up the others; who does not read gets
nothing more until he does, and who does not for long is given up. What must not live here: what is sent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from oakroot._engine import Request
from oakroot.distribution.outbox import Moment
from oakroot.frozen import frozen
from oakroot.protocol.transfer_server import Plan, Transfer
from oakroot.protocol.tsig import ReplyContext

ACTIVE_LIMIT = 32
"""Transfers that messages are made for; each has a buffer of a message."""
PER_SOURCE = 8
WAITING_LIMIT = 1000
MESSAGES_PER_TURN = 4
"""Then others of the thread have their turn."""
STALL_SECONDS = 60.0


class Stream(Protocol):
    """The way back to who asked."""

    @property
    def peer(self) -> tuple[str, int]:
        """Who that is."""

    def unsent(self) -> int:
        """Octets that wait for the peer to take them."""

    def is_gone(self) -> bool:
        """Whether nothing can be sent any more."""


@frozen
class Order:
    """A transfer that was asked for and found good."""

    stream: Stream
    query: bytes
    plan: Plan
    context: ReplyContext | None


@frozen
class Message:
    """Send this."""

    stream: Stream
    wire: bytes


@frozen
class Done:
    """A transfer has come to its end, or to nothing: then `failure` says why."""

    order: Order
    messages: int
    octets: int
    failure: str | None = None


@dataclass(slots=True)
class _Active:
    order: Order
    transfer: Transfer
    progress: float
    """When it was last going on."""
    messages: int = 0
    octets: int = 0

    @property
    def source(self) -> str:
        return self.order.stream.peer[0]

    @property
    def may_send(self) -> bool:
        return self.order.stream.unsent() < Request.HIGH_BACKLOG


@dataclass(slots=True)
class Transfers:
    """All transfers under way, and those that wait for one of them to end."""

    _active: deque[_Active] = field(default_factory=deque)
    _waiting: deque[Order] = field(default_factory=deque)

    def add(self, order: Order) -> bool:
        """Whether there was room for it."""
        if len(self._waiting) >= WAITING_LIMIT:
            return False
        self._waiting.append(order)
        return True

    def turn(self, now: Moment) -> Iterator[Message | Done]:
        """A few messages, for those who can take them. Each is to be sent before the next is asked for."""
        self._activate(now.monotonic)
        sent = 0
        for _ in range(len(self._active)):
            if sent >= MESSAGES_PER_TURN:
                return
            each = self._active.popleft()
            outcome = self._serve(each, now)
            sent += isinstance(outcome, Message)
            if not isinstance(outcome, Done):
                self._active.append(each)
            if outcome is not None:
                yield outcome

    @property
    def counts(self) -> tuple[int, int]:
        """How many are under way, and how many wait."""
        return len(self._active), len(self._waiting)

    def is_ready(self) -> bool:
        """Whether another turn now would get on; if not, it is due when a peer has read, or at `wake_at`."""
        return any(each.may_send or each.order.stream.is_gone() for each in self._active) or any(
            True for _ in self._startable()
        )

    def wake_at(self) -> float | None:
        """When somebody has not read for too long."""
        return min((each.progress + STALL_SECONDS for each in self._active), default=None)

    def _startable(self) -> Iterator[Order]:
        """Those that wait and may begin, were there nobody else to begin before."""
        if len(self._active) >= ACTIVE_LIMIT:
            return
        sources = [each.source for each in self._active]
        yield from (order for order in self._waiting if sources.count(order.stream.peer[0]) < PER_SOURCE)

    def _activate(self, now: float) -> None:
        while (order := next(self._startable(), None)) is not None:
            self._waiting.remove(order)
            transfer = Transfer(order.query, order.plan, order.context)
            self._active.append(_Active(order, transfer, now))

    def _serve(self, each: _Active, now: Moment) -> Message | Done | None:
        stream = each.order.stream
        if stream.is_gone():
            return Done(each.order, each.messages, each.octets, "the peer closed the connection")
        if not each.may_send:
            if now.monotonic - each.progress < STALL_SECONDS:
                return None
            return Done(
                each.order, each.messages, each.octets, f"the peer read nothing for {STALL_SECONDS:.0f} s"
            )
        wire = each.transfer.next_message(int(now.wall))
        if wire is None:
            return Done(each.order, each.messages, each.octets)
        each.progress = now.monotonic
        each.messages += 1
        each.octets += len(wire)
        return Message(stream, wire)
