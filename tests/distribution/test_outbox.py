"""When NOTIFYs are sent, by what way, and what ends them."""

from __future__ import annotations

import itertools

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.distribution import outbox
from oakroot.distribution.outbox import Ended, Outbox, Send
from oakroot.distribution.targets import NO_PORT, Target
from oakroot.protocol.tsig import Refused, verify
from tests.distribution.stage import FakeLink, Instant, acknowledgement, signer_of
from tests.protocol.keys import NOW, keyring, make_key

ZONE = "example.org."
KEY = make_key("k._transfer.example.org.")
OTHER = make_key("other._transfer.example.org.")
PLAIN = Target("192.0.2.6", 53)
SIGNED = Target("192.0.2.6", 53, (KEY,))


def new_outbox() -> Outbox:
    counter = itertools.count(1)
    return Outbox(lambda: next(counter) % 65536)


def polled(box: Outbox, now: float) -> list[Send | Ended]:
    return list(box.poll(Instant(now)))


def sent(box: Outbox, now: float) -> Send:
    """The one NOTIFY that is sent at this moment."""
    (each,) = polled(box, now)
    assert isinstance(each, Send)
    return each


def history(target: Target) -> list[tuple[float, str]]:
    """When and how a target that never answers is told, until it is given up."""
    box, now, log = new_outbox(), 0.0, list[tuple[float, str]]()
    box.put(ZONE, target, now)
    while (due := box.wake_at()) is not None:
        now = max(now, due)
        log += [(now, each.way if isinstance(each, Send) else "given up") for each in polled(box, now)]
    return log


def test_a_notify_says_what_rfc_1996_wants() -> None:
    box = new_outbox()
    box.put(ZONE, PLAIN, 0.0)
    message = dns.message.from_wire(sent(box, 0.0).wire)
    assert (message.opcode(), message.question[0].to_text()) == (dns.opcode.NOTIFY, "example.org. IN SOA")
    assert message.flags & dns.flags.AA


def test_it_is_sent_again_with_growing_pauses_until_it_is_given_up() -> None:
    moments = [moment for moment, _ in history(PLAIN)]
    assert moments == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303]


def test_udp_and_tcp_take_turns() -> None:
    assert [way for _, way in history(PLAIN)][:6] == ["udp", "udp", "tcp", "udp", "udp", "tcp"]


def test_a_connection_is_one_more_way() -> None:
    ways = [way for _, way in history(Target("192.0.2.6", 53, (KEY,), FakeLink(("192.0.2.6", 4000))))]
    assert ways[:4] == ["udp", "link", "tcp", "udp"]


def test_a_connection_may_be_the_only_way() -> None:
    ways = {way for _, way in history(Target("192.0.2.6", NO_PORT, (KEY,), FakeLink(("192.0.2.6", 4000))))}
    assert ways == {"link", "given up"}


def test_a_peer_that_closed_its_only_connection_is_given_up() -> None:
    box, link = new_outbox(), FakeLink(("192.0.2.6", 4000))
    box.put(ZONE, Target("192.0.2.6", NO_PORT, (KEY,), link), 0.0)
    sent(box, 0.0)
    link.closed = True
    (ended,) = polled(box, 1.0)
    assert isinstance(ended, Ended)
    assert ended.failure == "it closed its connection"
    assert len(box) == 0


def test_an_acknowledgement_ends_it() -> None:
    box = new_outbox()
    box.put(ZONE, SIGNED, 0.0)
    reply = acknowledgement(sent(box, 0.0), KEY)
    assert box.receive("192.0.2.6", reply, Instant(0.1)) == Ended(ZONE, SIGNED)
    assert box.wake_at() is None


def test_an_acknowledgement_of_an_earlier_try_will_do() -> None:
    box = new_outbox()
    box.put(ZONE, SIGNED, 0.0)
    reply = acknowledgement(sent(box, 0.0), KEY)
    sent(box, 1.0)
    assert box.receive("192.0.2.6", reply, Instant(1.1)) == Ended(ZONE, SIGNED)


def test_a_refusal_ends_it_too_and_is_told() -> None:
    box = new_outbox()
    box.put(ZONE, SIGNED, 0.0)
    reply = acknowledgement(sent(box, 0.0), KEY, rcode=dns.rcode.NOTAUTH)
    ended = box.receive("192.0.2.6", reply, Instant(0.1))
    assert ended == Ended(ZONE, SIGNED, "it answered NOTAUTH")


def test_an_acknowledgement_from_elsewhere_ends_nothing() -> None:
    box = new_outbox()
    box.put(ZONE, PLAIN, 0.0)
    reply = acknowledgement(sent(box, 0.0))
    assert box.receive("192.0.2.7", reply, Instant(0.1)) is None
    assert len(box) == 1


def test_an_unsigned_acknowledgement_of_a_signed_notify_ends_nothing() -> None:
    box = new_outbox()
    box.put(ZONE, SIGNED, 0.0)
    first = sent(box, 0.0)
    unsigned = dns.message.make_response(dns.message.from_wire(first.wire, keyring=False)).to_wire()
    assert box.receive("192.0.2.6", unsigned, Instant(0.1)) is None
    assert len(box) == 1


def test_a_key_that_the_secondary_does_not_know_gives_way_to_another_at_once() -> None:
    box = new_outbox()
    box.put(ZONE, Target("192.0.2.6", 53, (KEY, OTHER)), 0.0)
    first = sent(box, 0.0)
    assert signer_of(first) == KEY.name.to_text()
    refused = verify(first.wire, keyring(OTHER), NOW)
    assert isinstance(refused, Refused)
    assert refused.response is not None
    assert box.receive("192.0.2.6", refused.response, Instant(0.1)) is None
    second = sent(box, 0.1)
    assert signer_of(second) == OTHER.name.to_text()
    reply = acknowledgement(second, OTHER)
    assert box.receive("192.0.2.6", reply, Instant(0.2)) is not None


def test_the_last_trouble_is_told_when_it_is_given_up() -> None:
    box = new_outbox()
    box.put(ZONE, SIGNED, 0.0)
    wrong = make_key("k._transfer.example.org.", secret=b"some other secret that is secret")
    refused = verify(sent(box, 0.0).wire, keyring(wrong), NOW)
    assert isinstance(refused, Refused)
    assert refused.response is not None
    box.receive("192.0.2.6", refused.response, Instant(0.1))
    ended: list[Send | Ended] = []
    while (due := box.wake_at()) is not None:
        ended = polled(box, due)
    assert isinstance(ended[0], Ended)
    assert "BADSIG" in (ended[0].failure or "")


def test_a_newer_change_takes_the_place_of_an_earlier_one() -> None:
    box = new_outbox()
    box.put(ZONE, PLAIN, 0.0)
    late = acknowledgement(sent(box, 0.0))
    box.put(ZONE, PLAIN, 0.5)
    assert len(box) == 1
    again = sent(box, 0.5)
    assert box.receive("192.0.2.6", late, Instant(0.6)) is None, "it speaks of the earlier one"
    assert box.receive("192.0.2.6", acknowledgement(again), Instant(0.7)) is not None


def test_who_asks_for_the_zone_has_been_told() -> None:
    box = new_outbox()
    box.put(ZONE, SIGNED, 0.0)
    assert box.asked("192.0.2.6", ZONE) == (), "he asked before we told him"
    sent(box, 0.0)
    assert box.asked("192.0.2.7", ZONE) == ()
    assert box.asked("192.0.2.6", "example.com.") == ()
    assert box.asked("192.0.2.6", ZONE) == (Ended(ZONE, SIGNED),)
    assert len(box) == 0


def test_many_are_sent_in_bursts() -> None:
    box = new_outbox()
    for number in range(250):
        box.put(f"zone{number}.example.", PLAIN, 0.0)
    sizes = []
    while (moment := box.wake_at() or 0.0) < 1.0:
        sizes.append((moment, len(polled(box, moment))))
    assert sizes == [(0.0, outbox.BURST), (outbox.PAUSE, outbox.BURST), (2 * outbox.PAUSE, 50)]


def test_nothing_is_sent_to_who_was_dropped() -> None:
    box = new_outbox()
    box.put(ZONE, PLAIN, 0.0)
    box.put("example.com.", SIGNED, 0.0)
    assert box.drop(lambda target: bool(target.keys)) == [("example.com.", SIGNED.place)]
    assert len(polled(box, 0.0)) == 1


@given(st.binary(max_size=60), st.integers(0, 3))
def test_no_octets_do_harm(octets: bytes, kept: int) -> None:
    box = new_outbox()
    box.put(ZONE, SIGNED, 0.0)
    wire = sent(box, 0.0).wire
    assert box.receive("192.0.2.6", wire[:kept] + octets, Instant(0.1)) is None
    assert len(box) == 1


@pytest.mark.parametrize("count", [1, 3])
@given(st.data())
def test_whatever_happens_no_identifier_is_forgotten_or_kept_in_vain(count: int, data: st.DataObject) -> None:
    """Every target that waits is told, and one that was acknowledged is not told again."""
    box, now = new_outbox(), 0.0
    targets = [Target(f"192.0.2.{number}", 53, (KEY,)) for number in range(count)]
    for _ in range(data.draw(st.integers(0, 12))):
        now += data.draw(st.sampled_from([0.0, 0.5, 1.0, 10.0]))
        if data.draw(st.booleans()):
            box.put(ZONE, data.draw(st.sampled_from(targets)), now)
        for each in polled(box, now):
            if isinstance(each, Send) and data.draw(st.booleans()):
                assert box.receive(each.target.address, acknowledgement(each, KEY), Instant(now))
    waiting = len(box)
    for target in targets:
        box.put(ZONE, target, now)
    assert waiting <= count
    assert len(box) == count
    answered = 0
    while box.wake_at() is not None:
        now = max(now, box.wake_at() or 0.0)
        for each in polled(box, now):
            assert isinstance(each, Send)
            answered += box.receive(each.target.address, acknowledgement(each, KEY), Instant(now)) is not None
    assert answered == count
