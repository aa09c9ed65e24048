"""Catalog zones that are followed (RFC 9432): zones that they list are added, and go when they are unlisted.

Followed are those that the operator names, and those that a key names and that show what they are. A zone
that a key names is that key's, whatever a list says; and what one list has, another one gets only if the
first one lets it go or names it as the new owner.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from oakroot.roles.events import Publish
from oakroot.secondary import news, serving
from oakroot.secondary.events import Action, Moment, StoredZone
from oakroot.secondary.state import Entry, Membership, State, Step
from oakroot.zones.catalog_zones import BrokenCatalogError, Member, Members, is_catalog, read_catalog


def follow(state: State, entry: Entry, now: Moment) -> Step:
    """Does what a new version of a zone asks for, if that is a catalog zone which is followed."""
    if entry.held is None or not _is_followed(state, entry):
        return state, ()
    try:
        members = read_catalog(entry.held.zone)
    except BrokenCatalogError as error:
        return state, (news.broken_catalog(entry, str(error)),)
    before = state.catalogs.get(entry.name, {})
    state = replace(state, catalogs={**state.catalogs, entry.name: members})
    actions: list[Action] = []
    for member in _unlisted(before, members):
        state, more = _leave(state, member, entry, now)
        actions += more
    for member in _new(before, members):
        state, more = _join(state, member, entry, now)
        actions += more
        if member.new_owner is not None:
            state, more = _hand_over(state, member, now)
            actions += more
    if actions:
        actions.append(Publish(state.catalogue))
    return state, tuple(actions)


def restore(state: State, stored: Iterable[StoredZone], now: Moment) -> Step:
    """Serves what was kept over a restart, lists first: they tell which of the other zones are still ours."""
    actions: list[Action] = []
    # A stable sort: catalog zones, then the others.
    for kept in sorted(stored, key=lambda kept: not is_catalog(kept.zone)):
        state, log = serving.restore(state, kept, now)
        actions.append(log)
        if (entry := state.zones.get(kept.zone.apex)) is not None:
            state, more = follow(state, entry, now)
            actions += more
    return state, (*actions, serving.tell_all(state))


def _is_followed(state: State, entry: Entry) -> bool:
    if entry.name in state.settings.catalogs:
        return True
    return entry.named and entry.held is not None and is_catalog(entry.held.zone)


def _unlisted(before: Members, members: Members) -> list[Member]:
    return [member for name, member in before.items() if name not in members]


def _new(before: Members, members: Members) -> list[Member]:
    return [member for name, member in members.items() if before.get(name) != member]


def _join(state: State, member: Member, catalog: Entry, now: Moment) -> Step:
    """Adds a zone that is listed, or makes of one that is here what the list says."""
    entry = state.zones.get(member.zone.to_text())
    if entry is None:
        state, entry = serving.add_member(state, member, catalog, now)
        return state, (news.listed(entry, catalog),)
    if entry.named or entry.hidden:
        return state, (news.needless(entry, catalog),)
    owner = None if entry.member is None else entry.member.catalog
    if owner not in {None, catalog.name} and not _owner_agrees(state, entry, catalog):
        return state, (news.not_taken(entry, catalog, owner),)
    if entry.member is not None and entry.member.label != member.label:
        return _reset(state, entry, member, catalog, now)
    # What is known of it stays: it was met by a NOTIFY, or has this label already (RFC 9432 §5.4).
    membership = Membership(catalog.name, member.label)
    log = () if owner == catalog.name else (news.moved(entry, catalog),)
    return state.with_zone(replace(entry, member=membership)), log


def _leave(state: State, member: Member, catalog: Entry, now: Moment) -> Step:
    """Removes a zone that this list has brought, unless another one has it, too."""
    entry = state.zones.get(member.zone.to_text())
    if entry is None or entry.member is None or entry.member.catalog != catalog.name:
        return state, ()
    state, entry, actions = serving.withdraw(state, entry)
    state, actions = state.without_zone(entry), (news.unlisted(entry, catalog), *actions)
    for name, members in state.catalogs.items():
        other = state.zones.get(name.to_text())
        if other is not None and entry.name in members:
            state, more = _join(state, members[entry.name], other, now)
            return state, (*actions, *more)
    return state, actions


def _hand_over(state: State, member: Member, now: Moment) -> Step:
    """Lets a zone go to its new owner, if that lists it by now (RFC 9432 §4.3.1)."""
    owner = None if member.new_owner is None else state.zones.get(member.new_owner.to_text())
    claim = None if owner is None else state.catalogs.get(owner.name, {}).get(member.zone)
    if owner is None or claim is None:
        return state, ()
    return _join(state, claim, owner, now)


def _owner_agrees(state: State, entry: Entry, catalog: Entry) -> bool:
    """Whether the list that has the zone names this one as the new owner."""
    if entry.member is None:
        return False
    listed = state.catalogs.get(entry.member.catalog, {}).get(entry.name)
    return listed is None or listed.new_owner == catalog.name


def _reset(state: State, entry: Entry, member: Member, catalog: Entry, now: Moment) -> Step:
    """Forgets all that is known of the zone, and begins with it anew: its label is another one."""
    state, entry, actions = serving.withdraw(state, entry)
    state, entry = serving.add_member(state.without_zone(entry), member, catalog, now)
    return state, (news.reset(entry, catalog), *actions)
