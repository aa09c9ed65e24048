"""A message is walked to its last octet, and refused where a part of it does not fit."""

from __future__ import annotations

import dns.message
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.protocol.wire import (
    MalformedError,
    Section,
    question_octets,
    read_header,
    read_layout,
    read_question,
)
from tests.protocol.keys import name

QUERY = dns.message.make_query("www.Example.org.", "A", id=4711, use_edns=0)
WIRE = QUERY.to_wire()

RESPONSE = dns.message.from_text(
    """id 4711
opcode QUERY
flags QR AA RD
;QUESTION
www.example.org. IN A
;ANSWER
www.example.org. 60 IN A 192.0.2.1
www.example.org. 60 IN A 192.0.2.2
;AUTHORITY
example.org. 60 IN NS ns.example.org.
;ADDITIONAL
ns.example.org. 60 IN AAAA 2001:db8::1
"""
)


def test_the_header_is_read() -> None:
    header = read_header(RESPONSE.to_wire())
    assert (header.identifier, header.opcode, header.question_count) == (4711, 0, 1)
    assert header.record_counts == (2, 1, 1)
    assert header.is_response
    assert not header.is_truncated


def test_records_are_found_in_their_sections() -> None:
    wire = RESPONSE.to_wire()
    layout = read_layout(wire)
    assert [(record.section, record.type) for record in layout.records] == [
        (Section.ANSWER, dns.rdatatype.A),
        (Section.ANSWER, dns.rdatatype.A),
        (Section.AUTHORITY, dns.rdatatype.NS),
        (Section.ADDITIONAL, dns.rdatatype.AAAA),
    ]
    assert layout.records[-1].end == len(wire)
    rdata = {wire[record.rdata_start : record.end] for record in layout.records[:2]}
    assert rdata == {b"\xc0\x00\x02\x01", b"\xc0\x00\x02\x02"}
    assert layout.of_type(dns.rdatatype.A) == layout.records[:2]
    assert layout.of_type(dns.rdatatype.A, Section.ADDITIONAL) == ()


def test_the_question_is_read_and_kept_in_its_case() -> None:
    question = read_question(WIRE)
    assert (question.name, question.type, question.class_) == (name("www.example.org."), 1, 1)
    assert question_octets(WIRE) == b"\3www\7Example\3org\0\0\1\0\1"


@pytest.mark.parametrize("length", range(len(RESPONSE.to_wire())))
def test_a_message_cut_off_anywhere_is_malformed(length: int) -> None:
    with pytest.raises(MalformedError):
        read_layout(RESPONSE.to_wire()[:length])


@pytest.mark.parametrize(
    "broken",
    [
        WIRE + b"\0",
        WIRE[:4] + b"\0\2" + WIRE[6:],
        WIRE[:12] + b"\x40" + WIRE[13:],
        WIRE[:12] + b"\x80" + WIRE[13:],
        WIRE[:4] + b"\0\1\0\0\0\0\0\0" + b"\1a" * 130 + b"\0\0\1\0\1",
    ],
    ids=["octets left over", "a question missing", "0x40 label", "0x80 label", "name too long"],
)
def test_a_broken_message_is_malformed(broken: bytes) -> None:
    with pytest.raises(MalformedError):
        read_layout(broken)


@pytest.mark.parametrize(
    "broken",
    [
        WIRE[:4] + b"\0\0" + WIRE[6:],
        WIRE[:4] + b"\0\2" + WIRE[6:],
        WIRE[:12] + b"\xc0\x0c\0\1\0\1",
        WIRE[:20],
        WIRE[:12],
    ],
    ids=["no question", "two questions", "a pointer to itself", "cut off", "header only"],
)
def test_a_question_that_cannot_be_read_is_malformed(broken: bytes) -> None:
    with pytest.raises(MalformedError):
        read_question(broken)
    assert question_octets(broken) == b""


def test_a_question_that_points_into_the_header_is_not_repeated() -> None:
    # The identifier reads as the name "\001a" there; the response's header would make another name of it.
    wire = b"\1a\0\0\0\1\0\0\0\0\0\0\xc0\0\0\1\0\1"
    assert read_question(wire).name == name("a.")
    assert question_octets(wire) == b""


@given(st.binary(max_size=80))
def test_any_octets_are_a_message_or_malformed(octets: bytes) -> None:
    for read in (read_header, read_layout, read_question):
        try:
            read(octets)
        except MalformedError:
            continue
