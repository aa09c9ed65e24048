"""The messages of a client of certificates: questions, the UPDATE, and what a reply says beside its rcode."""

from __future__ import annotations

from collections.abc import Iterable

import dns.flags
import dns.name
import dns.rdataclass
import dns.rdatatype

from oakroot._engine import read_message_records, wire_rdata
from oakroot.certificates.forms import TTL, TYPE
from oakroot.frozen import frozen
from oakroot.protocol import update_request
from oakroot.protocol.message import Reply, read_reply, request_message
from oakroot.protocol.wire import Section, write_question


@frozen
class Answer:
    """A reply, and the records in it."""

    reply: Reply
    records: tuple[tuple[int, dns.name.Name, str, str], ...]
    """(section, owner, type, RDATA)"""

    @property
    def is_authoritative(self) -> bool:
        """Whether the server has the zone itself."""
        return bool(self.reply.header.flags & dns.flags.AA)

    def rdatas(self, owner: dns.name.Name, rtype: str) -> tuple[str, ...]:
        """The answer's records of this name and type."""
        return tuple(
            rdata
            for section, name, kind, rdata in self.records
            if (section, name, kind) == (Section.ANSWER, owner, rtype)
        )

    def has(self, rtype: str) -> bool:
        """Whether the answer has a record of this type, by way of an alias too."""
        return any((section, kind) == (Section.ANSWER, rtype) for section, _, kind, _ in self.records)


def build_query(name: dns.name.Name, kind: int, identifier: int) -> bytes:
    """A question."""
    return request_message(identifier, 0, write_question(name, kind))


def build_update(
    zone: dns.name.Name, owner: dns.name.Name, delete: Iterable[str], add: Iterable[str], identifier: int
) -> bytes:
    """The UPDATE that changes TLSA records of one name and no others; single records, so nobody's else go."""
    changes = [update_request.delete(owner, dns.rdatatype.TLSA, wire_rdata(TYPE, rdata)) for rdata in delete]
    changes += [update_request.add(owner, TTL, dns.rdatatype.TLSA, wire_rdata(TYPE, rdata)) for rdata in add]
    return update_request.build_update(zone, (), changes, identifier)


def read(request: bytes, octets: bytes) -> Answer | None:
    """What the octets say; None where they are no reply to the request, or malformed."""
    reply = read_reply(request, octets)
    if reply is None:
        return None
    try:
        records = read_message_records(octets)
    except ValueError:
        return None
    return Answer(
        reply,
        tuple(
            (section, dns.name.from_text(owner), rtype, rdata)
            for section, owner, rtype, class_, _, rdata in records
            if class_ == dns.rdataclass.IN and rdata is not None
        ),
    )
