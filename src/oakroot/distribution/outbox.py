"""NOTIFYs that wait to be acknowledged (RFC 1996 §3.5, §3.6): what is sent when, by what way and how often.

Sans I/O: `poll` gives what is to be sent now, `receive` takes what came back, and the caller has the sockets
and the clock. At most one NOTIFY per zone and target waits: a newer one takes the place of the one before.
What must not live here: who is told.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

import dns.name
import dns.rcode

from oakroot.distribution.targets import NO_PORT, Place, Target
from oakroot.frozen import frozen
from oakroot.protocol.message import Reply, read_reply
from oakroot.protocol.notify import build_notify
from oakroot.protocol.soa_client import describe_flaw, describe_refusal, told
from oakroot.protocol.tsig_client import (
    Authentic,
    ReplyExpectation,
    SignatureRefused,
    sign_request,
    verify_reply,
)

TRIES_LIMIT = 10
LONGEST_WAIT = 60.0
"""Seconds between two tries: 1, 2, 4 … and then this."""
BURST = 100
PAUSE = 0.05
"""So many NOTIFYs go out at once, then there is a rest: ten thousand new zones must not flood anybody."""

_HUNG_UP = "it closed its connection"

Way = Literal["udp", "tcp", "link"]


class Moment(Protocol):
    """One instant on two clocks, in seconds: the world's (TSIG), and one that never jumps (waiting)."""

    @property
    def wall(self) -> float:
        """Since 1970."""

    @property
    def monotonic(self) -> float:
        """Since some moment or other."""


@frozen
class Send:
    """Send this to the target this way."""

    target: Target
    way: Way
    wire: bytes


@frozen
class Ended:
    """Nothing more is sent to this target about this zone. `failure`: why it was in vain, if it was."""

    zone: str
    target: Target
    failure: str | None = None


@frozen
class _Sent:
    """A NOTIFY on its way: what its reply is checked against."""

    wire: bytes
    expected: ReplyExpectation | None


@dataclass(slots=True)
class _Waiting:
    """One target that is to learn of one zone."""

    zone: str
    target: Target
    due: float
    tries: int = 0
    sent: dict[int, _Sent] = field(default_factory=dict)
    """By identifier; answers to earlier tries are as good."""
    trouble: str = "it did not answer"


class Outbox:
    """All NOTIFYs that wait."""

    def __init__(self, identifiers: Callable[[], int]) -> None:
        """`identifiers` gives message identifiers that nobody can guess."""
        self._identifiers = identifiers
        self._waiting: dict[str, dict[Place, _Waiting]] = {}
        """By zone, then by place."""
        self._by_identifier: dict[tuple[str, int], _Waiting] = {}
        self._order: list[tuple[float, int, _Waiting]] = []
        self._sequence = 0
        self._rest_until = 0.0

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def waiting(self) -> Counter[str]:
        """How many wait, by the address of their target."""
        return Counter(place[0] for places in self._waiting.values() for place in places)

    def put(self, zone: str, target: Target, now: float) -> None:
        """Tells the target about the zone, from now on; takes the place of an earlier NOTIFY about it."""
        earlier = self._waiting.get(zone, {}).get(target.place)
        if earlier is not None:
            self._remove(earlier)
        waiting = _Waiting(zone, target, now)
        self._waiting.setdefault(zone, {})[target.place] = waiting
        self._schedule(waiting, now)

    def drop(self, unwanted: Callable[[Target], bool]) -> list[tuple[str, Place]]:
        """Gives up on targets, without a word; gives the zones that they have not been told of."""
        everything = [waiting for places in self._waiting.values() for waiting in places.values()]
        dropped = [waiting for waiting in everything if unwanted(waiting.target)]
        for waiting in dropped:
            self._remove(waiting)
        return [(waiting.zone, waiting.target.place) for waiting in dropped]

    def wake_at(self) -> float | None:
        """When to call `poll` next; None: not before another `put`."""
        while self._order and not self._is_due_then(*self._order[0]):
            heapq.heappop(self._order)
        return max(self._order[0][0], self._rest_until) if self._order else None

    def poll(self, now: Moment) -> Iterator[Send | Ended]:
        """What is to be sent now, and who is given up."""
        if now.monotonic < self._rest_until:
            return
        for _ in range(BURST):
            if (due := self.wake_at()) is None or due > now.monotonic:
                return
            _, _, waiting = heapq.heappop(self._order)
            yield self._try(waiting, now)
        self._rest_until = now.monotonic + PAUSE

    def receive(self, address: str, wire: bytes, now: Moment) -> Ended | None:
        """Takes a message from this address; None where it ends nothing."""
        waiting = self._by_identifier.get((address, int.from_bytes(wire[:2])))
        if waiting is None:
            return None
        sent = waiting.sent[int.from_bytes(wire[:2])]
        reply = read_reply(sent.wire, wire)
        if reply is None:
            return None
        objection = _objection(sent.expected, reply, wire, int(now.wall))
        if objection is not None:
            waiting.trouble = objection
            # Another key may do, and is tried at once.
            if waiting.tries < len(waiting.target.keys):
                self._schedule(waiting, now.monotonic)
            return None
        self._remove(waiting)
        failure = None if reply.rcode == dns.rcode.NOERROR else f"it answered {told(reply)}"
        return Ended(waiting.zone, waiting.target, failure)

    def asked(self, address: str, zone: str) -> tuple[Ended, ...]:
        """Somebody at this address asked for the zone under a signature: so he has learned of the change."""
        found = [
            waiting
            for waiting in self._waiting.get(zone, {}).values()
            if waiting.tries > 0 and waiting.target.address == address
        ]
        for waiting in found:
            self._remove(waiting)
        return tuple(Ended(zone, waiting.target) for waiting in found)

    def hang_up(self) -> tuple[Ended, ...]:
        """Gives up on targets that could be reached over their own connection only, and closed it."""
        everything = [waiting for places in self._waiting.values() for waiting in places.values()]
        found = [waiting for waiting in everything if _way(waiting) is None]
        for waiting in found:
            self._remove(waiting)
        return tuple(Ended(waiting.zone, waiting.target, _HUNG_UP) for waiting in found)

    def _try(self, waiting: _Waiting, now: Moment) -> Send | Ended:
        way = _way(waiting)
        if way is None or waiting.tries >= TRIES_LIMIT:
            self._remove(waiting)
            trouble = _HUNG_UP if way is None else waiting.trouble
            return Ended(waiting.zone, waiting.target, trouble)
        wire = self._compose(waiting, now)
        self._schedule(waiting, now.monotonic + min(2.0**waiting.tries, LONGEST_WAIT))
        waiting.tries += 1
        return Send(waiting.target, way, wire)

    def _compose(self, waiting: _Waiting, now: Moment) -> bytes:
        address, keys = waiting.target.address, waiting.target.keys
        identifier = self._identifiers()
        while (address, identifier) in self._by_identifier:
            identifier = self._identifiers()
        wire = build_notify(dns.name.from_text(waiting.zone), identifier)
        signed, expected = wire, None
        if keys:
            signed, expected = sign_request(wire, keys[waiting.tries % len(keys)], int(now.wall))
        waiting.sent[identifier] = _Sent(wire, expected)
        self._by_identifier[address, identifier] = waiting
        return signed

    def _schedule(self, waiting: _Waiting, due: float) -> None:
        waiting.due = due
        self._sequence += 1
        heapq.heappush(self._order, (due, self._sequence, waiting))

    def _is_due_then(self, due: float, _sequence: int, waiting: _Waiting) -> bool:
        known = self._waiting.get(waiting.zone, {}).get(waiting.target.place)
        return known is waiting and waiting.due == due

    def _remove(self, waiting: _Waiting) -> None:
        places = self._waiting[waiting.zone]
        del places[waiting.target.place]
        if not places:
            del self._waiting[waiting.zone]
        for identifier in waiting.sent:
            del self._by_identifier[waiting.target.address, identifier]


def _way(waiting: _Waiting) -> Way | None:
    """UDP first, as most messages arrive; then what gets through where UDP does not."""
    target = waiting.target
    linked = target.link is not None and not target.link.has_ended()
    if target.port == NO_PORT:
        return "link" if linked else None
    ways: tuple[Way, ...] = ("udp", "link", "tcp") if linked else ("udp", "udp", "tcp")
    return ways[waiting.tries % len(ways)]


def _objection(expected: ReplyExpectation | None, reply: Reply, wire: bytes, now: int) -> str | None:
    """Why the reply is not to be believed; None: it is."""
    if expected is None:
        return None
    match verify_reply(wire, expected, now):
        case Authentic():
            return None
        case SignatureRefused() as refusal:
            return describe_refusal(refusal, expected.key, now)
        case flawed:
            return describe_flaw(flawed.flaw, reply)
