"""With rate limiting at its strictest and cookies, Oakroot says what it says without them.

A client with a cookie is never limited. One without gets truncated answers and comes over TCP, and what it
learns there is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.interop.exchange import Reply, ask_all
from tests.interop.queries import queries_for
from tests.interop.wire import SOA, Query, read_response
from tests.interop.worlds import World, signed_world, unsigned_world
from tests.peers.client import ask_tcp, ask_udp
from tests.peers.nameservers import ZoneFile
from tests.peers.oakroot import Oakroot

SCALE = 0.1
QUERIES_PER_ZONE = 30
COOKIE = 10
CLIENT_COOKIE = b"a client"


class Guarded(Oakroot):
    """One answer of a kind in a second."""

    rate_limit = 1


@dataclass(frozen=True)
class QueryWithCookie(Query):
    """A query that proves its address."""

    cookie: bytes = CLIENT_COOKIE

    def to_wire(self) -> bytes:
        """The message; its OPT record is the last and had no options."""
        option = COOKIE.to_bytes(2) + len(self.cookie).to_bytes(2) + self.cookie
        return super().to_wire()[:-2] + len(option).to_bytes(2) + option


def with_cookie(query: Query, cookie: bytes) -> Query:
    if query.edns is None:
        return query
    return QueryWithCookie(**vars(query), cookie=cookie)


def cookie_of(server: Oakroot) -> bytes:
    """What the server gives to a client that it meets for the first time; TCP is not limited."""
    (answer,) = ask_tcp(server.address, [QueryWithCookie(b"\0", SOA).to_wire()])
    assert answer is not None
    opt = read_response(answer).opt
    assert opt is not None
    assert opt.rdata[:4] == COOKIE.to_bytes(2) + (24).to_bytes(2)
    return opt.rdata[4:28]


def without_courtesies(reply: Reply) -> object:
    """What must be the same: a cookie takes room that additional records may then lack."""
    if reply.response is None:
        return None
    return replace(reply.response, additional=(), opt=None)


@pytest.fixture(params=["unsigned", "signed"])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, require: Callable[[str], str]
) -> World:
    if request.param == "unsigned":
        return unsigned_world(SCALE)
    for program in ("dnssec-signzone", "ldns-signzone"):
        require(program)
    return signed_world(tmp_path_factory.mktemp("signing"), SCALE)


def test_nothing_that_is_said_changes(world: World, tmp_path: Path) -> None:
    files = [ZoneFile(zone.apex, tmp_path / f"{number}.zone") for number, zone in enumerate(world.zones)]
    for file, zone in zip(files, world.zones, strict=True):
        file.path.write_text(zone.text)
    queries = [query for zone in world.zones for query in queries_for(zone, QUERIES_PER_ZONE)]
    with Oakroot(files, tmp_path / "plain") as plain, Guarded(files, tmp_path / "guarded") as guarded:
        expected = ask_all(plain, queries)
        cookie = cookie_of(guarded)
        said = ask_all(guarded, [with_cookie(query, cookie) for query in queries], patience=0.1)
        counted = guarded.counters()
    differing = [
        str(query)
        for query, one, other in zip(queries, expected, said, strict=True)
        if without_courtesies(one) != without_courtesies(other)
    ]
    assert differing == []
    assert counted["rate_limited_slipped"] > 0
    assert counted["rate_limited_dropped"] > 0


def test_who_proves_its_address_is_not_limited(world: World, tmp_path: Path) -> None:
    file = ZoneFile(world.zones[0].apex, tmp_path / "zone")
    file.path.write_text(world.zones[0].text)
    with Guarded([file], tmp_path / "guarded") as server:
        question = QueryWithCookie(world.zones[0].apex_wire, SOA, cookie=cookie_of(server))
        limited = server.counters()["rate_limited_dropped"] + server.counters()["rate_limited_slipped"]
        answers = ask_udp(server.address, [question.to_wire()] * 100)
        counted = server.counters()
    assert all(answer is not None and not answer[2] & 0x02 for answer in answers)
    assert counted["rate_limited_dropped"] + counted["rate_limited_slipped"] == limited
