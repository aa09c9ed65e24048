"""What happened since this process began: who used which key, how git's work ended, who copied what.

One for each running role, written by its shell on one thread; what is in it ends in an `Overview`. Everything
in it is bounded by what the operator has configured: names that strangers choose are counted, not kept.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

import dns.name
import dns.rcode

from oakroot.keys.keyring import Keyring
from oakroot.keys.names import folded
from oakroot.operate.overview import Attempt, Copied, Histogram, KeyUse, Updates

LATENCY_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
COPIERS_LIMIT = 256

Copier = tuple[str, str | None]
"""Who copies zones: his address, and the name of the key he signs with, if he does."""


@dataclass(slots=True)
class _Uses:
    count: int = 0
    last: float | None = None
    failures: Counter[str] = field(default_factory=Counter)
    last_failure: float | None = None


@dataclass(slots=True)
class Course:
    """How one kind of git's work ended, each time and the last time."""

    outcomes: Counter[str] = field(default_factory=Counter)
    last: Attempt | None = None
    last_good: float | None = None

    def ended(self, attempt: Attempt) -> None:
        """One more."""
        self.outcomes[attempt.outcome] += 1
        self.last = attempt
        if attempt.outcome in {"ok", "unchanged"}:
            self.last_good = attempt.ended


@dataclass(slots=True)
class Ledger:
    """See the head of the file."""

    started: float
    pulls: Course = field(default_factory=Course)
    pushes: Course = field(default_factory=Course)
    unknown_keys: int = 0
    events: Counter[str] = field(default_factory=Counter)
    """Whatever else the role counts."""
    _keys: dict[tuple[bytes, ...], _Uses] = field(default_factory=dict)
    _since: dict[str, tuple[int, float]] = field(default_factory=dict)
    _copies: dict[Copier, dict[str, Copied]] = field(default_factory=dict)
    _answers: Counter[dns.rcode.Rcode] = field(default_factory=Counter)
    _latencies: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_BOUNDS) + 1))
    _seconds: float = 0.0

    def key_used(self, name: dns.name.Name, moment: float) -> None:
        """A request bore a good signature of this key."""
        uses = self._uses(name)
        uses.count += 1
        uses.last = moment

    def signature_refused(self, name: dns.name.Name | None, error: int, moment: float) -> None:
        """A signature was no good; None: by a key that is not known here."""
        if name is None:
            self.unknown_keys += 1
            return
        uses = self._uses(name)
        uses.failures[dns.rcode.to_text(dns.rcode.Rcode(error), tsig=True)] += 1
        uses.last_failure = moment

    def update_answered(self, rcode: dns.rcode.Rcode, seconds: float | None) -> None:
        """An update got its answer; None: at once, without its turn at git."""
        self._answers[rcode] += 1
        if seconds is not None:
            self._latencies[bisect_left(LATENCY_BOUNDS, seconds)] += 1
            self._seconds += seconds

    def served(self, apex: str, serial: int | None, moment: float) -> None:
        """This is what is served of a zone from now on; None: nothing any more."""
        if serial is None:
            self._since.pop(apex, None)
            for copies in self._copies.values():
                copies.pop(apex, None)
        elif self._since.get(apex, (None,))[0] != serial:
            self._since[apex] = serial, moment

    def since(self, apex: str) -> float | None:
        """When the version of this zone that is served began to be."""
        known = self._since.get(apex)
        return None if known is None else known[1]

    def copied(self, copier: Copier, copy: Copied) -> None:
        """Somebody has this version. Who was not heard of for longest gives way to new ones."""
        copies = self._copies.pop(copier, {})
        copies[copy.zone] = copy
        self._copies[copier] = copies
        if len(self._copies) > COPIERS_LIMIT:
            del self._copies[next(iter(self._copies))]

    def copies(self) -> dict[Copier, tuple[Copied, ...]]:
        """Who has what."""
        return {copier: tuple(copies.values()) for copier, copies in self._copies.items()}

    def keys(self, keyring: Keyring) -> tuple[KeyUse, ...]:
        """The keys that there are now, with what was done under their names; others are forgotten."""
        known = {folded(granted.key.name) for granted in keyring.keys}
        self._keys = {name: uses for name, uses in self._keys.items() if name in known}
        return tuple(
            KeyUse(
                name=granted.key.text,
                operation=granted.grant.operation.name.lower(),
                zone=granted.grant.zone.to_text(),
                algorithm=granted.key.algorithm.text,
                uses=uses.count,
                last_use=uses.last,
                failures=dict(uses.failures),
                last_failure=uses.last_failure,
            )
            for granted in keyring.keys
            for uses in [self._keys.get(folded(granted.key.name)) or _Uses()]
        )

    @property
    def update_seconds(self) -> tuple[int, float]:
        """How many updates have waited for git, and how long together."""
        return sum(self._latencies), self._seconds

    def updates(self) -> Updates:
        """What updates were answered, and how fast."""
        answers = {dns.rcode.to_text(rcode): count for rcode, count in self._answers.items()}
        return Updates(answers, Histogram(LATENCY_BOUNDS, tuple(self._latencies), self._seconds))

    def _uses(self, name: dns.name.Name) -> _Uses:
        key = folded(name)
        uses = self._keys.get(key)
        if uses is None:
            uses = self._keys[key] = _Uses()
        return uses
