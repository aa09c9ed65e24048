"""The certifier as a function: a state and an event in, the next state and the actions to carry out, out.

Everything that a certifier decides is decided below this file, and nothing below it knows a socket, a clock,
a file or the log: `service` does. Its copies of zones come from a secondary that runs beside it.
"""

from __future__ import annotations

from dataclasses import replace

from oakroot.certificates.orders import Offer, Problem, RenewalWindow
from oakroot.certifier import authority, hosts, jobs, leftovers, steps
from oakroot.certifier.events import (
    Action,
    Answered,
    Event,
    Moment,
    Probed,
    RefreshRequested,
    Rekeyed,
    Started,
    TimePassed,
    UpdateEnded,
    ZonesChanged,
)
from oakroot.certifier.state import ORPHANED_AFTER, Host, Job, Settings, State, Turn, new_state, wake_at

__all__ = ["Settings", "State", "handle", "new_state", "wake_at"]


def handle(state: State, event: Event, now: Moment) -> tuple[State, tuple[Action, ...]]:
    """What becomes of a certifier by an event, and what is to be done, in this order. Never raises."""
    state, actions = _handle(state, event, now)
    state, opening = authority.open_if_due(state, now)
    state, started = jobs.start_waiting(state, now)
    return state, (*actions, *opening, *started)


def _handle(  # noqa: PLR0911 - one arm for each event, and nothing else
    state: State, event: Event, now: Moment
) -> Turn:
    match event:
        case Started(remembered):
            state = replace(state, started=now.monotonic, remembered=dict(remembered))
            return leftovers.started(state, now), ()
        case ZonesChanged():
            return hosts.zones_changed(state, event, now)
        case Answered():
            return _answered(state, event, now)
        case UpdateEnded() if state.leftovers.ticket == event.ticket:
            return leftovers.ended(state, event, now)
        case UpdateEnded() | Probed():
            return _ended(state, event, now)
        case Rekeyed(grants):
            return replace(state, settings=replace(state.settings, grants=grants)), ()
        case RefreshRequested():
            state = replace(state, authority=replace(state.authority, due=now.monotonic))
            return hosts.retry_all(state, now)
        case TimePassed():
            return _time_passed(state, now)


def _answered(state: State, event: Answered, now: Moment) -> Turn:
    if state.authority.ticket == event.ticket:
        if not isinstance(event.answer, Offer | Problem):
            raise AssertionError("an account was to be opened")
        return _opened(state.without_ticket(event.ticket), event.answer, now)
    host = state.hosts.get(state.tickets.get(event.ticket, ""))
    state = state.without_ticket(event.ticket)
    if host is None:
        return state, ()
    if host.window_ticket == event.ticket and isinstance(event.answer, RenewalWindow | Problem):
        return hosts.renewal_answered(state, host, event.answer, now)
    job = _job(host, event.ticket)
    return (state, ()) if job is None else jobs.answered(state, host, job, event, now)


def _opened(state: State, answer: Offer | Problem, now: Moment) -> Turn:
    state, actions = authority.opened(state, answer, now)
    taken = list(actions)
    if isinstance(answer, Offer) and answer.has_renewal_info:
        # Hosts with certificates rest; now there is something to ask about them.
        for host in list(state.hosts.values()):
            state, more = hosts.judge(state, host, now)
            taken += more
    return state, tuple(taken)


def _ended(state: State, event: UpdateEnded | Probed, now: Moment) -> Turn:
    host = state.hosts.get(state.tickets.get(event.ticket, ""))
    state = state.without_ticket(event.ticket)
    job = None if host is None else _job(host, event.ticket)
    if host is None or job is None:
        return state, ()
    if isinstance(event, Probed):
        return jobs.probed(state, host, job, event, now)
    return jobs.update_ended(state, host, job, event, now)


def _job(host: Host, ticket: int) -> Job | None:
    return host.job if host.job is not None and host.job.ticket == ticket else None


def _time_passed(state: State, now: Moment) -> Turn:
    state, orphans = _adopt_orphans(state, now)
    state, actions = leftovers.time_passed(state, now)
    taken = [*orphans, *actions]
    for owner in state.agenda.due(now.monotonic):
        host = state.hosts[owner]
        if host.job is None:
            state, more = hosts.judge(state, replace(host, due=now.monotonic), now)
        else:
            state, more = steps.perform(state, host, host.job, now)
        taken += more
    return state, tuple(taken)


def _adopt_orphans(state: State, now: Moment) -> Turn:
    """Some time after a start: what is remembered of hosts that are not there any more is left over."""
    if now.monotonic < state.started + ORPHANED_AFTER:
        return state, ()
    actions: list[Action] = []
    for owner in state.orphans:
        records = state.remembered[owner].records
        state, remember = leftovers.forget(leftovers.add(state, records), owner)
        actions.append(remember)
    return state, tuple(actions)
