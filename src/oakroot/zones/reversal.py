"""Undoing a change of a zone on top of what came later: which records go back, and where that is not clear.

Three versions in (now, before the change, after it), a difference out. Files and git are the caller's.
"""

from __future__ import annotations

from oakroot._engine import Zone
from oakroot.frozen import frozen
from oakroot.zones.edits import TextRecord
from oakroot.zones.plan import RRset, RRsetChange
from oakroot.zones.planning import rrset_of, zone_changes
from oakroot.zones.serials import SerialPolicy, next_serial

_SERIAL = 2
"""Where in the RDATA of a SOA the serial stands."""


@frozen
class Reversal:
    """What undoing a change does to the zone of now; the SOA with its new serial is among the records."""

    remove: tuple[TextRecord, ...]
    add: tuple[TextRecord, ...]
    undone: tuple[RRsetChange, ...]
    """The RRsets that change, as they are now and as they will be."""
    conflicts: tuple[RRsetChange, ...]
    """Changes that something later built on: undoing them would take that away, too."""


@frozen
class SerialRule:
    """How the new serial is chosen, and the moment in seconds since 1970."""

    policy: SerialPolicy
    now: float


def reverse(now: Zone, before: Zone, after: Zone, rule: SerialRule) -> Reversal:
    """The difference that undoes `before` -> `after` in `now`; an empty one where it is undone already."""
    changes, _ = zone_changes(before, after)
    remove: list[TextRecord] = []
    add: list[TextRecord] = []
    undone = []
    conflicts = []
    for change in changes:
        present = rrset_of(now, change.owner, change.type)
        wanted = _soa(change, present) if change.type == "SOA" else _undone(change, present)
        if wanted is None:
            conflicts.append(change)
            continue
        wanted = wanted if wanted.rdata else None
        if wanted == present:
            continue
        undone.append(RRsetChange(change.owner, change.type, present, wanted))
        if change.type != "SOA":
            _replace(change, present, wanted, remove, add)
    if undone:
        _add_soa(now, undone, rule, remove, add)
    return Reversal(tuple(remove), tuple(add), tuple(undone), tuple(conflicts))


def _undone(change: RRsetChange, present: RRset | None) -> RRset | None:
    """The RRset with the change taken back (without RDATA: it is gone); None where that is not clear.

    Records that came later stay. It is not clear where the change's own records are only partly there.
    """
    here = () if present is None else present.rdata
    removed, added = set(change.removed), set(change.added)
    is_as_left = added <= set(here) and not removed & set(here)
    is_as_it_was = removed <= set(here) and not added & set(here)
    if not (is_as_left or is_as_it_was):
        return None
    ttl = 0 if present is None else present.ttl
    if present is None or (change.after is not None and present.ttl == change.after.ttl):
        ttl = change.before.ttl if change.before is not None else ttl
    elif change.changes_ttl and change.before is not None and present.ttl != change.before.ttl:
        return None
    if is_as_it_was and not is_as_left:
        return RRset(ttl, here)
    kept = [rdata for rdata in here if rdata not in added]
    return RRset(ttl, tuple(sorted({*kept, *removed})))


def _soa(change: RRsetChange, present: RRset | None) -> RRset | None:
    """The SOA with other fields than its serial taken back; None where they were changed again."""
    if present is None or change.before is None or change.after is None:
        return None
    if _without_serial(present) != _without_serial(change.after):
        return present if _without_serial(present) == _without_serial(change.before) else None
    return RRset(change.before.ttl, (_with_serial(change.before, present.rdata[0].split()[_SERIAL]),))


def _without_serial(rrset: RRset) -> tuple[int, list[str]]:
    fields = rrset.rdata[0].split()
    return rrset.ttl, fields[:_SERIAL] + fields[_SERIAL + 1 :]


def _with_serial(rrset: RRset, serial: str) -> str:
    fields = rrset.rdata[0].split()
    return " ".join((*fields[:_SERIAL], serial, *fields[_SERIAL + 1 :]))


def _replace(
    change: RRsetChange,
    present: RRset | None,
    wanted: RRset | None,
    remove: list[TextRecord],
    add: list[TextRecord],
) -> None:
    """Only the records that differ, but all of them where the TTL does."""
    same_ttl = present is not None and wanted is not None and present.ttl == wanted.ttl
    for rrset, other, records in ((present, wanted, remove), (wanted, present, add)):
        if rrset is None:
            continue
        kept = frozenset(other.rdata) if same_ttl and other is not None else frozenset()
        records += [
            (change.owner, rrset.ttl, change.type, rdata) for rdata in rrset.rdata if rdata not in kept
        ]


def _add_soa(
    now: Zone, undone: list[RRsetChange], rule: SerialRule, remove: list[TextRecord], add: list[TextRecord]
) -> None:
    """A new serial goes with every change."""
    present = rrset_of(now, now.apex, "SOA")
    if present is None:
        raise AssertionError("a zone has a SOA")
    wanted = next((each.after for each in undone if each.type == "SOA" and each.after), present)
    serial = str(next_serial(rule.policy, now.serial, rule.now))
    remove.insert(0, (now.apex, present.ttl, "SOA", present.rdata[0]))
    add.insert(0, (now.apex, wanted.ttl, "SOA", _with_serial(wanted, serial)))
