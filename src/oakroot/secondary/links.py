"""The connections that are kept to primaries: when to open one, what to ask over it, what came of that.

A signed question for a SOA over a kept connection does two things: it tells the serial, and it tells the
primary that we are here, so that it can notify us over that connection, through a NAT if need be. Once per
connection the primary is asked so for each zone that a key names, and under each key for `.`: a primary that
knows this answers by notifying us of every zone that the key covers, also of those we have never heard of.

Not every primary keeps connections: many close them when idle, and are then called again less and less often.
A question that somebody needs answered opens a link at once, unless the last tries just failed.

What follows from answers is decided elsewhere: they leave here as values.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

import dns.name

from oakroot.frozen import frozen
from oakroot.protocol.soa_client import SoaAnswer, ask_soa, read_soa
from oakroot.protocol.wire import MalformedError, read_header
from oakroot.secondary.events import Action, AskLink, CloseLink, Log, Moment, OpenLink
from oakroot.secondary.sources import Server
from oakroot.secondary.state import Link, Pending, Question, State, Step
from oakroot.secondary.timers import doubled

_IDENTIFIERS = 1 << 16


@frozen
class Answered:
    """A question, and what the primary says to it."""

    question: Question
    answer: SoaAnswer


@frozen
class Lost:
    """A question that nobody answers, and why."""

    question: Question
    reason: str


Told = tuple[State, tuple[Action, ...], tuple[Answered | Lost, ...]]


def start(state: State, now: Moment) -> Step:
    """Opens every link that is closed, whatever came of earlier tries, and announces us anew on all."""
    actions: list[Action] = []
    for server, link in state.links.items():
        fresh = replace(link, register=now.monotonic, failures=0, drops=0, retry=now.monotonic)
        state, more = _opened_or_registered(state, server, fresh, now)
        actions += more
    return state, tuple(actions)


def refusal(state: State, server: Server, now: Moment) -> str | None:
    """Why a question would be in vain; None where it would not."""
    link = state.links[server]
    if link.opened is None and not link.opening and now.monotonic < link.retry:
        return link.reason
    return None


def ask(state: State, question: Question, now: Moment) -> Step:
    """Asks, over a link that is opened if need be. Meant for servers without `refusal`."""
    server = question.source.server
    link = state.links[server]
    if question not in link.waiting:
        link = replace(link, waiting={**link.waiting, question: None})
    if link.opened is not None:
        return _flush(state, server, link, now)
    if link.opening:
        return state.with_link(server, link), ()
    return state.with_link(server, replace(link, opening=True)), (_open(state, server),)


def is_unsent(state: State, question: Question) -> bool:
    """Whether the question is still to be sent, so that its answer will be later than now."""
    return question in state.links[question.source.server].waiting


def opened(state: State, server: Server, now: Moment) -> Step:
    """The connection is there."""
    link = replace(state.links[server], opening=False, opened=now.monotonic, answers=0)
    if link.register is not None and link.register <= now.monotonic:
        link = _registered(state, server, link)
    return _flush(state, server, link, now)


def heard(state: State, server: Server, wire: bytes, now: Moment) -> Told:
    """A response came; what answers no question of ours is left aside."""
    link = replace(state.links[server], heard=now.monotonic)
    state = state.with_link(server, link)
    try:
        pending = link.pending.get(read_header(wire).identifier)
    except MalformedError:
        pending = None
    answer = None if pending is None else read_soa(pending.asked, wire, int(now.wall))
    if pending is None or answer is None:
        return state, (Log("debug", f"remote {server} sent what answers no question"),), ()
    left = {number: each for number, each in link.pending.items() if each is not pending}
    link = replace(link, pending=left, answers=link.answers + 1, failures=0)
    state, actions = _flush(state, server, link, now)
    return state, actions, (Answered(pending.question, answer),)


def closed(state: State, server: Server, reason: str, now: Moment) -> Told:
    """The connection is gone, or could not be had."""
    link = state.links[server]
    unanswered = _unanswered(link)
    if link.answers and unanswered:
        # Some servers answer so many questions on a connection and no more.
        waiting, register = dict.fromkeys(unanswered), _next_registration(state, server, link, now)
        again = Link(opening=True, waiting=waiting, register=register)
        return state.with_link(server, again), (_open(state, server),), ()
    if link.opened is None or unanswered:
        return _failed(state, server, reason, now)
    if now.monotonic - link.opened >= state.settings.lasting_seconds:
        link = replace(link, drops=0)
    drops = link.drops + (link.register is None)
    idle = Link(register=_next_registration(state, server, link, now), drops=drops)
    return state.with_link(server, idle), (Log("debug", f"remote {server}: {reason}"),), ()


def time_passed(state: State, now: Moment) -> Told:
    """Gives up questions that have waited too long, and announces us where that is due."""
    actions: list[Action] = []
    outcomes: list[Answered | Lost] = []
    for server in state.links:
        state, more, lost = _give_up(state, server, now)
        actions += more
        outcomes += lost
        link = state.links[server]
        if not link.opening and link.register is not None and link.register <= now.monotonic:
            state, more = _opened_or_registered(state, server, link, now)
            actions += more
    return state, tuple(actions), tuple(outcomes)


def _give_up(state: State, server: Server, now: Moment) -> Told:
    link = state.links[server]
    seconds = state.settings.answer_seconds
    late = {number: each for number, each in link.pending.items() if each.sent + seconds <= now.monotonic}
    if not late:
        return state, (), ()
    reason = f"it did not answer within {seconds:.0f} s"
    if link.heard < min(each.sent for each in late.values()):
        state, actions, outcomes = _failed(state, server, reason, now)
        return state, (CloseLink(server), *actions), outcomes
    left = {number: each for number, each in link.pending.items() if number not in late}
    state, actions = _flush(state, server, replace(link, pending=left), now)
    return state, actions, tuple(Lost(each.question, reason) for each in late.values())


def _opened_or_registered(state: State, server: Server, link: Link, now: Moment) -> Step:
    """Announces us on a link that is there, or opens one to do it."""
    if link.opened is not None:
        return _flush(state, server, _registered(state, server, link), now)
    if link.opening:
        return state.with_link(server, link), ()
    return state.with_link(server, replace(link, opening=True)), (_open(state, server),)


def _registered(state: State, server: Server, link: Link) -> Link:
    """With the questions that tell the primary that we are here."""
    questions = dict.fromkeys((*link.waiting, *_registrations(state, server)))
    return replace(link, waiting=questions, register=None)


def _registrations(state: State, server: Server) -> Iterable[Question]:
    """Those for the zones that keys name, and those for `.`."""
    ours = [source for source in state.plan.sources if source.server == server]
    for source in ours:
        if source.zone != dns.name.root:
            yield Question(source.zone, source)
    for source in ours:
        yield Question(dns.name.root, source)


def _flush(state: State, server: Server, link: Link, now: Moment) -> Step:
    """Sends questions that wait, as many as may be under way."""
    room = state.settings.window - len(link.pending)
    pending, waiting, identifier = dict(link.pending), dict(link.waiting), link.identifier
    actions = []
    for question in islice(link.waiting, max(room, 0)):
        while identifier in pending:
            identifier = (identifier + 1) % _IDENTIFIERS
        wire, asked = ask_soa(question.name, question.source.key, identifier, int(now.wall))
        pending[identifier] = Pending(question, asked, now.monotonic)
        actions.append(AskLink(server, wire))
        del waiting[question]
        identifier = (identifier + 1) % _IDENTIFIERS
    link = replace(link, waiting=waiting, pending=pending, identifier=identifier)
    return state.with_link(server, link), tuple(actions)


def _failed(state: State, server: Server, reason: str, now: Moment) -> Told:
    """The link was of no use: all its questions are lost, and it rests for a while."""
    link, settings = state.links[server], state.settings
    failures = link.failures + 1
    wait = min(doubled(settings.reconnect, failures), settings.reconnect_limit)
    wait = state.dice.spread(wait, server, now.monotonic)
    retry = now.monotonic + wait
    lost = tuple(Lost(question, reason) for question in _unanswered(link))
    down = Link(register=retry, failures=failures, drops=link.drops, retry=retry, reason=reason)
    log = Log("warning", f"remote {server}: {reason}; next try in {wait:.0f} s")
    return state.with_link(server, down), (log,), lost


def _next_registration(state: State, server: Server, link: Link, now: Moment) -> float:
    """When to announce us again after a connection that was of use is gone."""
    if link.register is not None:
        return link.register
    settings = state.settings
    wait = min(doubled(settings.reconnect, link.drops + 1), settings.idle_reconnect_limit)
    return now.monotonic + state.dice.spread(wait, server, now.monotonic)


def _open(state: State, server: Server) -> OpenLink:
    return OpenLink(server, state.plan.local_of(server))


def _unanswered(link: Link) -> tuple[Question, ...]:
    return tuple(dict.fromkeys((*(each.question for each in link.pending.values()), *link.waiting)))
