"""Exchanges as the engine shows them, for the tests of who writes them down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import dns.message

ASKED = 1_795_305_600_123_456_789
"""2026-11-22T00:00:00.123456789Z, in nanoseconds since 1970."""
QUERY = dns.message.make_query("www.example.org.", "AAAA", id=4711, use_edns=False)
ANSWER = dns.message.make_response(QUERY)


@dataclass(frozen=True)
class Seen:
    """An exchange."""

    query: bytes = QUERY.to_wire()
    answer: bytes | None = ANSWER.to_wire()
    stage: Literal["settled", "handed-over", "answered", "continued"] = "settled"
    transport: Literal["udp", "tcp", "tls"] = "udp"
    peer: tuple[bytes, int] = (bytes((192, 0, 2, 7)), 4242)
    local: tuple[bytes, int] = (bytes((192, 0, 2, 53)), 53)
    asked: int = ASKED
    told: int = ASKED + 1_000


def answered(query: dns.message.Message, *records: str, **flags: int) -> dns.message.Message:
    """An answer with records in its answer section."""
    answer = dns.message.make_response(query)
    answer.flags |= flags.get("flags", 0)
    for text in records:
        name, ttl, klass, kind, *rdata = text.split()
        answer.answer.append(dns.rrset.from_text(name, int(ttl), klass, kind, " ".join(rdata)))
    return answer
