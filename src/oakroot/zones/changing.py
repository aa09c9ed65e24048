"""A zone under change: what becomes of it step by step, before there is a new version of it.

Making a version costs as much for many changes as for a few, so those of a group make one. What must not live
here: what is changed, and whether the outcome is fit to be served.
"""

from __future__ import annotations

from collections.abc import Iterable

from oakroot._engine import Zone
from oakroot.zones.edits import TextRecord

_Records = dict[TextRecord, None]
"""Records in their order."""


class ChangingZone:
    """A zone as its changes so far leave it, at the cost of the RRsets that they touch."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        """As it was."""
        self.apex = zone.apex
        self._before: dict[tuple[str, str], tuple[TextRecord, ...]] = {}
        self._now: dict[str, dict[str, _Records]] = {}

    def types_of(self, owner: str) -> list[str]:
        """The types of the records of a name."""
        types = self.zone.types_of(owner)
        touched = self._now.get(owner.lower())
        if touched is None:
            return types
        untouched = [kind for kind in types if kind not in touched]
        return untouched + [kind for kind, records in touched.items() if records]

    def records_of(self, owner: str, kind: str) -> list[TextRecord]:
        """The records of one RRset; empty where there is none."""
        touched = self._now.get(owner.lower(), {}).get(kind)
        return self.zone.records_of(owner, kind) if touched is None else list(touched)

    def change(self, remove: Iterable[TextRecord], add: Iterable[TextRecord]) -> None:
        """Goes on without some records, which are there, and with others."""
        for record in remove:
            del self._touched(record)[record]
        for record in add:
            self._touched(record)[record] = None

    def difference(self) -> tuple[list[TextRecord], list[TextRecord]]:
        """What to remove and to add, all in all."""
        removed: list[TextRecord] = []
        added: list[TextRecord] = []
        for (owner, kind), before in self._before.items():
            now = self._now[owner][kind]
            removed += [record for record in before if record not in now]
            added += now.keys() - set(before)
        return removed, added

    def _touched(self, record: TextRecord) -> _Records:
        owner, kind = record[0].lower(), record[2]
        rrsets = self._now.setdefault(owner, {})
        if kind not in rrsets:
            before = tuple(self.zone.records_of(record[0], kind))
            self._before[owner, kind] = before
            rrsets[kind] = dict.fromkeys(before)
        return rrsets[kind]
