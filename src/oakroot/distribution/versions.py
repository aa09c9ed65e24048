"""Which earlier versions of zones are kept for IXFR (RFC 1995 §5). Versions share what is equal in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from types import MappingProxyType

from oakroot._engine import Zone
from oakroot.frozen import frozen
from oakroot.zones.loaded import ZoneChange
from oakroot.zones.serials import is_forward

VERSIONS_LIMIT = 16
"""Earlier versions of one zone."""
RECORDS_LIMIT = 8_000_000
"""Records in all earlier versions of one zone, as if they shared nothing: the worst that a change can do."""


def versions_limit(newest: Zone) -> int:
    """How many earlier versions of such a zone are kept."""
    return min(VERSIONS_LIMIT, max(1, RECORDS_LIMIT // max(1, newest.record_count)))


@frozen
class Versions:
    """The earlier versions of those zones that have changed, by apex, oldest first; an immutable value."""

    earlier: Mapping[str, tuple[Zone, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, newest: Zone) -> tuple[Zone, ...]:
        """All versions of this zone that lead to the newest one, which is the last of them."""
        return (*self.earlier.get(newest.apex, ()), newest)

    def joined(self, past: Mapping[str, Sequence[Zone]], newest: Mapping[str, Zone]) -> Versions:
        """With versions found of before, as far as they lead to those that there are."""
        earlier = dict(self.earlier)
        for apex, versions in past.items():
            if apex not in newest:
                continue
            known = earlier.get(apex, ())
            first = known[0] if known else newest[apex]
            older = [zone for zone in versions if is_forward(zone.serial, first.serial)]
            limit = versions_limit(newest[apex])
            if chain := _leading_to(newest[apex], (*older, *known))[-limit:]:
                earlier[apex] = chain
        return Versions(MappingProxyType(earlier))

    def after(self, changes: Iterable[ZoneChange]) -> Versions:
        """The versions once these changes are served."""
        earlier = dict(self.earlier)
        for change in changes:
            kept = _keep(earlier.pop(change.apex, ()), change)
            if kept:
                earlier[change.apex] = kept
        return Versions(MappingProxyType(earlier))


def _keep(earlier: tuple[Zone, ...], change: ZoneChange) -> tuple[Zone, ...]:
    """The versions to keep of a zone; none where its newest one does not continue them.

    A version from which the newest one is not forward is of no use to any client (RFC 1982): neither it nor
    what came before it is kept.
    """
    before, after = change.before, change.after
    if before is None or after is None:
        return ()
    return _leading_to(after, (*earlier, before))[-versions_limit(after) :]


def _leading_to(newest: Zone, chain: tuple[Zone, ...]) -> tuple[Zone, ...]:
    """The end of the chain whose versions the newest one is forward of."""
    start = len(chain)
    while start > 0 and is_forward(chain[start - 1].serial, newest.serial):
        start -= 1
    return chain[start:]
