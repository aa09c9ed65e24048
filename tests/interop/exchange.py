"""Asks one server all questions and gives its answers whole: what came truncated is asked again over TCP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.interop.wire import Query, Response, read_response
from tests.peers.client import ask_tcp, ask_udp
from tests.peers.nameservers import Nameserver

UDP_LIMIT = 1232
UDP_LIMIT_WITHOUT_EDNS = 512


@dataclass(frozen=True)
class Reply:
    """What a server said to one question; `response` is None for silence."""

    response: Response | None
    size: int = 0
    was_truncated: bool = False
    """Whether the whole answer had to be fetched over TCP."""


def size_limit(query: Query) -> int:
    """How many octets the answer may have, RFC 6891 §6.2.5 and the 1232 that all servers here are set to."""
    if query.transport == "tcp":
        return 65535
    return (
        UDP_LIMIT_WITHOUT_EDNS
        if query.edns is None
        else min(UDP_LIMIT, max(query.edns, UDP_LIMIT_WITHOUT_EDNS))
    )


def ask_all(server: Nameserver, queries: Sequence[Query], patience: float = 1.5) -> list[Reply]:
    """The server's reply to each question; after `patience` seconds without one it is asked again."""
    wires = [query.to_wire() for query in queries]
    by_udp = [number for number, query in enumerate(queries) if query.transport == "udp"]
    answers: dict[int, bytes | None] = dict(
        zip(by_udp, ask_udp(server.address, [wires[number] for number in by_udp], patience), strict=True)
    )
    by_tcp = [number for number, query in enumerate(queries) if query.transport == "tcp"]
    truncated = [number for number in by_udp if _is_truncated(answers[number])]
    again = by_tcp + truncated
    answers |= dict(zip(again, ask_tcp(server.address, [wires[number] for number in again]), strict=True))
    was_truncated = set(truncated)
    return [_reply(answers[number], was_truncated=number in was_truncated) for number in range(len(queries))]


def _is_truncated(message: bytes | None) -> bool:
    return message is not None and len(message) > 2 and bool(message[2] & 0x02)


def _reply(message: bytes | None, *, was_truncated: bool) -> Reply:
    if message is None:
        return Reply(None, was_truncated=was_truncated)
    return Reply(read_response(message), len(message), was_truncated)
