"""Transfers as the client sees them: chains of signatures, differences, falling back, bad input."""

from __future__ import annotations

import time
from collections.abc import Callable

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from oakroot.protocol.transfer_client import (
    Limits,
    Step,
    Style,
    Transfer,
)
from oakroot.protocol.wire import Section, read_layout
from tests.protocol.keys import make_key
from tests.protocol.transfers import primary, reason, received, run
from tests.secondary.authority import KEY, ZONE, hosts, make_zone, name

AXFR, IXFR = dns.rdatatype.AXFR, dns.rdatatype.IXFR


# --- what must work ---


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_a_whole_zone_arrives_in_a_signed_chain(size: int) -> None:
    zone = make_zone(1, *hosts(20))
    step, _ = run(primary(zone, records_per_message=size))
    outcome = received(step)
    assert outcome.zone is not None
    assert outcome.zone.records() == zone.records()
    assert outcome.style is Style.AXFR
    assert outcome.messages == -(-(zone.record_count + 1) // size)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_differences_lead_to_the_newest_version(size: int) -> None:
    versions = [make_zone(serial, *hosts(20, first=serial)) for serial in range(1, 6)]
    authority = primary(*versions, records_per_message=size)
    step, transfer = run(authority, base=versions[0])
    outcome = received(step)
    assert outcome.zone is not None
    assert outcome.zone.records() == versions[-1].records()
    assert (outcome.style, transfer.doubts) == (Style.IXFR, [])
    assert authority.asked == [(ZONE, "IXFR")]


def test_an_ixfr_may_be_answered_with_the_whole_zone() -> None:
    newest = make_zone(9, *hosts(3))
    step, transfer = run(primary(newest), base=make_zone(1))
    outcome = received(step)
    assert outcome.zone is not None
    assert outcome.zone.records() == newest.records()
    assert transfer.doubts == []


def test_a_primary_without_news_says_so_with_one_soa() -> None:
    zone = make_zone(7)
    step, _ = run(primary(zone), base=zone)
    assert received(step).zone is None


def test_a_whole_zone_of_our_own_serial_is_no_news() -> None:
    zone = make_zone(7)
    step, _ = run(primary(zone, offers_ixfr=False), base=zone)
    assert received(step).zone is None


def test_messages_may_leave_out_the_question() -> None:
    def without_question(messages: list[bytes]) -> list[bytes]:
        parsed = [dns.message.from_wire(wire) for wire in messages]
        for message in parsed:
            message.question = []
        return [message.to_wire() for message in parsed]

    authority = primary(make_zone(1, *hosts(5)), records_per_message=3)
    authority.spoil[AXFR] = without_question
    assert received(run(authority)[0]).zone is not None


def test_a_chain_with_unsigned_messages_between_signed_ones_is_taken() -> None:
    # RFC 8945 §5.3.1 lets servers sign fewer messages; some do.
    steps = run_sparsely_signed(lambda number, count: number in (0, 4, count - 1))
    assert received(steps[-1]).zone is not None


def test_the_last_message_must_be_signed() -> None:
    steps = run_sparsely_signed(lambda number, _: number in (0, 4))
    assert "not signed" in reason(steps[-1])


def run_sparsely_signed(is_signed: Callable[[int, int], bool]) -> list[Step]:
    """A transfer of which only some messages are signed; by dnspython, which knows the real clock only."""
    now = int(time.time())
    transfer = Transfer(name(ZONE), KEY, None, Limits())
    request = transfer.begin(1, now)
    keyring = {KEY.name: KEY.for_dnspython()}
    query = dns.message.from_wire(request, keyring=keyring)
    authority = primary(make_zone(1, *hosts(9)), records_per_message=1, unsigned=True)
    unsigned = authority.replies(request, now)
    steps: list[Step] = []
    context = None
    for number, wire in enumerate(unsigned):
        message = dns.message.from_wire(wire)
        if is_signed(number, len(unsigned)):
            message.use_tsig(keyring, KEY.name)
            message.request_mac = query.mac or b""
            signed = message.to_wire(multi=True, tsig_ctx=context)
            assert signed is not None
            steps.append(transfer.receive(signed, now))
            context = message.tsig_ctx
        else:
            assert context is not None, "the first message is signed"
            context.update(wire)
            steps.append(transfer.receive(wire, now))
    return steps


# --- after any doubt about differences, the whole zone ---


def cut_short(messages: list[bytes]) -> list[bytes]:
    return messages[:-1]


def foreign_record(messages: list[bytes]) -> list[bytes]:
    message = dns.message.from_wire(messages[0])
    message.answer.insert(1, dns.rrset.from_text("www.example.com.", 60, "IN", "A", "192.0.2.9"))
    return [message.to_wire(), *messages[1:]]


def wrong_identifier(messages: list[bytes]) -> list[bytes]:
    return [b"\0\0" + messages[0][2:], *messages[1:]]


def other_question(messages: list[bytes]) -> list[bytes]:
    message = dns.message.from_wire(messages[0])
    message.question[0].name = name("example.com.")
    return [message.to_wire(), *messages[1:]]


def wrong_order(messages: list[bytes]) -> list[bytes]:
    return messages[::-1]


def a_query(messages: list[bytes]) -> list[bytes]:
    return [messages[0][:2] + b"\0\0" + messages[0][4:]]


def garbage(messages: list[bytes]) -> list[bytes]:
    return [messages[0][:12] + b"\xc0\xff" * 20]


def truncated(messages: list[bytes]) -> list[bytes]:
    return [messages[0][:2] + bytes([messages[0][2] | 2]) + messages[0][3:]]


def servfail(messages: list[bytes]) -> list[bytes]:
    message = dns.message.from_wire(messages[0])
    message.answer = []
    message.set_rcode(dns.rcode.SERVFAIL)
    return [message.to_wire()]


FAULTS = {
    cut_short: "it hung up after",
    foreign_record: "is not in the zone",
    wrong_identifier: "another identifier",
    other_question: "another question",
    wrong_order: "",
    a_query: "no response",
    garbage: "malformed",
    truncated: "truncated",
    servfail: "it answered SERVFAIL",
}


@pytest.mark.parametrize(("fault", "words"), FAULTS.items(), ids=[fault.__name__ for fault in FAULTS])
def test_bad_differences_are_followed_by_the_whole_zone(
    fault: Callable[[list[bytes]], list[bytes]], words: str
) -> None:
    old, new = make_zone(1), make_zone(2, *hosts(10))
    authority = primary(old, new, records_per_message=4)
    authority.spoil[IXFR] = fault
    step, transfer = run(authority, base=old)
    outcome = received(step)
    assert outcome.zone is not None
    assert outcome.zone.records() == new.records()
    assert outcome.style is Style.AXFR
    assert len(transfer.doubts) == 1
    assert words in transfer.doubts[0]


@pytest.mark.parametrize(("fault", "words"), FAULTS.items(), ids=[fault.__name__ for fault in FAULTS])
def test_a_bad_whole_zone_is_refused_with_its_reason(
    fault: Callable[[list[bytes]], list[bytes]], words: str
) -> None:
    authority = primary(make_zone(1, *hosts(10)), records_per_message=4)
    authority.spoil[AXFR] = fault
    assert words in reason(run(authority)[0])


def test_differences_of_another_version_are_followed_by_the_whole_zone() -> None:
    # The primary's serial 1 is not ours: somebody changed it without raising the serial.
    ours, theirs, new = make_zone(1), make_zone(1, *hosts(3)), make_zone(2)
    step, transfer = run(primary(theirs, new), base=ours)
    assert received(step).style is Style.AXFR
    assert "it is not there" in transfer.doubts[0]


def test_a_primary_without_ixfr_is_asked_for_the_whole_zone() -> None:
    old, new = make_zone(1), make_zone(2)
    step, transfer = run(primary(old, new, offers_ixfr=False), base=old)
    assert received(step).style is Style.AXFR
    assert transfer.doubts == ["it answered NOTIMP"]


@pytest.mark.parametrize("which", [0, 1, 2, 3, -1])
def test_a_wrong_signature_anywhere_in_the_chain_ends_it(which: int) -> None:
    def flip(messages: list[bytes]) -> list[bytes]:
        spoiled = messages[which]
        messages[which] = spoiled[:3] + bytes([spoiled[3] ^ 0x10]) + spoiled[4:]
        return messages

    authority = primary(make_zone(1, *hosts(10)), records_per_message=3, spoil_signed=flip)
    assert "signature is wrong" in reason(run(authority)[0])


@pytest.mark.parametrize("which", [0, -1])
def test_a_missing_signature_at_either_end_is_refused(which: int) -> None:
    def strip(messages: list[bytes]) -> list[bytes]:
        wire = messages[which]
        tsig = read_layout(wire).of_type(dns.rdatatype.TSIG, Section.ADDITIONAL)[0]
        messages[which] = wire[:10] + b"\0\0" + wire[12 : tsig.start]
        return messages

    authority = primary(make_zone(1, *hosts(10)), records_per_message=3, spoil_signed=strip)
    assert "not signed" in reason(run(authority)[0])


def test_messages_that_change_places_are_refused() -> None:
    def swap(messages: list[bytes]) -> list[bytes]:
        return [messages[0], messages[2], messages[1], *messages[3:]]

    authority = primary(make_zone(1, *hosts(10)), records_per_message=3, spoil_signed=swap)
    assert "signature is wrong" in reason(run(authority)[0])


def test_a_primary_that_does_not_know_the_key_is_named_so() -> None:
    authority = primary(make_zone(1), keys=[make_key("other._transfer.example.org.")])
    assert "does not know the key" in reason(run(authority)[0])


def test_a_primary_with_another_secret_is_named_so() -> None:
    other = make_key(KEY.name.to_text(), secret=b"another secret of the same sizes")
    assert "another secret" in reason(run(primary(make_zone(1), keys=[other]))[0])


def test_clocks_ten_minutes_apart_are_told_with_their_difference() -> None:
    assert "differ by 600 s" in reason(run(primary(make_zone(1), clock_error=600))[0])


def test_a_primary_that_leaves_off_signatures_is_not_believed() -> None:
    assert "not signed" in reason(run(primary(make_zone(1), unsigned=True))[0])


def test_a_zone_that_fails_the_checks_is_not_taken() -> None:
    def without_ns(messages: list[bytes]) -> list[bytes]:
        message = dns.message.from_wire(messages[0], one_rr_per_rrset=True)
        message.answer = [record for record in message.answer if record.rdtype != dns.rdatatype.NS]
        return [message.to_wire()]

    authority = primary(make_zone(1))
    authority.spoil[AXFR] = without_ns
    assert "no NS record" in reason(run(authority)[0])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["www A 192.0.2.1", "www CNAME ns1"], "CNAME beside other data"),
        (["www CNAME a", "www CNAME b"], "more than one CNAME"),
        (["@ NS nowhere"], "which has no address"),
    ],
)
def test_differences_are_checked_where_they_change_the_zone(changes: list[str], words: str) -> None:
    # The whole zone that is asked for next is good: the primary has mended it meanwhile.
    old, good = make_zone(1), make_zone(3)
    added = [dns.rrset.from_text(*_record(line)) for line in changes]

    def with_bad_step(messages: list[bytes]) -> list[bytes]:
        message = dns.message.from_wire(messages[0], one_rr_per_rrset=True)
        message.answer[-1:-1] = added
        return [message.to_wire()]

    authority = primary(old, good)
    authority.spoil[IXFR] = with_bad_step
    step, transfer = run(authority, base=old)
    outcome = received(step)
    assert outcome.zone is not None
    assert outcome.zone.records() == good.records()
    assert len(transfer.doubts) == 1
    assert words in transfer.doubts[0]


def _record(line: str) -> tuple[str, int, str, str, str]:
    """What dnspython takes, of a line that is relative to the zone."""
    owner, kind, rdata = line.split()
    absolute = ZONE if owner == "@" else f"{owner}.{ZONE}"
    return absolute, 60, "IN", kind, rdata if kind == "A" else f"{rdata}.{ZONE}"


def test_a_serial_behind_ours_is_not_taken() -> None:
    step, _ = run(primary(make_zone(4), offers_ixfr=False), base=make_zone(5))
    assert "behind ours" in reason(step)


def test_serials_are_compared_around_their_end() -> None:
    step, _ = run(primary(make_zone(2), offers_ixfr=False), base=make_zone(2**32 - 5))
    assert received(step).zone is not None
