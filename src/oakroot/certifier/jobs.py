"""The work on one certificate: what follows from how each of its steps ended.

    ORDER | RESUME -> PUBLISH -> PROBE -> VALIDATE -> AWAIT_VALIDATION -> CLEAN
           -> FINALIZE -> AWAIT_ISSUE -> DOWNLOAD -> INSTALL

How a step is begun and tried again is known to `steps`.
"""

from __future__ import annotations

from dataclasses import replace

import dns.rcode

from oakroot.certificates.certificate import is_fresh, matches, read_chain
from oakroot.certificates.names import write_name
from oakroot.certificates.orders import Fault, Order, Problem, Status
from oakroot.certificates.rejected import RejectedError
from oakroot.certifier import authority, hosts, leftovers, news
from oakroot.certifier.events import (
    Action,
    Answered,
    Downloaded,
    Moment,
    Probed,
    Remembered,
    UpdateEnded,
    UpdateTaken,
    UpdateUnwanted,
    Validated,
)
from oakroot.certifier.proofs import find_proofs, objection_of_caa
from oakroot.certifier.state import Failure, Host, Job, State, Step, Turn
from oakroot.certifier.steps import again, clean, end, enter, fail, installed, rest, step_wait

_CLEANING_TRIES = 3
_FINAL_RCODES = frozenset(
    {dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.REFUSED, dns.rcode.NOTAUTH, dns.rcode.NOTZONE}
)


def start_waiting(state: State, now: Moment) -> Turn:
    """Begins as many jobs as there is room for, while the authority can be asked."""
    actions: list[Action] = []
    while state.queue and authority.is_ready(state, now) and state.at_work < state.settings.jobs:
        host = state.hosts[state.queue[0]]
        state = replace(state, queue=state.queue[1:])
        # What was published meanwhile may have changed what it needs.
        state, more = _begin(state, host, now)
        actions += more
    return state, tuple(actions)


def _begin(state: State, host: Host, now: Moment) -> Turn:
    if host.request is None:
        return hosts.judge(state, host, now)
    known = state.remembered.get(host.owner)
    job = Job(host.request, Step.ORDER, now.monotonic)
    if host.issued:
        job = replace(job, chain=host.issued)
        return enter(state, host, job, Step.INSTALL, now)
    if known is not None:
        job = replace(job, records=known.records, is_resumed=True)
        state, actions = enter(state, host, job, Step.RESUME, now)
        return state, (news.about("info", host, "taking up the order of before the restart"), *actions)
    return _order(state, host, job, now)


def _order(state: State, host: Host, job: Job, now: Moment) -> Turn:
    job = replace(job, order=None, is_resumed=False)
    objection = objection_of_caa(state, job.request)
    if objection is not None:
        return end(state, host, job, Failure(objection), now)
    why = (
        f"the present one is good until {news.moment(host.chain[0].not_after)}"
        if host.chain
        else "there is none"
    )
    state, actions = enter(state.counting("orders"), host, job, Step.ORDER, now)
    return state, (news.ordering(host, why), *actions)


# --- what the authority says ---


def answered(state: State, host: Host, job: Job, event: Answered, now: Moment) -> Turn:
    """The authority answered the question of the step."""
    job = replace(job, ticket=None)
    if isinstance(event.answer, Problem):
        return _refused(state, host, job, event.answer, now)
    state = authority.answered_well(state)
    match event.answer:
        case Order() as order if job.step is Step.EXPLAIN:
            return fail(state, host, job, Failure(_why_invalid(order)), now)
        case Order() as order:
            return _ordered(state, host, job, order, now)
        case Validated():
            job = replace(job, step=Step.AWAIT_VALIDATION, since=now.monotonic, tries=0)
            return rest(state, host, job, step_wait(state, 1), now)
        case Downloaded(pem):
            return _downloaded(state, host, job, pem, now)
        case _:
            raise AssertionError("no step asks for anything else")


def _ordered(state: State, host: Host, job: Job, order: Order, now: Moment) -> Turn:
    """How the order stands says what comes next."""
    if job.step in {Step.ORDER, Step.RESUME}:
        if order.names != job.request.names:
            return _anew(state, host, job, now)
        job = replace(job, order=order)
        state, remember = leftovers.remember(state, host.owner, Remembered(order.url, job.records))
        state, actions = _advance(state, host, job, now)
        return state, (remember, *actions)
    known = job.order
    authorizations = () if known is None else known.authorizations
    return _advance(state, host, replace(job, order=replace(order, authorizations=authorizations)), now)


def _advance(  # noqa: PLR0911 - one arm for each state of an order
    state: State, host: Host, job: Job, now: Moment
) -> Turn:
    order = job.order
    if order is None:
        raise AssertionError("an order advances")
    match order.status:
        case Status.PENDING if job.step in {Step.ORDER, Step.RESUME}:
            return _prove(state, host, job, order, now)
        case Status.PENDING | Status.PROCESSING if job.step in {Step.AWAIT_VALIDATION, Step.AWAIT_ISSUE}:
            return again(state, host, job, order.retry_after or 0.0, "not done yet", now, level="debug")
        case Status.READY | Status.PROCESSING | Status.VALID if job.records:
            return clean(state, host, job, now)
        case Status.READY:
            return enter(state, host, job, Step.FINALIZE, now)
        case Status.PENDING | Status.PROCESSING:
            job = replace(job, step=Step.AWAIT_ISSUE, since=now.monotonic, tries=0)
            return rest(state, host, job, order.retry_after or step_wait(state, 1), now)
        case Status.VALID if order.certificate_url is not None:
            return enter(state, host, job, Step.DOWNLOAD, now)
        case _ if job.is_resumed:
            return _anew(state, host, job, now)
        case _:
            return enter(state, host, job, Step.EXPLAIN, now)


def _prove(state: State, host: Host, job: Job, order: Order, now: Moment) -> Turn:
    """Publishes what the authority wants to see."""
    try:
        proofs = find_proofs(state, order, now)
    except RejectedError as error:
        return fail(state, host, job, Failure(news.explained(error)), now)
    old = tuple(record for record in job.records if record not in proofs.records)
    zones = tuple(sorted({record.place.zone for record in proofs.records}))
    job = replace(job, records=proofs.records, zones=zones, challenges=proofs.challenges)
    state, remember = leftovers.remember(
        leftovers.add(state, old), host.owner, Remembered(order.url, proofs.records)
    )
    unseen = Step.VALIDATE if proofs.challenges else Step.AWAIT_VALIDATION
    state, actions = enter(state, host, job, Step.PUBLISH if proofs.records else unseen, now)
    return state, (remember, *actions)


def _downloaded(state: State, host: Host, job: Job, pem: str, now: Moment) -> Turn:
    try:
        certificate, above = read_chain(pem)
    except RejectedError as error:
        return fail(state, host, job, Failure(error.message), now)
    is_fit = matches(certificate, job.request)
    if job.is_resumed and not (is_fit and is_fresh(certificate, now.wall)):
        return _anew(state, host, job, now)
    if not is_fit:
        return fail(
            state, host, job, Failure("the certificate that was issued is not what was asked for"), now
        )
    state = state.counting("certificates")
    return enter(state, host, replace(job, chain=(certificate, *above)), Step.INSTALL, now)


def _anew(state: State, host: Host, job: Job, now: Moment) -> Turn:
    """The order of before a restart is of no use: forgets it, and places another."""
    state, remember = leftovers.forget(leftovers.add(state, job.records), host.owner)
    state, actions = _order(state, host, replace(job, records=()), now)
    return state, (remember, *actions)


def _refused(  # noqa: PLR0911 - one arm for each kind of refusal
    state: State, host: Host, job: Job, problem: Problem, now: Moment
) -> Turn:
    """The authority did not do what the step asks for."""
    match problem.fault:
        case Fault.UNAVAILABLE:
            state, logs = authority.unavailable(state, problem, now)
            state, actions = again(state, host, job, 0.0, str(problem), now)
            return state, (*logs, *actions)
        case Fault.RATE_LIMITED if job.step is not Step.ORDER:
            return again(state, host, job, problem.retry_after or 0.0, str(problem), now)
        case Fault.RATE_LIMITED:
            state, logs = authority.rate_limited(state, problem, now)
            state, actions = fail(state, host, job, Failure(str(problem), problem.retry_after or 0.0), now)
            return state, (*logs, *actions)
        case _ if job.step is Step.RESUME:
            return _anew(state, host, job, now)
        case Fault.ACCOUNT:
            state, logs = authority.unknown_account(state, problem, now)
            state, actions = fail(state, host, job, Failure(str(problem)), now)
            return state, (*logs, *actions)
        case _ if problem.code == "orderNotReady":
            return again(state, host, job, problem.retry_after or 0.0, str(problem), now)
        case _ if job.step is Step.ORDER and job.tries == 0 and "replace" in str(problem).lower():
            # What an order replaces is a courtesy (RFC 9773 §5), and no reason to go without.
            return again(state, host, job, 0.0, str(problem), now)
        case _:
            return fail(state, host, job, Failure(str(problem)), now)


def _why_invalid(order: Order) -> str:
    reasons = [
        f"{write_name(authorization.name)}: {challenge.problem}"
        for authorization in order.authorizations
        for challenge in authorization.challenges
        if challenge.problem is not None
    ]
    if order.problem is not None and not reasons:
        reasons = [str(order.problem)]
    return f"validation failed: {'; '.join(reasons)}" if reasons else f"the order is {order.status.value}"


# --- what the primary and the name servers say ---


def update_ended(state: State, host: Host, job: Job, event: UpdateEnded, now: Moment) -> Turn:
    """The primary took the step's UPDATE, or not."""
    job, outcome = replace(job, ticket=None), event.outcome
    state = state.counting("updates" if isinstance(outcome, UpdateTaken) else "update_failures")
    if job.step is Step.CLEAN:
        return _cleaned(state, host, job, event, now)
    if not isinstance(outcome, UpdateTaken):
        if isinstance(outcome, UpdateUnwanted) and outcome.rcode in _FINAL_RCODES:
            return fail(state, host, job, Failure(f"the primary refuses: {outcome.reason}"), now)
        return again(state, host, job, 0.0, outcome.reason, now)
    if job.step is Step.INSTALL:
        return installed(state, host, job, now)
    job = replace(job, zones=job.zones[1:])
    return enter(state, host, job, Step.PUBLISH if job.zones else Step.PROBE, now)


def probed(state: State, host: Host, job: Job, event: Probed, now: Moment) -> Turn:
    """The name servers were asked; all have to have the challenges, as the authority may ask any of them."""
    job = replace(job, ticket=None)
    is_tolerated = now.monotonic - job.since >= state.settings.silence
    if event.missing or (event.silent and not is_tolerated):
        return again(state, host, job, 0.0, "; ".join((*event.missing, *event.silent)), now)
    # A server that is down shall not keep a certificate from us, nor from the authority, which asks another.
    logs = tuple(
        news.about("warning", host, f"asking for validation although {text}") for text in event.silent
    )
    state, actions = enter(state, host, job, Step.VALIDATE, now)
    return state, (*logs, *actions)


def _cleaned(state: State, host: Host, job: Job, event: UpdateEnded, now: Moment) -> Turn:
    zone = job.zones[0]
    if not isinstance(event.outcome, UpdateTaken):
        if job.tries + 1 < _CLEANING_TRIES:
            return again(state, host, job, 0.0, event.outcome.reason, now)
        # The certificate does not wait for that.
        state = leftovers.add(state, (record for record in job.records if record.place.zone == zone))
    records = tuple(record for record in job.records if record.place.zone != zone)
    job = replace(job, records=records, zones=job.zones[1:])
    if job.zones:
        return enter(state, host, job, Step.CLEAN, now)
    if job.failure is not None:
        return end(state, host, job, job.failure, now)
    url = "" if job.order is None else job.order.url
    state, remember = leftovers.remember(state, host.owner, Remembered(url))
    state, actions = _advance(state, host, job, now)
    return state, (remember, *actions)
