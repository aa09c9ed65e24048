"""Asking a primary for the SOA of a zone, signed, and what its reply says (RFC 1034 §4.3.5).

A secondary asks so whether its version is the newest. Any octets whatever give an answer; an exception is a
bug. What must not live here: what follows from the answer.
"""

from __future__ import annotations

import dns.flags
import dns.name
import dns.rcode

from oakroot.frozen import frozen
from oakroot.keys.key import Key
from oakroot.protocol.message import Reply, read_reply
from oakroot.protocol.query import build_soa_query, read_soa_reply
from oakroot.protocol.tsig_client import (
    Authentic,
    Flaw,
    ReplyExpectation,
    SignatureRefused,
    sign_request,
    verify_reply,
)

_DENIALS = frozenset({dns.rcode.REFUSED, dns.rcode.NOTAUTH})


@frozen
class SoaQuestion:
    """A question that was asked, with what its reply is checked against."""

    zone: dns.name.Name
    query: bytes
    expected: ReplyExpectation


@frozen
class Offered:
    """The primary serves the zone, in the version of this serial."""

    serial: int


@frozen
class Denied:
    """The primary says that it does not serve the zone, or not to this key.

    Some servers do not sign that (Knot DNS: keys belong to zones): then anybody may have said it.
    """

    reason: str
    signed: bool = True


@frozen
class Unusable:
    """The reply says nothing about the zone; the reason tells what the primary did."""

    reason: str


SoaAnswer = Offered | Denied | Unusable


def ask_soa(zone: dns.name.Name, key: Key, identifier: int, now: int) -> tuple[bytes, SoaQuestion]:
    """The signed query, and the question it stands for."""
    query = build_soa_query(zone, identifier)
    signed, expected = sign_request(query, key, now)
    return signed, SoaQuestion(zone, query, expected)


def read_soa(question: SoaQuestion, wire: bytes, now: int) -> SoaAnswer | None:
    """What the octets say; None where they are no reply to this question."""
    reply = read_reply(question.query, wire)
    if reply is None:
        return None
    match verify_reply(wire, question.expected, now):
        case Authentic(message):
            return _read_authentic(question, reply, message)
        case SignatureRefused() as refusal:
            return Unusable(describe_refusal(refusal, question.expected.key, now))
        case flawed:
            reason = describe_flaw(flawed.flaw, reply)
            if flawed.flaw is Flaw.UNSIGNED and reply.rcode in _DENIALS:
                return Denied(reason, signed=False)
            return Unusable(reason)


def told(reply: Reply) -> str:
    """The rcode, and what else the primary says (RFC 8914)."""
    return "; ".join([reply.rcode_text, *map(str, reply.extended_errors)])


def describe_flaw(flaw: Flaw, reply: Reply | None) -> str:
    """Why a reply is not believed, in words; and what it claims, which may help to mend it."""
    said = f" (it says {told(reply)})" if reply is not None and reply.rcode != dns.rcode.NOERROR else ""
    return flaw.value + said


def describe_refusal(refusal: SignatureRefused, key: Key, now: int) -> str:
    """Why the primary does not take our signature, in words."""
    match refusal.error:
        case dns.rcode.BADKEY:
            return f"it does not know the key {key.text} with {key.algorithm.text} (BADKEY)"
        case dns.rcode.BADSIG:
            return f"it has another secret for the key {key.text} (BADSIG)"
        case dns.rcode.BADTIME if refusal.server_time is not None:
            return f"its clock and ours differ by {abs(refusal.server_time - now)} s (BADTIME)"
        case _:
            return f"it does not take our signature ({refusal.error_text})"


def _read_authentic(question: SoaQuestion, reply: Reply, message: bytes) -> SoaAnswer:
    if reply.rcode in _DENIALS:
        return Denied(f"it answered {told(reply)}")
    if reply.rcode not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
        return Unusable(f"it answered {told(reply)}")
    serial = read_soa_reply(question.query, message, question.zone)
    if serial is None:
        # A server that has a zone above this one denies the name, or refers to somebody else.
        return Denied(f"it answered {told(reply)} without the zone's SOA")
    if not reply.header.flags & dns.flags.AA:
        return Unusable("it answered without authority: it has no valid version of the zone itself")
    return Offered(serial)
