"""The mechanics of a job: how a step begins, rests, is tried again, and how a job ends.

A job does one thing at a time. What follows from how a step ended is decided by `jobs`. Every way out goes
through `end`: a job that published challenges removes them first.
"""

from __future__ import annotations

from dataclasses import replace

from oakroot.certificates.certificate import is_fresh
from oakroot.certificates.forms import TTL, TYPE, replacement
from oakroot.certifier import authority, hosts, leftovers, news
from oakroot.certifier.events import (
    Action,
    Ask,
    Download,
    Finalize,
    Look,
    Moment,
    PlaceOrder,
    Probe,
    SendUpdate,
    Validate,
)
from oakroot.certifier.places import name_servers
from oakroot.certifier.state import NEVER, Failure, Host, Job, State, Step, Turn
from oakroot.roles.events import Level
from oakroot.secondary.timers import doubled

_ASKING = frozenset(Step) - {Step.PUBLISH, Step.PROBE, Step.CLEAN, Step.INSTALL}
"""Steps that ask the authority."""
_UNSEEN_SECONDS = 600.0
"""How long our copy of a zone may take to show the certificate that its primary has."""
_CALM_PART, _CALM_SECONDS = 10, 3600.0


def enter(state: State, host: Host, job: Job, step: Step, now: Moment) -> Turn:
    """Goes to a step, and begins it."""
    return perform(state, host, replace(job, step=step, since=now.monotonic, tries=0), now)


def perform(state: State, host: Host, job: Job, now: Moment) -> Turn:
    """Begins the step that the job stands at, the first time or again."""
    if job.step is not Step.CLEAN and _is_superseded(host, job):
        return fail(state, host, job, Failure("something else is asked for now", is_superseded=True), now)
    if job.step in _ASKING and not authority.is_ready(state, now):
        if now.monotonic - job.since > state.settings.patience:
            return fail(
                state, host, job, Failure("the authority was not well for too long", keeps_order=True), now
            )
        pause = max(state.authority.due - now.monotonic, state.settings.step_retry)
        return rest(state, host, job, pause, now)
    if job.step is Step.INSTALL and job.chain[0].der in host.published.certificates:
        # The answer to an earlier try was lost.
        return installed(state, host, job, now)
    state, ticket = state.with_ticket(host.owner)
    state = state.with_host(replace(host, job=replace(job, ticket=ticket, due=NEVER)))
    return state, (_action(state, host, job, ticket),)


def _is_superseded(host: Host, job: Job) -> bool:
    asked = host.request
    return asked is None or (asked.names, asked.public_key) != (job.request.names, job.request.public_key)


def _action(state: State, host: Host, job: Job, ticket: int) -> Action:
    match job.step:
        case Step.PUBLISH | Step.CLEAN:
            records = leftovers.rdatas(each for each in job.records if each.place.zone == job.zones[0])
            delete, add = (records, ()) if job.step is Step.CLEAN else ((), records)
            return SendUpdate(ticket, job.zones[0], delete=delete, add=add)
        case Step.PROBE:
            zones = {record.place.zone for record in job.records}
            servers = {zone: name_servers(state.catalogue, zone) for zone in sorted(zones)}
            return Probe(ticket, job.records, servers)
        case Step.INSTALL:
            return _installation(host, job, ticket)
        case _:
            return Ask(ticket, _question(state, host, job))


def _installation(host: Host, job: Job, ticket: int) -> SendUpdate:
    delete, add = replacement(host.published, job.chain)
    return SendUpdate(
        ticket,
        host.zone,
        delete=tuple((host.owner, TYPE, rdata) for rdata in delete),
        add=tuple((host.owner, TYPE, rdata) for rdata in add),
        ttl=TTL,
        # A request that was replaced in this moment shall not get an answer to the old one.
        required=tuple((host.owner, TYPE, rdata) for rdata in host.rdatas),
    )


def _question(state: State, host: Host, job: Job) -> PlaceOrder | Look | Validate | Finalize | Download:
    if job.step is Step.ORDER:
        replaces = hosts.replaced_identifier(state, host)
        return PlaceOrder(job.request.names, authority.profile(state), replaces if job.tries == 0 else None)
    if job.step is Step.RESUME:
        return Look(state.remembered[host.owner].order, closely=True)
    order = job.order
    if order is None:
        raise AssertionError("all steps but the first have an order")
    match job.step:
        case Step.VALIDATE:
            return Validate(job.challenges)
        case Step.FINALIZE:
            return Finalize(order, job.request.der)
        case Step.DOWNLOAD if order.certificate_url is not None:
            return Download(order.certificate_url)
        case _:
            return Look(order.url, closely=job.step is Step.EXPLAIN)


def rest(state: State, host: Host, job: Job, wait: float, now: Moment) -> Turn:
    """Waits so long, then the same step again."""
    return state.with_host(replace(host, job=replace(job, ticket=None, due=now.monotonic + wait))), ()


def again(
    state: State, host: Host, job: Job, wait: float, reason: str, now: Moment, *, level: Level = "info"
) -> Turn:
    """The same step once more, after a pause, unless it was tried for too long; the first time is told of."""
    job = replace(job, tries=job.tries + 1)
    settings = state.settings
    patience = settings.install_patience if job.step is Step.INSTALL else settings.patience
    if now.monotonic - job.since > patience:
        reason = f"tried for {news.duration(patience)} to {job.step.value}: {reason}"
        return fail(state, host, job, Failure(reason, keeps_order=True), now)
    state, actions = rest(state, host, job, max(wait, step_wait(state, job.tries)), now)
    log = news.about(level if job.tries == 1 else "debug", host, f"{job.step.value}: {reason}")
    return state, (log, *actions)


def step_wait(state: State, tries: int) -> float:
    """Seconds until the next try, after so many."""
    return min(doubled(state.settings.step_retry, tries), state.settings.step_retry_limit)


def clean(state: State, host: Host, job: Job, now: Moment) -> Turn:
    """Removes the challenges."""
    zones = tuple(sorted({record.place.zone for record in job.records}))
    return enter(state, host, replace(job, zones=zones), Step.CLEAN, now)


def fail(state: State, host: Host, job: Job, failure: Failure, now: Moment) -> Turn:
    """Ends a job in vain; its challenges are removed first."""
    if job.records and job.step is not Step.CLEAN:
        return clean(state, host, replace(job, failure=failure), now)
    return end(state, host, replace(job, failure=failure), failure, now)


def end(state: State, host: Host, job: Job, failure: Failure, now: Moment) -> Turn:
    """The job came to nothing; its host is looked at again after a while."""
    actions: tuple[Action, ...] = ()
    if not failure.keeps_order or job.step is Step.ORDER:
        state, remember = leftovers.forget(state, host.owner)
        actions = (remember,)
    if failure.is_superseded:
        state, more = hosts.judge(state, replace(host, job=None), now)
        return state, (*actions, *more)
    settings, failures = state.settings, host.failures + 1
    wait = min(doubled(settings.retry, failures), settings.retry_limit)
    wait = max(state.dice.spread(wait, host.owner, failures, now.monotonic), failure.wait)
    host = replace(
        host, job=None, failures=failures, retry_at=now.monotonic + wait, last_failure=failure.reason
    )
    state, more = hosts.judge(state.counting("failures").with_host(host), host, now)
    return state, (*actions, news.failed(host, failure.reason, wait), *more)


def installed(state: State, host: Host, job: Job, now: Moment) -> Turn:
    """The primary has the certificate."""
    certificate = job.chain[0]
    host = replace(
        host,
        job=None,
        # The NOTIFY may have been faster than the answer.
        issued=() if certificate.der in host.published.certificates else job.chain,
        issued_until=now.monotonic + _UNSEEN_SECONDS,
        failures=0,
        # Should the authority want it renewed at once, again and again.
        retry_at=now.monotonic + min(certificate.lifetime / _CALM_PART, _CALM_SECONDS),
        last_failure=None,
        window=None,
        window_due=now.monotonic,
        # What is still to come is about the certificate before.
        window_ticket=None,
    )
    logs: tuple[Action, ...] = (news.published(host, certificate),)
    if not is_fresh(certificate, now.wall):
        wait = state.settings.retry_limit
        host = replace(host, retry_at=now.monotonic + wait)
        text = "by our clock it is due for renewal already; is the clock right?"
        logs = (*logs, news.about("error", host, text))
    state, remember = leftovers.forget(state, host.owner)
    state, actions = hosts.judge(state.with_host(host), host, now)
    return state, (*logs, remember, *actions)
