"""The history of one zone, or of a name in it, as RRsets: what `log`, `blame`, `show` and `revert` share."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dns.name

from oakroot._engine import Zone
from oakroot.cli import CommandError, Exit
from oakroot.cli.options import domain_name, record_type
from oakroot.frozen import frozen
from oakroot.git.checkout import Checkout, Revision, RevisionUnknown
from oakroot.git.history import history
from oakroot.zones.filenames import zone_file_of
from oakroot.zones.plan import RRsetChange
from oakroot.zones.planning import rrset_of, zone_changes
from oakroot.zones.reading import read_zone_file
from oakroot.zones.tree import Tree

_AGE = re.compile(r"(\d+)(s|m|h|d|w)\Z")
_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?)?\Z")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_ZONES_KEPT = 8


@frozen
class Event:
    """One commit, and what it did to the zone."""

    revision: Revision
    before: Zone | None
    after: Zone | None
    """None where the zone was not there, or had errors and could not be served."""
    changes: tuple[RRsetChange, ...]


class ZoneHistory:
    """One zone through the commits of a repository."""

    def __init__(self, checkout: Checkout, name: dns.name.Name, start: Revision) -> None:
        """The zone that `name` is in; of one that is gone, the name itself must be that of its file."""
        self._checkout = checkout
        self._start = start
        found = zone_file_of(checkout.files(start), name)
        self.apex, self.path = found or (name.canonicalize().to_text(), name.to_text(omit_final_dot=True))
        self._paths = {self.path}
        self._zones: dict[str, Zone | None] = {}

    def at(self, revision: Revision) -> Zone | None:
        """The zone as a commit has it; None where it has none, or one with errors."""
        if revision.tree not in self._zones:
            if len(self._zones) >= _ZONES_KEPT:
                self._zones.pop(next(iter(self._zones)))
            self._zones[revision.tree] = self._read(revision)
        return self._zones[revision.tree]

    def events(self) -> Iterator[Event]:
        """What happened to the zone, newest first."""
        self.at(self._start)
        for step in history(self._checkout, self._start, lambda: self._paths):
            after = self.at(step.revision)
            befores = [self.at(parent) for parent in step.parents]
            before = befores[0] if befores else None
            changes, _ = zone_changes(before, after)
            # At a merge the branches' own changes are told by their own commits.
            changes = tuple(
                change for change in changes if all(_differs(change, other) for other in befores[1:])
            )
            yield Event(step.revision, before, after, changes)

    def _read(self, revision: Revision) -> Zone | None:
        files = self._checkout.files(revision)
        if self.path not in files:
            return None
        tree = Tree(revision.commit, files, self._checkout.blob)
        reading = read_zone_file(tree, self.path, self.apex)
        self._paths |= reading.includes.keys()
        return reading.zone


def _differs(change: RRsetChange, other: Zone | None) -> bool:
    return other is None or rrset_of(other, change.owner, change.type) != change.after


def add_repository_option(parser: argparse.ArgumentParser) -> None:
    """Adds `--repository`."""
    parser.add_argument(
        "--repository",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="a folder of the zone repository, or a bare one (default: here)",
    )


def add_name_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds NAME and TYPE."""
    parser.add_argument("name", type=domain_name, metavar="NAME", help="a zone, or a name in one")
    parser.add_argument("type", nargs="?", type=record_type, metavar="TYPE", help="a type of its records")


def start_of(checkout: Checkout) -> Revision:
    """The newest commit; CommandError before the first one."""
    head = checkout.head()
    if head is None:
        raise CommandError("the repository has no commit yet")
    return head


def is_meant(change: RRsetChange, apex: str, name: dns.name.Name, rtype: str | None) -> bool:
    """Whether a change is about what the user asked for. A zone's name without a type means all of it."""
    owner = name.canonicalize().to_text()
    if owner == apex and rtype is None:
        return True
    return change.owner == owner and rtype in {None, change.type}


def revision_at(zone: ZoneHistory, checkout: Checkout, when: str, now: float | None = None) -> Revision:
    """The commit that was current at a moment: an age (`2h`), a date, a serial of the zone, or a revision."""
    moment = _moment(when, time.time() if now is None else now)
    if moment is not None:
        return _newest_before(checkout, moment, when)
    if when.isdecimal():
        for event in zone.events():
            if event.after is not None and event.after.serial == int(when):
                return event.revision
    try:
        return checkout.revision(when)
    except RevisionUnknown:
        what = f"{when!r} is no age, date, revision, or serial of {zone.apex}"
        hint = "an age is 90m, 2h, 3d or 1w; a date 2026-11-29 or 2026-11-29T12:00 (UTC)"
        raise CommandError(what, hint=hint, exit_code=Exit.USAGE) from None


def _moment(when: str, now: float) -> float | None:
    if age := _AGE.match(when):
        return now - int(age[1]) * _UNITS[age[2]]
    if _DATE.match(when):
        try:
            return datetime.fromisoformat(when).replace(tzinfo=UTC).timestamp()
        except ValueError:
            return None
    return None


def _newest_before(checkout: Checkout, moment: float, when: str) -> Revision:
    """Along first parents: the branch as it was, not what others had in theirs."""
    current: Revision | None = start_of(checkout)
    while current is not None:
        if current.time <= moment:
            return current
        parents = checkout.parents(current)
        current = parents[0] if parents else None
    raise CommandError(f"the repository has no commit as old as {when}")
