"""Makes zones and keys of a tree, given what was made of the tree before.

The rules of the house for zone files stand here: a file that does not pass changes nothing (its last good
version stays served), only what changed is read, no zone is served under a serial that does not move forward
of the one served before, and what would delete too much at once is held back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from oakroot._engine import Catalogue, Zone
from oakroot.frozen import frozen
from oakroot.zones.ahead import ReadingAhead
from oakroot.zones.diagnostics import Finding
from oakroot.zones.filenames import Ignored, KeyFile, ZoneFile, classify
from oakroot.zones.guard import Guard, hold_removed, too_much_deleted
from oakroot.zones.keyfiles import LoadedKeys, load_key_files
from oakroot.zones.loaded import Edit, Loaded, LoadedZone, Loading, ZoneChange, exceptions_after
from oakroot.zones.reading import edit_serial, serial_finding
from oakroot.zones.serials import SerialPolicy, is_forward, next_serial
from oakroot.zones.tree import Tree

# Serials of removed zones are remembered, up to this number of zones, the oldest forgotten first.
REMEMBERED_SERIALS = 100_000

Kinds = Mapping[str, ZoneFile | KeyFile | Ignored]


@frozen
class SerialRules:
    """How serials are raised, and the moment (seconds since 1970) for policies that follow the clock."""

    policy: SerialPolicy
    now: float


@frozen
class _Scope:
    """What a load has to look at."""

    kinds: Kinds
    """All files of the root."""
    owners: Mapping[str, str]
    """The zones to look at, by apex, with the file that each is read from."""
    kept: Mapping[str, LoadedZone]
    """Zones that stay as they are, unless they are among those to look at."""
    held_anew: Sequence[LoadedZone]
    """Those of them that are held back as of now."""
    removed: Sequence[str]
    """Zones that are gone."""
    key_files: bool
    """Whether to look at key files."""
    name_findings: tuple[Finding, ...]


def load(tree: Tree, before: Loaded, rules: SerialRules, guard: Guard | None = None) -> Loading:
    """The next state for this tree; without a guard nothing is held back.

    Raises only what `tree.read` raises.
    """
    scope = _what_changed(tree, before) or _everything(tree, before, guard)
    zones, fresh = _load_zones(scope, tree, before, rules, guard)
    keys = LoadedKeys(before.key_files, before.keyring, before.key_duplicates, ())
    if scope.key_files:
        keys = load_key_files(tree, scope.kinds, before.key_files, before.key_duplicates)
    changes = _changes(before.zones, scope.removed, fresh)
    loaded = Loaded(
        commit=tree.commit,
        kinds=scope.kinds,
        zones=zones,
        key_files=keys.files,
        keyring=keys.keyring,
        key_duplicates=keys.duplicates,
        serials=_remember(before.serials, changes, zones),
        catalogue=_catalogue(before.catalogue, scope.removed, changes, fresh),
        name_findings=scope.name_findings,
        exceptions=exceptions_after(before.exceptions.difference(scope.removed), fresh),
    )
    news = () if scope.name_findings == before.name_findings else scope.name_findings
    zone_findings = (finding for zone in fresh for finding in zone.findings)
    return Loading(loaded, changes, (*news, *zone_findings, *keys.findings), _edits(loaded, tree))


def _everything(tree: Tree, before: Loaded, guard: Guard | None) -> _Scope:
    kinds = {path: before.kinds.get(path) or classify(path) for path in tree.files if "/" not in path}
    owners, name_findings = _owners(kinds)
    kept = {} if guard is None else hold_removed(before.zones, owners, guard)
    held_anew = [zone for apex, zone in kept.items() if not before.zones[apex].is_held]
    removed = sorted(before.zones.keys() - owners.keys() - kept.keys())
    findings = name_findings + _left_out(tree)
    return _Scope(kinds, owners, kept, held_anew, removed, key_files=True, name_findings=findings)


def _what_changed(tree: Tree, before: Loaded) -> _Scope | None:
    """Only what differs from the version before; None where more has to be looked at."""
    since = tree.since
    if since is None or since.commit != before.commit:
        return None
    exceptions = [before.zones[apex] for apex in before.exceptions]
    # What is held back is judged anew each time: the next commit may say that it is meant.
    if any(zone.is_held for zone in exceptions):
        return None
    kinds = [(path, before.kinds.get(path)) for path in since.contents]
    owners = {kind.apex: path for path, kind in kinds if isinstance(kind, ZoneFile)}
    owners = {apex: path for apex, path in owners.items() if before.zones[apex].path == path}
    owners.update({zone.apex: zone.path for zone in exceptions if zone.includes})
    key_files = any(isinstance(kind, KeyFile) for _, kind in kinds)
    return _Scope(before.kinds, owners, before.zones, (), (), key_files, before.name_findings)


def _owners(kinds: Kinds) -> tuple[dict[str, str], tuple[Finding, ...]]:
    """The file that each zone is read from, and findings about files that count for nothing."""
    owners: dict[str, str] = {}
    findings = []
    for path in sorted(kinds):
        kind = kinds[path]
        if isinstance(kind, Ignored) and kind.surprising:
            findings.append(Finding("warning", "ignored-file", f"this file is not read: {kind.reason}", path))
        elif isinstance(kind, ZoneFile) and owners.setdefault(kind.apex, path) != path:
            message = (
                f"the zone {kind.apex} is already read from the file {owners[kind.apex]}; this one is not"
            )
            findings.append(Finding("error", "duplicate-zone", message, path, hint="remove one of the two"))
    return owners, tuple(findings)


def _left_out(tree: Tree) -> tuple[Finding, ...]:
    """What would be a zone or a key file, were it a regular file."""
    meant = (path for path in sorted(tree.left_out) if not isinstance(classify(path), Ignored))
    return tuple(
        Finding("warning", "ignored-file", f"this file is not read: it is {tree.left_out[path]}", path)
        for path in meant
    )


def _load_zones(
    scope: _Scope, tree: Tree, before: Loaded, rules: SerialRules, guard: Guard | None
) -> tuple[dict[str, LoadedZone], list[LoadedZone]]:
    """All zones, and those among them that are news."""
    zones = dict(scope.kept)
    fresh = list(scope.held_anew)
    known = before.zones
    changed = {
        apex: path
        for apex, path in scope.owners.items()
        if (zone := known.get(apex)) is None or not _is_unchanged(zone, path, tree)
    }
    marked = {apex for apex in changed if (zone := known.get(apex)) is not None and zone.marked is not None}
    ahead = ReadingAhead.of(tree, [(path, apex) for apex, path in changed.items() if apex not in marked])
    for apex, path in scope.owners.items():
        if apex in changed:
            zone = _load_zone(ahead, path, apex, known.get(apex), before.serials.get(apex), rules, guard)
            fresh.append(zone)
            zones[apex] = zone
        else:
            zones[apex] = known[apex]
    return zones, fresh


def _is_unchanged(zone: LoadedZone, path: str, tree: Tree) -> bool:
    # What is held back is judged anew each time: the next commit may say that it is meant.
    return (
        not zone.is_held
        and zone.path == path
        and zone.blob == tree.files[path]
        and all(tree.files.get(included) == blob for included, blob in zone.includes.items())
    )


def _load_zone(
    ahead: ReadingAhead,
    path: str,
    apex: str,
    before: LoadedZone | None,
    served: int | None,
    rules: SerialRules,
    guard: Guard | None,
) -> LoadedZone:
    tree = ahead.tree
    marked = None if before is None else before.marked
    reading = ahead.read(path, apex, marked)
    kept = None if before is None else before.zone
    zone, written, findings = kept, None, reading.findings
    if reading.zone is not None:
        # Versions that live side by side (kept for IXFR, or still answered from) share their memory.
        new = reading.zone if kept is None else reading.zone.sharing(kept)
        if guard is not None and kept is not None and (held := too_much_deleted(kept, new, path, guard)):
            found, blob = (*findings, held), tree.files[path]
            marked = reading.marked
            return LoadedZone(apex, path, blob, reading.includes, kept, None, found, marked, is_held=True)
        served_next = _zone_to_serve(new, kept, served, rules)
        if served_next is None:
            finding = serial_finding(tree, path, reading.zone, served=served or 0)
            findings = (*findings, finding)
        else:
            zone, written = served_next, reading.zone.serial
    # A version that is no good is not marked; then the one before may still serve to read the next.
    marked = reading.marked or (marked if reading.zone is None else None)
    return LoadedZone(apex, path, tree.files[path], reading.includes, zone, written, findings, marked)


def _zone_to_serve(new: Zone, old: Zone | None, served: int | None, rules: SerialRules) -> Zone | None:
    """The new zone under a lawful serial, or the old one if both say the same; None: refused."""
    if served is None or is_forward(served, new.serial):
        return new
    if old is not None and new.same_but_serial(old) and (rules.policy != "manual" or new.serial == served):
        return old
    # Another serial would make the signature of a signed SOA a wrong one, and every denial bogus with it.
    if rules.policy == "manual" or new.serial_is_sealed:
        return None
    return new.with_serial(next_serial(rules.policy, served, rules.now))


def _changes(
    before: Mapping[str, LoadedZone], removed: Iterable[str], fresh: Iterable[LoadedZone]
) -> tuple[ZoneChange, ...]:
    changes = []
    for zone in fresh:
        known = before.get(zone.apex)
        old = known.zone if known else None
        if zone.zone is not old:
            changes.append(ZoneChange(zone.apex, old, zone.zone))
    changes += [ZoneChange(apex, before[apex].zone, None) for apex in removed]
    return tuple(changes)


def _catalogue(
    catalogue: Catalogue,
    removed: Sequence[str],
    changes: Iterable[ZoneChange],
    fresh: Iterable[LoadedZone],
) -> Catalogue:
    if removed:
        catalogue = catalogue.without(removed)
    if served := [change.after for change in changes if change.after is not None]:
        catalogue = catalogue.with_zones(served)
    if unavailable := [zone.apex for zone in fresh if zone.zone is None]:
        catalogue = catalogue.with_unavailable(unavailable)
    return catalogue


def _remember(
    serials: Mapping[str, int], changes: Iterable[ZoneChange], zones: Mapping[str, LoadedZone]
) -> Mapping[str, int]:
    remembered = {**serials, **{change.apex: change.after.serial for change in changes if change.after}}
    surplus = len(remembered) - len(zones) - REMEMBERED_SERIALS
    if surplus > 0:
        gone = (apex for apex in serials if apex not in zones)
        for apex, _ in zip(gone, range(surplus), strict=False):
            del remembered[apex]
    return remembered


def _edits(loaded: Loaded, tree: Tree) -> tuple[Edit, ...]:
    """One edit per file: zones that share the file with their SOA take turns, a commit each."""
    edits: dict[str, Edit] = {}
    for zone in (loaded.zones[apex] for apex in sorted(loaded.exceptions)):
        if zone.is_raised and zone.zone is not None and zone.written_serial is not None:
            edit = edit_serial(tree, zone.path, zone.zone, zone.written_serial)
            edits.setdefault(edit.path, edit)
    return tuple(edits.values())
