"""What a role is at one moment, as its operator sees it: the same frozen values for every role.

Metrics, the status page and `oakroot status` all read an `Overview` and nothing else, so they cannot tell
different stories. Each role makes one of its state. Times are seconds since 1970. What must not live here:
how anything is found out or shown; and secrets, of which an overview has none.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Literal

from oakroot.frozen import frozen

Role = Literal["primary", "secondary", "certifier"]


class Condition(enum.StrEnum):
    """How a zone stands."""

    CURRENT = "current"
    """What is served is what the repository, or the primary, has."""
    LAST_GOOD = "last-good"
    """The newest version did not pass the checks; the last good one is served."""
    HELD_BACK = "held-back"
    """The newest version deletes too much at once; the one before it is served."""
    STALE = "stale"
    """No primary has confirmed it lately; it is served until it expires."""
    EXPIRED = "expired"
    """No primary has confirmed it for too long; SERVFAIL."""
    UNAVAILABLE = "unavailable"
    """There has been no good version yet; SERVFAIL."""


@frozen
class Zone:
    """A zone; `serial` is None while it is answered SERVFAIL."""

    apex: str
    condition: Condition
    serial: int | None = None
    records: int = 0
    reason: str | None = None
    """Why it is not current."""
    written_serial: int | None = None
    """The serial in the repository, where `serial` was made of this file."""
    since: float | None = None
    """When this version began to be served by this process."""
    confirmed: float | None = None
    """When a primary last said that this is the newest version."""
    expires: float | None = None
    """Until when it is served without another word from a primary."""
    sources: tuple[str, ...] = ()
    """The primaries it comes from."""

    @property
    def is_served(self) -> bool:
        """Whether there is an answer but SERVFAIL."""
        return self.serial is not None


@frozen
class KeyUse:
    """A key by its name and never its secret, and what was done with it."""

    name: str
    operation: str
    zone: str
    algorithm: str
    uses: int = 0
    last_use: float | None = None
    failures: Mapping[str, int] = field(default_factory=dict)
    """Requests under this name whose signature was refused, by TSIG error."""
    last_failure: float | None = None


@frozen
class Copied:
    """What a secondary has of a zone, as far as it is known here."""

    zone: str
    serial: int
    moment: float
    """When it was sent this version, or was told that it has the newest."""


@frozen
class Secondary:
    """Somebody who copies our zones: known by an address of his, or by the key he signs with."""

    name: str
    copies: tuple[Copied, ...] = ()
    zones_behind: int = 0
    """How many of them are not the version that we serve."""
    last_copy: float | None = None
    """When he last took a version, or was told that he has the newest."""
    unacknowledged: int = 0
    """NOTIFYs that he has not acknowledged yet."""


@frozen
class Primary:
    """A server that zones come from."""

    address: str
    is_connected: bool
    trouble: str | None = None


@frozen
class Attempt:
    """How something that is done again and again ended the last time."""

    ended: float
    seconds: float
    outcome: str
    """`ok`, `unchanged`, `failed`, `refused` or `overtaken`."""
    reason: str | None = None


@frozen
class Git:
    """The repository and what was done with it."""

    remote: str
    branch: str | None = None
    commit: str | None = None
    """The newest one that is loaded."""
    committed: float | None = None
    author: str | None = None
    subject: str | None = None
    busy_with: str | None = None
    last_pull: Attempt | None = None
    last_good_pull: float | None = None
    last_push: Attempt | None = None
    last_good_push: float | None = None
    pulls: Mapping[str, int] = field(default_factory=dict)
    """How many ended how."""
    pushes: Mapping[str, int] = field(default_factory=dict)
    unpushed: int = 0
    """Raised serials that the repository does not have."""


@frozen
class Queue:
    """What waits, and how much may."""

    name: str
    length: int
    limit: int | None = None


@frozen
class Histogram:
    """How often a number of seconds was at most each of `bounds`; `counts` has one more, for all above."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float = 0.0
    """All of the seconds together."""

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self.counts)

    def cumulative(self) -> Iterator[tuple[float, int]]:
        """How many took no longer than each bound; the last one is infinite."""
        so_far = 0
        for bound, count in zip((*self.bounds, float("inf")), self.counts, strict=True):
            so_far += count
            yield bound, so_far


@frozen
class Updates:
    """Updates that were answered."""

    answers: Mapping[str, int]
    """How many, by response code."""
    latency: Histogram
    """From the arrival of those that reached git's turn to their answer."""


@frozen
class HostCertificate:
    """A host for which a certificate was requested."""

    host: str
    zone: str
    state: str
    """`valid`, `missing`, `working`, `waiting` or `refused`."""
    not_after: float | None = None
    """Until when the certificate is good that is published."""
    renewal: float | None = None
    """From when on a new one is to be had."""
    next_step: float | None = None
    """When it will be looked at again."""
    reason: str | None = None
    """Why there is none, or why the last try was in vain."""


@frozen
class Tap:
    """Where queries and answers are shown one by one."""

    name: str
    """`dnstap` or `query log`."""
    place: str
    every: int
    """One of so many queries is."""
    written: int
    """Frames or lines, since the start."""
    dropped: int
    trouble: str | None = None
    """Why nothing can be written there now."""


@frozen
class Overview:
    """All of it. What a role does not have is empty."""

    role: Role
    version: str
    moment: float
    started: float
    addresses: tuple[str, ...] = ()
    zones: tuple[Zone, ...] = ()
    keys: tuple[KeyUse, ...] = ()
    unknown_keys: int = 0
    """Requests signed by keys that are not known here."""
    secondaries: tuple[Secondary, ...] = ()
    primaries: tuple[Primary, ...] = ()
    git: Git | None = None
    updates: Updates | None = None
    queues: tuple[Queue, ...] = ()
    certificates: tuple[HostCertificate, ...] = ()
    events: Mapping[str, int] = field(default_factory=dict)
    """What the role counts besides, by its own names."""
    engine: Mapping[str, int] = field(default_factory=dict)
    """The engine's counters, by name."""
    tls_not_after: float | None = None
    """Until when the certificate is valid that is shown over TLS."""
    taps: tuple[Tap, ...] = ()

    @property
    def obstacles(self) -> tuple[str, ...]:
        """Why this server should not be asked yet; none: it is ready.

        A zone that is broken is no obstacle once the others are served: taking a server out of service for
        it would break them too.
        """
        if self.git is not None and self.git.commit is None:
            last = self.git.last_pull
            reason = "" if last is None or last.reason is None else f": {last.reason}"
            return (f"nothing was pulled from {self.git.remote} yet{reason}",)
        if self.zones and not any(zone.is_served for zone in self.zones):
            return ("no zone is served yet",)
        return ()
