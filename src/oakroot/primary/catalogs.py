"""The catalog zones that a primary offers: lists of its zones, which change when zones come or go (RFC 9432).

They are made here, not read from the repository, and are for those only who may transfer them: nobody else
should learn of all zones. A zone that is broken is listed, as it is ours: who follows the list would throw
his version away otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field
from types import MappingProxyType

import dns.name

from oakroot._engine import Zone
from oakroot.frozen import frozen
from oakroot.roles.events import Log
from oakroot.zones.catalog_zones import changed_catalog, write_catalog
from oakroot.zones.loaded import Loaded, ZoneChange
from oakroot.zones.serials import next_serial

Catalogs = Mapping[str, Zone]
"""Catalog zones by apex."""
_MODULUS = 2**32
_IS_A_ZONE = "the repository has a zone of this name, so it cannot be a catalog zone of ours"


@frozen
class Offer:
    """A catalog zone that the operator wants: of all zones, or of one zone and those below it."""

    name: dns.name.Name
    root: dns.name.Name = dns.name.root
    groups: tuple[tuple[dns.name.Name, str], ...] = ()
    """Groups of zones, each with the name that its zones are at or below."""

    @property
    def apex(self) -> str:
        """Its name as text."""
        return self.name.canonicalize().to_text()

    def members(self, apexes: Collection[str]) -> Iterator[tuple[str, str | None]]:
        """Those of these zones that it lists, each with its group."""
        end = "." if self.root == dns.name.root else f".{self.root.canonicalize().to_text()}"
        for apex in sorted(apexes):
            # The text is a quick sieve; only the labels tell `a\.org` from `a.org`.
            if f".{apex}".endswith(end):
                name = dns.name.from_text(apex)
                if name.is_subdomain(self.root):
                    yield apex, self._group(name)

    def _group(self, zone: dns.name.Name) -> str | None:
        """The group of the nearest name."""
        found = [(len(name.labels), group) for name, group in self.groups if zone.is_subdomain(name)]
        return max(found)[1] if found else None


@frozen
class Following:
    """The catalog zones after a load, and what is new about them."""

    catalogs: Catalogs
    changes: tuple[ZoneChange, ...] = ()
    logs: tuple[Log, ...] = field(default=())


def follow(
    offers: Sequence[Offer], catalogs: Catalogs, before: Loaded, loaded: Loaded, now: float
) -> Following:
    """The catalog zones of what is loaded, made of those of what was loaded before."""
    if not offers or (loaded.zones.keys() == before.zones.keys() and before.commit is not None):
        return Following(catalogs)
    after: dict[str, Zone] = {}
    logs = []
    for offer in offers:
        apex, known = offer.apex, catalogs.get(offer.apex)
        if apex in loaded.zones:
            if apex not in before.zones:
                logs.append(Log("error", _IS_A_ZONE, apex))
        elif known is None:
            after[apex] = write_catalog(apex, offer.members(loaded.zones.keys()), _first_serial(now))
        else:
            after[apex] = _changed(offer, known, before.zones.keys(), loaded.zones.keys(), now)
    return _following(catalogs, after, logs)


def offer_anew(
    offers: Sequence[Offer], before: Sequence[Offer], catalogs: Catalogs, loaded: Loaded, now: float
) -> Following:
    """The catalog zones after the operator has changed his mind; those that he did not touch stay."""
    if loaded.commit is None:
        return Following(catalogs)
    after: dict[str, Zone] = {}
    logs = []
    for offer in offers:
        apex, known = offer.apex, catalogs.get(offer.apex)
        if apex in loaded.zones:
            logs.append(Log("error", _IS_A_ZONE, apex))
        elif known is not None and offer in before:
            after[apex] = known
        else:
            serial = _first_serial(now) if known is None else next_serial("unixtime", known.serial, now)
            after[apex] = write_catalog(apex, offer.members(loaded.zones.keys()), serial)
    return _following(catalogs, after, logs)


def _following(catalogs: Catalogs, after: dict[str, Zone], logs: Sequence[Log]) -> Following:
    touched = [apex for apex in {**catalogs, **after} if catalogs.get(apex) is not after.get(apex)]
    changes = tuple(ZoneChange(apex, catalogs.get(apex), after.get(apex)) for apex in touched)
    told = (_told(change.after) for change in changes if change.after is not None)
    return Following(MappingProxyType(after), changes, (*logs, *told))


def _changed(offer: Offer, known: Zone, old: Collection[str], new: Collection[str], now: float) -> Zone:
    """The catalog zone at the cost of what comes and goes."""
    gone = list(offer.members(set(old) - set(new)))
    come = list(offer.members(set(new) - set(old)))
    if not gone and not come:
        return known
    return changed_catalog(known, gone, come, next_serial("unixtime", known.serial, now))


def _first_serial(now: float) -> int:
    """The time, which goes on over restarts; as for any zone 0 is left out, which some take for no serial."""
    return int(now) % _MODULUS or 1


def _told(zone: Zone) -> Log:
    return Log("info", f"catalog zone, serial {zone.serial}, {zone.record_count} records", zone.apex)
