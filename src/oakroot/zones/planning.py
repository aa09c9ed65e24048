"""Makes the plan of a change: two trees in, what differs between their zones and keys out.

Only what differs is read, so ten thousand zones with one change cost what that one costs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Literal

from oakroot._engine import Zone
from oakroot.frozen import frozen
from oakroot.keys.keyring import GrantedKey
from oakroot.zones.diagnostics import Finding
from oakroot.zones.edits import canonical_order
from oakroot.zones.filenames import Ignored, KeyFile, ZoneFile, classify, plain_name
from oakroot.zones.keyfiles import read_key_file
from oakroot.zones.loaded import Marked
from oakroot.zones.plan import KeyChange, Plan, RRset, RRsetChange, Serial, ZonePlan
from oakroot.zones.reading import read_zone_file
from oakroot.zones.serials import SerialPolicy, is_forward, next_serial
from oakroot.zones.tree import Tree

LISTED_RECORDS = 1000
"""A zone that is new or gone is listed record by record up to this size, and counted beyond it."""


@frozen
class Rules:
    """How the primary raises serials, and the moment in seconds since 1970."""

    policy: SerialPolicy = "increment"
    now: float = 0.0


def make_plan(before: Tree, after: Tree, changed: Collection[str], rules: Rules) -> Plan:
    """What taking `after` in place of `before` does; `changed` names at least every path that differs.

    Raises only what the trees' `read` raises.
    """
    owners = _owners(before, changed), _owners(after, changed)
    zones = []
    for apex in sorted(owners[0].keys() | owners[1].keys()):
        old = _read(before, owners[0].get(apex), apex)
        new = _read(after, owners[1].get(apex), apex, None if old is None else old.marked)
        plan = _plan_zone(apex, old, new, rules)
        if plan is not None:
            zones.append(plan)
    keys, findings = _plan_keys(before, after, changed)
    removed = any(zone.after is None for zone in zones)
    return Plan(tuple(zones), keys, findings, _count_zones(before) if removed else None)


def plan_for_server(
    served: Callable[[str], Zone | None], after: Tree, rules: Rules, only: Collection[str] = ()
) -> Plan:
    """What changes for those who ask a server if it serves these zones; `served` gives its version of one.

    `only`: the apexes to look at, if not all. Keys, and zones that only the server has, are not compared.
    Raises only what `served` and the tree's `read` raise.
    """
    zones = []
    for apex, path in sorted(zone_files(after).items()):
        if only and apex not in only:
            continue
        known = served(apex)
        old = None if known is None else _Version("", known, ())
        plan = _plan_zone(apex, old, _read(after, path, apex), rules)
        if plan is not None:
            zones.append(plan)
    return Plan(tuple(zones))


def zone_files(tree: Tree) -> dict[str, str]:
    """The file of each zone, by apex: of two the first, as for the primary."""
    owners: dict[str, str] = {}
    for path in sorted(tree.files):
        kind = classify(path)
        if isinstance(kind, ZoneFile):
            owners.setdefault(kind.apex, path)
    return owners


def zone_changes(before: Zone | None, after: Zone | None) -> tuple[tuple[RRsetChange, ...], int]:
    """The RRsets that differ between two versions, and how many records go without replacement."""
    if before is None or after is None:
        zone = before or after
        deleted = 0 if before is None else before.record_count
        listed = () if zone is None or zone.record_count > LISTED_RECORDS else tuple(_whole(zone, before))
        return listed, deleted
    removed, added = before.difference(after)
    balance = Counter((owner, rtype) for owner, _, rtype, _ in removed)
    balance.subtract((owner, rtype) for owner, _, rtype, _ in added)
    pairs = {(owner, rtype) for owner, _, rtype, _ in (*removed, *added)}
    changes = (
        RRsetChange(owner, rtype, rrset_of(before, owner, rtype), rrset_of(after, owner, rtype))
        for owner, rtype in sorted(pairs, key=lambda pair: canonical_order(*pair))
    )
    lost = sum(count for count in balance.values() if count > 0)
    return tuple(change for change in changes if not _is_serial_alone(change)), lost


def rrset_of(zone: Zone, owner: str, rtype: str) -> RRset | None:
    """One RRset of a zone, cut off below a delegation or not; None where there is none."""
    records = zone.records_of(owner, rtype)
    if not records:
        return None
    return RRset(records[0][1], tuple(rdata for _, _, _, rdata in records))


@frozen
class _Version:
    path: str
    zone: Zone | None
    findings: tuple[Finding, ...]
    marked: Marked | None = None


def _owners(tree: Tree, changed: Collection[str]) -> dict[str, str]:
    """The file of each zone that a change may touch, by apex.

    A zone is touched by its file, by another file of its name (of two, the first counts, as for the primary),
    and by what its file includes.
    """
    names = {plain_name(path) for path in changed}
    owners: dict[str, str] = {}
    for path in sorted(path for path in tree.files if plain_name(path) in names):
        kind = classify(path)
        if isinstance(kind, ZoneFile):
            owners.setdefault(kind.apex, path)
    if any(isinstance(classify(path), Ignored) for path in changed):
        for apex, path in _including(tree, changed):
            owners.setdefault(apex, path)
    return owners


def _including(tree: Tree, changed: Collection[str]) -> Iterator[tuple[str, str]]:
    """The zones (apex, path) that read one of these files by `$INCLUDE`."""
    for path in tree.files:
        # The word is looked for first: most zones include nothing, and need not be parsed.
        if b"$include" not in tree.content(path).lower():
            continue
        kind = classify(path)
        if isinstance(kind, ZoneFile):
            reading = read_zone_file(tree, path, kind.apex)
            if not reading.includes.keys().isdisjoint(changed):
                yield kind.apex, path


def _count_zones(tree: Tree) -> int:
    return len(zone_files(tree))


def _read(tree: Tree, path: str | None, apex: str, before: Marked | None = None) -> _Version | None:
    """One side of a zone; of a long file only what differs from the other side, `before`, is read."""
    if path is None:
        return None
    reading = read_zone_file(tree, path, apex, before)
    return _Version(path, reading.zone, reading.findings, reading.marked)


def _plan_zone(apex: str, old: _Version | None, new: _Version | None, rules: Rules) -> ZonePlan | None:
    before = None if old is None else old.zone
    after = None if new is None else new.zone
    path = new.path if new is not None else old.path if old is not None else ""
    findings = () if new is None else new.findings
    if new is not None and after is None:
        serial = Serial(
            before.serial if before else None, None, before.serial if before else None, "unchanged"
        )
        return ZonePlan(apex, path, before, None, serial, (), 0, findings)
    if before is None and after is None:
        return None
    serial = _serial(before, after, rules)
    changes, deleted = zone_changes(before, after)
    if not changes and before is not None and after is not None and before.serial == after.serial:
        return None
    return ZonePlan(apex, path, before, after, serial, changes, deleted, findings)


def _serial(before: Zone | None, after: Zone | None, rules: Rules) -> Serial:
    """As `load` does it for what is served."""
    if after is None:
        return Serial(before.serial if before else None, None, None, "unchanged")
    written = after.serial
    if before is None:
        return Serial(None, written, written, "new")
    if is_forward(before.serial, written):
        return Serial(before.serial, written, written, "forward")
    if after.same_but_serial(before):
        return Serial(before.serial, written, before.serial, "unchanged")
    if rules.policy == "manual" or after.serial_is_sealed:
        return Serial(before.serial, written, before.serial, "refused")
    return Serial(before.serial, written, next_serial(rules.policy, before.serial, rules.now), "raised")


def _whole(zone: Zone, before: Zone | None) -> Iterator[RRsetChange]:
    """All RRsets of a zone that comes, or goes."""
    pairs = {(owner, rtype): None for owner, _, rtype, _ in zone.records()}
    for owner, rtype in pairs:
        rrset = rrset_of(zone, owner, rtype)
        yield RRsetChange(owner, rtype, *((None, rrset) if before is None else (rrset, None)))


def _is_serial_alone(change: RRsetChange) -> bool:
    """Whether this is a SOA of which only the serial differs: every change has that."""
    if change.type != "SOA" or change.before is None or change.after is None or change.changes_ttl:
        return False
    sides = (change.before.rdata[0].split(), change.after.rdata[0].split())
    return sides[0][:2] + sides[0][3:] == sides[1][:2] + sides[1][3:]


def _plan_keys(
    before: Tree, after: Tree, changed: Collection[str]
) -> tuple[tuple[KeyChange, ...], tuple[Finding, ...]]:
    changes: list[KeyChange] = []
    findings: list[Finding] = []
    for path in sorted(changed):
        kind = classify(path)
        if not isinstance(kind, KeyFile):
            continue
        old, _ = _keys(before, path, kind.zone)
        new, problems = _keys(after, path, kind.zone)
        findings += problems
        changes += _key_changes(path, old, new)
    return tuple(changes), tuple(findings)


def _keys(tree: Tree, path: str, zone: str | None) -> tuple[dict[str, GrantedKey], tuple[Finding, ...]]:
    if path not in tree.files:
        return {}, ()
    read = read_key_file(tree.content(path), path, zone)
    return {granted.key.name.to_text(): granted for granted in read.keys}, read.findings


def _key_changes(
    path: str, old: Mapping[str, GrantedKey], new: Mapping[str, GrantedKey]
) -> Iterator[KeyChange]:
    for name in sorted(old.keys() | new.keys()):
        granted = new.get(name) or old[name]
        if name not in old:
            kind: Literal["added", "removed", "renewed"] = "added"
        elif name not in new:
            kind = "removed"
        elif old[name].key == new[name].key:
            continue
        else:
            kind = "renewed"
        grant = granted.grant
        yield KeyChange(
            name, kind, path, grant.operation.name.lower(), grant.zone.to_text(), str(grant.limits)
        )
