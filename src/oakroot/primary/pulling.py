"""When to pull, when to push, and what the NOTIFYs that wait for it are told.

Each function takes a state and gives the next one with the actions to carry out. One pull or push is under
way at a time. A NOTIFY that arrives during a pull waits for the next one, because the push it speaks of may
have come after the pull had looked; any number of them share that next pull.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dns.edns import EDECode

from oakroot.primary import turns, updating
from oakroot.primary.events import Action
from oakroot.primary.news import describe_loading, describe_push
from oakroot.primary.state import State, Task, Waiting
from oakroot.primary.turns import Step
from oakroot.primary.verdict import Verdict, failure, of_zone
from oakroot.protocol.message import response
from oakroot.protocol.tsig import sign_reply
from oakroot.roles.events import Log, Moment, SendReply
from oakroot.zones.loaded import Loading


def await_pull(state: State, waiting: Waiting, now: Moment) -> Step:
    """Lets a NOTIFY wait for a pull that begins after its arrival."""
    known = (*state.waiting, *state.queued)
    if any(each.identity == waiting.identity for each in known):
        # A retransmission: its pull is on its way. It may be signed anew, and its sender awaits an answer to
        # that.
        renewed = replace(
            state,
            waiting=tuple(_renew(each, waiting) for each in state.waiting),
            queued=tuple(_renew(each, waiting) for each in state.queued),
        )
        return renewed, ()
    if len(known) >= state.settings.waiting_limit:
        full = failure(EDECode.NOT_READY, "too many NOTIFYs are waiting for a pull; try again later")
        return state, _answer(waiting, full, now)
    state = replace(state, queued=(*state.queued, waiting))
    return turns.pull(state) if state.task is Task.NONE else (state, ())


def _renew(known: Waiting, again: Waiting) -> Waiting:
    return replace(again, until=known.until) if known.identity == again.identity else known


def fetched(
    state: State, loading: Loading, now: Moment, *, rewritten: bool = False, landed: str | None = None
) -> Step:
    """A new commit is loaded: serves it, and tells those who waited whether it is what they meant."""
    before = state.loaded
    logs = (Log("warning", "the repository's history was rewritten; following it"),) if rewritten else ()
    state, publish = _take(state, loading, now)
    state, answers = _answer_all(state, now, lambda each: of_zone(each.zone, loading.loaded, before))
    state, updated = updating.landed(state, landed, now)
    if rewritten and before.commit is None:
        # What was served before this process began is not in this history.
        state = replace(state, recall_wanted=False)
        updated = (*updated, turns.tell_all(state))
    state, recalling = turns.recall(state)
    state, following = turns.go_on(turns.in_touch(state, now, has_looked=True), now)
    return state, (*logs, *publish, *answers, *updated, *recalling, *following)


def nothing_new(state: State, now: Moment) -> Step:
    """The remote holds what is loaded already."""
    loaded = state.loaded
    state, answers = _answer_all(state, now, lambda each: of_zone(each.zone, loaded, loaded))
    state, following = turns.go_on(turns.in_touch(state, now, has_looked=True), now)
    return state, (*answers, *following)


def fetch_failed(state: State, reason: str, now: Moment) -> Step:
    """The remote could not be asked: what is served stays, and git is tried again later."""
    verdict = failure(EDECode.NETWORK_ERROR, f"the pull failed: {reason}")
    state, answers = _answer_all(state, now, lambda _: verdict)
    served = "nothing is served yet" if state.loaded.commit is None else "what is served stays"
    state, actions = turns.retry_later(state, f"the pull failed, {served}: {reason}", now)
    return state, (*answers, *actions)


def pushed(state: State, loading: Loading, now: Moment) -> Step:
    """Our commit is in the repository, and loaded."""
    logs = describe_push(state.edits)
    state, publish = _take(state, loading, now)
    state, following = turns.go_on(turns.in_touch(state, now, has_looked=False), now)
    return state, (*logs, *publish, *following)


def push_overtaken(state: State) -> Step:
    """Somebody pushed before us: what they have is pulled first."""
    state, actions = turns.pull(replace(state, task=Task.NONE))
    return state, (Log("info", "somebody pushed before us; pulling, then pushing again"), *actions)


def push_refused(state: State, reason: str, now: Moment) -> Step:
    """We may not push: the raised serials live in memory only."""
    logs = tuple(
        Log(
            "warning",
            f"serial {edit.new_serial} is served, but the repository says {edit.old_serial}: "
            f"the push was refused: {reason}",
            edit.apex,
        )
        for edit in state.edits
    )
    state = turns.in_touch(replace(state, push_refused=True), now, has_looked=False)
    state, following = turns.go_on(state, now)
    return state, (*logs, *following)


def push_failed(state: State, reason: str, now: Moment) -> Step:
    """The push did not come through: git is tried again later."""
    return turns.retry_later(state, f"raised serials could not be pushed: {reason}", now)


def time_passed(state: State, now: Moment) -> Step:
    """Gives up on NOTIFYs and updates that waited too long, and pulls if it is time to."""
    late = [each for each in (*state.waiting, *state.queued) if each.until <= now.monotonic]
    verdict = failure(EDECode.NOT_READY, "the pull is still under way; its outcome will be in the log")
    actions = tuple(action for each in late for action in _answer(each, verdict, now))
    state = replace(
        state,
        waiting=tuple(each for each in state.waiting if each not in late),
        queued=tuple(each for each in state.queued if each not in late),
    )
    state, updated = updating.time_passed(state, now)
    if state.task is Task.NONE and turns.is_pull_due(state, now):
        state, following = turns.pull(state)
        return state, (*actions, *updated, *following)
    return state, (*actions, *updated)


def wake_at(state: State) -> float | None:
    """When `TimePassed` is due, on the clock that never jumps; None: not before another event."""
    moments = [each.until for each in (*state.waiting, *state.queued)]
    if state.task is Task.NONE and state.next_pull is not None:
        moments.append(state.next_pull)
    updates = updating.wake_at(state)
    return min(moments if updates is None else [*moments, updates], default=None)


def _take(state: State, loading: Loading, now: Moment) -> Step:
    """Serves what was loaded, and tells of it."""
    before = state.loaded
    state, actions = turns.take(state, loading, now)
    return state, (*describe_loading(loading, before), *actions)


def _answer_all(state: State, now: Moment, verdict: Callable[[Waiting], Verdict]) -> Step:
    """Answers the NOTIFYs for which the pull was made."""
    actions = tuple(action for each in state.waiting for action in _answer(each, verdict(each), now))
    return replace(state, waiting=()), actions


def _answer(waiting: Waiting, verdict: Verdict, now: Moment) -> tuple[Action, ...]:
    """The signed response to a NOTIFY."""
    wire = response(
        waiting.query,
        verdict.rcode,
        authoritative=verdict.reason is None,
        extended=verdict.reason,
        reserve=waiting.context.reserve,
    )
    if wire is None:
        return ()
    return (SendReply(waiting.request, sign_reply(wire, waiting.context, int(now.wall))),)
