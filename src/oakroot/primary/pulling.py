"""When to pull, when to push, and what the NOTIFYs that wait for it are told.

Each function takes a state and gives the next one with the actions to carry out. One pull or push is under
way at a time. A NOTIFY that arrives during a pull waits for the next one, because the push it speaks of may
have come after the pull had looked; any number of them share that next pull.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dns.edns import EDECode

from oakroot.distribution.actions import Spread
from oakroot.distribution.fanout import Changed
from oakroot.primary.events import Action, Fetch, Push
from oakroot.primary.news import commit_message, describe_loading, describe_push
from oakroot.primary.state import State, Task, Waiting
from oakroot.primary.verdict import Verdict, failure, of_zone
from oakroot.protocol.message import response
from oakroot.protocol.tsig import sign_reply
from oakroot.roles.events import Log, Moment, Publish, SendReply
from oakroot.zones.loaded import Loaded, Loading

# Pushing may take rounds: somebody was faster, or zones share the file with their SOA. A remote with which it
# never comes to an end is left alone for a while.
ROUNDS_LIMIT = 10

Step = tuple[State, tuple[Action, ...]]


def pull(state: State) -> Step:
    """Pulls, or sees to it that one more pull follows what git is busy with."""
    if state.task is not Task.NONE:
        return replace(state, pull_wanted=True), ()
    state = replace(
        state,
        task=Task.PULL,
        waiting=state.queued,
        queued=(),
        pull_wanted=False,
        next_pull=None,
    )
    return state, (Fetch(state.loaded),)


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
    return pull(state) if state.task is Task.NONE else (state, ())


def _renew(known: Waiting, again: Waiting) -> Waiting:
    return replace(again, until=known.until) if known.identity == again.identity else known


def fetched(state: State, loading: Loading, now: Moment, *, rewritten: bool) -> Step:
    """A new commit is loaded: serves it, and tells those who waited whether it is what they meant."""
    before = state.loaded
    logs = (Log("warning", "the repository's history was rewritten; following it"),) if rewritten else ()
    state, publish = _take(state, loading)
    state, answers = _answer_all(state, now, lambda each: of_zone(each.zone, loading.loaded, before))
    state, following = _go_on(_in_touch(state, now), now)
    return state, (*logs, *publish, *answers, *following)


def nothing_new(state: State, now: Moment) -> Step:
    """The remote holds what is loaded already."""
    loaded = state.loaded
    state, answers = _answer_all(state, now, lambda each: of_zone(each.zone, loaded, loaded))
    state, following = _go_on(_in_touch(state, now), now)
    return state, (*answers, *following)


def fetch_failed(state: State, reason: str, now: Moment) -> Step:
    """The remote could not be asked: what is served stays, and git is tried again later."""
    verdict = failure(EDECode.NETWORK_ERROR, f"the pull failed: {reason}")
    state, answers = _answer_all(state, now, lambda _: verdict)
    served = "nothing is served yet" if state.loaded.commit is None else "what is served stays"
    state, actions = _retry_later(state, f"the pull failed, {served}: {reason}", now)
    return state, (*answers, *actions)


def pushed(state: State, loading: Loading, now: Moment) -> Step:
    """Our commit is in the repository, and loaded."""
    logs = describe_push(state.edits)
    state, publish = _take(state, loading)
    state, following = _go_on(_in_touch(state, now), now)
    return state, (*logs, *publish, *following)


def push_overtaken(state: State) -> Step:
    """Somebody pushed before us: what they have is pulled first."""
    state, actions = pull(replace(state, task=Task.NONE))
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
    state, following = _go_on(_in_touch(replace(state, push_refused=True), now), now)
    return state, (*logs, *following)


def push_failed(state: State, reason: str, now: Moment) -> Step:
    """The push did not come through: git is tried again later."""
    return _retry_later(state, f"raised serials could not be pushed: {reason}", now)


def time_passed(state: State, now: Moment) -> Step:
    """Gives up on NOTIFYs that waited too long, and pulls if it is time to."""
    late = [each for each in (*state.waiting, *state.queued) if each.until <= now.monotonic]
    verdict = failure(EDECode.NOT_READY, "the pull is still under way; its outcome will be in the log")
    actions = tuple(action for each in late for action in _answer(each, verdict, now))
    state = replace(
        state,
        waiting=tuple(each for each in state.waiting if each not in late),
        queued=tuple(each for each in state.queued if each not in late),
    )
    if state.task is Task.NONE and state.next_pull is not None and state.next_pull <= now.monotonic:
        state, following = pull(state)
        return state, (*actions, *following)
    return state, actions


def wake_at(state: State) -> float | None:
    """When `TimePassed` is due, on the clock that never jumps; None: not before another event."""
    moments = [each.until for each in (*state.waiting, *state.queued)]
    if state.task is Task.NONE and state.next_pull is not None:
        moments.append(state.next_pull)
    return min(moments, default=None)


def _take(state: State, loading: Loading) -> Step:
    """Serves what was loaded."""
    before, loaded = state.loaded, loading.loaded
    state = replace(
        state,
        loaded=loaded,
        edits=loading.edits,
        push_refused=state.push_refused and loaded.commit == before.commit,
        versions=state.versions.after(loading.changes),
    )
    publish = () if loaded.catalogue is before.catalogue else (Publish(loaded.catalogue),)
    return state, (*publish, *describe_loading(loading, before), *_spread(loading, before))


def _spread(loading: Loading, before: Loaded) -> tuple[Action, ...]:
    """Tells the secondaries, if there is news for them."""
    loaded, changes = loading.loaded, loading.changes
    if not changes and loaded.keyring == before.keyring:
        return ()
    served = [apex for apex, zone in loaded.zones.items() if zone.zone is not None]
    changed = [change.apex for change in changes]
    return (Spread(Changed(loaded.catalogue, loaded.keyring, served, changed)),)


def _in_touch(state: State, now: Moment) -> State:
    """Git answered: nothing is under way any more, and the next pull is the one that is due by the clock."""
    poll = state.settings.poll
    return replace(
        state, task=Task.NONE, failures=0, next_pull=None if poll is None else now.monotonic + poll
    )


def _go_on(state: State, now: Moment) -> Step:
    """What git does next. Pushing comes first: its outcome is what those who wait will hear of."""
    if not state.edits or state.push_refused:
        state = replace(state, rounds=0)
        return pull(state) if state.queued or state.pull_wanted else (state, ())
    if state.rounds >= ROUNDS_LIMIT:
        state = replace(state, rounds=0)
        return _retry_later(state, f"raised serials could not be pushed in {ROUNDS_LIMIT} rounds", now)
    state = replace(state, task=Task.PUSH, rounds=state.rounds + 1)
    return state, (Push(state.edits, commit_message(state.edits), state.loaded),)


def _retry_later(state: State, text: str, now: Moment) -> Step:
    """Tries git again after a while; at once if somebody came meanwhile: what hindered it may be over."""
    settings = state.settings
    wait = min(settings.retry * 2.0 ** min(state.failures, 30), settings.retry_limit)
    state = replace(state, task=Task.NONE, failures=state.failures + 1, next_pull=now.monotonic + wait)
    if state.queued or state.pull_wanted:
        state, actions = pull(state)
        return state, (Log("error", text), *actions)
    return state, (Log("error", f"{text}; next try in {wait:.0f} s"),)


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
