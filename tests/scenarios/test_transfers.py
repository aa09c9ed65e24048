"""Dialogues of a primary with secondaries, by a clock of their own: what they get and when they are told."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import dns.message
import dns.rrset
import pytest

from oakroot._engine import Incoming, Zone
from oakroot.distribution.actions import Enlist, NoteAsked, Remind, SendTransfer, Spread
from oakroot.distribution.fanout import Fanout, Settings
from oakroot.distribution.outbox import Ended, Send
from oakroot.distribution.targets import Link
from oakroot.keys.dnskey import write_dnskey
from oakroot.keys.key import Key
from oakroot.primary import core, events
from oakroot.primary.events import Action
from oakroot.protocol.query import build_soa_query
from oakroot.protocol.transfer_server import Plan, SoaAlone, Steps, Transfer, Whole
from oakroot.protocol.tsig_client import sign_request
from oakroot.roles.events import Transport
from oakroot.roles.followers import TransferRules
from tests.distribution.stage import acknowledgement, zone_of
from tests.protocol.keys import name
from tests.scenarios.script import make_key
from tests.scenarios.stage import Packet, Stage
from tests.secondary.authority import make_zone
from tests.zones.repositories import BROKEN, zone_text

APEX = "example.org."
KEY = make_key("192.0.2.1.192.0.2.6._transfer.example.org.")
HIDDEN = make_key("hidden._transfer.")


@dataclass(frozen=True)
class Connection(Packet):
    """A request over a connection that stays open."""

    def has_ended(self) -> bool:
        return False


@dataclass
class Theatre(Stage):
    """A primary with what it sends to secondaries."""

    plans: list[SendTransfer] = field(default_factory=list)
    sent: list[Send] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)

    def __post_init__(self) -> None:
        counter = itertools.count(1)
        self.fanout = Fanout(Settings(), lambda: next(counter) % 65536)
        super().__post_init__()

    def _carry_out(self, action: Action) -> None:
        match action:
            case SendTransfer():
                self.plans.append(action)
            case Spread(news):
                self.fanout.publish(news)
            case Enlist(request, signer, zone):
                assert isinstance(request, Connection)
                link: Link = request
                self.fanout.enlist(link, signer, zone)
            case Remind(address, signer):
                self.fanout.remind(address, signer)
            case NoteAsked(address, zone):
                self.ended += self.fanout.asked(address, zone)
            case _:
                super()._carry_out(action)

    def tells(self, seconds: float = 0.0) -> list[tuple[str, str, str]]:
        """(zone, target, way) of the NOTIFYs that are sent within this time."""
        end, before = self.now.monotonic + seconds, len(self.sent)
        while (due := self.fanout.wake_at()) is not None and due <= end:
            self.passes(max(0.0, due - self.now.monotonic))
            for step in self.fanout.poll(self.now):
                if isinstance(step, Send):
                    self.sent.append(step)
                else:
                    self.ended.append(step)
        self.passes(end - self.now.monotonic)
        return sorted((zone_of(each), str(each.target), each.way) for each in self.sent[before:])

    def pushed(self, path: str, content: bytes | None) -> None:
        """Somebody pushes, and the primary pulls."""
        self.remote.change(path, content)
        self.happens(events.PullRequested())
        self.git_answers()
        while self.task is not None:
            self.git_answers()

    def asks(
        self, wire: bytes, key: Key | None = KEY, peer: str = "192.0.2.6", over: Transport = "tcp"
    ) -> None:
        """A secondary asks."""
        signed = wire if key is None else sign_request(wire, key, int(self.now.wall))[0]
        self.receives(Connection(signed, over, (peer, 40000)))

    def planned(self, wire: bytes) -> Plan:
        """What is sent for this query."""
        self.asks(wire)
        return self.plans.pop().plan


@pytest.fixture
def theatre() -> Theatre:
    """A primary that serves one zone in its first version."""
    theatre = Theatre()
    theatre.remote.files = {
        "example.org": zone_text(1),
        "_keys": "".join(f"{write_dnskey(key)}\n" for key in (KEY, HIDDEN)).encode(),
    }
    theatre.happens(events.Started())
    theatre.git_answers()
    return theatre


def soa(zone: str = APEX) -> bytes:
    return build_soa_query(name(zone), 7)


def axfr(zone: str = APEX) -> bytes:
    return dns.message.make_query(zone, "AXFR", id=7).to_wire()


def ixfr(serial: int) -> bytes:
    query = dns.message.make_query(APEX, "IXFR", id=7)
    query.authority.append(dns.rrset.from_text(APEX, 0, "IN", "SOA", f". . {serial} 0 0 0 0"))
    return query.to_wire()


def received(plan: Plan, query: bytes, base: Zone) -> Zone:
    """What a secondary with this version makes of it."""
    incoming, transfer = Incoming(APEX, base), Transfer(query, plan, None)
    while (wire := transfer.next_message(0)) is not None:
        incoming.feed(wire)
    zone, _ = incoming.outcome()
    assert zone is not None
    return zone


def serials(plan: Plan) -> list[int]:
    assert isinstance(plan, Steps)
    return [zone.serial for zone in plan.versions]


def test_a_new_secondary_gets_the_zone(theatre: Theatre) -> None:
    assert isinstance(theatre.planned(axfr()), Whole)


def test_after_pushes_it_gets_the_differences(theatre: Theatre) -> None:
    base = theatre.catalogue.zone(APEX)
    assert base is not None
    for serial in (2, 3):
        theatre.pushed("example.org", zone_text(serial, f"www A 192.0.2.{serial}"))
    plan = theatre.planned(ixfr(1))
    assert serials(plan) == [1, 2, 3]
    newest = theatre.catalogue.zone(APEX)
    assert newest is not None
    assert received(plan, ixfr(1), base).records() == newest.records()


def test_a_serial_that_the_primary_raised_is_a_version_like_any_other(theatre: Theatre) -> None:
    theatre.pushed("example.org", zone_text(1, "www A 192.0.2.9"))
    assert serials(theatre.planned(ixfr(1))) == [1, 2]


def test_a_secondary_that_is_up_to_date_is_told_so(theatre: Theatre) -> None:
    assert isinstance(theatre.planned(ixfr(1)), SoaAlone)


def test_a_zone_that_came_back_has_no_differences(theatre: Theatre) -> None:
    theatre.pushed("example.org", None)
    theatre.pushed("example.org", zone_text(5))
    assert isinstance(theatre.planned(ixfr(1)), Whole)


def test_a_broken_push_tells_nobody_and_the_last_good_version_is_sent(theatre: Theatre) -> None:
    theatre.tells()
    theatre.pushed("example.org", BROKEN)
    assert theatre.tells() == []
    assert isinstance(theatre.planned(ixfr(1)), SoaAlone)


def test_a_removed_zone_is_denied_to_its_secondary(theatre: Theatre) -> None:
    theatre.tells(1000)
    theatre.pushed("example.org", None)
    assert theatre.tells() == [(APEX, "192.0.2.6@53", "udp")]
    theatre.asks(axfr())
    _, wire = theatre.replies.pop()
    assert dns.message.from_wire(wire, keyring=False).rcode().name == "NOTAUTH"


def test_a_secondary_is_told_at_the_start_and_of_each_change(theatre: Theatre) -> None:
    assert theatre.tells() == [(APEX, "192.0.2.6@53", "udp")]
    reply = acknowledgement(theatre.sent[-1], KEY, now=int(theatre.now.wall))
    assert theatre.fanout.receive("192.0.2.6", reply, theatre.now) is not None
    assert theatre.tells(600) == []
    theatre.pushed("example.org", zone_text(2))
    assert theatre.tells() == [(APEX, "192.0.2.6@53", "udp")]


def test_one_that_is_down_is_told_again_and_again_until_it_asks(theatre: Theatre) -> None:
    assert [way for _, _, way in theatre.tells(8)] == ["tcp", "udp", "udp", "udp"]
    theatre.asks(soa())
    assert theatre.tells(600) == []


def test_a_hidden_secondary_is_told_over_the_connection_it_asked_by(theatre: Theatre) -> None:
    theatre.asks(soa("."), HIDDEN, "192.0.2.77")
    assert (APEX, "192.0.2.77", "link") in theatre.tells()
    theatre.asks(soa(), HIDDEN, "192.0.2.77")
    theatre.pushed("new.example", zone_text(1))
    assert ("new.example.", "192.0.2.77", "link") in theatre.tells()


def test_a_question_for_the_root_by_udp_is_answered_by_notifies_to_where_the_key_says(
    theatre: Theatre,
) -> None:
    theatre.tells(1000)
    key = make_key("192.0.2.1.192.0.2.9._transfer.")
    theatre.pushed("_keys", f"{write_dnskey(key)}\n".encode())
    theatre.tells(1000)
    signed, _ = sign_request(soa("."), key, int(theatre.now.wall))
    theatre.receives(Connection(signed, "udp", ("192.0.2.9", 40000)))
    assert theatre.tells() == [(APEX, "192.0.2.9@53", "udp")]


def test_nobody_is_enlisted_by_an_unsigned_question(theatre: Theatre) -> None:
    theatre.tells(1000)
    theatre.asks(soa("."), None, "192.0.2.77")
    assert theatre.tells() == []


def test_a_new_key_brings_its_secondary_the_zone(theatre: Theatre) -> None:
    theatre.tells(1000)
    key = make_key("192.0.2.1.192.0.2.8._transfer.example.org.")
    theatre.pushed("example.org._keys", f"{write_dnskey(key)}\n".encode())
    assert theatre.tells() == [(APEX, "192.0.2.8@53", "udp")]
    theatre.asks(axfr(), key)
    assert isinstance(theatre.plans.pop().plan, Whole)


def test_a_removed_key_opens_nothing_any_more(theatre: Theatre) -> None:
    theatre.pushed("_keys", b"")
    theatre.asks(axfr())
    assert theatre.plans == []
    assert theatre.tells(600) == []


def test_unsigned_transfers_are_sent_if_the_operator_wants_it() -> None:
    theatre = Theatre(core.Settings(transfer_rules=TransferRules(unsigned=True)))
    theatre.remote.files = {"example.org": zone_text(1)}
    theatre.happens(events.Started())
    theatre.git_answers()
    theatre.asks(axfr(), None)
    assert isinstance(theatre.plans.pop().plan, Whole)


def test_zones_are_sent_over_tls_only_if_the_operator_wants_it() -> None:
    theatre = Theatre(core.Settings(transfer_rules=TransferRules(tls_only=True)))
    theatre.remote.files = {"example.org": zone_text(1), "_keys": f"{write_dnskey(KEY)}\n".encode()}
    theatre.happens(events.Started())
    theatre.git_answers()
    theatre.asks(axfr())
    theatre.asks(axfr(), over="udp")
    assert theatre.plans == []
    theatre.asks(axfr(), over="tls")
    assert isinstance(theatre.plans.pop().plan, Whole)


def test_versions_of_before_the_start_are_sent_as_differences(theatre: Theatre) -> None:
    theatre.pushed("example.org", zone_text(3))
    old = {serial: make_zone(serial, f"www A 192.0.2.{serial}", apex=APEX) for serial in (0, 1, 2, 3, 4)}
    # Of 1 and 3 there are versions that were served, and 4 is not one of before.
    theatre.happens(events.Recalled({APEX: tuple(old.values()), "gone.example.": (old[0],)}, 5))
    assert serials(theatre.planned(ixfr(0))) == [0, 1, 3]
    assert any("earlier versions found in 5 commits: 6 of 2 zones" in log.text for log in theatre.logs)


def test_history_that_cannot_be_read_is_told_and_costs_nothing(theatre: Theatre) -> None:
    theatre.happens(events.Recalled({}, 0, "object 1234 is missing"))
    assert any("object 1234 is missing" in log.text for log in theatre.logs if log.level == "warning")
    assert isinstance(theatre.planned(axfr()), Whole)
