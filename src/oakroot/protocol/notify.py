"""NOTIFY (RFC 1996): what a primary makes of one, and how a client sends one.

To a primary a NOTIFY means "the repository has changed". That costs a pull, so it must be signed by a key
that may notify. What must not live here: the pull.
"""

from __future__ import annotations

import dns.edns
import dns.flags
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from oakroot.frozen import frozen
from oakroot.keys.grant import Operation
from oakroot.keys.keyring import GrantedKey
from oakroot.protocol.message import ExtendedError, request_message, response
from oakroot.protocol.query import read_serial
from oakroot.protocol.wire import (
    MalformedError,
    Section,
    read_header,
    read_layout,
    read_question,
    write_question,
)


@frozen
class Notice:
    """A well-formed NOTIFY. `serial` is the sender's word for what it has, if it said so (RFC 1996 §3.7)."""

    zone: dns.name.Name
    serial: int | None = None


@frozen
class Notification:
    """A NOTIFY to act upon, with whose signature it bore."""

    zone: dns.name.Name
    signer: GrantedKey
    serial: int | None = None


@frozen
class Rejected:
    """A NOTIFY without effect: what to answer (None: nothing), and why, for the log.

    The response is not signed yet.
    """

    response: bytes | None
    reason: str


def read(query: bytes, reserve: int = 0) -> Notice | Rejected:
    """Reads a NOTIFY request of any octets, its TSIG record taken off.

    `reserve` octets are left free in a response for its signature. AA is not asked for: RFC 1996 has it set,
    yet what `dig +opcode=notify` sends is meant as seriously.
    """
    try:
        question = read_question(query)
        serial = _read_hint(query)
        is_notify = read_header(query).opcode == dns.opcode.NOTIFY
    except MalformedError as error:
        return _reject(query, dns.rcode.FORMERR, str(error), reserve)
    if not is_notify or (question.type, question.class_) != (dns.rdatatype.SOA, dns.rdataclass.IN):
        return _reject(query, dns.rcode.FORMERR, "a NOTIFY asks for one SOA of class IN", reserve)
    return Notice(question.name, serial)


def judge(query: bytes, signer: GrantedKey | None, reserve: int = 0) -> Notification | Rejected:
    """Reads a NOTIFY, and judges whether it may be acted upon; `signer` is whose signature it bore."""
    notice = read(query, reserve)
    if isinstance(notice, Rejected):
        return notice
    if signer is None:
        return refuse(query, f"a NOTIFY must be signed, by a key for {notice.zone} of any operation", reserve)
    if not signer.grant.allows(Operation.NOTIFY, notice.zone):
        reason = f"the key {signer.key.text} {signer.grant.words} and may not notify of {notice.zone}"
        return refuse(query, reason, reserve)
    return Notification(notice.zone, signer, notice.serial)


def refuse(query: bytes, reason: str, reserve: int = 0) -> Rejected:
    """REFUSED, for this reason."""
    return _reject(query, dns.rcode.REFUSED, reason, reserve)


def acknowledge(query: bytes) -> bytes | None:
    """NOERROR. From a primary: what the repository has is now served; from a secondary: I have heard you."""
    return response(query, dns.rcode.NOERROR, authoritative=True)


def report_failure(query: bytes, reason: str, reserve: int = 0) -> bytes | None:
    """SERVFAIL: the pull was tried, and this is what went wrong."""
    extended = ExtendedError(dns.edns.EDECode.OTHER, reason)
    return response(query, dns.rcode.SERVFAIL, extended=extended, reserve=reserve)


def build_notify(zone: dns.name.Name, identifier: int) -> bytes:
    """A NOTIFY request for this zone."""
    flags = dns.opcode.to_flags(dns.opcode.NOTIFY) | dns.flags.AA
    return request_message(identifier, flags, write_question(zone, dns.rdatatype.SOA))


def _reject(query: bytes, rcode: int, reason: str, reserve: int) -> Rejected:
    code = dns.edns.EDECode.PROHIBITED if rcode == dns.rcode.REFUSED else dns.edns.EDECode.OTHER
    return Rejected(response(query, rcode, extended=ExtendedError(code, reason), reserve=reserve), reason)


def _read_hint(query: bytes) -> int | None:
    soas = read_layout(query).of_type(dns.rdatatype.SOA, Section.ANSWER)
    return read_serial(query, soas[0]) if soas else None
