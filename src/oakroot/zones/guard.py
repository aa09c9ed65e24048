"""The guard against mass deletion: a change that takes away too much of a zone may be a mistake.

A number and a comparison; what is done about it (refuse, hold back, ask) is the caller's business.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

TextRecord = tuple[str, int, str, str]


@dataclass(frozen=True, slots=True)
class Guard:
    """How much may go at once."""

    share: float = 0.3
    """The greatest part that may be deleted in one change, from 0 to 1; 1 switches the guard off."""
    smallest: int = 10
    """What has fewer records is so small that any share of it is little."""

    def is_beyond(self, deleted: int, present: int) -> bool:
        """Whether deleting so many of so many is more than may go at once."""
        return present >= self.smallest and deleted > present * self.share


def count_deleted(removed: Iterable[TextRecord], added: Iterable[TextRecord]) -> int:
    """How many records a difference takes away. One that is replaced in its RRset is changed, not deleted."""
    balance: dict[tuple[str, str], int] = {}
    for amount, records in ((1, removed), (-1, added)):
        for owner, _, rtype, _ in records:
            balance[owner, rtype] = balance.get((owner, rtype), 0) + amount
    return sum(surplus for surplus in balance.values() if surplus > 0)
