"""What is remembered over a restart, and challenges that nobody is at work to remove.

A record is ours to remove if we remember having published it: others may have challenges at the same name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from oakroot.certifier.events import (
    Action,
    Log,
    Moment,
    Record,
    Remember,
    Remembered,
    SendUpdate,
    UpdateEnded,
    UpdateTaken,
)
from oakroot.certifier.places import texts_at
from oakroot.certifier.state import NEVER, Leftovers, State, Turn
from oakroot.secondary.timers import doubled

NOBODY = ""
"""Under this name leftovers are remembered."""

_PAUSE = 5.0
_RETRY, _RETRY_LIMIT = 60.0, 3600.0
_GIVE_UP = 100


def remember(state: State, owner: str, known: Remembered) -> tuple[State, Remember]:
    """Remembers an order and its records."""
    return _remembered(replace(state, remembered={**state.remembered, owner: known}))


def forget(state: State, owner: str) -> tuple[State, Remember]:
    """Forgets them."""
    left = {each: known for each, known in state.remembered.items() if each != owner}
    return _remembered(replace(state, remembered=left))


def add(state: State, records: Iterable[Record]) -> State:
    """Has records removed, soon."""
    known = state.leftovers
    more = tuple(record for record in records if record not in known.records)
    if not more:
        return state
    # At once would be too early after a restart: our copies of the zones are still to come.
    due = min(known.due, state.started + _PAUSE) if known.due != NEVER else state.started + _PAUSE
    return replace(state, leftovers=replace(known, records=(*known.records, *more), due=due))


def started(state: State, now: Moment) -> State:
    """Takes up those of before a restart."""
    known = state.remembered.get(NOBODY)
    if known is None:
        return state
    state = replace(state, remembered={o: k for o, k in state.remembered.items() if o != NOBODY})
    return add(replace(state, started=now.monotonic), known.records)


def time_passed(state: State, now: Moment) -> Turn:
    """Removes those of one zone; the others follow."""
    known = state.leftovers
    if known.ticket is not None or known.due > now.monotonic:
        return state, ()
    held = tuple(each for each in known.records if state.catalogue.zone(each.place.zone) is not None)
    if known.records and not held:
        return replace(state, leftovers=replace(known, due=now.monotonic + _RETRY)), ()
    # One that does not stand in our copy is gone, or will be seen when the copy is newer.
    there = tuple(each for each in held if each.value in texts_at(state.catalogue, each.place))
    others = tuple(each for each in known.records if each not in held)
    if not there:
        due = now.monotonic + _RETRY if others else NEVER
        return _only_when_changed(replace(state, leftovers=Leftovers(others, due)))
    zone = there[0].place.zone
    sent = tuple(record for record in there if record.place.zone == zone)
    state, ticket = state.with_ticket(NOBODY)
    state = replace(
        state, leftovers=replace(known, records=(*there, *others), due=NEVER, ticket=ticket, sent=sent)
    )
    return state, (SendUpdate(ticket, zone, delete=rdatas(sent), add=()),)


def ended(state: State, event: UpdateEnded, now: Moment) -> Turn:
    """The UPDATE is through, or not."""
    known, state = state.leftovers, state.without_ticket(event.ticket)
    if isinstance(event.outcome, UpdateTaken):
        left = tuple(record for record in known.records if record not in known.sent)
        state = replace(state, leftovers=Leftovers(left, now.monotonic if left else NEVER))
        return _only_when_changed(state)
    failures = known.failures + 1
    wait = min(doubled(_RETRY, failures), _RETRY_LIMIT)
    if failures >= _GIVE_UP:
        state = replace(state, leftovers=Leftovers())
        log = Log("error", f"challenges stay in {known.sent[0].place.zone}: {event.outcome.reason}")
        state, actions = _only_when_changed(state)
        return state, (log, *actions)
    state = replace(
        state, leftovers=replace(known, due=now.monotonic + wait, ticket=None, sent=(), failures=failures)
    )
    text = f"cannot remove challenges from {known.sent[0].place.zone}: {event.outcome.reason}"
    return state, (Log("warning", text),)


def rdatas(records: Iterable[Record]) -> tuple[tuple[str, str, str], ...]:
    """Records as an UPDATE has them."""
    return tuple((record.place.owner, "TXT", f'"{record.value}"') for record in records)


def _remembered(state: State) -> tuple[State, Remember]:
    known = dict(state.remembered)
    if state.leftovers.records:
        known[NOBODY] = Remembered("", state.leftovers.records)
    return state, Remember(known)


def _only_when_changed(state: State) -> Turn:
    state, action = _remembered(state)
    actions: tuple[Action, ...] = (action,)
    return state, actions
