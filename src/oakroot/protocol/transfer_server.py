"""Sending a zone: what is answered to AXFR (RFC 5936) and IXFR (RFC 1995), and the signing of it (RFC 8945).

`judge` decides and gives a value; `Transfer` makes the messages of it, one at a time, so that the largest
zone costs no more memory than a message. What must not live here: who keeps which versions, sockets, and how
fast messages are sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
from dns.edns import EDECode

from oakroot._engine import Outgoing, Zone
from oakroot.frozen import frozen
from oakroot.keys.grant import Operation
from oakroot.keys.keyring import GrantedKey
from oakroot.protocol.message import ExtendedError, response
from oakroot.protocol.query import read_serial
from oakroot.protocol.tsig import ReplyContext, sign_next, sign_reply
from oakroot.protocol.wire import (
    MalformedError,
    Question,
    Section,
    question_octets,
    read_layout,
    read_name,
    read_question,
)
from oakroot.zones.serials import is_forward

TRANSFER_TYPES = frozenset({dns.rdatatype.AXFR, dns.rdatatype.IXFR})

VersionsOf = Callable[[dns.name.Name], Sequence[Zone] | None]
"""The versions of a zone that can be sent, oldest first, the last one being what is served. None: the zone is
not ours; empty: it is, and cannot be served now."""


@frozen
class Refused:
    """Nothing is sent but this rcode and, for the human at the other end, why."""

    rcode: dns.rcode.Rcode
    reason: ExtendedError


@frozen
class SoaAlone:
    """The newest SOA is all there is to send: the client has this version, or is to come again over TCP."""

    zone: Zone


@frozen
class Steps:
    """The differences from the version that the client has, the first, to the newest, the last."""

    versions: tuple[Zone, ...]


@frozen
class Whole:
    """All of the zone."""

    zone: Zone


Plan = SoaAlone | Steps | Whole


def judge(
    query: bytes,
    signer: GrantedKey | None,
    versions_of: VersionsOf,
    *,
    over_tcp: bool,
    unsigned_allowed: bool = False,
) -> Plan | Refused:
    """What to send for a query of type AXFR or IXFR of any octets, its TSIG record taken off.

    `signer` is whose signature it bore. Who may not have a zone does not learn whether it is here.
    """
    try:
        question, has = _read(query, over_tcp=over_tcp)
    except MalformedError as error:
        return _refuse(dns.rcode.FORMERR, EDECode.OTHER, str(error))
    objection = None if unsigned_allowed else _objection(signer, question.name)
    if objection is not None:
        return _refuse(dns.rcode.REFUSED, EDECode.PROHIBITED, objection)
    versions = versions_of(question.name) if question.class_ == dns.rdataclass.IN else None
    if versions is None:
        return _refuse(dns.rcode.NOTAUTH, EDECode.NOT_AUTHORITATIVE, f"{question.name} is no zone of ours")
    if not versions:
        return _refuse(dns.rcode.SERVFAIL, EDECode.NOT_READY, f"{question.name} cannot be served now")
    return Whole(versions[-1]) if has is None else _compare(has, versions, over_tcp=over_tcp)


def _compare(has: int, versions: Sequence[Zone], *, over_tcp: bool) -> Plan:
    newest = versions[-1]
    # RFC 1995 §2: also to a client that is ahead of us, and over UDP where the differences may not fit.
    if has == newest.serial or is_forward(newest.serial, has) or not over_tcp:
        return SoaAlone(newest)
    for position in reversed(range(len(versions))):
        if versions[position].serial == has:
            return Steps(tuple(versions[position:]))
    return Whole(newest)


def _read(query: bytes, *, over_tcp: bool) -> tuple[Question, int | None]:
    """What is asked, and the serial of the version that the client has, None for AXFR; or MalformedError."""
    question = read_question(query)
    layout = read_layout(query)
    is_query = layout.header.opcode == dns.opcode.QUERY and not layout.header.is_response
    if not is_query or question.type not in TRANSFER_TYPES:
        raise MalformedError("this asks for no transfer")
    if not question_octets(query):
        raise MalformedError("the question's name is compressed")
    if question.type == dns.rdatatype.AXFR:
        if not over_tcp:
            raise MalformedError("AXFR is for TCP only (RFC 5936 §4.2)")
        return question, None
    # RFC 1995 §3.
    soas = layout.of_type(dns.rdatatype.SOA, Section.AUTHORITY)
    if len(soas) != 1 or read_name(query, soas[0].start)[0] != question.name:
        raise MalformedError("IXFR needs the SOA of the client's version in its authority section")
    return question, read_serial(query, soas[0])


def _objection(signer: GrantedKey | None, zone: dns.name.Name) -> str | None:
    """Why this signer may not have the zone; None: it may."""
    if signer is None:
        return f"a transfer must be signed by a key for {zone}"
    if signer.grant.allows(Operation.TRANSFER, zone):
        return None
    return f"the key {signer.key.text} {signer.grant.words}"


def _refuse(rcode: dns.rcode.Rcode, code: EDECode, text: str) -> Refused:
    return Refused(rcode, ExtendedError(code, text))


def refusal(query: bytes, refused: Refused, reserve: int = 0) -> bytes | None:
    """The response to a query for a transfer that is not to be, not signed yet; None: silence."""
    return response(query, refused.rcode, extended=refused.reason, reserve=reserve)


def busy(query: bytes, context: ReplyContext | None, now: int) -> bytes | None:
    """The response to a query that was found good at a time when there is no room for another transfer."""
    reserve = 0 if context is None else context.reserve
    reason = ExtendedError(EDECode.NOT_READY, "too many transfers are waiting; try again later")
    wire = response(query, dns.rcode.SERVFAIL, extended=reason, reserve=reserve)
    return wire if wire is None or context is None else sign_reply(wire, context, now)


class Transfer:
    """The messages of one transfer, each of them signed if the query was."""

    def __init__(self, query: bytes, plan: Plan, context: ReplyContext | None) -> None:
        """`query` is the one that was judged; `context` is None for a query without signature."""
        self._context = context
        reserve = 0 if context is None else context.reserve
        match plan:
            case Whole(zone):
                self._messages = Outgoing.whole(query, zone, reserve=reserve)
            case Steps(versions):
                self._messages = Outgoing.steps(query, versions, reserve=reserve)
            case SoaAlone(zone):
                self._messages = Outgoing.steps(query, (zone,), reserve=reserve)

    def next_message(self, now: int) -> bytes | None:
        """The next message to send; None when all are sent. `now` is in seconds since 1970."""
        message = next(self._messages, None)
        if message is None or self._context is None:
            return message
        signed, self._context = sign_next(message, self._context, now)
        return signed
