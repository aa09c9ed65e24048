"""Earlier versions of a zone, found again in the history of its files: what a secondary may still have.

A secondary that asks for differences names nothing but a serial (RFC 1995 §3), so a version is of use only if
it is certain that its serial was served with this content and no other. Where history leaves a doubt, the
answer is none, and the whole zone is sent instead. What must not live here: how history is walked.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from oakroot._engine import Zone
from oakroot.zones.serials import MODULUS, is_forward

Content = tuple[str | None, ...]
"""What tells one text of a zone from another: the ids of its file and of those that it includes."""

Read = Callable[[Content], Zone | None]
"""The zone of a text; None for one that does not pass the check, and so never was served."""


@dataclass(slots=True)
class Lineage:
    """Which text of a zone came from which, as far as history was walked."""

    origins: dict[Content, set[Content]] = field(default_factory=lambda: defaultdict(set))
    beginnings: set[Content] = field(default_factory=set)
    """Texts with which the zone began."""

    def add(self, older: Content | None, newer: Content) -> None:
        """One commit made `newer` of `older`; None: the zone was not there before."""
        if older is None:
            self.beginnings.add(newer)
        elif older != newer:
            self.origins[newer].add(older)

    def is_known(self, content: Content) -> bool:
        """Whether all that it came from is known."""
        return content in self.beginnings or content in self.origins


class _Doubt(Exception):  # noqa: N818 - it is none of a caller's
    """Nobody can tell which versions were served."""


def earlier_versions(
    newest: Zone, content: Content, lineage: Lineage, read: Read, limit: int
) -> tuple[Zone, ...]:
    """The versions that led to the newest, whose text `content` is, oldest first, and `limit` at most."""
    try:
        served = _Past(newest, content, lineage, read, limit).served()
    except _Doubt:
        return ()
    ahead = [zone for zone in served if is_forward(zone.serial, newest.serial)]
    ahead.sort(key=lambda zone: (newest.serial - zone.serial) % MODULUS, reverse=True)
    return tuple(ahead[-limit:])


class _Past:
    """The texts that the newest one came from, as zones."""

    def __init__(self, newest: Zone, content: Content, lineage: Lineage, read: Read, limit: int) -> None:
        self._lineage = lineage
        self._zones: dict[Content, Zone | None] = {content: newest}
        self._complete: set[Content] = set()
        """Texts of which all origins were read."""
        waiting = deque([content])
        while waiting and len(self._zones) <= limit + 1:
            current = waiting.popleft()
            if not lineage.is_known(current):
                continue
            self._complete.add(current)
            for older in sorted(lineage.origins.get(current, ()), key=str):
                if older not in self._zones:
                    self._zones[older] = read(older)
                    waiting.append(older)
        self._steps = self._find_steps()

    def served(self) -> list[Zone]:
        """The versions whose serial certainly stood for them; raises _Doubt."""
        self._check_order()
        by_serial: dict[int, list[Content]] = defaultdict(list)
        for content, zone in self._zones.items():
            if zone is not None:
                by_serial[zone.serial].append(content)
        return [self._zone(contents[0]) for contents in by_serial.values() if self._is_certain(contents)]

    def _is_certain(self, contents: list[Content]) -> bool:
        """Whether these texts, all of one serial, say the same, and were served under that serial.

        The oldest ones do not count: what they came from is not known. Nor does one that was followed by the
        same with another serial: perhaps it was raised because its own was taken.
        """
        first = self._zone(contents[0])
        return (
            all(first.same_but_serial(self._zone(other)) for other in contents[1:])
            and any(self._is_complete(content) for content in contents)
            and not any(self._is_raised(content) for content in contents)
        )

    def _check_order(self) -> None:
        """Each version must have gone forward or been raised; else nobody knows its serial: raises _Doubt."""
        for newer, origins in self._steps.items():
            for older in origins:
                before, after = self._zone(older), self._zone(newer)
                if before.same_but_serial(after) or is_forward(before.serial, after.serial):
                    continue
                if not any(is_forward(before.serial, raised.serial) for raised in self._raised(newer)):
                    raise _Doubt

    def _is_raised(self, content: Content) -> bool:
        return any(raised.serial != self._zone(content).serial for raised in self._raised(content))

    def _raised(self, content: Content) -> Iterator[Zone]:
        """Versions that were made of this one and say the same."""
        zone = self._zone(content)
        for newer, origins in self._steps.items():
            if content in origins and zone.same_but_serial(self._zone(newer)):
                yield self._zone(newer)

    def _is_complete(self, content: Content, seen: frozenset[Content] = frozenset()) -> bool:
        """Whether all versions before this one are known, also those before texts that were never served."""
        if content not in self._complete:
            return False
        broken = [
            older
            for older in self._lineage.origins.get(content, ())
            if older not in seen and self._zones.get(older) is None
        ]
        return all(self._is_complete(older, seen | {content, *broken}) for older in broken)

    def _zone(self, content: Content) -> Zone:
        zone = self._zones[content]
        if zone is None:
            raise AssertionError("texts that were not served are left aside")
        return zone

    def _find_steps(self) -> Mapping[Content, set[Content]]:
        """For each version those before it; texts that do not pass the check are passed over."""
        return {
            content: self._origins(content, set())
            for content, zone in self._zones.items()
            if zone is not None and content in self._complete
        }

    def _origins(self, content: Content, seen: set[Content]) -> set[Content]:
        found: set[Content] = set()
        for older in self._lineage.origins.get(content, ()):
            if older in seen or older not in self._zones:
                continue
            seen.add(older)
            found |= {older} if self._zones[older] is not None else self._origins(older, seen)
        return found
