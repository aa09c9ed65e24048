"""Checks of zones: whom to ask, what follows from the answers, when the next check is due.

A check is a round through the zone's sources. The first that has the version we have, or a newer one that can
be transferred, ends it; so does the last one, if none was of use. One round of a zone is under way at a time:
who asks for a check meanwhile (a NOTIFY) is remembered as a wish, and granted one more afterwards.

Waits: `refresh` after success; after failure `retry`, doubled each time, no longer than `refresh`. Expiry is
no business of rounds: it counts from the last success, whatever is tried in between (RFC 1035 §3.3.13).
"""

from __future__ import annotations

from dataclasses import replace

import dns.name

from oakroot._engine import Zone
from oakroot.protocol.soa_client import Denied, Offered, SoaAnswer
from oakroot.protocol.transfer_client import Failed, Received
from oakroot.secondary import catalogs, links, news, serving
from oakroot.secondary.events import Action, Log, Moment, StartTransfer, TransferEnded
from oakroot.secondary.sources import Source, same_address
from oakroot.secondary.state import (
    Asking,
    Entry,
    Held,
    Idle,
    Question,
    Queued,
    Round,
    State,
    Step,
    Transferring,
    Wish,
)
from oakroot.secondary.timers import doubled, refresh_wait, retry_wait
from oakroot.zones.serials import is_forward


def begin(state: State, entry: Entry, wish: Wish, now: Moment) -> Step:
    """Begins a check of a zone that has none under way."""
    at_peer = tuple(each for each in entry.sources if _is_at(each, wish.peer))
    others = tuple(each for each in entry.sources if each not in at_peer)
    entry = replace(entry, wish=None, began=now.monotonic)
    return _ask(state, entry, Round((*at_peer, *others), signed=wish.signed), now)


def begin_due(state: State, entry: Entry, now: Moment) -> Step:
    """The check for which the time has come: by the clock, or because a NOTIFY has waited for it."""
    return begin(state, entry, entry.wish or Wish(signed=False), now)


def retransfer(state: State, entry: Entry) -> Step:
    """Lets the zone wait for its turn to be transferred, with no regard to what is here."""
    round_ = Round(entry.sources, denied=False, whole=True)
    if isinstance(entry.phase, Queued):
        return state.with_zone(replace(entry, phase=Queued(round_))), ()
    return _queue_transfer(state, entry, round_)


def answered(state: State, question: Question, answer: SoaAnswer, now: Moment) -> Step:
    """A primary answered, in a round of the zone or because we announced ourselves."""
    entry = state.zones.get(question.name.to_text())
    if entry is None:
        return _answered_for_unknown(state, question, answer, now)
    round_ = _round_with(entry, question.source)
    match answer:
        case Offered(serial):
            return _offered(state, entry, question.source, serial, now)
        case _ if round_ is None:
            # What a primary of several does not have, or not now, is no news outside of a round.
            return state, ()
        case Denied(reason, is_signed):
            # Nothing is served any more once it has expired: then anybody may say that the zone is gone.
            is_believed = is_signed or entry.held is None
            round_ = replace(round_, denied=round_.denied and is_believed)
            return _next_source(state, entry, round_, reason, now)
        case unusable:
            return _next_source(state, entry, replace(round_, denied=False), unusable.reason, now)


def lost(state: State, question: Question, reason: str, now: Moment) -> Step:
    """A question stays without an answer."""
    entry = state.zones.get(question.name.to_text())
    round_ = None if entry is None else _round_with(entry, question.source)
    if entry is None or round_ is None:
        return state, ()
    return _next_source(state, entry, replace(round_, denied=False), reason, now)


def transfer_ended(state: State, ended: TransferEnded, now: Moment) -> Step:
    """A transfer came to its end; there is room for another one."""
    apex = state.transfers.get(ended.number)
    transfers = {number: other for number, other in state.transfers.items() if number != ended.number}
    state = replace(state, transfers=transfers)
    entry = None if apex is None else state.zones.get(apex)
    actions: tuple[Action, ...] = ()
    # A zone that went and came back meanwhile has nothing to do with its old transfer.
    if entry is not None and isinstance(entry.phase, Transferring) and entry.phase.number == ended.number:
        state, actions = _transferred(state, entry, entry.phase.round, ended, now)
    state, following = _start_transfers(state)
    return state, (*actions, *following)


def _answered_for_unknown(state: State, question: Question, answer: SoaAnswer, now: Moment) -> Step:
    """The question for `.` announces us; who also serves the root zone answers it with a serial."""
    if question.name != dns.name.root:
        return state, ()
    if not isinstance(answer, Offered) or question.source.zone != dns.name.root:
        return state, (Log("debug", f"announced to {question.source}"),)
    state, entry = serving.add(state, dns.name.root, now, named=False, shown=True)
    return begin(state, entry, Wish(signed=False), now)


def _offered(state: State, entry: Entry, source: Source, serial: int, now: Moment) -> Step:
    round_, held = _round_with(entry, source), entry.held
    if round_ is None and not isinstance(entry.phase, Idle):
        return _offered_meanwhile(state, entry, source, serial)
    is_wanted = round_ is not None and round_.whole
    if held is None or is_wanted or is_forward(held.zone.serial, serial):
        others = tuple(each for each in entry.sources if each != source)
        return _queue_transfer(state, entry, round_ or Round((source, *others), denied=False))
    if serial == held.zone.serial:
        state, entry, actions = serving.confirm(state, entry, held, now)
        logs = news.disappointed(entry, () if round_ is None else round_.reasons)
        state, following = _succeeded(state, entry, now)
        return state, (news.confirmed(entry, source, held), *logs, *actions, *following)
    if round_ is None:
        return state, ()
    reason = f"its serial {serial} is behind ours, {held.zone.serial}"
    return _next_source(state, entry, replace(round_, denied=False), reason, now)


def _offered_meanwhile(state: State, entry: Entry, source: Source, serial: int) -> Step:
    """Another primary is being asked, or transferred from: this offer is looked at afterwards."""
    wish = Wish(source.server.address, signed=False, serial=serial)
    return state.with_zone(replace(entry, wish=merged(entry.wish, wish))), ()


def merged(known: Wish | None, wish: Wish) -> Wish:
    """One wish that grants both; what one of them leaves open stays open."""
    if known is None:
        return wish
    serial = wish.serial
    if known.serial is None or (serial is not None and is_forward(serial, known.serial)):
        serial = known.serial
    return Wish(wish.peer, signed=known.signed or wish.signed, serial=serial)


def is_granted(entry: Entry, wish: Wish) -> bool:
    """Whether what the wish speaks of is here already. Serials that others name serve for nothing else."""
    if wish.serial is None or entry.held is None:
        return False
    return not is_forward(entry.held.zone.serial, wish.serial)


def _ask(state: State, entry: Entry, round_: Round, now: Moment) -> Step:
    """Asks the first source that can be asked."""
    while round_.left:
        reason = links.refusal(state, round_.source.server, now)
        if reason is None:
            state = state.with_zone(replace(entry, phase=Asking(round_)))
            return links.ask(state, Question(entry.name, round_.source), now)
        round_ = _without_source(replace(round_, denied=False), reason)
    return _failed(state, entry, round_, now)


def _next_source(state: State, entry: Entry, round_: Round, reason: str, now: Moment) -> Step:
    return _ask(state, entry, _without_source(round_, reason), now)


def _without_source(round_: Round, reason: str) -> Round:
    reasons = (*round_.reasons, news.reason_of(round_, reason))
    return replace(round_, left=round_.left[1:], reasons=reasons)


def _queue_transfer(state: State, entry: Entry, round_: Round) -> Step:
    state = state.with_zone(replace(entry, phase=Queued(round_)))
    return _start_transfers(replace(state, queue=(*state.queue, entry.apex)))


def _start_transfers(state: State) -> Step:
    """Starts as many of those that wait as there is room for."""
    actions: list[Action] = []
    while state.queue and len(state.transfers) < state.settings.transfers:
        entry, number = state.zones[state.queue[0]], state.next_number
        match entry.phase:
            case Queued(round_):
                pass
            case _:
                raise AssertionError("zones in the queue wait for their transfer")
        transfers = {**state.transfers, number: entry.apex}
        state = replace(state, queue=state.queue[1:], next_number=number + 1, transfers=transfers)
        state = state.with_zone(replace(entry, phase=Transferring(round_, number)))
        base = None if entry.held is None or round_.whole else entry.held.zone
        actions += (
            news.started(entry, round_.source),
            StartTransfer(number, entry.name, round_.source, base),
        )
    return state, tuple(actions)


def _transferred(state: State, entry: Entry, round_: Round, ended: TransferEnded, now: Moment) -> Step:
    logs = news.doubted(entry, round_.source, ended.doubts)
    match ended.outcome:
        case Failed(reason):
            state, actions = _next_source(state, entry, replace(round_, denied=False), reason, now)
        case Received(zone) as outcome if zone is not None:
            log = news.transferred(entry, round_.source, zone, ended, outcome)
            state, actions = _adopted(state, entry, round_, zone, now)
            actions = (log, *actions)
        case _ if entry.held is None:
            # What it has nothing newer than has expired while it was asked.
            state, actions = begin(state, entry, Wish(signed=False), now)
        case _:
            state, actions = _confirmed(state, entry, round_, entry.held, now)
    return state, (*logs, *actions)


def _adopted(state: State, entry: Entry, round_: Round, zone: Zone, now: Moment) -> Step:
    logs = news.disappointed(entry, round_.reasons)
    state, entry, actions = serving.adopt(state, entry, zone, now)
    state, following = _succeeded(state, entry, now)
    state, others = catalogs.follow(state, entry, now)
    return state, (*logs, *actions, *following, *others)


def _confirmed(state: State, entry: Entry, round_: Round, held: Held, now: Moment) -> Step:
    logs = (news.confirmed(entry, round_.source, held), *news.disappointed(entry, round_.reasons))
    state, entry, actions = serving.confirm(state, entry, held, now)
    state, following = _succeeded(state, entry, now)
    return state, (*logs, *actions, *following)


def _succeeded(state: State, entry: Entry, now: Moment) -> Step:
    """The round is over, and what is held is the newest version: rests until it is time to refresh."""
    if entry.held is None:
        raise AssertionError("a round that succeeded has a version")
    wait = state.dice.spread(refresh_wait(entry.held.timers), entry.apex, now.monotonic)
    return _rest(state, replace(entry, failures=0, trouble=None), wait, now)


def _failed(state: State, entry: Entry, round_: Round, now: Moment) -> Step:
    """No source was of use. A signed NOTIFY and signed denials of all sources mean that the zone is gone."""
    entry = replace(entry, trouble="; ".join(round_.reasons))
    if not entry.is_wanted and not entry.shown:
        # An unsigned NOTIFY spoke of it, and nobody confirms that.
        return state.without_zone(entry), ()
    if round_.denied and entry.wish is None:
        if not entry.is_wanted and (round_.signed or entry.held is None):
            return _removed(state, entry, round_)
        if entry.held is not None and round_.signed:
            log = news.removed(entry, round_.reasons)
            state, entry, actions = serving.withdraw(state, entry)
            state, following = _retry(state, entry, now)[:2]
            return state, (log, *actions, *following)
    state, following, wait = _retry(state, entry, now)
    if round_.signed and not round_.denied:
        state = _keep_wish(state, entry.apex)
    return state, (news.failed(entry, round_.reasons, wait), *following)


def _keep_wish(state: State, apex: str) -> State:
    """Lets a signed NOTIFY count for the next check, too: this one has not come to an answer."""
    entry = state.zones[apex]
    if not isinstance(entry.phase, Idle):
        return state
    return state.with_zone(replace(entry, wish=merged(entry.wish, Wish())))


def _retry(state: State, entry: Entry, now: Moment) -> tuple[State, tuple[Action, ...], float]:
    settings, failures = state.settings, entry.failures + 1
    if entry.held is None:
        wait = min(doubled(settings.first_retry, failures), settings.first_retry_limit)
    else:
        wait = retry_wait(entry.held.timers, failures)
    wait = state.dice.spread(wait, entry.apex, now.monotonic)
    state, actions = _rest(state, replace(entry, failures=failures), wait, now)
    return state, actions, wait


def _removed(state: State, entry: Entry, round_: Round) -> Step:
    """Forgets a zone that no key names."""
    state, entry, actions = serving.withdraw(state, entry)
    return state.without_zone(entry), (news.removed(entry, round_.reasons), *actions)


def _rest(state: State, entry: Entry, wait: float, now: Moment) -> Step:
    """Rests so long; a wish that came during the round is granted first."""
    entry = replace(entry, phase=Idle(now.monotonic + wait))
    wish = entry.wish
    if wish is None or is_granted(entry, wish):
        return state.with_zone(replace(entry, wish=None)), ()
    return grant(state, entry, wish, now)


def grant(state: State, entry: Entry, wish: Wish, now: Moment) -> Step:
    """Checks an idle zone because of a wish: at once if it is signed, else with pauses in between."""
    due = entry.began + state.settings.unsigned_pause
    if wish.signed or due <= now.monotonic:
        return begin(state, entry, wish, now)
    if isinstance(entry.phase, Idle):
        due = min(due, entry.phase.due)
    return state.with_zone(replace(entry, wish=wish, phase=Idle(due))), ()


def _round_with(entry: Entry, source: Source) -> Round | None:
    """The round in which this source is being asked."""
    if isinstance(entry.phase, Asking) and entry.phase.round.source == source:
        return entry.phase.round
    return None


def _is_at(source: Source, peer: str | None) -> bool:
    return peer is not None and same_address(source.server.address, peer)
