"""The guard against mass deletion: a change that takes away too much of a zone may be a mistake.

`plan` tells of such a change, the primary holds it back. Who means it says so in the commit's message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from oakroot._engine import Zone
from oakroot.frozen import frozen
from oakroot.zones.diagnostics import Finding
from oakroot.zones.loaded import LoadedZone

_FORCE = re.compile(r"(?im)^Oakroot-Force: *yes *$")
_HINT = 'if it is meant, push a commit whose message has the line "Oakroot-Force: yes"'


@frozen
class Guard:
    """How much may go at once."""

    share: float = 0.3
    """The greatest part that may be deleted in one change, from 0 to 1; 1 switches the guard off."""
    smallest: int = 10
    """What has fewer records is so small that any share of it is little."""

    def is_beyond(self, deleted: int, present: int) -> bool:
        """Whether deleting so many of so many is more than may go at once."""
        return present >= self.smallest and deleted > present * self.share


def is_meant(message: str) -> bool:
    """Whether the message of a commit says that what it deletes is meant to go."""
    return _FORCE.search(message) is not None


def too_much_deleted(old: Zone, new: Zone, path: str, guard: Guard) -> Finding | None:
    """The error for a version that deletes more than the guard lets pass; the old one stays served."""
    deleted, present = old.records_lost(new), old.record_count
    if not guard.is_beyond(deleted, present):
        return None
    message = f"the change deletes {deleted} of {present} records ({deleted / present:.0%}), and is held back"
    return Finding("error", "mass-deletion", message, path, hint=_HINT)


def hold_removed(
    before: Mapping[str, LoadedZone], owners: Mapping[str, str], guard: Guard
) -> dict[str, LoadedZone]:
    """The zones without a file that stay all the same, because too many would go at once."""
    removed = [zone for apex, zone in before.items() if apex not in owners]
    if not guard.is_beyond(len(removed), len(before)):
        return {}
    message = f"the change removes {len(removed)} of {len(before)} zones, and is held back"
    return {zone.apex: _held(zone, message) for zone in removed}


def _held(zone: LoadedZone, message: str) -> LoadedZone:
    finding = Finding("error", "mass-deletion", message, zone.path, hint=_HINT)
    return replace(zone, written_serial=None, findings=(finding,), is_held=True)
