"""The secondary as a function: a state and an event in, the next state and the actions to carry out, out.

Everything that a secondary decides is decided below this file, and nothing below it knows a socket, a clock,
a file or the log: `service` does, and tells what happened in the words of `events`.
"""

from __future__ import annotations

from dataclasses import replace

from oakroot.protocol.wire import MalformedError, read_header
from oakroot.secondary import catalogs, links, replanning, rounds, serving
from oakroot.secondary.events import (
    Action,
    Event,
    LinkClosed,
    LinkHeard,
    LinkOpened,
    LinkRequest,
    Moment,
    NotifyRequested,
    PacketReceived,
    Publish,
    RefreshRequested,
    Replanned,
    RetransferRequested,
    Started,
    StoredZone,
    TimePassed,
    TransferEnded,
)
from oakroot.secondary.packets import received
from oakroot.secondary.serving import kept
from oakroot.secondary.state import Entry, Idle, Settings, State, Step, Wish, new_state, wake_at

__all__ = ["Settings", "State", "handle", "kept", "new_state", "wake_at"]


def handle(  # noqa: C901, PLR0911, PLR0912 - one arm for each event, and nothing else
    state: State, event: Event, now: Moment
) -> tuple[State, tuple[Action, ...]]:
    """What becomes of a secondary by an event, and what is to be done, in this order. Never raises."""
    match event:
        case PacketReceived(request):
            return received(state, request, now)
        case LinkHeard(server) | LinkOpened(server) | LinkClosed(server) if server not in state.links:
            # No key is for it any more; its link is being closed.
            return state, ()
        case LinkHeard(server, wire):
            if _is_request(wire):
                return received(state, LinkRequest(server, wire), now)
            return _told(links.heard(state, server, wire, now), now)
        case LinkOpened(server):
            return links.opened(state, server, now)
        case LinkClosed(server, reason):
            return _told(links.closed(state, server, reason, now), now)
        case TransferEnded():
            return rounds.transfer_ended(state, event, now)
        case TimePassed():
            return _time_passed(state, now)
        case Started(stored):
            return _started(state, stored, now)
        case Replanned():
            return replanning.replanned(state, event, now)
        case RefreshRequested(apex):
            return _refresh_all(state, now) if apex is None else _refresh_one(state, apex, now)
        case RetransferRequested(apex):
            return _retransfer(state, apex)
        case NotifyRequested(apex):
            return state, (serving.tell_of(state, apex),)


def _started(state: State, stored: tuple[StoredZone, ...], now: Moment) -> Step:
    for name in dict.fromkeys((*state.plan.zones, *sorted(state.settings.catalogs))):
        state, _ = serving.add(state, name, now, named=True, shown=True)
    state, restored = catalogs.restore(state, stored, now)
    state, actions = _refresh_all(state, now)
    return state, (*restored, Publish(state.catalogue), *actions)


def _refresh_all(state: State, now: Moment) -> Step:
    """Checks every zone, over connections that are opened where there are none."""
    state, actions = links.start(state, now)
    taken = list(actions)
    for apex in state.zones:
        state, more = _refresh(state, state.zones[apex], now)
        taken += more
    return state, tuple(taken)


def _refresh_one(state: State, apex: str, now: Moment) -> Step:
    entry = state.zones.get(apex)
    return (state, ()) if entry is None else _refresh(state, entry, now)


def _retransfer(state: State, apex: str) -> Step:
    entry = state.zones.get(apex)
    return (state, ()) if entry is None else rounds.retransfer(state, entry)


def _refresh(state: State, entry: Entry, now: Moment) -> Step:
    wish = Wish(signed=False)
    if isinstance(entry.phase, Idle):
        return rounds.begin(state, entry, wish, now)
    return state.with_zone(replace(entry, wish=rounds.merged(entry.wish, wish))), ()


def _time_passed(state: State, now: Moment) -> Step:
    state, actions = _told(links.time_passed(state, now), now)
    taken = list(actions)
    for apex in state.agenda.due(now.monotonic):
        state, more = _zone_due(state, state.zones[apex], now)
        taken += more
    return state, tuple(taken)


def _zone_due(state: State, entry: Entry, now: Moment) -> Step:
    """A zone's moment has come: its version has expired, its next check is due, or both."""
    expiry: tuple[Action, ...] = ()
    if entry.held is not None and entry.held.expires <= now.monotonic:
        state, expiry = serving.expire(state, entry, entry.held)
        entry = state.zones[entry.apex]
    if not isinstance(entry.phase, Idle) or entry.phase.due > now.monotonic:
        return state, expiry
    state, actions = rounds.begin_due(state, entry, now)
    return state, (*expiry, *actions)


def _told(told: links.Told, now: Moment) -> Step:
    """Lets zones know what came of their questions."""
    state, actions, outcomes = told
    taken = list(actions)
    for outcome in outcomes:
        if isinstance(outcome, links.Answered):
            state, more = rounds.answered(state, outcome.question, outcome.answer, now)
        else:
            state, more = rounds.lost(state, outcome.question, outcome.reason, now)
        taken += more
    return state, tuple(taken)


def _is_request(wire: bytes) -> bool:
    try:
        return not read_header(wire).is_response
    except MalformedError:
        return False
