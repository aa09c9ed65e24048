"""The authority and our account: opened once, anew when it does not know us, spared when it is not well.

While `due` is to come nothing is asked; jobs rest until then.
"""

from __future__ import annotations

from dataclasses import replace

from oakroot.certificates.orders import Fault, Offer, Problem
from oakroot.certifier import news
from oakroot.certifier.events import Action, Ask, Log, Moment, Open
from oakroot.certifier.state import AuthorityState, State, Turn
from oakroot.secondary.timers import doubled

_OPENING = "."
_LIMITED_HOSTS = 3


def open_if_due(state: State, now: Moment) -> Turn:
    """Opens the account where there is none, and it is time."""
    authority = state.authority
    if authority.offer is not None or authority.ticket is not None or authority.due > now.monotonic:
        return state, ()
    state, ticket = state.with_ticket(_OPENING)
    return replace(state, authority=replace(authority, ticket=ticket)), (Ask(ticket, Open()),)


def opened(state: State, answer: Offer | Problem, now: Moment) -> Turn:
    """The account is open, or not."""
    authority = replace(state.authority, ticket=None)
    if isinstance(answer, Problem):
        # What is wrong with an account is seldom mended within seconds, and may be a wrong option.
        state = replace(state, authority=authority)
        state, wait = _pause(state, answer, now)
        return state, (_trouble(answer, wait),)
    unknown = _unknown_profile(state, answer)
    state = replace(state, authority=AuthorityState(answer))
    log = Log("info", f"account {answer.account}")
    return state, (log, *unknown)


def _unknown_profile(state: State, offer: Offer) -> tuple[Action, ...]:
    wanted = state.settings.profile
    if wanted is None or wanted in (offer.profiles or {}):
        return ()
    known = ", ".join(sorted(offer.profiles or {})) or "none"
    return (Log("error", f"the authority has no profile {wanted!r}; it has: {known}"),)


def profile(state: State) -> str | None:
    """The profile to order by: the one that the operator wants, where the authority knows it."""
    offer, wanted = state.authority.offer, state.settings.profile
    return wanted if offer is not None and wanted in (offer.profiles or {}) else None


def is_ready(state: State, now: Moment) -> bool:
    """Whether it can be asked now."""
    return state.authority.offer is not None and state.authority.due <= now.monotonic


def answered_well(state: State) -> State:
    """It did what was asked."""
    authority = state.authority
    if not authority.failures and not authority.limited:
        return state
    return replace(state, authority=replace(authority, failures=0, limited=0))


def unavailable(state: State, problem: Problem, now: Moment) -> Turn:
    """It is not well: spared for a while. Several jobs may notice at once, and count as one."""
    if state.authority.due > now.monotonic:
        return state, ()
    state, wait = _pause(state.counting("authority_failures"), problem, now)
    return state, (_trouble(problem, wait),)


def rate_limited(state: State, problem: Problem, now: Moment) -> Turn:
    """A host met a limit. Whether that is one of the host or of the account, the authority does not tell.

    So the others go on, until several in a row have met it.
    """
    state = state.counting("rate_limits")
    authority = replace(state.authority, limited=state.authority.limited + 1)
    state = replace(state, authority=authority)
    if authority.limited < _LIMITED_HOSTS or authority.due > now.monotonic:
        return state, ()
    state, wait = _pause(state, problem, now)
    return state, (_trouble(problem, wait),)


def unknown_account(state: State, problem: Problem, now: Moment) -> Turn:
    """It does not know the account any more, or will not work for it: opened anew."""
    if state.authority.offer is None:
        return state, ()
    authority = replace(state.authority, offer=None)
    state, wait = _pause(replace(state, authority=authority), problem, now)
    return state, (_trouble(problem, wait),)


def _pause(state: State, problem: Problem, now: Moment) -> tuple[State, float]:
    settings, failures = state.settings, state.authority.failures + 1
    wait = min(doubled(settings.authority_retry, failures), settings.authority_retry_limit)
    wait = max(state.dice.spread(wait, "authority", failures, now.monotonic), problem.retry_after or 0.0)
    authority = replace(state.authority, failures=failures, due=now.monotonic + wait)
    return replace(state, authority=authority), wait


def _trouble(problem: Problem, wait: float) -> Log:
    level = "error" if problem.fault in {Fault.ACCOUNT, Fault.REFUSED} else "warning"
    return Log(
        "error" if level == "error" else "warning", f"authority: {problem}; next try in {news.duration(wait)}"
    )
