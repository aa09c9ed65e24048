"""What git does next, and what follows from every load: one thing at a time, everything in its turn.

A push wants to know what it is on top of, so git is never asked to do two things at once. What is waited for
takes turns: a pull, then the updates that came meanwhile, then raised serials, then the next pull. What must
not live here: the answers to those who wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from oakroot.distribution.actions import Spread
from oakroot.distribution.fanout import Changed
from oakroot.primary import catalogs
from oakroot.primary.events import Action, Fetch, Push, Recall, Recalled, Write
from oakroot.primary.news import commit_message
from oakroot.primary.state import Settings, State, Task
from oakroot.roles.events import Log, Moment, Publish
from oakroot.zones.loaded import Loaded, Loading, ZoneChange

# Pushing may take rounds: somebody was faster, or zones share the file with their SOA. A remote with which it
# never comes to an end is left alone for a while.
ROUNDS_LIMIT = 10
# While updates wait, which have their own patience, git is not left alone for longer.
LONGEST_WAIT_OF_UPDATES = 5.0

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
    return state, (Fetch(state.loaded, tuple(attempt.commit for attempt in state.attempts)),)


def in_touch(state: State, now: Moment, *, has_looked: bool) -> State:
    """Git answered: the next pull is the one that is due by the clock.

    `has_looked`: it told what the repository has. A push puts no pull off, not even one that came through:
    who polls wants to be able to rely on it, also while there are updates all the time.
    """
    poll = state.settings.poll
    due = None if poll is None else now.monotonic + poll
    if due is not None and state.next_pull is not None and not has_looked:
        due = min(due, state.next_pull)
    return replace(state, failures=0, trouble=None, next_pull=due)


def is_pull_due(state: State, now: Moment) -> bool:
    """Whether it is time to pull without being told."""
    return state.next_pull is not None and state.next_pull <= now.monotonic


def go_on(state: State, now: Moment) -> Step:
    """Git has ended what it was busy with, and does what is next."""
    done = state.task
    state = replace(state, task=Task.NONE)
    if not state.edits or state.push_refused:
        state = replace(state, rounds=0)
    pulling = (Task.PULL, bool(state.queued or state.pull_wanted or is_pull_due(state, now)))
    writing = (Task.WRITE, bool(state.updates))
    pushing = (Task.PUSH, bool(state.edits) and not state.push_refused)
    turns = {
        Task.PULL: (writing, pushing, pulling),
        Task.WRITE: (pushing, pulling, writing),
        Task.PUSH: (pushing, pulling, writing),
        Task.NONE: (pulling, writing, pushing),
    }
    task = next((task for task, is_wanted in turns[done] if is_wanted), Task.NONE)
    match task:
        case Task.PULL:
            return pull(state)
        case Task.WRITE:
            return _write(state)
        case Task.PUSH:
            return _push(state, now)
        case Task.NONE:
            return state, ()


def recall(state: State) -> Step:
    """Has history looked at, beside all that git does meanwhile: nobody is to wait for it."""
    if not state.recall_wanted:
        return state, ()
    return replace(state, recall_wanted=False, is_recalling=True), (Recall(state.loaded),)


def recalled(state: State, past: Recalled) -> Step:
    """Earlier versions were found in the history of what is loaded."""
    newest = {apex: each.zone for apex, each in state.loaded.zones.items() if each.zone is not None}
    state = replace(state, versions=state.versions.joined(past.versions, newest), is_recalling=False)
    count = sum(map(len, past.versions.values()))
    log = Log(
        "info", f"earlier versions found in {past.commits} commits: {count} of {len(past.versions)} zones"
    )
    if past.trouble is not None:
        log = Log("warning", f"history gives no earlier versions of zones: {past.trouble}")
    return state, (log, tell_all(state))


def retry_later(state: State, text: str, now: Moment) -> Step:
    """Tries git again after a while; at once if somebody came meanwhile: what hindered it may be over."""
    settings = state.settings
    wait = min(settings.retry * 2.0 ** min(state.failures, 30), settings.retry_limit)
    if state.updates:
        wait = min(wait, LONGEST_WAIT_OF_UPDATES)
    state = replace(state, task=Task.NONE, failures=state.failures + 1, next_pull=now.monotonic + wait)
    if state.queued or state.pull_wanted:
        state, actions = pull(state)
        return state, (Log("error", text), *actions)
    return state, (Log("error", f"{text}; next try in {wait:.0f} s"),)


def take(state: State, loading: Loading, now: Moment) -> Step:
    """Serves what was loaded, and tells the secondaries."""
    before, loaded = state.loaded, loading.loaded
    listed = catalogs.follow(state.settings.catalogs, state.catalogs, before, loaded, now.wall)
    changes = (*loading.changes, *listed.changes)
    state = replace(
        state,
        loaded=loaded,
        edits=loading.edits,
        push_refused=state.push_refused and loaded.commit == before.commit,
        versions=state.versions.after(changes),
        catalogs=listed.catalogs,
        recall_wanted=state.recall_wanted or before.commit is None,
    )
    publish = () if loaded.catalogue is before.catalogue else (Publish(state.published),)
    # After a start it is told when history was looked at: who hears of a change asks for differences.
    spread = () if state.recall_wanted or state.is_recalling else _spread(state, changes, before)
    return state, (*publish, *listed.logs, *spread)


def reconfigured(state: State, settings: Settings, now: Moment) -> Step:
    """The operator has decided anew, which may change what is offered and to whom."""
    before = state.settings
    listed = catalogs.offer_anew(settings.catalogs, before.catalogs, state.catalogs, state.loaded, now.wall)
    state = replace(
        state,
        settings=settings,
        catalogs=listed.catalogs,
        versions=state.versions.after(listed.changes),
    )
    changed = listed.changes or settings.transfer_rules != before.transfer_rules
    publish = (Publish(state.published),) if changed else ()
    return state, (*publish, *listed.logs, *_spread(state, listed.changes, state.loaded))


def _spread(state: State, changes: Sequence[ZoneChange], before: Loaded) -> tuple[Action, ...]:
    """Tells the secondaries, if there is news for them."""
    loaded = state.loaded
    if not changes and loaded.keyring == before.keyring:
        return ()
    changed = [change.apex for change in changes]
    return (Spread(Changed(loaded.catalogue, loaded.keyring, _served(state), changed)),)


def tell_all(state: State) -> Spread:
    """Tells the secondaries of all zones."""
    return tell_of(state, None)


def tell_of(state: State, apex: str | None) -> Spread:
    """Tells the secondaries of this zone, as if it had changed; None: of all zones."""
    served = _served(state)
    changed = served if apex is None else (apex,) if apex in served else ()
    return Spread(Changed(state.loaded.catalogue, state.loaded.keyring, served, changed))


def _served(state: State) -> tuple[str, ...]:
    zones = state.loaded.zones
    unserved = {apex for apex in state.loaded.exceptions if zones[apex].zone is None}
    served = (apex for apex in zones if apex not in unserved) if unserved else zones
    return (*served, *state.catalogs)


def _write(state: State) -> Step:
    limit = state.settings.group_limit if state.group is None else state.group
    state = replace(state, task=Task.WRITE, writing=state.updates[:limit], updates=state.updates[limit:])
    return state, (Write(tuple(each.submission for each in state.writing), state.loaded, state.edits),)


def _push(state: State, now: Moment) -> Step:
    if state.rounds >= ROUNDS_LIMIT:
        state = replace(state, rounds=0)
        return retry_later(state, f"raised serials could not be pushed in {ROUNDS_LIMIT} rounds", now)
    state = replace(state, task=Task.PUSH, rounds=state.rounds + 1)
    return state, (Push(state.edits, commit_message(state.edits), state.loaded),)
