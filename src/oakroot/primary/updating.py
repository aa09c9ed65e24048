"""Updates on their way into the repository: queued in order, committed in groups, answered when it is done.

NOERROR means that the change is in the remote repository, and served. Updates that arrive while a commit is
under way go into the next one. One that comes again is not made again: its sender waits for the same answer,
or has it at once. What must not live here: what an update changes (`writing`), and git's turns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import dns.rcode
from dns.edns import EDECode

from oakroot.keys.grant import Operation
from oakroot.primary import memory, turns
from oakroot.primary.events import Action
from oakroot.primary.memory import Answered, Identity, Memory
from oakroot.primary.state import Asker, Attempt, Pending, State, Task
from oakroot.primary.turns import Step
from oakroot.primary.verdict import Verdict, failure
from oakroot.primary.writing import Outcome, Submission, deny_stranger, find_zone
from oakroot.protocol import update
from oakroot.protocol.message import response
from oakroot.protocol.tsig import sign_reply
from oakroot.protocol.tsig_record import MESSAGE_LIMIT
from oakroot.protocol.update import Denied, deny
from oakroot.protocol.wire import MalformedError, read_question
from oakroot.roles.events import Log, Moment, SendReply, UpdateAnswered
from oakroot.roles.requests import Asked, Signature, name_of, reply
from oakroot.zones.loaded import Loading

REFUSALS_LIMIT = 3
# One who lost patience, and asks from another port or over TCP: of one update, not many do.
ASKERS_LIMIT = 4
SIGNATURES_LIMIT = 64


def received(state: State, asked: Asked, now: Moment) -> Step:
    """Queues an update, or answers it at once: it must not be made, or comes again."""
    read = _read(asked)
    if isinstance(read, Denied):
        return _deny(state, asked, read, now)
    if asked.signature is None:
        raise AssertionError("an update without signature is never read")
    zone = find_zone(read, asked.signature.signer, state.loaded)
    if isinstance(zone, Denied):
        return _deny(state, asked, zone, now)
    pending = _pending(state, asked, asked.signature, read, now)
    serial = None if zone.zone is None else zone.zone.serial
    known = state.memory.find(pending.identity, serial, now.monotonic)
    if isinstance(known, Verdict):
        return _answer_again(state, pending, known, now)
    if known is not None and (joined := _join(state, pending, now)) is not None:
        return joined
    if _is_full(state, pending):
        full = failure(EDECode.NOT_READY, "too many updates are waiting for a push; try again later")
        return state, _answer(pending, full, now)
    state = replace(
        state,
        updates=(*state.updates, pending),
        arrivals=state.arrivals + 1,
        memory=state.memory.noting({pending.identity: memory.PENDING}, now.monotonic),
    )
    return _begin(state, now)


def written(state: State, outcomes: tuple[Outcome, ...], loading: Loading | None, now: Moment) -> Step:
    """What the updates changed is in the repository: serves it, then says so."""
    actions: tuple[Action, ...] = ()
    if loading is not None:
        state, actions = turns.take(state, loading, now)
        state = replace(state, refusals=0, group=None if state.group is None else 2 * state.group)
        if state.group is not None and state.group >= state.settings.group_limit:
            state = replace(state, group=None)
    state, answers = _settle(state, outcomes, now)
    if loading is not None:
        # Only for a commit is git asked.
        state = turns.in_touch(state, now, has_looked=False)
    state, following = turns.go_on(state, now)
    return state, (*actions, *answers, *following)


def overtaken(state: State) -> Step:
    """Somebody pushed before us: the updates wait for a pull, and are judged again on what it brings."""
    state, actions = turns.pull(replace(_requeued(state), task=Task.NONE))
    return state, (Log("info", "somebody pushed before us; pulling, then making the updates there"), *actions)


def refused(state: State, outcomes: tuple[Outcome, ...], reason: str, now: Moment) -> Step:
    """The remote does not take the commit: none of the updates in it is made.

    Of several, it may be one that a hook minds: halves are tried, until it is alone. A remote that refuses
    one after the other, each alone, refuses all.
    """
    if len(state.writing) > 1 and state.refusals < REFUSALS_LIMIT:
        state = replace(_requeued(state), group=len(state.writing) // 2)
        log = Log("info", f"the repository refuses a commit of {len(outcomes)} updates; trying half of them")
        state, following = turns.go_on(state, now)
        return state, (log, *following)
    verdict = failure(EDECode.NOT_READY, f"the repository refuses the commit: {reason}")
    log = Log("error", f"the repository refuses the commit of {len(outcomes)} updates: {reason}")
    state, answers = _settle(state, _without_commit(outcomes, verdict), now)
    state = replace(state, refusals=state.refusals + 1)
    state, following = turns.go_on(turns.in_touch(state, now, has_looked=False), now)
    return state, (log, *answers, *following)


def failed(
    state: State, reason: str, attempt: str | None, outcomes: tuple[Outcome, ...], now: Moment
) -> Step:
    """The commit did not come through, or nobody knows: the updates wait for the next try."""
    if attempt is not None:
        state = replace(state, attempts=(*state.attempts, Attempt(attempt, outcomes)))
    state = replace(_requeued(state), trouble=reason)
    return turns.retry_later(state, f"updates could not be pushed: {reason}", now)


def landed(state: State, commit: str | None, now: Moment) -> Step:
    """A fetch tells which of the commits with unknown outcome is in the repository; the others are not.

    Others may still come, if the server is slow: they stay known for as long as updates of theirs wait.
    """
    attempt = next((attempt for attempt in state.attempts if attempt.commit == commit), None)
    answers: tuple[Action, ...] = ()
    if attempt is not None:
        found = {outcome.number for outcome in attempt.outcomes}
        mine = tuple(each for each in state.updates if each.submission.number in found)
        rest = tuple(each for each in state.updates if each.submission.number not in found)
        state, answers = _settle(replace(state, writing=mine, updates=rest), attempt.outcomes, now)
        state = replace(state, attempts=tuple(each for each in state.attempts if each is not attempt))
    return _without_stale_attempts(state), answers


def time_passed(state: State, now: Moment) -> Step:
    """Gives up on updates that waited too long; one in the commit under way may come to be nevertheless."""
    late = [each for each in (*state.writing, *state.updates) if _is_late(each, now)]
    if not late:
        return state, ()
    numbers = {each.submission.number for each in late}
    why = state.trouble or "the push is still under way"
    verdict = failure(EDECode.NETWORK_ERROR, f"the update is not in the repository yet: {why}")
    actions = tuple(action for each in late for action in _answer(each, verdict, now))
    kept = tuple(each for each in state.updates if each.submission.number not in numbers)
    gone = (each for each in state.updates if each.submission.number in numbers)
    state = replace(
        state,
        writing=tuple(
            replace(each, is_answered=True) if each.submission.number in numbers else each
            for each in state.writing
        ),
        updates=kept,
        memory=_noting(state.memory, dict.fromkeys(each.identity for each in gone), now),
    )
    return _without_stale_attempts(state), actions


def wake_at(state: State) -> float | None:
    """When the first update has waited too long: not always the oldest, which may have been sent again."""
    waiting = (each.until for part in (state.writing, state.updates) for each in part if not each.is_answered)
    return min(waiting, default=None)


def _pending(state: State, asked: Asked, signature: Signature, read: update.Update, now: Moment) -> Pending:
    request = asked.request
    return Pending(
        submission=Submission(state.arrivals, read, signature.signer, request.peer[0]),
        askers=(Asker(request, signature.context, asked.query[:2]),),
        query=asked.query,
        identity=memory.identify(
            signature.context.prior_mac, asked.query, signature.original_id, signature.signer.key.octets
        ),
        since=now.monotonic,
        until=now.monotonic + state.settings.patience,
    )


def _read(asked: Asked) -> update.Update | Denied:
    """The update, if it is from somebody who may send any: reading it costs more than to send it."""
    if asked.signer is not None and asked.signer.grant.may(Operation.UPDATE):
        return update.read(asked.query)
    try:
        scope = read_question(asked.query).name
    except MalformedError as error:
        return deny(dns.rcode.FORMERR, str(error))
    return deny_stranger(scope, asked.signer)


def _deny(state: State, asked: Asked, denied: Denied, now: Moment) -> Step:
    wire = response(asked.query, denied.rcode, extended=denied.reason, reserve=asked.reserve)
    rcode = dns.rcode.to_text(denied.rcode)
    quota, log = state.quota.tell(
        asked.request,
        f"an update is answered {rcode}: {denied.reason.text}",
        now,
        key=name_of(asked),
        reason=denied.reason.text,
    )
    answered = UpdateAnswered(denied.rcode)
    return replace(state, quota=quota), (*reply(asked, wire, now), answered, *log)


def _answer_again(state: State, again: Pending, verdict: Verdict, now: Moment) -> Step:
    """The answer that is known; this signature must not make the update again later."""
    known = state.memory.noting_signatures(again.identity, verdict, now.monotonic)
    return replace(state, memory=known), _answer(again, verdict, now)


def _join(state: State, again: Pending, now: Moment) -> Step | None:
    """Has the sender wait with those who sent the same message and still wait; None: nobody does."""
    message = again.identity.message
    known = next(
        (each for each in (*state.writing, *state.updates) if each.identity.message == message), None
    )
    if known is None:
        return None
    if len(known.identity.signatures) >= SIGNATURES_LIMIT:
        often = failure(EDECode.NOT_READY, "the update waits for a push, and was sent too often")
        return _answer_again(state, again, often, now)
    joined = _joined(known, again)
    return replace(
        state,
        writing=tuple(joined if each is known else each for each in state.writing),
        updates=tuple(joined if each is known else each for each in state.updates),
        memory=state.memory.noting({joined.identity: memory.PENDING}, now.monotonic),
    ), ()


def _joined(known: Pending, again: Pending) -> Pending:
    """The update with one more who asks for it, or with a newer signature of one who does."""
    (asker,), (signature,) = again.askers, again.identity.signatures
    is_replay = signature in known.identity.signatures
    signatures = known.identity.signatures if is_replay else (*known.identity.signatures, signature)
    identity = replace(known.identity, signatures=signatures)
    if known.is_answered:
        return replace(again, submission=known.submission, identity=identity)
    # Anybody may have captured a message and send it, so nobody loses his place to a signature that is known.
    askers = known.askers
    if all(each.whom != asker.whom for each in askers):
        askers = (*askers, asker)[:ASKERS_LIMIT]
    elif not is_replay:
        askers = tuple(asker if each.whom == asker.whom else each for each in askers)
    return replace(known, askers=askers, identity=identity)


def _is_full(state: State, pending: Pending) -> bool:
    settings, count = state.settings, len(state.updates)
    if count >= settings.updates_limit:
        return True
    # Only very many can have too many octets.
    if (count + 1) * MESSAGE_LIMIT <= settings.updates_octets:
        return False
    return sum(len(each.query) for each in state.updates) + len(pending.query) > settings.updates_octets


def _begin(state: State, now: Moment) -> Step:
    """Starts git if it is idle; if it failed lately, it is tried again soon."""
    if state.task is not Task.NONE:
        return state, ()
    if state.failures == 0:
        return turns.go_on(state, now)
    soon = now.monotonic + state.settings.retry
    return replace(state, next_pull=soon if state.next_pull is None else min(state.next_pull, soon)), ()


def _settle(state: State, outcomes: tuple[Outcome, ...], now: Moment) -> Step:
    """Answers the updates of the commit that was under way."""
    pending = {each.submission.number: each for each in state.writing}
    serials = _serials_since(state, outcomes)
    verdicts: dict[Identity, Answered | None] = {}
    actions: list[Action] = []
    for outcome in outcomes:
        each = pending.get(outcome.number)
        if each is None:
            continue
        verdicts[each.identity] = Answered(outcome.verdict, serials.get(outcome.number))
        state, logs = _tell(state, each, outcome, now)
        actions += logs
        if not each.is_answered:
            actions += _answer(each, outcome.verdict, now)
    state = replace(state, writing=(), memory=_noting(state.memory, verdicts, now))
    return state, tuple(actions)


def _tell(state: State, pending: Pending, outcome: Outcome, now: Moment) -> tuple[State, tuple[Log, ...]]:
    """A line for what was changed, and for what was denied as long as the minute's quota lasts."""
    key, reason = pending.submission.signer.key.text, outcome.verdict.reason
    if outcome.words:
        text = f"update by {key}.: {', '.join(outcome.words)}"
        return state, (Log("info", text, outcome.apex, pending.submission.client, key),)
    if reason is None:
        return state, ()
    rcode = dns.rcode.to_text(outcome.verdict.rcode)
    quota, log = state.quota.tell(
        pending.askers[0].request,
        f"an update by {key}. is answered {rcode}: {reason.text}",
        now,
        key=key,
        reason=reason.text,
    )
    return replace(state, quota=quota), log


def _serials_since(state: State, outcomes: tuple[Outcome, ...]) -> dict[int, int]:
    """By number of the update: the serial of its zone, unless a later one in the commit changed that too."""
    last = {outcome.apex: outcome.number for outcome in outcomes if outcome.words}
    zones = state.loaded.zones
    return {
        outcome.number: zone.zone.serial
        for outcome in outcomes
        if last.get(outcome.apex, outcome.number) <= outcome.number
        and (zone := zones.get(outcome.apex or "")) is not None
        and zone.zone is not None
    }


def _noting(known: Memory, verdicts: Mapping[Identity, Answered | None], now: Moment) -> Memory:
    """Remembers verdicts; after SERVFAIL another try may have more luck."""
    entries = {
        identity: None if answered is None or answered.verdict.rcode == dns.rcode.SERVFAIL else answered
        for identity, answered in verdicts.items()
    }
    return known.noting(entries, now.monotonic) if entries else known


def _without_commit(outcomes: tuple[Outcome, ...], verdict: Verdict) -> tuple[Outcome, ...]:
    """The verdicts that are left where the commit is not: those that do not rest on anything in it."""
    return tuple(
        outcome if outcome.is_settled else replace(outcome, verdict=verdict, words=()) for outcome in outcomes
    )


def _requeued(state: State) -> State:
    """The updates of the commit that was under way wait again, but for those that were told SERVFAIL."""
    again = tuple(each for each in state.writing if not each.is_answered)
    return replace(state, writing=(), updates=(*again, *state.updates))


def _without_stale_attempts(state: State) -> State:
    waiting = {each.submission.number for each in (*state.writing, *state.updates)}
    kept = tuple(
        attempt
        for attempt in state.attempts
        if any(outcome.number in waiting for outcome in attempt.outcomes)
    )
    return replace(state, attempts=kept)


def _is_late(pending: Pending, now: Moment) -> bool:
    return pending.until <= now.monotonic and not pending.is_answered


def _answer(pending: Pending, verdict: Verdict, now: Moment) -> tuple[SendReply | UpdateAnswered, ...]:
    """The answer to everybody who asked; it counts as one."""
    reserve = pending.askers[0].context.reserve
    wire = response(pending.query, verdict.rcode, extended=verdict.reason, reserve=reserve)
    if wire is None:
        return ()
    replies = (
        SendReply(each.request, sign_reply(each.identifier + wire[2:], each.context, int(now.wall)))
        for each in pending.askers
    )
    return *replies, UpdateAnswered(verdict.rcode, now.monotonic - pending.since)
