"""Serves every world with every server, asks all questions, and gives the cases to be judged.

What must not live here: judging (`judge`) and telling (`report`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.interop.compare import NOERROR, Case
from tests.interop.exchange import Reply, ask_all
from tests.interop.queries import queries_for, queries_outside
from tests.interop.signing import DENIALS
from tests.interop.wire import SOA, Query
from tests.interop.worlds import World, root_world, signed_world, unsigned_world
from tests.interop.zones import Zone
from tests.peers.nameservers import Nameserver, ZoneFile

QUERIES_PER_ZONE = 44
QUERIES_PER_SIGNED_ZONE = 80
QUERIES_OUTSIDE = 200


@dataclass(frozen=True)
class Refusal:
    """A zone that a server would not serve."""

    server: str
    apex: str
    theme: str


@dataclass
class Comparison:
    """A run over all worlds; `cases` fills the rest while it is read."""

    servers: Sequence[type[Nameserver]]
    directory: Path
    scale: float = 1.0
    zones: int = 0
    refusals: list[Refusal] = field(default_factory=list)

    def cases(self) -> Iterator[Case]:
        """Every question of every world with its answers, world by world."""
        for number, world in enumerate(self._worlds()):
            self.zones += len(world.zones)
            yield from self._cases_of(world, self.directory / f"world{number}")

    def _worlds(self) -> Iterator[World]:
        yield unsigned_world(self.scale)
        yield signed_world(self.directory / "signing", self.scale)
        for number, denial in enumerate((None, None, *DENIALS, *DENIALS)):
            yield root_world(number, denial, self.directory / f"signing-root{number}")

    def _cases_of(self, world: World, directory: Path) -> Iterator[Case]:
        asked = [(zone, query) for zone in world.zones for query in _queries(zone)]
        queries = [query for _, query in asked]
        outside = queries_outside(list(world.apexes), Random(world.name), QUERIES_OUTSIDE)
        files = _write(world, directory / "zones")
        replies: dict[str, list[Reply]] = {}
        refused: dict[str, set[str]] = {}
        for kind in self.servers:
            with kind(files, directory / kind.name) as server:
                replies[server.name] = ask_all(server, queries + outside)
                refused[server.name] = _refused(server, world)
        self.refusals += [
            Refusal(server, zone.apex, zone.theme)
            for server, apexes in refused.items()
            for zone in world.zones
            if zone.apex in apexes
        ]
        for number, (zone, query) in enumerate(asked):
            serving = {name: said[number] for name, said in replies.items() if zone.apex not in refused[name]}
            yield Case(world, zone, query, serving)
        nowhere = Zone(apex=".", theme="outside", text="", owners=(), probes=())
        for number, query in enumerate(outside, start=len(asked)):
            yield Case(world, nowhere, query, {name: said[number] for name, said in replies.items()})


def _queries(zone: Zone) -> list[Query]:
    return queries_for(zone, QUERIES_PER_SIGNED_ZONE if zone.is_signed else QUERIES_PER_ZONE)


def _write(world: World, directory: Path) -> list[ZoneFile]:
    directory.mkdir(parents=True)
    files = [ZoneFile(zone.apex, directory / f"{number}.zone") for number, zone in enumerate(world.zones)]
    for file, zone in zip(files, world.zones, strict=True):
        file.path.write_text(zone.text)
    return files


def _refused(server: Nameserver, world: World) -> set[str]:
    """The zones whose SOA the server does not give."""
    replies = ask_all(server, [Query(zone.apex_wire, SOA) for zone in world.zones])
    return {
        zone.apex
        for zone, reply in zip(world.zones, replies, strict=True)
        if reply.response is None or reply.response.rcode != NOERROR or not reply.response.answer
    }
