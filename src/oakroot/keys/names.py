"""Names compared by their labels: dnspython does it in Python, and every signed message needs it."""

from __future__ import annotations

import dns.name


def folded(name: dns.name.Name) -> tuple[bytes, ...]:
    """The labels in lower case: the same for names that are equal (RFC 4343)."""
    return tuple(map(bytes.lower, name.labels))


def is_within(name: dns.name.Name, zone: dns.name.Name) -> bool:
    """Whether the name is the other one, or below it."""
    labels = name.labels[-len(zone.labels) :]
    return labels == zone.labels or tuple(map(bytes.lower, labels)) == folded(zone)
