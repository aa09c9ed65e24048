"""What updates were answered, so that one that comes again is not made again. An immutable value.

The answer to an update may be lost on its way, or come later than its sender has patience. What it then sends
is the same message, octet for octet, or the same one signed anew. Both are known by a digest here, for as
long as one is likely, and in bounded number: then a repeated update is judged as a new one.

What a signature does not cover (the identifier in the header, the case of the key's name) tells nothing:
whoever captured a message may change it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from oakroot.frozen import frozen
from oakroot.primary.verdict import Verdict
from oakroot.protocol.tsig_record import FUDGE

# A signature is accepted from `FUDGE` before to `FUDGE` after its time, in whole seconds: so long can it be
# sent again.
SIGNATURE_SECONDS = 2.0 * FUDGE + 1
# Clients that have no luck for so long begin anew. Some give all their messages the same identifier, so this
# must not be much longer than it takes.
SAME_MESSAGE_SECONDS = 60.0
ENTRIES_LIMIT = 50_000


@frozen
class Identity:
    """What a message is known by: its signatures, one for each time it was signed, and what they are over."""

    signatures: tuple[bytes, ...]
    message: bytes


@frozen
class Answered:
    """The verdict. `serial`: the zone's since then; who signs anew after another change may mean it anew."""

    verdict: Verdict
    serial: int | None = None


@frozen
class Pending:
    """The update is in work."""


PENDING = Pending()


@frozen
class _Entry:
    until: float
    known: Answered | Pending | None


def identify(mac: bytes, query: bytes, original_id: int, key: bytes) -> Identity:
    """The identity of a message signed by the key of this name; `query` is without its TSIG record."""
    return Identity((_digest(key + mac),), _digest(key + original_id.to_bytes(2) + query[2:]))


@frozen
class Memory:
    """Verdicts by identity.

    Layers, the newest last, each at least twice as large as the next: adding to one costs little on average,
    and earlier values of the memory stay whole.
    """

    layers: tuple[Mapping[bytes, _Entry], ...] = ()

    def find(self, identity: Identity, serial: int | None, now: float) -> Verdict | Pending | None:
        """What is known of such a message for a zone that has this serial; None if nothing is."""
        for signature in identity.signatures:
            known = self._find(signature, now)
            if known is not None:
                return known.verdict if isinstance(known, Answered) else known
        known = self._find(identity.message, now)
        if isinstance(known, Answered):
            return known.verdict if known.serial is not None and known.serial == serial else None
        return known

    def noting(self, entries: Mapping[Identity, Answered | Pending | None], now: float) -> Memory:
        """The memory with these verdicts; None: forget that there was such a message."""
        layer: dict[bytes, _Entry] = {}
        for identity, known in entries.items():
            until = now if known is None else now + SIGNATURE_SECONDS
            layer.update(dict.fromkeys(identity.signatures, _Entry(until, known)))
            # One in work is known for as long as that may last.
            layer[identity.message] = _Entry(
                now + SAME_MESSAGE_SECONDS if isinstance(known, Answered) else until, known
            )
        return Memory(_merged(self.layers, layer, now))

    def noting_signatures(self, identity: Identity, verdict: Verdict, now: float) -> Memory:
        """The memory with this verdict for messages with these signatures; others are known as before."""
        entry = _Entry(now + SIGNATURE_SECONDS, Answered(verdict))
        return Memory(_merged(self.layers, dict.fromkeys(identity.signatures, entry), now))

    def _find(self, digest: bytes, now: float) -> Answered | Pending | None:
        for layer in reversed(self.layers):
            if digest in layer:
                entry = layer[digest]
                return entry.known if entry.until > now else None
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
