"""Checks zone files and key files as `oakroot check` does, and as the primary does before it serves them.

A whole tree is checked by loading it: what passes here is what the primary serves, by one and the same rule.
"""

from __future__ import annotations

from oakroot._engine import Zone, find_serial, read_zone
from oakroot.frozen import frozen
from oakroot.zones.diagnostics import Finding
from oakroot.zones.keyfiles import read_key_file
from oakroot.zones.load import SerialRules, load
from oakroot.zones.loaded import Loaded
from oakroot.zones.reading import read_zone_file, serial_finding
from oakroot.zones.serials import is_forward
from oakroot.zones.tree import Includes, Tree


@frozen
class Checked:
    """What was looked at, and what was found."""

    findings: tuple[Finding, ...] = ()
    zones: int = 0
    key_files: int = 0

    def __add__(self, other: Checked) -> Checked:
        return Checked(
            self.findings + other.findings,
            self.zones + other.zones,
            self.key_files + other.key_files,
        )


def check_tree(tree: Tree) -> Checked:
    """Checks all zones and key files of a tree."""
    loaded = load(tree, Loaded.nothing(), SerialRules("increment", now=0.0)).loaded
    return Checked(tuple(loaded.findings()), len(loaded.zones), len(loaded.key_files))


def check_key_file(tree: Tree, path: str, zone: str | None) -> Checked:
    """Checks one key file for names at or below `zone` (None: for all names)."""
    return Checked(read_key_file(tree.content(path), path, zone).findings, key_files=1)


def check_zone(tree: Tree, path: str, apex: str) -> Checked:
    """Checks one zone file."""
    return Checked(read_zone_file(tree, path, apex).findings, zones=1)


def check_successor(tree: Tree, path: str, apex: str, old: bytes) -> Checked:
    """Checks one zone file, and whether it may follow the old content.

    It may where the serial moved forward, or where nothing changed at all. Content of nothing but white space
    stands for no file: the zone is new, or it is removed.
    """
    if not tree.content(path).strip():
        return Checked(zones=1)
    new = read_zone_file(tree, path, apex)
    if not old.strip() or new.zone is None:
        return Checked(new.findings, zones=1)
    return Checked((*new.findings, *_succession(tree, path, new.zone, old)), zones=1)


def _succession(tree: Tree, path: str, new: Zone, old: bytes) -> tuple[Finding, ...]:
    old_zone, _ = read_zone(old, new.apex, path, Includes(tree))
    old_serial = old_zone.serial if old_zone is not None else _serial_of_broken(old, new.apex, path, tree)
    if old_serial is None:
        message = f"the old file is no version of the zone {new.apex}: it has no SOA of that name"
        return (Finding("error", "old-without-soa", message, path, hint="give --zone, or another --old"),)
    unchanged = old_serial == new.serial and old_zone is not None and new.same_but_serial(old_zone)
    if unchanged or is_forward(old_serial, new.serial):
        return ()
    return (serial_finding(tree, path, new, served=old_serial),)


def _serial_of_broken(text: bytes, apex: str, path: str, tree: Tree) -> int | None:
    """The serial of a file with errors: even so it may have been served once, in better days."""
    place = find_serial(text, apex, path, Includes(tree))
    if place is None:
        return None
    file, start, end = place
    holder = text if file == path else Includes(tree)(file)
    return int(holder[start:end])
