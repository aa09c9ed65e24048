"""Made-up connections, keys and secondaries for the tests of this room, and a clock that only they move."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import dns.message
import dns.rcode
import dns.tsig

from oakroot._engine import Catalogue, Zone
from oakroot.distribution.fanout import Changed, Fanout, Settings
from oakroot.distribution.outbox import Ended, Send
from oakroot.keys.key import Key
from oakroot.keys.keyring import Keyring
from oakroot.protocol.message import response
from oakroot.protocol.tsig import Verified, sign_reply, verify
from oakroot.protocol.wire import read_question
from tests.protocol.keys import NOW, keyring


@dataclass(frozen=True)
class Instant:
    """One moment."""

    monotonic: float
    wall: float = NOW


@dataclass
class FakeLink:
    """A connection from a peer."""

    peer: tuple[str, int]
    closed: bool = False

    def has_ended(self) -> bool:
        """Whether a test closed it."""
        return self.closed


@dataclass
class World:
    """A fan-out, its clock, and what it sent."""

    settings: Settings = field(default_factory=Settings)
    now: float = 100.0
    sent: list[Send] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)

    def __post_init__(self) -> None:
        counter = itertools.count(1)
        self.fanout = Fanout(self.settings, lambda: next(counter) % 65536)
        self.zones: dict[str, Zone] = {}
        self.keys = Keyring()

    def serves(self, *zones: Zone, keys: Sequence[Key] | None = None, without: Sequence[str] = ()) -> None:
        """These zones are new or changed, those in `without` are gone; and `keys` are now all keys."""
        for zone in zones:
            self.zones[zone.apex] = zone
        for apex in without:
            del self.zones[apex]
        if keys is not None:
            self.keys = keyring(*keys)
        changed = [*(zone.apex for zone in zones), *without]
        catalogue = Catalogue().with_zones(list(self.zones.values()))
        self.fanout.publish(Changed(catalogue, self.keys, tuple(self.zones), changed))
        self.settle()

    def settle(self) -> None:
        """Polls until nothing more is due."""
        while (due := self.fanout.wake_at()) is not None and due <= self.now:
            self._take()

    def passes(self, seconds: float) -> None:
        """Time passes, and the fan-out is polled whenever it asked for it."""
        end = self.now + seconds
        while (due := self.fanout.wake_at()) is not None and due <= end:
            self.now = max(self.now, due)
            self._take()
        self.now = end

    def _take(self) -> None:
        for each in self.fanout.poll(Instant(self.now)):
            if isinstance(each, Send):
                self.sent.append(each)
            else:
                self.ended.append(each)

    def take_sent(self) -> list[tuple[str, str, str]]:
        """(zone, target, way) of everything sent since the last time, in order of names."""
        sent, self.sent = self.sent, []
        return sorted((zone_of(each), str(each.target), each.way) for each in sent)

    def replies(self, send: Send, wire: bytes) -> Ended | None:
        """The target answers with this."""
        return self.fanout.receive(send.target.address, wire, Instant(self.now))


def zone_of(send: Send) -> str:
    """The zone that a NOTIFY is about."""
    return read_question(send.wire).name.to_text()


def signer_of(send: Send) -> str | None:
    """The name of the key that it is signed with."""
    tsig = dns.message.from_wire(send.wire, keyring=False).tsig
    return None if tsig is None else tsig.name.to_text()


def acknowledgement(
    send: Send, *keys: Key, rcode: dns.rcode.Rcode = dns.rcode.NOERROR, now: int = NOW
) -> bytes:
    """What a secondary that has these keys answers; signed if the NOTIFY was."""
    verdict = verify(send.wire, keyring(*keys), now)
    query = verdict.query if isinstance(verdict, Verified) else send.wire
    wire = response(query, rcode, authoritative=True)
    assert wire is not None
    return sign_reply(wire, verdict.context, now) if isinstance(verdict, Verified) else wire
