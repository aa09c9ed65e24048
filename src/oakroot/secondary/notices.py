"""NOTIFYs from primaries (RFC 1996), and what they set off.

Signed by a key that covers the zone, a NOTIFY is a reason to check at once, and to add a zone that was not
known. Unsigned but from the address of a primary it only makes us ask, with pauses; the signed answer tells
the rest. All others are refused. Each is acknowledged before anything comes of it: that says no more than
that it has arrived (RFC 1996 §4.7).
"""

from __future__ import annotations

from dataclasses import replace

from oakroot.protocol import notify
from oakroot.protocol.notify import Notice, Rejected
from oakroot.roles.events import Moment
from oakroot.roles.requests import Asked, name_of, reply
from oakroot.secondary import links, news, rounds, serving
from oakroot.secondary.sources import same_address
from oakroot.secondary.state import Asking, Entry, Idle, Question, State, Step, Wish


def notified(state: State, asked: Asked, now: Moment) -> Step:
    """Answers a NOTIFY, and checks the zone if that is what it is for."""
    notice = _judge(state, asked)
    if isinstance(notice, Rejected):
        quota, log = state.quota.tell(
            asked.request, f"NOTIFY refused: {notice.reason}", now, key=name_of(asked), reason=notice.reason
        )
        return replace(state, quota=quota), (*reply(asked, notice.response, now), *log)
    peer, is_signed = asked.request.peer[0], asked.signer is not None
    wish = Wish(peer, signed=is_signed, serial=notice.serial)
    entry = state.zones.get(notice.zone.canonicalize().to_text())
    if entry is None and not is_signed:
        guesses = state.guesses.one_more(state.settings, now.monotonic)
        if guesses is None:
            # Without an answer an honest primary will say it again.
            return state, ()
        state = replace(state, guesses=guesses)
    acknowledgement = reply(asked, notify.acknowledge(asked.query), now)
    if entry is None:
        state, entry = serving.add(state, notice.zone, now, named=False, shown=is_signed)
        state, actions = rounds.begin(state, entry, wish, now)
        return state, (*acknowledgement, news.met(entry, asked), *actions)
    state, actions = _wished(state, entry, wish, now)
    return state, (*acknowledgement, news.notified(entry, asked, notice), *actions)


def _judge(state: State, asked: Asked) -> Notice | Rejected:
    notice = notify.read(asked.query, asked.reserve)
    if isinstance(notice, Rejected):
        return notice
    entry = state.zones.get(notice.zone.canonicalize().to_text())
    sources = state.plan.sources_of(notice.zone) if entry is None else entry.sources
    peer = asked.request.peer[0]
    if asked.signer is None and any(same_address(source.server.address, peer) for source in sources):
        return notice
    if asked.signer is not None and any(source.granted == asked.signer for source in sources):
        # It may transfer the zone by a list, if not by its name.
        return notice
    judged = notify.judge(asked.query, asked.signer, asked.reserve)
    if isinstance(judged, Rejected):
        return judged
    if not sources:
        return notify.refuse(
            asked.query, f"there is no key here to transfer {notice.zone} with", asked.reserve
        )
    return notice


def _wished(state: State, entry: Entry, wish: Wish, now: Moment) -> Step:
    """Checks now, or after the check that is under way."""
    if rounds.is_granted(entry, wish):
        return state, ()
    if isinstance(entry.phase, Idle):
        return rounds.grant(state, entry, rounds.merged(entry.wish, wish), now)
    if isinstance(entry.phase, Asking) and links.is_unsent(state, _question(entry, entry.phase)):
        # The answer will be younger than the NOTIFY.
        round_ = replace(entry.phase.round, signed=entry.phase.round.signed or wish.signed)
        return state.with_zone(replace(entry, phase=Asking(round_))), ()
    return state.with_zone(replace(entry, wish=rounds.merged(entry.wish, wish))), ()


def _question(entry: Entry, phase: Asking) -> Question:
    return Question(entry.name, phase.round.source)
