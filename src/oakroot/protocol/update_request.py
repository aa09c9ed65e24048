"""UPDATE at the client (RFC 2136): a request of prerequisites and changes, built from values.

A record of an UPDATE says by its class what it asks for (§2.4, §2.5); the functions here know which class
that is, so that nobody else needs to. What must not live here: judging an UPDATE, and text of records.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import dns.name
import dns.opcode
import dns.rdataclass
import dns.rdatatype

from oakroot.frozen import frozen
from oakroot.protocol.message import request_message
from oakroot.protocol.wire import name_octets, write_question

ANY_TYPE = int(dns.rdatatype.ANY)
"""All types of a name together."""

_MESSAGE_LIMIT = 65535
_SIGNATURE_ROOM = 1024
_FIELDS = struct.Struct("!HHIH")


class TooLargeError(ValueError):
    """More than one message can hold; an UPDATE cannot be split and stay one (§3.4)."""


@frozen
class UpdateRecord:
    """A record of the prerequisite or the update section."""

    owner: dns.name.Name
    type: int
    class_: int
    ttl: int
    rdata: bytes

    def octets(self) -> bytes:
        """As it stands in a message, uncompressed."""
        fields = _FIELDS.pack(self.type, self.class_, self.ttl, len(self.rdata))
        return name_octets(self.owner) + fields + self.rdata


def add(owner: dns.name.Name, ttl: int, kind: int, rdata: bytes) -> UpdateRecord:
    """The record is to be there (§2.5.1); its TTL becomes that of the RRset."""
    return UpdateRecord(owner, kind, dns.rdataclass.IN, ttl, rdata)


def delete(owner: dns.name.Name, kind: int = ANY_TYPE, rdata: bytes | None = None) -> UpdateRecord:
    """All RRsets of the name, an RRset, or one record are to go (§2.5.2 to §2.5.4)."""
    class_ = dns.rdataclass.ANY if rdata is None else dns.rdataclass.NONE
    return UpdateRecord(owner, kind, class_, 0, rdata or b"")


def require(owner: dns.name.Name, kind: int = ANY_TYPE, rdata: bytes | None = None) -> UpdateRecord:
    """The name is in use, or has this RRset (§2.4.4, §2.4.1).

    With RDATA: the RRset consists of the records that are required of it, and no others (§2.4.2).
    """
    class_ = dns.rdataclass.ANY if rdata is None else dns.rdataclass.IN
    return UpdateRecord(owner, kind, class_, 0, rdata or b"")


def require_not(owner: dns.name.Name, kind: int = ANY_TYPE) -> UpdateRecord:
    """The name is not in use, or does not have this RRset (§2.4.5, §2.4.3)."""
    return UpdateRecord(owner, kind, dns.rdataclass.NONE, 0, b"")


def build_update(
    zone: dns.name.Name,
    prerequisites: Sequence[UpdateRecord],
    changes: Sequence[UpdateRecord],
    identifier: int,
) -> bytes:
    """The request, with room left for a signature; raises TooLargeError."""
    if max(len(prerequisites), len(changes)) > _MESSAGE_LIMIT:
        raise TooLargeError(f"{len(changes)} changes are more than a message can count")
    message = request_message(
        identifier,
        dns.opcode.to_flags(dns.opcode.UPDATE),
        write_question(zone, dns.rdatatype.SOA),
        answers=[record.octets() for record in prerequisites],
        authorities=[record.octets() for record in changes],
    )
    if len(message) > _MESSAGE_LIMIT - _SIGNATURE_ROOM:
        raise TooLargeError(f"{len(changes)} changes make {len(message)} octets, more than one message holds")
    return message
