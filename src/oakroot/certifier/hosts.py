"""The hosts: which names in our zones have requests, and what each of them needs when.

A host that needs an order waits in the queue for its turn; what happens then is decided by `jobs`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import dns.name

from oakroot._engine import Zone
from oakroot.certificates.certificate import Certificate, renewal_due, renewal_identifier
from oakroot.certificates.forms import TYPE, Published, read_records
from oakroot.certificates.names import host_of, write_names
from oakroot.certificates.orders import Problem, RenewalWindow
from oakroot.certificates.rejected import RejectedError
from oakroot.certificates.signing_request import SigningRequest, names_outside
from oakroot.certifier import leftovers, news
from oakroot.certifier.events import Action, Ask, AskRenewal, Moment, ZonesChanged
from oakroot.certifier.places import zone_of
from oakroot.certifier.state import NEVER, Host, State, Step, Turn

_RENEWAL_INFO_RETRY = 21600.0
_RENEWAL_INFO_SHORTEST = 60.0
# Whatever the authority suggests, a tenth of the lifetime is kept for things that go wrong.
_LAST_PART = 10
_TOLERANCE = 0.5


def zones_changed(state: State, event: ZonesChanged, now: Moment) -> Turn:
    """Looks at what changed, and at that alone."""
    looked: list[tuple[str, str]] = []
    arrived = False
    for apex in event.apexes:
        before, after = state.catalogue.zone(apex), event.catalogue.zone(apex)
        arrived = arrived or (before is None and after is not None)
        looked += [(owner, apex) for owner in _changed_owners(before, after)]
    state = replace(state, catalogue=event.catalogue, apexes=_apexes(state, event))
    actions: list[Action] = []
    for owner, apex in looked:
        state, more = _look(state, owner, apex, now)
        actions += more
    if arrived:
        # A name that was in none of our zones may be in one now.
        for host in [host for host in state.hosts.values() if host.refusal is not None]:
            state, more = judge(state, host, now)
            actions += more
    return state, tuple(actions)


def _apexes(state: State, event: ZonesChanged) -> frozenset[str]:
    held = {apex for apex in event.apexes if event.catalogue.zone(apex) is not None}
    return (state.apexes - set(event.apexes)) | held


def _changed_owners(before: Zone | None, after: Zone | None) -> list[str]:
    """Names whose TLSA records differ, in the order of the zone."""
    if before is not None and after is not None:
        removed, added = before.difference(after)
        records: Iterable[tuple[str, int, str, str]] = [*removed, *added]
    else:
        zone = before or after
        records = () if zone is None else zone.records()
    return list(dict.fromkeys(owner.lower() for owner, _, kind, _ in records if kind == TYPE))


def _look(state: State, owner: str, apex: str, now: Moment) -> Turn:
    """Takes in what is published at a name."""
    name = host_of(dns.name.from_text(owner))
    if name is None:
        return state, ()
    zone = state.catalogue.zone(apex)
    nearest = zone_of(state.catalogue, name)
    if zone is not None and nearest is not None and nearest.apex != apex:
        # It lies below a cut, and we have the zone that begins there.
        return state, ()
    records = [] if zone is None else zone.records_of(owner, TYPE)
    rdatas = tuple(sorted(rdata for *_, rdata in records))
    host = state.hosts.get(owner) or Host(owner, name, apex, ())
    published, request, refusal = _read(rdatas, name)
    if request is None and refusal is None:
        return _without_request(state, replace(host, rdatas=rdatas, published=published, request=None))
    if request != host.request:
        # Whoever asks anew does not wait for what became of the old request.
        host = replace(host, failures=0, retry_at=-NEVER, issued=(), window=None, window_due=0.0)
    if host.issued and host.issued[0].der in published.certificates:
        host = replace(host, issued=())
    actions: tuple[Action, ...] = ()
    if refusal is not None and refusal != host.refusal:
        state, actions = state.counting("refused"), (news.refused(host, refusal),)
    if host.job is not None and host.job.step is Step.INSTALL and host.job.ticket is None:
        # It was refused because the records were not as we knew them; now we know them.
        host = replace(host, job=replace(host.job, due=now.monotonic))
    host = replace(
        host,
        zone=apex,
        rdatas=rdatas,
        published=published,
        request=request,
        chain=() if request is None else published.chain_for(request),
        refusal=refusal,
        due=now.monotonic,
    )
    # It waits in the queue for what was asked before; what is asked now is judged like any other.
    state = replace(state, queue=tuple(other for other in state.queue if other != owner))
    state, more = judge(state, host, now)
    return state, (*actions, *more)


def _read(
    rdatas: tuple[str, ...], name: dns.name.Name
) -> tuple[Published, SigningRequest | None, str | None]:
    """(what is published, the request, why it is refused)."""
    published = Published()
    try:
        published = read_records(rdatas)
        request = published.request()
        if request is not None:
            request.require_host(name)
    except RejectedError as error:
        return published, None, news.explained(error)
    return published, request, None


def _without_request(state: State, host: Host) -> Turn:
    """Nothing is asked for here, any more or ever; a job at work ends by itself."""
    if host.owner not in state.hosts:
        return state, ()
    host = replace(host, refusal=None, due=NEVER)
    if host.job is not None:
        return state.with_host(host), ()
    return state.with_host(host).without_host(host.owner), ()


def judge(state: State, host: Host, now: Moment) -> Turn:
    """Decides what a host needs: nothing for now, or its turn. One at work or in the queue has it."""
    if host.job is not None or host.owner in state.queue:
        return state.with_host(host), ()
    if host.request is None:
        state = state.with_host(replace(host, due=NEVER))
        return (state.without_host(host.owner) if host.refusal is None else state), ()
    objection, wait = _objection(state, host.request, host, now)
    if wait > 0:
        return state.with_host(replace(host, due=now.monotonic + wait)), ()
    if objection is None:
        return _judge_certificate(state, replace(host, refusal=None), now)
    is_news = objection != host.refusal
    state = state.with_host(replace(host, refusal=objection, due=NEVER))
    return (state.counting("refused"), (news.refused(host, objection),)) if is_news else (state, ())


def _judge_certificate(state: State, host: Host, now: Moment) -> Turn:
    """Orders, or rests until that is due; meanwhile the authority may be asked when it is."""
    chain = host.issued or host.chain
    is_unseen = bool(host.issued) and host.issued_until <= now.monotonic
    wanted = now.monotonic if not chain or is_unseen else _from_wall(renewal(state, host, chain[0]), now)
    wanted = max(wanted, host.retry_at)
    # Two clocks subtracted are not exact; a moment that is nearly there is there.
    if wanted <= now.monotonic + _TOLERANCE:
        return replace(state.with_host(replace(host, due=NEVER)), queue=(*state.queue, host.owner)), ()
    state, forgotten = _settled(state, host) if chain and not host.failures else (state, ())
    state, host, asked = _renewal_question(state, host, chain, now)
    rest = min(wanted, now.monotonic + state.settings.longest_rest, _next_question(state, host, chain))
    if host.issued and not is_unseen:
        rest = min(rest, host.issued_until)
    return state.with_host(replace(host, due=rest)), (*forgotten, *asked)


def _objection(state: State, request: SigningRequest, host: Host, now: Moment) -> tuple[str | None, float]:
    """(why its names are not ordered, how long to wait before saying so)."""
    if state.settings.own_names_only:
        foreign = names_outside(request.names, [host.name])
        if foreign:
            text = f"{write_names(foreign)} is not below the host, and --own-names-only is given"
            return text, 0.0
    zones = [
        zone
        for zone in map(dns.name.from_text, state.apexes)
        if not names_outside([zone], state.settings.grants)
    ]
    outside = names_outside(request.names, zones)
    if not outside:
        return None, 0.0
    wait = max(state.started + state.settings.settling - now.monotonic, 0.0)
    return f"{write_names(outside)} is in no zone that this certifier may update", wait


def renewal(state: State, host: Host, certificate: Certificate) -> float:
    """From when on to renew, in seconds since 1970: by its lifetime, or when the authority suggests."""
    if host.window is None:
        return renewal_due(certificate)
    length = host.window.end - host.window.start
    chosen = host.window.start + length * state.dice.fraction(host.owner, host.window.start)
    return min(chosen, certificate.not_after - certificate.lifetime / _LAST_PART)


def _from_wall(wall: float, now: Moment) -> float:
    """The same moment on the clock that never jumps."""
    return now.monotonic + wall - now.wall


def _asks_renewal(state: State, chain: tuple[Certificate, ...]) -> bool:
    offer = state.authority.offer
    return bool(chain) and offer is not None and offer.has_renewal_info


def _next_question(state: State, host: Host, chain: tuple[Certificate, ...]) -> float:
    """When to ask for renewal information; an answer that is on its way comes by itself."""
    return host.window_due if _asks_renewal(state, chain) and host.window_ticket is None else NEVER


def _renewal_question(
    state: State, host: Host, chain: tuple[Certificate, ...], now: Moment
) -> tuple[State, Host, tuple[Action, ...]]:
    if _next_question(state, host, chain) > now.monotonic:
        return state, host, ()
    identifier = renewal_identifier(chain[0])
    if identifier is None:
        return state, replace(host, window_due=NEVER), ()
    state, ticket = state.with_ticket(host.owner)
    return state, replace(host, window_ticket=ticket), (Ask(ticket, AskRenewal(identifier)),)


def replaced_identifier(state: State, host: Host) -> str | None:
    """The certificate that an order replaces (RFC 9773 §5), for authorities that want to know."""
    return renewal_identifier(host.chain[0]) if _asks_renewal(state, host.chain) else None


def renewal_answered(state: State, host: Host, answer: RenewalWindow | Problem, now: Moment) -> Turn:
    """The authority said when to renew, or did not."""
    host = replace(host, window_ticket=None)
    if isinstance(answer, Problem):
        wait = answer.retry_after or _RENEWAL_INFO_RETRY
        log = news.about("debug", host, f"no renewal information: {answer}")
        state, actions = judge(state, replace(host, window_due=now.monotonic + wait), now)
        return state, (log, *actions)
    wait = max(answer.retry_after, _RENEWAL_INFO_SHORTEST)
    why = "" if answer.explanation is None else f" ({answer.explanation})"
    log = news.about(
        "debug", host, f"to be renewed from {news.moment(answer.start)} to {news.moment(answer.end)}{why}"
    )
    state, actions = judge(state, replace(host, window=answer, window_due=now.monotonic + wait), now)
    return state, (log, *actions)


def _settled(state: State, host: Host) -> Turn:
    """A host that has its certificate: what was remembered of an order is done with, but for its records."""
    known = state.remembered.get(host.owner)
    if known is None:
        return state, ()
    state, remember = leftovers.forget(state, host.owner)
    state = leftovers.add(state, known.records)
    return state, (remember,)


def retry_all(state: State, now: Moment) -> Turn:
    """Forgets that things failed, and judges every host anew."""
    actions: list[Action] = []
    for host in list(state.hosts.values()):
        # What was asked before may be answered as of before.
        due = min(host.window_due, now.monotonic)
        fresh = replace(host, retry_at=-NEVER, failures=0, window_due=due, window_ticket=None)
        if fresh.job is not None and fresh.job.ticket is None:
            fresh = replace(fresh, job=replace(fresh.job, due=now.monotonic))
        state, more = judge(state, fresh, now)
        actions += more
    return state, tuple(actions)
