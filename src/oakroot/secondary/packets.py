"""What is answered to packets: NOTIFYs by `notices`, queries and transfers by `roles.queries`.

Octets may be anything; nothing here raises for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import dns.name
import dns.opcode
import dns.rcode
from dns.edns import EDECode

from oakroot._engine import Zone
from oakroot.protocol.message import ExtendedError, error_response, response
from oakroot.protocol.tsig import Refused
from oakroot.protocol.wire import MalformedError, read_header
from oakroot.roles.events import Moment, Request
from oakroot.roles.queries import Sources, answer_query
from oakroot.roles.requests import Asked, judge_signature, name_of, note_signature, reply, send
from oakroot.secondary.events import LinkRequest
from oakroot.secondary.notices import notified
from oakroot.secondary.state import State, Step


def received(state: State, request: Request, now: Moment) -> Step:
    """Answers a packet."""
    asked = judge_signature(request, state.plan.keyring, now)
    if isinstance(asked, Refused):
        key = None if asked.key is None else asked.key.to_text(omit_final_dot=True)
        quota, log = state.quota.tell(request, asked.reason, now, key=key, reason=asked.reason)
        return replace(state, quota=quota), (*note_signature(asked), *send(request, asked.response), *log)
    state, actions = _dispatch(state, asked, now)
    return state, (*note_signature(asked), *actions)


def _dispatch(state: State, asked: Asked, now: Moment) -> Step:
    try:
        opcode = read_header(asked.query).opcode
    except MalformedError:
        return state, ()
    if opcode == dns.opcode.NOTIFY:
        return notified(state, asked, now)
    if isinstance(asked.request, LinkRequest):
        return _refused(state, asked, "a request over our own connection", "NOTIFYs are welcome here", now)
    if opcode == dns.opcode.QUERY:
        return _queried(state, asked, now)
    if opcode == dns.opcode.UPDATE:
        reason = "a secondary takes no updates; send them to the primary"
        return _refused(state, asked, "an update", reason, now)
    return state, reply(asked, error_response(asked.query, dns.rcode.NOTIMP), now)


def _queried(state: State, asked: Asked, now: Moment) -> Step:
    sources = Sources(
        state.catalogue,
        lambda apex: _hidden(state, apex),
        lambda name: _versions(state, name),
        state.settings.transfer_rules,
    )
    quota, actions = answer_query(asked, sources, state.quota, now)
    return replace(state, quota=quota), actions


def _versions(state: State, name: dns.name.Name) -> Sequence[Zone] | None:
    """The versions of a zone that there are to send; None for a zone that is not ours."""
    entry = state.zones.get(name.canonicalize().to_text())
    if entry is None or not entry.shown:
        return None
    return () if entry.held is None else state.versions.of(entry.held.zone)


def _hidden(state: State, apex: str) -> Zone | None:
    """The catalog zone of this name."""
    entry = state.zones.get(apex)
    return entry.held.zone if entry is not None and entry.hidden and entry.held is not None else None


def _refused(state: State, asked: Asked, what: str, reason: str, now: Moment) -> Step:
    extended = ExtendedError(EDECode.PROHIBITED, reason)
    wire = response(asked.query, dns.rcode.REFUSED, extended=extended, reserve=asked.reserve)
    quota, log = state.quota.tell(
        asked.request, f"{what} refused: {reason}", now, key=name_of(asked), reason=reason
    )
    return replace(state, quota=quota), (*reply(asked, wire, now), *log)
