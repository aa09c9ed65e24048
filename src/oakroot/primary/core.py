"""The primary as a function: a state and an event in, the next state and the actions to carry out, out.

Everything that a primary decides is decided below this file, and nothing below it knows a socket, a clock,
git or the log: `service` does, and tells what happened in the words of `events`.
"""

from __future__ import annotations

from oakroot.primary import pulling, turns, updating
from oakroot.primary.events import (
    Action,
    Event,
    Fetched,
    FetchFailed,
    NothingNewFetched,
    PullRequested,
    Pushed,
    PushFailed,
    PushOvertaken,
    PushRefused,
    Recalled,
    Reconfigured,
    Started,
    WriteFailed,
    WriteOvertaken,
    WriteRefused,
    Written,
)
from oakroot.primary.packets import received
from oakroot.primary.pulling import wake_at
from oakroot.primary.state import Settings, State, Task, new_state
from oakroot.roles.events import Moment, NotifyRequested, PacketReceived, TimePassed

__all__ = [
    "Settings",
    "State",
    "handle",
    "has_begun",
    "is_complete",
    "is_idle",
    "new_state",
    "wake_at",
]


def handle(  # noqa: C901, PLR0911, PLR0912 - one arm for each event, and nothing else
    state: State, event: Event, now: Moment
) -> tuple[State, tuple[Action, ...]]:
    """What becomes of a primary by an event, and what is to be done, in this order. Never raises."""
    match event:
        case PacketReceived(request):
            return received(state, request, now)
        case Started() | PullRequested():
            return turns.pull(state)
        case NotifyRequested(apex):
            return state, (turns.tell_of(state, apex),)
        case Reconfigured(settings):
            return turns.reconfigured(state, settings, now)
        case TimePassed():
            return pulling.time_passed(state, now)
        case Fetched(loading, rewritten, landed):
            return pulling.fetched(state, loading, now, rewritten=rewritten, landed=landed)
        case NothingNewFetched():
            return pulling.nothing_new(state, now)
        case FetchFailed(reason):
            return pulling.fetch_failed(state, reason, now)
        case Pushed(loading):
            return pulling.pushed(state, loading, now)
        case PushOvertaken():
            return pulling.push_overtaken(state)
        case PushRefused(reason):
            return pulling.push_refused(state, reason, now)
        case PushFailed(reason):
            return pulling.push_failed(state, reason, now)
        case Written(outcomes, loading):
            return updating.written(state, outcomes, loading, now)
        case Recalled():
            return turns.recalled(state, event)
        case WriteOvertaken():
            return updating.overtaken(state)
        case WriteRefused(outcomes, reason):
            return updating.refused(state, outcomes, reason, now)
        case WriteFailed(reason, attempt, outcomes):
            return updating.failed(state, reason, attempt, outcomes, now)


def is_complete(state: State) -> bool:
    """Whether the repository was loaded."""
    return state.loaded.commit is not None


def has_begun(state: State) -> bool:
    """Whether it was, or could not be at the first try."""
    return is_complete(state) or state.failures > 0


def is_idle(state: State) -> bool:
    """Whether nobody waits for git."""
    waiting = (state.waiting, state.queued, state.updates, state.writing)
    return state.task is Task.NONE and not any(waiting)
