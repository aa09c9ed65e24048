"""What is answered to a packet that the engine handed over: signed queries, NOTIFY, UPDATE, transfers.

What a NOTIFY sets off stands in `pulling`, what an UPDATE does in `updating`; queries and transfers are
`roles.queries`'. Octets may be anything; nothing here raises for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import dns.name
import dns.opcode
import dns.rcode

from oakroot._engine import Zone
from oakroot.primary import updating
from oakroot.primary.pulling import await_pull
from oakroot.primary.state import State, Waiting
from oakroot.primary.turns import Step
from oakroot.protocol import notify
from oakroot.protocol.message import error_response
from oakroot.protocol.tsig import Refused
from oakroot.protocol.wire import MalformedError, read_header
from oakroot.roles.events import Log, Moment, Request
from oakroot.roles.queries import Sources, answer_query
from oakroot.roles.requests import Asked, judge_signature, name_of, note_signature, reply, send


def received(state: State, request: Request, now: Moment) -> Step:
    """Answers a packet, or lets it wait for a pull."""
    asked = judge_signature(request, state.loaded.keyring, now)
    if isinstance(asked, Refused):
        key = None if asked.key is None else asked.key.to_text(omit_final_dot=True)
        state, log = _told(state, request, asked.reason, now, key=key, reason=asked.reason)
        return state, (*note_signature(asked), *send(request, asked.response), *log)
    state, actions = _dispatch(state, asked, now)
    return state, (*note_signature(asked), *actions)


def _dispatch(state: State, asked: Asked, now: Moment) -> Step:
    try:
        opcode = read_header(asked.query).opcode
    except MalformedError:
        return state, ()
    if opcode == dns.opcode.NOTIFY:
        return _notified(state, asked, now)
    if opcode == dns.opcode.UPDATE:
        return updating.received(state, asked, now)
    if opcode == dns.opcode.QUERY:
        return _queried(state, asked, now)
    return state, reply(asked, error_response(asked.query, dns.rcode.NOTIMP), now)


def _notified(state: State, asked: Asked, now: Moment) -> Step:
    judged = notify.judge(asked.query, asked.signer, asked.reserve)
    if isinstance(judged, notify.Rejected):
        state, log = _told(
            state,
            asked.request,
            f"NOTIFY refused: {judged.reason}",
            now,
            key=name_of(asked),
            reason=judged.reason,
        )
        return state, (*reply(asked, judged.response, now), *log)
    if asked.signature is None:
        raise AssertionError("a NOTIFY without signature is never accepted")
    peer = asked.request.peer[0]
    log_accepted = Log(
        "info", f"NOTIFY by {judged.signer.key.text}", judged.zone.to_text(), peer, name_of(asked)
    )
    waiting = Waiting(
        request=asked.request,
        query=asked.query,
        zone=judged.zone,
        context=asked.signature.context,
        until=now.monotonic + state.settings.patience,
    )
    state, actions = await_pull(state, waiting, now)
    return state, (log_accepted, *actions)


def _queried(state: State, asked: Asked, now: Moment) -> Step:
    sources = Sources(
        state.loaded.catalogue,
        state.catalogs.get,
        lambda name: _versions(state, name),
        state.settings.transfer_rules,
    )
    quota, actions = answer_query(asked, sources, state.quota, now)
    return replace(state, quota=quota), actions


def _versions(state: State, name: dns.name.Name) -> Sequence[Zone] | None:
    """The versions of a zone that there are to send; None for a zone that is not ours."""
    apex = name.canonicalize().to_text()
    if apex in state.catalogs:
        return state.versions.of(state.catalogs[apex])
    loaded = state.loaded.zones.get(apex)
    if loaded is None:
        return None
    return () if loaded.zone is None else state.versions.of(loaded.zone)


def _told(
    state: State, request: Request, text: str, now: Moment, *, key: str | None, reason: str
) -> tuple[State, tuple[Log, ...]]:
    """A line about a refusal, as long as the minute's quota lasts."""
    quota, log = state.quota.tell(request, text, now, key=key, reason=reason)
    return replace(state, quota=quota), log
