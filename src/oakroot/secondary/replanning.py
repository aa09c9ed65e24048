"""What follows when the operator gives other keys while the service runs.

Zones that both the old and the new keys bring stay served as they are. What was under way with a key or a
primary that is gone is given up, and begun anew where the zone has another source.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from oakroot.distribution.actions import Spread
from oakroot.distribution.fanout import Changed
from oakroot.secondary import serving
from oakroot.secondary.events import Action, CloseLink, Log, Moment, Publish, Replanned
from oakroot.secondary.sources import Plan, Server, Source
from oakroot.secondary.state import Entry, Idle, Link, Queued, State, Step


def replanned(state: State, event: Replanned, now: Moment) -> Step:
    """Goes over to other keys and settings; the checks of all zones are begun by whoever asks for them."""
    settings = replace(state.settings, transfers=event.transfers, transfer_rules=event.transfer_rules)
    before, state = state.plan, replace(state, settings=settings)
    if event.plan == before:
        return state, ()
    gone = [server for server in state.links if server not in event.plan.servers]
    state = replace(state, plan=event.plan, links=dict(_links(state, event.plan)))
    actions: list[Action] = [CloseLink(server) for server in gone]
    # Those first that a key may name: members of catalog zones may come from where these do.
    for entry in sorted(state.zones.values(), key=lambda entry: entry.member is not None):
        state, more = _moved(state, entry, now)
        actions += more
    for name in event.plan.zones:
        if name.canonicalize().to_text() not in state.zones:
            state, entry = serving.add(state, name, now, named=True, shown=True)
            actions.append(Log("info", "a new key brings this zone", entry.apex))
    queue = tuple(apex for apex in state.queue if isinstance(state.zones[apex].phase, Queued))
    state = replace(state, queue=queue)
    news = Changed(state.catalogue, event.plan.keyring, state.zones, ())
    return state, (*actions, Publish(state.catalogue), Spread(news))


def _links(state: State, plan: Plan) -> Iterator[tuple[Server, Link]]:
    """Those to primaries of the plan, without questions under keys that are gone."""
    for server in plan.servers:
        link = state.links.get(server, Link())
        waiting = {each: None for each in link.waiting if each.source in plan.sources}
        pending = {
            number: each for number, each in link.pending.items() if each.question.source in plan.sources
        }
        yield server, replace(link, waiting=waiting, pending=pending)


def _moved(state: State, entry: Entry, now: Moment) -> Step:
    """A zone with the sources that it has now; it goes where there are none."""
    named = entry.name in state.settings.catalogs or entry.name in {
        name.canonicalize() for name in state.plan.zones
    }
    entry = replace(entry, named=named)
    sources = state.plan.sources_of(entry.name) or _sources_of_catalog(state, entry)
    if not sources:
        log = Log("info", "no key brings this zone any more; it is not served", entry.apex)
        state, entry, actions = serving.withdraw(state, entry)
        return state.without_zone(entry), (log, *actions)
    if sources == entry.sources:
        return state.with_zone(entry), ()
    entry = replace(entry, sources=sources, phase=Idle(now.monotonic), wish=None, failures=0)
    return state.with_zone(entry), ()


def _sources_of_catalog(state: State, entry: Entry) -> tuple[Source, ...]:
    if entry.member is None:
        return ()
    catalog = state.zones.get(entry.member.catalog.to_text())
    return () if catalog is None else catalog.sources
