"""Reads one zone file of a tree with its includes; finds its serial and writes another in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from oakroot._engine import Diagnostic, Marks, Zone, find_serial, read_zone_with_marks, reread_zone
from oakroot.frozen import frozen
from oakroot.zones.diagnostics import Finding, unreadable
from oakroot.zones.loaded import Edit, Marked
from oakroot.zones.serials import next_serial
from oakroot.zones.tree import Includes, Tree, resolve

# Nearly no zone includes a file, so nearly all share this.
NONE_INCLUDED: Mapping[str, str | None] = MappingProxyType({})


@frozen
class Reading:
    """What a zone file says; `zone` is None exactly when a finding is an error."""

    zone: Zone | None
    findings: tuple[Finding, ...]
    includes: Mapping[str, str | None]
    marked: Marked | None = None


def read_zone_file(tree: Tree, path: str, apex: str, before: Marked | None = None) -> Reading:
    """Reads and checks the zone file at this path. Raises only what `tree.read` raises, but no ValueError.

    `before` is an earlier version of it: then only what differs is read, if that is enough.
    """
    try:
        text = tree.content(path)
    except ValueError as error:
        return Reading(None, (unreadable(path, error),), NONE_INCLUDED)
    if before is not None and (found := _reread(tree, text, before)) is not None:
        zone, marks = found
        return Reading(zone, (), NONE_INCLUDED, Marked(tree.files[path], zone, marks))
    includes = Includes(tree)
    read = read_zone_with_marks(text, apex, path, includes)
    return reading_of(tree, path, read, includes.seen or NONE_INCLUDED)


def reading_of(
    tree: Tree,
    path: str,
    read: tuple[Zone | None, Sequence[Diagnostic], Marks | None],
    includes: Mapping[str, str | None] = NONE_INCLUDED,
) -> Reading:
    """The reading of the file at this path, given what the engine says."""
    zone, diagnostics, marks = read
    marked = None if zone is None or marks is None else Marked(tree.files[path], zone, marks)
    return Reading(zone, tuple(map(Finding.of_engine, diagnostics)), includes, marked)


def _reread(tree: Tree, text: bytes, before: Marked) -> tuple[Zone, Marks] | None:
    try:
        old = tree.read(before.blob)
    except Exception:  # noqa: BLE001 - whatever became of the earlier version, the new one is there to be read
        return None
    return reread_zone(old, text, before.zone, before.marks)


def serial_finding(tree: Tree, path: str, zone: Zone, *, served: int) -> Finding:
    """The error for a changed zone whose serial did not move on, at the place of the serial."""
    file, start, end = _place_of_serial(tree, path, zone.apex)
    text = tree.content(file)
    line_start = text.rfind(b"\n", 0, start) + 1
    line_end = text.find(b"\n", start)
    written = zone.serial
    how = "sign the zone again with" if zone.serial_is_sealed else "write"
    return Finding(
        severity="error",
        code="serial-not-forward",
        message=f"the zone changed, but its serial {written} is not forward of {served}, which was served",
        file=file,
        line=text.count(b"\n", 0, start) + 1,
        column=start - line_start + 1,
        end_column=end - line_start + 1,
        hint=f"{how} a greater serial, {next_serial('increment', served, 0)} at least (RFC 1982)",
        source_line=text[line_start : None if line_end < 0 else line_end].decode(errors="replace"),
    )


def edit_serial(tree: Tree, path: str, zone: Zone, written: int) -> Edit:
    """The file the zone's SOA stands in, with the zone's serial in place of the written one."""
    file, start, end = _place_of_serial(tree, path, zone.apex)
    text = tree.content(file)
    content = text[:start] + b"%d" % zone.serial + text[end:]
    return Edit(file, content, zone.apex, old_serial=written, new_serial=zone.serial)


def _place_of_serial(tree: Tree, path: str, apex: str) -> tuple[str, int, int]:
    place = find_serial(tree.content(path), apex, path, Includes(tree))
    if place is None:
        message = f"no SOA serial in {path}, although it was read as a zone"
        raise AssertionError(message)
    file, start, end = place
    return (path if file == path else resolve(file)), start, end
