"""Which files a change of a repository is undone by: zones record by record, everything else as a whole.

Three trees in (now, before the change, after it), the new content of files out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from oakroot.frozen import frozen
from oakroot.zones.diagnostics import visible
from oakroot.zones.edits import EditError, read_zone_text
from oakroot.zones.filenames import KeyFile, ZoneFile, classify
from oakroot.zones.plan import RRsetChange, ZonePlan
from oakroot.zones.planning import Rules, make_plan
from oakroot.zones.reading import edit_serial, read_zone_file
from oakroot.zones.reversal import SerialRule, reverse
from oakroot.zones.serials import next_serial
from oakroot.zones.tree import Tree


class NotRestorable(Exception):  # noqa: N818 - the name says what the matter is
    """The change cannot be undone; nothing must be written."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@frozen
class Change:
    """What is to be undone: the step from `before` to `after`, in what is there now."""

    now: Tree
    before: Tree
    after: Tree
    changed: Collection[str]
    """At least every path that differs between the two."""
    apex: str | None = None
    """Only this zone, and keys not; None for everything."""


@frozen
class RestoredZone:
    """What becomes of one zone."""

    apex: str
    headline: str
    changes: tuple[RRsetChange, ...]


@frozen
class Restored:
    """The outcome: what to write."""

    contents: Mapping[str, bytes | None]
    """By path; None removes the file."""
    zones: tuple[RestoredZone, ...]
    whole_files: tuple[str, ...]
    was_touched: bool
    """Whether the change did anything to records or keys; nothing to write then means that it is undone."""

    def words(self) -> Iterator[str]:
        """What was done, for the message of a commit."""
        yield from (zone.headline for zone in self.zones)
        yield from (f"{path}: as it was" for path in self.whole_files)


def restore(change: Change, rule: SerialRule) -> Restored:
    """The files that undo the change.

    Raises:
        NotRestorable: something later builds on the change, or it cannot be written into the files.
    """
    plan = make_plan(change.before, change.after, change.changed, Rules("increment", rule.now))
    contents: dict[str, bytes | None] = {}
    zones = []
    meant = [zone for zone in plan.zones if change.apex in {None, zone.apex}]
    for zone in meant:
        restored, files = _restore_zone(change, zone, rule)
        contents.update(files)
        zones += [restored] if files else []
    whole = [] if change.apex is not None else list(_restore_key_files(change))
    contents.update(whole)
    keys = change.apex is None and any(isinstance(classify(path), KeyFile) for path in change.changed)
    return Restored(contents, tuple(zones), tuple(path for path, _ in whole), bool(meant) or keys)


Files = dict[str, bytes | None]


def _restore_zone(change: Change, zone: ZonePlan, rule: SerialRule) -> tuple[RestoredZone, Files]:
    name = visible(zone.apex.removesuffix(".") or ".")
    if zone.before is None or zone.after is None or zone.findings:
        return _restore_file(change, zone, rule, name)
    current = read_zone_file(change.now, zone.path, zone.apex).zone if zone.path in change.now.files else None
    if current is None:
        raise NotRestorable(f"{name} is not there any more, or has errors; mend that first")
    if current.serial_is_sealed:
        raise NotRestorable(
            f"{name} is signed: other records need other signatures", "undo it where you sign it"
        )
    reversal = reverse(current, zone.before, zone.after, rule)
    if reversal.conflicts:
        listed = ", ".join(f"{visible(each.owner)} {each.type}" for each in reversal.conflicts[:5])
        hint = "undo the later change first (`oakroot log` shows it), or edit the file"
        raise NotRestorable(f"a later change builds on this one: {listed}", hint)
    if not reversal.undone:
        return RestoredZone(zone.apex, name, ()), {}
    new = current.changed(reversal.remove, reversal.add)
    if faults := new.faults_since(current):
        raise NotRestorable(f"{name} would have errors: {visible(faults[0])}")
    try:
        text = read_zone_text(change.now, zone.path, zone.apex, _read_elsewhere(change.now, zone))
        files: Files = dict(text.changed(reversal.remove, reversal.add).contents_since(text))
    except EditError as error:
        raise NotRestorable(f"{name}: {visible(str(error.args[1]))}", "edit the files by hand") from None
    return RestoredZone(zone.apex, f"{name}: serial {current.serial} -> {new.serial}", reversal.undone), files


def _read_elsewhere(tree: Tree, zone: ZonePlan) -> frozenset[str]:
    """The files that other zones read, too; looked for only if this zone includes any."""
    included = read_zone_file(tree, zone.path, zone.apex).includes.keys()
    if not included:
        return frozenset()
    elsewhere: set[str] = set()
    for path in tree.files:
        kind = classify(path)
        if path != zone.path and isinstance(kind, ZoneFile) and b"$include" in tree.content(path).lower():
            elsewhere |= read_zone_file(tree, path, kind.apex).includes.keys()
    return frozenset(included & elsewhere)


def _restore_file(change: Change, zone: ZonePlan, rule: SerialRule, name: str) -> tuple[RestoredZone, Files]:
    """A zone that came, went, or broke: its file as a whole."""
    before = _content(change.before, zone.path)
    if _content(change.now, zone.path) != _content(change.after, zone.path):
        raise NotRestorable(f"{name} was changed again after that", "undo the later changes first")
    if before is None:
        return RestoredZone(zone.apex, f"{name}: removed", ()), {zone.path: None}
    if zone.before is None or zone.findings:
        # What is served, if anything is, is what this file said: the same serial means the same zone.
        return RestoredZone(zone.apex, f"{name}: its file as it was", ()), {zone.path: before}
    served = zone.before.with_serial(next_serial(rule.policy, zone.before.serial, rule.now))
    edit = edit_serial(change.before, zone.path, served, zone.before.serial)
    files: Files = {zone.path: before, edit.path: edit.content}
    return RestoredZone(zone.apex, f"{name}: back, with serial {served.serial}", ()), files


def _restore_key_files(change: Change) -> Iterator[tuple[str, bytes | None]]:
    for path in sorted(change.changed):
        if not isinstance(classify(path), KeyFile):
            continue
        before, now = _content(change.before, path), _content(change.now, path)
        if now == before:
            continue
        if now != _content(change.after, path):
            raise NotRestorable(f"{path} was changed again after that", "undo the later changes first")
        yield path, before


def _content(tree: Tree, path: str) -> bytes | None:
    return tree.content(path) if path in tree.files else None
