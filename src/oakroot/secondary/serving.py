"""What is served: versions come, are confirmed, expire, and go. Each change is published and kept on disk.

When a zone is checked is decided elsewhere; here its phase is not looked at.
"""

from __future__ import annotations

from dataclasses import replace

import dns.name

from oakroot._engine import Zone
from oakroot.distribution.actions import Spread
from oakroot.distribution.fanout import Changed
from oakroot.secondary import news
from oakroot.secondary.events import (
    Action,
    ForgetZone,
    Log,
    Moment,
    Publish,
    StoreCheck,
    StoredZone,
    StoreZone,
)
from oakroot.secondary.state import Entry, Held, Idle, Membership, State, Step
from oakroot.secondary.timers import read_timers
from oakroot.zones.catalog_zones import Member, is_catalog
from oakroot.zones.loaded import ZoneChange


def add(state: State, name: dns.name.Name, now: Moment, *, named: bool, shown: bool) -> tuple[State, Entry]:
    """Adds a zone of which there is no version yet; its check is due now."""
    sources = state.plan.sources_of(name)
    hidden = name in state.settings.catalogs
    entry = Entry(name.canonicalize(), sources, Idle(now.monotonic), named=named, shown=shown, hidden=hidden)
    return _show(state.with_zone(entry), entry), entry


def add_member(state: State, member: Member, catalog: Entry, now: Moment) -> tuple[State, Entry]:
    """Adds a zone that a catalog zone lists; where no key is for it, it comes from where that comes from."""
    state, entry = add(state, member.zone, now, named=False, shown=True)
    membership = Membership(catalog.name, member.label)
    entry = replace(entry, member=membership, sources=entry.sources or catalog.sources)
    return state.with_zone(entry), entry


def adopt(state: State, entry: Entry, zone: Zone, now: Moment) -> tuple[State, Entry, tuple[Action, ...]]:
    """Serves this version from now on; a primary has just said that it is the newest."""
    before = None if entry.held is None else entry.held.zone
    # Parts that did not change share their memory with the version before, also after AXFR.
    zone = zone if before is None else zone.sharing(before)
    held = Held(zone, read_timers(zone), now.monotonic)
    state, entry = _hold(state, replace(entry, shown=True), held)
    state, spread = _spread(state, ZoneChange(entry.apex, before, zone))
    stored = StoreZone(zone, now.wall)
    return state, entry, (Publish(state.catalogue), stored, spread, *news.hasty(entry, held))


def confirm(state: State, entry: Entry, held: Held, now: Moment) -> tuple[State, Entry, tuple[Action, ...]]:
    """Goes on serving this version: a primary has just said that it is the newest."""
    entry = replace(entry, held=replace(held, checked=now.monotonic))
    return state.with_zone(entry), entry, (StoreCheck(entry.apex, held.zone.serial, now.wall),)


def expire(state: State, entry: Entry, held: Held) -> Step:
    """Stops serving a version that nobody has confirmed for too long."""
    entry = replace(entry, held=None)
    state = _show(state.with_zone(entry), entry)
    return state, (Publish(state.catalogue), news.expired(entry, held))


def withdraw(state: State, entry: Entry) -> tuple[State, Entry, tuple[Action, ...]]:
    """Serves the zone no more, not even SERVFAIL: no primary has it any longer."""
    before = None if entry.held is None else entry.held.zone
    entry = replace(entry, held=None, shown=False)
    state = replace(state.with_zone(entry), catalogue=state.catalogue.without([entry.apex]))
    actions: tuple[Action, ...] = (Publish(state.catalogue), ForgetZone(entry.apex))
    if before is None:
        return state, entry, actions
    state, spread = _spread(state, ZoneChange(entry.apex, before, None))
    return state, entry, (*actions, spread)


def tell_all(state: State) -> Spread:
    """Tells everybody of everything."""
    return tell_of(state, None)


def tell_of(state: State, wanted: str | None) -> Spread:
    """Tells everybody of this zone, as if it had changed; None: of all zones."""
    served = tuple(apex for apex, entry in state.zones.items() if entry.held is not None)
    changed = served if wanted is None else (wanted,) if wanted in served else ()
    return Spread(Changed(state.catalogue, state.plan.keyring, state.zones, changed))


def kept(state: State, now: Moment) -> tuple[StoreZone, ...]:
    """All versions that are held, as they would be kept over a restart."""
    held = (entry.held for entry in state.zones.values() if entry.held is not None)
    return tuple(StoreZone(each.zone, now.wall - (now.monotonic - each.checked)) for each in held)


def _spread(state: State, change: ZoneChange) -> tuple[State, Spread]:
    """Keeps what those who follow us may ask differences from, and tells them."""
    state = replace(state, versions=state.versions.after((change,)))
    return state, Spread(Changed(state.catalogue, state.plan.keyring, state.zones, (change.apex,)))


def restore(state: State, kept: StoredZone, now: Moment) -> tuple[State, Log]:
    """Serves a version that was kept over a restart, unless it has expired meanwhile."""
    name = dns.name.from_text(kept.zone.apex)
    entry = state.zones.get(kept.zone.apex)
    if entry is None:
        if not state.plan.sources_of(name):
            return state, Log("warning", "kept on disk, but no key is for it; not served", kept.zone.apex)
        state, entry = add(state, name, now, named=False, shown=True)
    age = now.wall - kept.checked
    held = Held(kept.zone, read_timers(kept.zone), now.monotonic - age)
    if age < 0:
        # Then nobody knows how old the version is, and it may have expired long ago.
        text = (
            "kept on disk at a time that is yet to come; is the clock right? Not served before it is checked"
        )
        return state, Log("warning", text, entry.apex)
    if held.expires <= now.monotonic:
        return state, news.expired(entry, held)
    state, entry = _hold(state, entry, held)
    return state, Log("info", f"kept on disk, serial {kept.zone.serial}, checked {age:.0f} s ago", entry.apex)


def _hold(state: State, entry: Entry, held: Held) -> tuple[State, Entry]:
    """Serves this version from now on; a list of zones only to those who may transfer it."""
    entry = replace(entry, held=held, hidden=entry.hidden or is_catalog(held.zone))
    return _show(state.with_zone(entry), entry), entry


def _show(state: State, entry: Entry) -> State:
    """Has everybody see of a zone what there is to see."""
    catalogue = state.catalogue
    if entry.hidden or not entry.shown:
        catalogue = catalogue.without([entry.apex])
    elif entry.held is None:
        catalogue = catalogue.with_unavailable([entry.apex])
    else:
        catalogue = catalogue.with_zones([entry.held.zone])
    return replace(state, catalogue=catalogue)
