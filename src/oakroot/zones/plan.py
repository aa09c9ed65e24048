"""What a change of a repository does to its zones and keys, as values.

`planning` makes them of two trees, `consequences` says what the world will feel. How a plan is shown stands
elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Literal

from oakroot._engine import Zone
from oakroot.frozen import frozen
from oakroot.zones.diagnostics import Finding, errors
from oakroot.zones.guard import Guard

SerialFate = Literal["new", "forward", "raised", "unchanged", "refused"]


@frozen
class RRset:
    """Records of one owner and type; `rdata` in canonical order."""

    ttl: int
    rdata: tuple[str, ...]


@frozen
class RRsetChange:
    """One RRset before and after; None where there is none. Both are whole, not only what differs."""

    owner: str
    type: str
    before: RRset | None
    after: RRset | None

    @property
    def removed(self) -> tuple[str, ...]:
        """The RDATA that goes."""
        return _without(self.before, self.after)

    @property
    def added(self) -> tuple[str, ...]:
        """The RDATA that comes."""
        return _without(self.after, self.before)

    @property
    def changes_ttl(self) -> bool:
        """Whether what stays gets another TTL."""
        return self.before is not None and self.after is not None and self.before.ttl != self.after.ttl


@frozen
class Serial:
    """What becomes of a zone's serial: the old one, the one that is written, and the one to be served."""

    before: int | None
    written: int | None
    served: int | None
    fate: SerialFate


@frozen
class ZonePlan:
    """One zone that changes, or that would if its file were good."""

    apex: str
    path: str
    before: Zone | None = field(repr=False)
    after: Zone | None = field(repr=False)
    serial: Serial
    changes: tuple[RRsetChange, ...]
    """In canonical order, without the SOA where nothing but its serial differs."""
    deleted: int
    """Records that go and are not replaced."""
    findings: tuple[Finding, ...]
    """About the new file. With an error among them the version before stays served."""

    @property
    def is_broken(self) -> bool:
        """Whether the new file would not be served."""
        return bool(errors(self.findings)) or self.serial.fate == "refused"

    @property
    def present(self) -> int:
        """Records before the change."""
        return 0 if self.before is None else self.before.record_count

    @property
    def share_deleted(self) -> float:
        """The part of the zone that goes, from 0 to 1."""
        return self.deleted / self.present if self.present else 0.0


@frozen
class KeyChange:
    """A key that comes, goes, or gets another secret."""

    name: str
    kind: Literal["added", "removed", "renewed"]
    path: str
    operation: str
    """What it may do: notify, transfer or update."""
    zone: str
    """Where it may do that, and below."""
    limits: str = ""
    """What of that alone, in words; empty for all of it."""


@frozen
class Plan:
    """All that a change does."""

    zones: tuple[ZonePlan, ...] = ()
    keys: tuple[KeyChange, ...] = ()
    key_findings: tuple[Finding, ...] = ()
    zones_before: int | None = None
    """How many zones there were in all; None where none goes, for then nobody asks."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes at all."""
        return not (self.zones or self.keys or self.key_findings)

    @property
    def is_broken(self) -> bool:
        """Whether some of it would not take effect because of errors."""
        return bool(errors(self.key_findings)) or any(zone.is_broken for zone in self.zones)

    def beyond(self, guard: Guard) -> Iterator[str]:
        """A line for each thing that deletes more than the guard lets pass."""
        removed = sum(1 for zone in self.zones if zone.after is None and not zone.findings)
        if self.zones_before is not None and guard.is_beyond(removed, self.zones_before):
            yield f"{removed} of {self.zones_before} zones are removed"
        for zone in self.zones:
            if zone.after is not None and guard.is_beyond(zone.deleted, zone.present):
                share = f"{zone.share_deleted:.0%}"
                yield f"{zone.apex} loses {zone.deleted} of {zone.present} records ({share})"


def _without(rrset: RRset | None, other: RRset | None) -> tuple[str, ...]:
    if rrset is None:
        return ()
    kept = frozenset(() if other is None else other.rdata)
    return tuple(rdata for rdata in rrset.rdata if rdata not in kept)
