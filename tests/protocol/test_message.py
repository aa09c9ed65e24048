"""Responses without data keep what must come back, and tell extended errors to those who can read them."""

from __future__ import annotations

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.protocol.message import ExtendedError, error_response, read_reply, response

PROHIBITED = dns.edns.EDECode.PROHIBITED


def query(*, use_edns: int = 0, payload: int = 1232, ednsflags: int = 0) -> dns.message.QueryMessage:
    return dns.message.make_query(
        "wWw.example.org.", "A", id=4711, use_edns=use_edns, payload=payload, ednsflags=ednsflags
    )


def answered(wire: bytes | None) -> dns.message.Message:
    assert wire is not None
    return dns.message.from_wire(wire)


def extended_errors(message: dns.message.Message) -> list[tuple[int, str | None]]:
    return [
        (option.code, option.text) for option in message.options if isinstance(option, dns.edns.EDEOption)
    ]


@pytest.mark.parametrize(
    "rcode", [dns.rcode.FORMERR, dns.rcode.REFUSED, dns.rcode.NOTIMP, dns.rcode.SERVFAIL]
)
def test_an_error_keeps_identifier_opcode_rd_and_question(rcode: dns.rcode.Rcode) -> None:
    asked = query()
    asked.set_opcode(dns.opcode.NOTIFY)
    told = answered(error_response(asked.to_wire(), rcode))
    assert (told.id, told.opcode(), told.rcode()) == (4711, dns.opcode.NOTIFY, rcode)
    assert told.flags & (dns.flags.QR | dns.flags.RD | dns.flags.AA) == dns.flags.QR | dns.flags.RD
    assert told.question == asked.question
    assert told.question[0].name.labels[0] == b"wWw"


def test_flags_that_are_not_ours_to_repeat_are_cleared() -> None:
    asked = query()
    asked.flags = dns.flags.TC | dns.flags.RA | dns.flags.AD | dns.flags.AA | dns.flags.CD
    told = answered(error_response(asked.to_wire(), dns.rcode.REFUSED))
    assert told.flags & ~0xF == dns.flags.QR | dns.flags.CD


def test_an_authoritative_response_says_so() -> None:
    assert answered(response(query().to_wire(), 0, authoritative=True)).flags & dns.flags.AA


def test_the_extended_error_is_told_to_who_speaks_edns() -> None:
    told = answered(
        error_response(query().to_wire(), dns.rcode.REFUSED, ExtendedError(PROHIBITED, "it is so"))
    )
    assert told.edns == 0
    assert extended_errors(told) == [(PROHIBITED, "it is so")]


def test_who_does_not_speak_edns_gets_no_opt_record() -> None:
    wire = query(use_edns=-1).to_wire()
    assert answered(error_response(wire, dns.rcode.REFUSED, ExtendedError(PROHIBITED, "it is so"))).edns == -1


def test_the_do_bit_comes_back() -> None:
    told = answered(error_response(query(ednsflags=dns.flags.DO).to_wire(), dns.rcode.REFUSED))
    assert told.ednsflags == dns.flags.DO


def test_an_extended_rcode_is_split_over_header_and_opt() -> None:
    assert answered(error_response(query().to_wire(), dns.rcode.BADVERS)).rcode() == dns.rcode.BADVERS


@pytest.mark.parametrize("payload", [0, 512, 600, 1232, 4096])
@pytest.mark.parametrize("reserve", [0, 100])
def test_a_long_text_is_cut_to_the_peers_payload(payload: int, reserve: int) -> None:
    text = "é" * 3000
    wire = response(
        query(payload=payload).to_wire(),
        dns.rcode.SERVFAIL,
        extended=ExtendedError(PROHIBITED, text),
        reserve=reserve,
    )
    assert wire is not None
    limit = max(512, min(payload, 1232)) - reserve
    assert limit - 1 <= len(wire) <= limit
    ((_, told),) = extended_errors(answered(wire))
    assert told
    assert text.startswith(told)


def test_where_not_even_the_code_fits_there_is_none() -> None:
    wire = response(
        query(payload=512).to_wire(), dns.rcode.SERVFAIL, extended=ExtendedError(0, "x"), reserve=470
    )
    assert extended_errors(answered(wire)) == []


@pytest.mark.parametrize("length", range(12))
def test_less_than_a_header_gets_silence(length: int) -> None:
    assert error_response(query().to_wire()[:length], dns.rcode.FORMERR) is None


def test_a_response_gets_silence() -> None:
    assert error_response(dns.message.make_response(query()).to_wire(), dns.rcode.FORMERR) is None


def test_an_unreadable_question_is_left_out() -> None:
    wire = query().to_wire()
    told = answered(error_response(wire[:20], dns.rcode.FORMERR))
    assert (told.rcode(), told.question) == (dns.rcode.FORMERR, [])


def test_two_opt_records_are_none_to_answer() -> None:
    wire = query().to_wire()
    opt = wire[-11:]
    doubled = wire[:10] + b"\0\2" + wire[12:] + opt
    assert answered(error_response(doubled, dns.rcode.FORMERR)).edns == -1


def test_a_reply_is_read() -> None:
    asked = query().to_wire()
    told = error_response(asked, dns.rcode.REFUSED, ExtendedError(PROHIBITED, "not you"))
    assert told is not None
    reply = read_reply(asked, told)
    assert reply is not None
    assert (reply.rcode, reply.rcode_text) == (dns.rcode.REFUSED, "REFUSED")
    assert [str(error) for error in reply.extended_errors] == ["Prohibited: not you"]


def test_an_extended_rcode_is_read() -> None:
    asked = query().to_wire()
    reply = read_reply(asked, error_response(asked, dns.rcode.BADVERS) or b"")
    assert reply is not None
    assert reply.rcode == dns.rcode.BADVERS


def test_a_formerr_without_question_is_a_reply() -> None:
    reply = read_reply(query().to_wire(), b"\x12\x67\x80\x01" + bytes(8))
    assert reply is not None
    assert reply.rcode == dns.rcode.FORMERR


@pytest.mark.parametrize(
    "other",
    [
        b"",
        b"\x12\x67\x80\x00" + bytes(8),
        b"\x12\x68\x80\x01" + bytes(8),
        b"\x12\x67\xa0\x01" + bytes(8),
        b"\x12\x67\x00\x01" + bytes(8),
        dns.message.make_response(dns.message.make_query("other.org.", "A", id=4711)).to_wire(),
        dns.message.make_response(dns.message.make_query("www.example.org.", "NS", id=4711)).to_wire(),
        dns.message.make_response(query()).to_wire() + b"\0",
    ],
    ids=[
        "nothing",
        "no question",
        "other id",
        "other opcode",
        "a query",
        "other name",
        "other type",
        "left over",
    ],
)
def test_what_is_no_reply_to_the_request_is_ignored(other: bytes) -> None:
    assert read_reply(query().to_wire(), other) is None


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ExtendedError(18), "Prohibited"),
        (ExtendedError(0, "file x"), "Other: file x"),
        (ExtendedError(22), "No reachable authority"),
        (ExtendedError(49152, "mine"), "49152: mine"),
    ],
)
def test_an_extended_error_is_spoken_of_by_name(error: ExtendedError, text: str) -> None:
    assert str(error) == text


@given(st.binary(max_size=60))
def test_any_octets_get_a_response_or_silence(octets: bytes) -> None:
    told = error_response(octets, dns.rcode.FORMERR, ExtendedError(0, "x"))
    assert told is None or dns.message.from_wire(told).rcode() == dns.rcode.FORMERR


@given(st.binary(max_size=60), st.integers(0, 60))
def test_any_octets_are_a_reply_or_none(octets: bytes, start: int) -> None:
    asked = query().to_wire()
    reply = bytearray(error_response(asked, dns.rcode.REFUSED, ExtendedError(0, "x")) or b"")
    reply[start : start + len(octets)] = octets
    read_reply(asked, bytes(reply))
    read_reply(asked, octets)
