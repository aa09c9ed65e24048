"""What updates were answered, so that one that comes again is not made again. An immutable value.

The answer to an update may be lost on its way, or come later than its sender has patience. What it then sends
is the same message, octet for octet, or the same one signed anew. Both are known by a digest here, for as
long as one is likely, and in bounded number: then a repeated update is judged as a new one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from oakroot.primary.verdict import Verdict

# A signature is accepted for 300 s before and after its time (RFC 8945 §10): so long can it be sent again.
SAME_OCTETS_SECONDS = 600.0
# Clients that have no luck for so long begin anew. Some give all their messages the same identifier, so this
# must not be much longer than it takes.
SAME_MESSAGE_SECONDS = 60.0
ENTRIES_LIMIT = 50_000


@dataclass(frozen=True, slots=True)
class Identity:
    """What a message is known by: its octets with their signature, and those without it under its key."""

    octets: bytes
    message: bytes


@dataclass(frozen=True, slots=True)
class _Entry:
    until: float
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Pending:
    """The update is in work."""


PENDING = Pending()


def identify(wire: bytes, query: bytes, key: bytes) -> Identity:
    """The identity of a message signed by the key of this name; `query` is without its TSIG record."""
    return Identity(_digest(wire), _digest(key + query))


@dataclass(frozen=True, slots=True)
class Memory:
    """Verdicts by identity.

    Layers, the newest last, each at least twice as large as the next: adding to one costs little on average,
    and earlier values of the memory stay whole.
    """

    layers: tuple[Mapping[bytes, _Entry], ...] = ()

    def find(self, identity: Identity, now: float) -> Verdict | Pending | None:
        """What is known of such a message; None if nothing is."""
        for digest in (identity.octets, identity.message):
            entry = self._entry(digest)
            if entry is not None and entry.until > now:
                return PENDING if entry.verdict is None else entry.verdict
        return None

    def noting(self, entries: Mapping[Identity, Verdict | Pending | None], now: float) -> Memory:
        """The memory with these verdicts; None: forget that there was such a message."""
        layer: dict[bytes, _Entry] = {}
        for identity, known in entries.items():
            verdict = None if isinstance(known, Pending) else known
            spans = (0.0, 0.0) if known is None else (SAME_OCTETS_SECONDS, SAME_MESSAGE_SECONDS)
            layer[identity.octets] = _Entry(now + spans[0], verdict)
            layer[identity.message] = _Entry(now + spans[1], verdict)
        return Memory(_merged(self.layers, layer, now))

    def _entry(self, digest: bytes) -> _Entry | None:
        for layer in reversed(self.layers):
            if digest in layer:
                return layer[digest]
        return None


def _merged(
    layers: tuple[Mapping[bytes, _Entry], ...], layer: Mapping[bytes, _Entry], now: float
) -> tuple[Mapping[bytes, _Entry], ...]:
    while layers and len(layers[-1]) < 2 * len(layer):
        layer = {**layers[-1], **layer}
        layers = layers[:-1]
    if layers:
        return (*layers, layer)
    # Nothing lies below: what is over need not be kept to hide anything.
    kept = {digest: entry for digest, entry in layer.items() if entry.until > now}
    surplus = len(kept) - ENTRIES_LIMIT
    if surplus > 0:
        kept = dict(list(kept.items())[surplus:])
    return (kept,)


def _digest(octets: bytes) -> bytes:
    return hashlib.blake2b(octets, digest_size=16).digest()
