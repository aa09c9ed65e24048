"""The one query that Oakroot's own tools ask: for a SOA, to learn a zone's serial, or the zone of a name."""

from __future__ import annotations

import dns.name
import dns.rdatatype

from oakroot.protocol.message import read_reply, request_message
from oakroot.protocol.wire import (
    MalformedError,
    RecordPlace,
    Section,
    read_layout,
    read_name,
    write_question,
)

# Serial, refresh, retry, expire and minimum end the RDATA of a SOA (RFC 1035 §3.3.13).
_NUMBERS_LENGTH = 20


def build_soa_query(zone: dns.name.Name, identifier: int) -> bytes:
    """A query for the zone's SOA record."""
    return request_message(identifier, 0, write_question(zone, dns.rdatatype.SOA))


def read_soa_reply(query: bytes, reply: bytes, zone: dns.name.Name) -> int | None:
    """The serial in the reply, its TSIG record taken off; None where it has no SOA record of the zone."""
    if read_reply(query, reply) is None:
        return None
    for place in read_layout(reply).of_type(dns.rdatatype.SOA, Section.ANSWER):
        try:
            if read_name(reply, place.start)[0] == zone:
                return read_serial(reply, place)
        except MalformedError:
            return None
    return None


def read_zone_of(query: bytes, reply: bytes, name: dns.name.Name) -> dns.name.Name | None:
    """The zone that holds the name, as the reply to a query for the name's SOA tells it, or None.

    That is the name itself, or the owner of the SOA that says that there is none (RFC 2308 §3). A reply with
    an alias or a referral tells nothing: its SOA, if any, is that of where the alias leads to.
    """
    if read_reply(query, reply) is None:
        return None
    layout = read_layout(reply)
    has_answer = layout.header.record_counts[0] > 0
    section = Section.ANSWER if has_answer else Section.AUTHORITY
    for place in layout.of_type(dns.rdatatype.SOA, section):
        try:
            owner, _ = read_name(reply, place.start)
        except MalformedError:
            return None
        if owner == name or (not has_answer and name.is_subdomain(owner)):
            return owner
    return None


def read_serial(wire: bytes, place: RecordPlace) -> int:
    """The serial of a SOA record; raises MalformedError where there is not room for one."""
    if place.end - place.rdata_start < _NUMBERS_LENGTH + 2:
        raise MalformedError("a SOA record is too short")
    return int.from_bytes(wire[place.end - _NUMBERS_LENGTH :][:4])
