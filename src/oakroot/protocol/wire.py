"""Where the parts of a message lie in its octets (RFC 1035 §4.1), and no more than that.

Names are stepped over, not read; RDATA is not looked at. What must not live here: anything that decides. A
message that cannot be walked to its last octet raises MalformedError, which stays inside this room.
"""

from __future__ import annotations

import enum
import functools
import struct
from typing import NamedTuple

import dns.exception
import dns.flags
import dns.name
import dns.opcode
import dns.rdataclass
import dns.rdatatype

from oakroot._engine import message_layout
from oakroot.frozen import frozen

HEADER_LENGTH = 12
ADDITIONAL_COUNT_AT = 10
_NAME_LIMIT = 255
_POINTER = 0xC0
_QR, _TC = int(dns.flags.QR), int(dns.flags.TC)
# Clients speak of the same few names again and again, and to make a value of a name takes longer than a MAC.
_NAMES_KEPT = 4096
_HEADER_FIELDS = struct.Struct("!6H")
_QUESTION_FIELDS = struct.Struct("!HH")


class MalformedError(Exception):
    """The octets are no DNS message."""


class Section(enum.IntEnum):
    """The sections that hold records."""

    ANSWER = 1
    AUTHORITY = 2
    ADDITIONAL = 3


class Header(NamedTuple):
    """The twelve octets in front of everything."""

    identifier: int
    flags: int
    question_count: int
    record_counts: tuple[int, int, int]

    @property
    def opcode(self) -> int:
        """QUERY, NOTIFY, UPDATE, …, as a number."""
        return dns.opcode.from_flags(self.flags)

    @property
    def is_response(self) -> bool:
        """Whether QR is set."""
        return bool(self.flags & _QR)

    @property
    def is_truncated(self) -> bool:
        """Whether TC is set."""
        return bool(self.flags & _TC)


@frozen
class Question:
    """A question, its name read."""

    name: dns.name.Name
    type: int
    class_: int


class RecordPlace(NamedTuple):
    """A record: its `Section`, its fixed fields, and where its owner and its RDATA begin and end."""

    section: int
    start: int
    type: int
    class_: int
    ttl: int
    rdata_start: int
    end: int


@frozen
class Layout:
    """A whole message, walked to its last octet."""

    header: Header
    question_end: int
    records: tuple[RecordPlace, ...]

    def of_type(self, kind: int, section: Section | None = None) -> tuple[RecordPlace, ...]:
        """The records of one type, in one section or in all."""
        return tuple(
            record for record in self.records if record.type == kind and section in (None, record.section)
        )


def read_header(wire: bytes) -> Header:
    """The header; raises MalformedError where there is not even that."""
    if len(wire) < HEADER_LENGTH:
        raise MalformedError("shorter than a header")
    identifier, flags, questions, answers, authorities, additionals = _HEADER_FIELDS.unpack_from(wire)
    return Header(identifier, flags, questions, (answers, authorities, additionals))


def read_layout(wire: bytes) -> Layout:
    """Walks the message; raises MalformedError where a part is cut off, or octets are left over."""
    try:
        question_end, places = message_layout(wire)
    except ValueError as error:
        raise MalformedError(str(error)) from error
    return Layout(read_header(wire), question_end, tuple(map(RecordPlace._make, places)))


def read_question(wire: bytes) -> Question:
    """The one question of a message; raises MalformedError where there is none, or more than one."""
    if read_header(wire).question_count != 1:
        raise MalformedError("not one question")
    name, at = read_name(wire, HEADER_LENGTH)
    if len(wire) < at + _QUESTION_FIELDS.size:
        raise MalformedError("the question is cut off")
    kind, class_ = _QUESTION_FIELDS.unpack_from(wire, at)
    return Question(name, kind, class_)


def question_octets(wire: bytes) -> bytes:
    """The one question as it stands in the message, in the case it was asked in; empty where unreadable."""
    try:
        is_one = read_header(wire).question_count == 1
        name_end, is_whole = _skip_name(wire, HEADER_LENGTH)
    except MalformedError:
        return b""
    end = name_end + _QUESTION_FIELDS.size
    # A pointer in it could only point into the header, which is another one in the response.
    return wire[HEADER_LENGTH:end] if is_one and is_whole and end <= len(wire) else b""


def read_name(wire: bytes, at: int) -> tuple[dns.name.Name, int]:
    """The name that begins here, its pointers followed, and where it ends; raises MalformedError."""
    end, is_whole = _skip_name(wire, at)
    if is_whole:
        return _name(wire[at:end]), end
    try:
        name, used = dns.name.from_wire(wire, at)
    except (dns.exception.DNSException, IndexError) as error:
        raise MalformedError("a name is broken") from error
    return name, at + used


@functools.lru_cache(_NAMES_KEPT)
def _name(octets: bytes) -> dns.name.Name:
    return dns.name.from_wire(octets, 0)[0]


def name_octets(name: dns.name.Name) -> bytes:
    """An absolute name as it stands in a message, uncompressed and in its own case."""
    return b"".join(len(label).to_bytes() + label for label in name.labels)


def write_question(name: dns.name.Name, kind: int) -> bytes:
    """A question of class IN."""
    return name_octets(name) + _QUESTION_FIELDS.pack(kind, dns.rdataclass.IN)


def is_opt(record: RecordPlace) -> bool:
    """Whether this is an OPT record where one belongs (RFC 6891 §6.1.1)."""
    return record.type == dns.rdatatype.OPT and record.section == Section.ADDITIONAL


def _skip_name(wire: bytes, start: int) -> tuple[int, bool]:
    """Where the name that begins here ends, and whether all of it stands there (RFC 1035 §4.1.4).

    Pointers are not followed.
    """
    at = start
    while True:
        if at >= len(wire) or at - start >= _NAME_LIMIT:
            raise MalformedError("a name is cut off or too long")
        length = wire[at]
        if length == 0:
            return at + 1, True
        if length >= _POINTER:
            return at + 2, False
        if length >= 0x40:  # noqa: PLR2004 - the two kinds of label that RFC 6891 §5 took back
            raise MalformedError("a label of an unknown kind")
        at += length + 1
