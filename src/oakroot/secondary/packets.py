"""What is answered to packets: queries by the engine, NOTIFYs by `notices`, all else is refused.

Octets may be anything; nothing here raises for them.
"""

from __future__ import annotations

from dataclasses import replace

import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
from dns.edns import EDECode

from oakroot.keys.grant import Operation
from oakroot.protocol.message import ExtendedError, error_response, response
from oakroot.protocol.tsig import Refused
from oakroot.protocol.wire import MalformedError, read_header, read_question
from oakroot.roles.events import Moment, Request
from oakroot.roles.requests import Asked, answer, judge_signature, reply, send
from oakroot.secondary.notices import notified
from oakroot.secondary.state import State, Step

_TRANSFERS = frozenset({dns.rdatatype.AXFR, dns.rdatatype.IXFR})


def received(state: State, request: Request, now: Moment) -> Step:
    """Answers a packet."""
    asked = judge_signature(request, state.plan.keyring, now)
    if isinstance(asked, Refused):
        quota, log = state.quota.tell(request, asked.reason, now)
        return replace(state, quota=quota), (*send(request, asked.response), *log)
    try:
        opcode = read_header(asked.query).opcode
    except MalformedError:
        return state, ()
    if opcode == dns.opcode.NOTIFY:
        return notified(state, asked, now)
    if opcode == dns.opcode.QUERY:
        return _queried(state, asked, now)
    if opcode == dns.opcode.UPDATE:
        reason = "a secondary takes no updates; send them to the primary"
        return _refused(state, asked, "an update", reason, now)
    return state, reply(asked, error_response(asked.query, dns.rcode.NOTIMP), now)


def _queried(state: State, asked: Asked, now: Moment) -> Step:
    try:
        question = read_question(asked.query)
    except MalformedError:
        question = None
    if question is None or question.type not in _TRANSFERS:
        return state, reply(asked, answer(asked, state.catalogue), now)
    objection = _objection(asked, question.name)
    if objection is not None:
        return _refused(state, asked, "a transfer", objection, now)
    extended = ExtendedError(EDECode.NOT_SUPPORTED, "transfers are not offered by this server")
    wire = response(asked.query, dns.rcode.NOTIMP, extended=extended, reserve=asked.reserve)
    return state, reply(asked, wire, now)


def _objection(asked: Asked, name: dns.name.Name) -> str | None:
    """Why this asker may not transfer; who has no right learns nothing of what this server can do."""
    if asked.signer is None:
        return f"it must be signed by a key for {name}"
    if not asked.signer.grant.allows(Operation.TRANSFER, name):
        grant = asked.signer.grant
        return f"the key {asked.signer.key.name} may {grant.operation.name.lower()} at {grant.zone}"
    return None


def _refused(state: State, asked: Asked, what: str, reason: str, now: Moment) -> Step:
    extended = ExtendedError(EDECode.PROHIBITED, reason)
    wire = response(asked.query, dns.rcode.REFUSED, extended=extended, reserve=asked.reserve)
    quota, log = state.quota.tell(asked.request, f"{what} refused: {reason}", now)
    return replace(state, quota=quota), (*reply(asked, wire, now), *log)
