"""A NOTIFY has effect only when it is well formed and signed by a key that may notify; a refusal says why."""

from __future__ import annotations

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.protocol.notify import Notification, Rejected, acknowledge, build_notify, judge, report_failure
from oakroot.protocol.query import build_soa_query, read_soa_reply
from tests.protocol.keys import granted, make_key, name

ZONE = name("example.org.")
NOTIFY = build_notify(ZONE, 4711)
SIGNER = granted(make_key("k._notify.example.org."))


def read(wire: bytes | None) -> dns.message.Message:
    assert wire is not None
    return dns.message.from_wire(wire)


def extended_error(wire: bytes | None) -> tuple[int, str]:
    (option,) = [option for option in read(wire).options if isinstance(option, dns.edns.EDEOption)]
    return option.code, option.text or ""


def test_a_notify_is_what_the_rfc_wants() -> None:
    message = read(NOTIFY)
    assert (message.id, message.opcode(), message.edns) == (4711, dns.opcode.NOTIFY, 0)
    assert message.flags & ~0x7800 == dns.flags.AA
    (question,) = message.question
    assert (question.name, question.rdtype, question.rdclass) == (ZONE, dns.rdatatype.SOA, dns.rdataclass.IN)


@pytest.mark.parametrize("operation", ["_notify", "_transfer", "_update"])
@pytest.mark.parametrize("zone", ["example.org.", "org.", ""])
def test_a_key_of_any_operation_for_the_zone_may_notify(operation: str, zone: str) -> None:
    signer = granted(make_key(f"k.{operation}.{zone}"))
    assert judge(NOTIFY, signer) == Notification(ZONE, signer)


def test_a_notify_without_aa_is_as_good() -> None:
    message = dns.message.make_query(ZONE, "SOA")
    message.set_opcode(dns.opcode.NOTIFY)
    assert judge(message.to_wire(), SIGNER) == Notification(ZONE, SIGNER)


def test_the_senders_serial_is_read() -> None:
    message = dns.message.make_query(ZONE, "SOA")
    message.set_opcode(dns.opcode.NOTIFY)
    text = "example.org. 0 IN SOA example.org. example.org. 2026112201 0 0 0 0"
    message.answer.append(dns.message.from_text(f"id 1\n;ANSWER\n{text}\n").answer[0])
    assert judge(message.to_wire(), SIGNER) == Notification(ZONE, SIGNER, 2026112201)


def test_an_unsigned_notify_is_refused() -> None:
    verdict = judge(NOTIFY, None)
    assert isinstance(verdict, Rejected)
    assert read(verdict.response).rcode() == dns.rcode.REFUSED
    code, text = extended_error(verdict.response)
    assert code == dns.edns.EDECode.PROHIBITED
    assert text == verdict.reason == "a NOTIFY must be signed, by a key for example.org. of any operation"


@pytest.mark.parametrize(
    "key_name", ["k._update.example.com.", "k._update.www.example.org.", "k._exact._update.example.org."]
)
def test_a_key_for_another_zone_or_for_updates_alone_is_refused(key_name: str) -> None:
    verdict = judge(NOTIFY, granted(make_key(key_name)))
    assert isinstance(verdict, Rejected)
    assert read(verdict.response).rcode() == dns.rcode.REFUSED
    assert f"the key {key_name.rstrip('.')} may update at " in extended_error(verdict.response)[1]


def changed(**fields: int) -> bytes:
    message = dns.message.from_wire(NOTIFY)
    if "opcode" in fields:
        message.set_opcode(dns.opcode.Opcode(fields["opcode"]))
    message.question[0].rdtype = dns.rdatatype.RdataType.make(fields.get("kind", dns.rdatatype.SOA))
    message.question[0].rdclass = dns.rdataclass.RdataClass.make(fields.get("class_", dns.rdataclass.IN))
    return message.to_wire()


@pytest.mark.parametrize(
    "wire",
    [
        changed(kind=dns.rdatatype.A),
        changed(class_=dns.rdataclass.CH),
        changed(class_=dns.rdataclass.ANY),
        changed(opcode=dns.opcode.QUERY),
        NOTIFY[:4] + b"\0\0" + NOTIFY[6:12] + NOTIFY[-11:],
        NOTIFY[:4] + b"\0\2" + NOTIFY[6:29] + NOTIFY[12:29] + NOTIFY[29:],
        NOTIFY[:20],
        NOTIFY + b"\0",
        NOTIFY[:6] + b"\0\1" + NOTIFY[8:29] + b"\0\0\6\0\1\0\0\0\0\0\2\0\0" + NOTIFY[29:],
    ],
    ids=["A", "CH", "ANY", "a query", "no question", "two questions", "cut off", "left over", "a short SOA"],
)
def test_other_shapes_are_format_errors_whoever_signed(wire: bytes) -> None:
    for signer in (None, SIGNER):
        verdict = judge(wire, signer)
        assert isinstance(verdict, Rejected)
        assert (verdict.response or b"")[3] & 0xF == dns.rcode.FORMERR


def test_a_response_is_answered_with_silence() -> None:
    verdict = judge(acknowledge(NOTIFY) or b"", None)
    assert isinstance(verdict, Rejected)
    assert verdict.response is None


def test_success_is_acknowledged_as_the_rfc_wants() -> None:
    told = read(acknowledge(NOTIFY))
    assert (told.id, told.opcode(), told.rcode()) == (4711, dns.opcode.NOTIFY, dns.rcode.NOERROR)
    assert told.flags & ~0x7800 == dns.flags.QR | dns.flags.AA
    assert told.question == read(NOTIFY).question


def test_a_failed_pull_is_told_in_words() -> None:
    reason = "example.org:12:1: www has a CNAME beside other data"
    wire = report_failure(NOTIFY, reason)
    assert read(wire).rcode() == dns.rcode.SERVFAIL
    assert extended_error(wire) == (dns.edns.EDECode.OTHER, reason)


def test_room_for_a_signature_is_left() -> None:
    assert len(report_failure(NOTIFY, "x" * 5000, reserve=100) or b"") == 1232 - 100
    verdict = judge(NOTIFY, granted(make_key(f"{'k' * 63}.{'l' * 63}._update.com.")), reserve=1100)
    assert isinstance(verdict, Rejected)
    assert len(verdict.response or b"") <= 1232 - 1100


@given(octets=st.binary(max_size=80), at=st.integers(0, len(NOTIFY)), is_signed=st.booleans())
def test_any_octets_are_judged(*, octets: bytes, at: int, is_signed: bool) -> None:
    for wire in (octets, NOTIFY[:at] + octets, NOTIFY[:at] + octets + NOTIFY[at:]):
        verdict = judge(wire, SIGNER if is_signed else None)
        assert isinstance(verdict, Notification | Rejected)
        assert is_signed or isinstance(verdict, Rejected)


SOA = "example.org. 60 IN SOA ns.example.org. hostmaster.example.org. 2026112201 1 2 3 4"


def soa_reply(query: bytes, answer: str) -> bytes:
    reply = dns.message.make_response(dns.message.from_wire(query))
    if answer:
        reply.answer = dns.message.from_text(f"id 1\n;ANSWER\n{answer}\n").answer
    return reply.to_wire()


@pytest.mark.parametrize(
    ("answer", "serial"),
    [
        (SOA, 2026112201),
        (SOA.replace("example.org. 60", "EXAMPLE.org. 60"), 2026112201),
        ("", None),
        (SOA.replace("example.org. 60", "example.com. 60"), None),
        ("example.org. 60 IN A 192.0.2.1", None),
    ],
)
def test_the_serial_is_read_from_a_soa_reply(answer: str, serial: int | None) -> None:
    query = build_soa_query(ZONE, 7)
    assert read_soa_reply(query, soa_reply(query, answer), ZONE) == serial


def test_a_reply_to_another_query_has_no_serial() -> None:
    query = build_soa_query(ZONE, 7)
    assert read_soa_reply(build_soa_query(ZONE, 8), soa_reply(query, SOA), ZONE) is None


def test_a_soa_record_whose_owner_is_broken_has_no_serial() -> None:
    query = build_soa_query(ZONE, 7)
    reply = soa_reply(query, SOA)
    owner = reply.index(b"\xc0\x0c")
    # A pointer to itself: it can be stepped over, and not be read.
    looping = reply[:owner] + b"\xc0" + bytes([owner]) + reply[owner + 2 :]
    assert read_soa_reply(query, looping, ZONE) is None


@given(st.binary(max_size=60), st.integers(0, 90))
def test_any_octets_have_a_serial_or_none(octets: bytes, at: int) -> None:
    query = build_soa_query(ZONE, 7)
    reply = soa_reply(query, SOA)
    read_soa_reply(query, reply[:at] + octets + reply[at + len(octets) :], ZONE)
    read_soa_reply(query, octets, ZONE)
