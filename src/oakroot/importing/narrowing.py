"""Which permissions of an old server the name of a key can say without granting more.

A name grants at a zone and all below it, the zones there included; elsewhere a permission ends with its zone.
What a key may not do in one of those zones, the name must not grant it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import dns.name

from oakroot.importing.setup import Note, Permission, quoted, read_name
from oakroot.keys.grant import Operation


def narrowed(permissions: Sequence[Permission], zones: Iterable[str]) -> Iterator[Permission | Note]:
    """The permissions that stay as narrow as they were among these zones, and notes for the others."""
    held = _Held(permissions, zones)
    for each in permissions:
        zone = read_name(each.zone)
        if zone is None:
            yield Note(f"keys for {quoted(each.zone)} are left out: it is no domain name")
            continue
        wider = held.wider(each, zone)
        if wider is None:
            yield each
        else:
            what = f"the key {quoted(each.key)} is left behind at {each.zone}"
            yield Note(f"{what}: it would {each.operation.name.lower()} at {wider}, too, which it could not")


def widest(permissions: Iterable[Permission]) -> Iterator[Permission]:
    """Of several permissions of a key at a zone, or at all zones, those that no other one includes."""
    found = list(dict.fromkeys(permissions))
    most: dict[tuple[str, str], Operation] = {}
    for each in found:
        if not each.limits:
            place = each.key, each.zone
            most[place] = max(each.operation, most.get(place, each.operation))
    written = set()
    for each in found:
        here, everywhere = most.get((each.key, each.zone), 0), most.get((each.key, "."), 0)
        is_included = here > each.operation or (bool(each.limits) and here == each.operation)
        if each.zone != ".":
            is_included = is_included or everywhere >= each.operation
        name = each.key, each.operation, each.zone, each.limits
        if not is_included and name not in written:
            written.add(name)
            yield each


def also_transferring(permissions: Sequence[Permission]) -> Iterator[str]:
    """The keys that may update and could not transfer: in Oakroot the one includes the other."""
    transferring = {
        (each.key, each.apex or each.zone) for each in permissions if each.operation is Operation.TRANSFER
    }
    updating = (each for each in permissions if each.operation is Operation.UPDATE and not each.limits)
    yield from dict.fromkeys(
        each.key
        for each in updating
        if not {(each.key, each.apex or each.zone), (each.key, ".")} & transferring
    )


class _Held:
    """Who may do what in which zone, by key and zone."""

    def __init__(self, permissions: Iterable[Permission], zones: Iterable[str]) -> None:
        self._apexes = {apex for zone in zones if (apex := read_name(zone)) is not None}
        self._below: dict[dns.name.Name, list[dns.name.Name]] = defaultdict(list)
        for apex in sorted(self._apexes):
            for name in _ancestors(apex):
                self._below[name].append(apex)
        self._permissions: dict[tuple[str, dns.name.Name | None], list[Permission]] = defaultdict(list)
        for each in permissions:
            self._permissions[each.key, read_name(each.apex or each.zone)].append(each)

    def wider(self, wanted: Permission, zone: dns.name.Name) -> dns.name.Name | None:
        """A zone that the key's name would reach, and in which the key may not do that; None for none."""
        apex = read_name(wanted.apex or wanted.zone)
        home = next((name for name in _ancestors(zone) if name in self._apexes), None)
        reached = {} if home is None else {home: None}
        if not wanted.limits.is_exact:
            reached.update(dict.fromkeys(self._below.get(zone, ())))
        return next((each for each in reached if each != apex and not self._has(wanted, each)), None)

    def _has(self, wanted: Permission, apex: dns.name.Name) -> bool:
        for each in self._permissions.get((wanted.key, apex), ()):
            is_whole = each.zone == apex.to_text()
            if not each.limits:
                is_alike = is_whole and each.operation >= wanted.operation
            else:
                is_below_it = is_whole and not (each.limits.is_exact or each.limits.is_below)
                is_alike = each.limits == wanted.limits and (each.zone == wanted.zone or is_below_it)
            if is_alike:
                return True
        return False


def _ancestors(name: dns.name.Name) -> Iterator[dns.name.Name]:
    """The name and all above it, the root last."""
    for depth in range(len(name.labels), 0, -1):
        yield name.split(depth)[1]
