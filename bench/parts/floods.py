"""`python -m bench floods`: what ordinary clients notice of floods, also of NSD and Knot DNS."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.name

from bench.part import Part, Table, Target, cases
from bench.peers import LeanNsd
from oakroot.keys.key import Algorithm, Key
from oakroot.keys.secret import Secret
from tests.peers.commands import Primary
from tests.peers.floods import APEX, LOOPBACK, Ordinary, flood
from tests.peers.git_servers import BareRepository
from tests.peers.nameservers import DaemonNameserver, ZoneFile
from tests.peers.updatable import UpdatableKnot

ZONE = """\
$TTL 60
@ SOA ns1 hostmaster 1 3600 900 1209600 60
@ NS ns1
ns1 A 192.0.2.1
"""
UPDATES, NOTIFIES = "updates, 16 clients", "signed NOTIFYs, 5,000/s"
FLOODS = {
    "random names, 20,000/s": ("subdomains", 20_000),
    "3,000 connections, half a message each": ("connections", 3000),
    UPDATES: ("updates", 16),
    NOTIFIES: ("notifies", 5000),
}
SIGNED = (UPDATES, NOTIFIES)
SERVERS = ("oakroot", "nsd", "knot")
ASKED = 200
PAUSE = 0.01


@dataclass(frozen=True)
class Attacked:
    """One server before, during, after a flood: failures, and seconds by percentile, of `asked` questions."""

    case: str
    server: str
    counted: int
    """Datagrams or connections of the flood, or updates that were accepted."""
    asked: int
    failures: dict[str, int]
    p50: dict[str, float]
    p99: dict[str, float]


class FloodsPart(Part[Attacked]):
    """See the head of the file."""

    name = "floods"
    help = "what ordinary clients notice of floods"
    measurement = Attacked
    case_shapes = tuple(FLOODS)
    name_shapes = ("{case}", "{case}: questions of ordinary clients that failed")
    is_for_all = False

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """How long."""
        parser.add_argument("--seconds", type=float, default=5.0, help="of each flood (default 5)")

    def run(self, options: argparse.Namespace) -> list[Attacked]:
        """Every flood at every server, which is started anew for each."""
        found = []
        for case, (kind, rate) in FLOODS.items():
            for name in options.only or SERVERS:
                if case == UPDATES and name == "nsd":
                    continue  # it takes none
                print(f"floods: {case}, {name}", file=sys.stderr)
                directory = options.directory / f"{name}-{kind}"
                directory.mkdir()
                with _serving(name, directory) as (port, key):
                    secret = f"{key.name}:{key.secret.base64()}" if case in SIGNED else None
                    found.append(_attack(case, name, port, (kind, rate, options.seconds), secret))
        return found

    def tables(self, measurements: Sequence[Attacked]) -> list[Table]:
        """A table for each flood."""
        head = (
            "server",
            "flood",
            "failed before",
            "during",
            "after",
            "median before",
            "during",
            "after",
            "p99 during",
        )
        return [
            Table(case, head, [_row(each) for each in of_case])
            for case, of_case in cases(measurements).items()
        ]

    def targets(self, measurements: Sequence[Attacked]) -> list[Target]:
        """Nobody is refused."""
        ours = [each for each in measurements if each.server == "oakroot"]
        return [
            Target(f"{each.case}: questions of ordinary clients that failed", 0, sum(each.failures.values()))
            for each in ours
        ]


PART = FloodsPart()


@contextmanager
def _serving(name: str, directory: Path) -> Iterator[tuple[int, Key]]:
    """A server with one zone, and a key that may update it and notify of it, where it knows keys."""
    key = Key(dns.name.from_text(f"flood._update.{APEX}"), Algorithm.SHA256, Secret(secrets.token_bytes(32)))
    if name == "oakroot":
        repository = BareRepository(directory / "zones.git")
        line = f"{key.name} DNSKEY 0 3 163 {key.secret.base64()}\n"
        repository.commit({APEX: ZONE.encode(), "_keys": line.encode()})
        with Primary(["--remote", repository.path], directory / "log") as primary:
            primary.said("zones served: 1")
            yield primary.port, key
        return
    file = directory / APEX
    file.write_text(ZONE)
    zones = [ZoneFile(f"{APEX}.", file)]
    server: DaemonNameserver = (
        LimitedNsd(zones, directory / "nsd") if name == "nsd" else RoomyKnot(zones, directory / "knot", key)
    )
    (directory / name).mkdir(exist_ok=True)
    server.start(30)
    try:
        yield server.address[1], key
    finally:
        server.stop()


class LimitedNsd(LeanNsd):
    """NSD with its own default of rate limiting, which is ours too."""

    def configuration(self, port: int) -> str:
        """The text of nsd.conf."""
        return super().configuration(port).replace("rrl-ratelimit: 0", "rrl-ratelimit: 200")


class RoomyKnot(UpdatableKnot):
    """Knot DNS with as much room for connections as the others have."""

    def configuration(self, port: int) -> str:
        """The text of knot.conf."""
        return super().configuration(port).replace("tcp-max-clients: 200", "tcp-max-clients: 1000")


def _attack(case: str, name: str, port: int, how: tuple[str, int, float], key: str | None) -> Attacked:
    kind, rate, seconds = how
    phases = {phase: Ordinary((LOOPBACK, port)) for phase in ("before", "during", "after")}
    phases["before"].ask(ASKED, PAUSE)
    with flood(kind, port, seconds, rate, key) as counted:
        phases["during"].ask(ASKED, PAUSE)
    phases["after"].ask(ASKED, PAUSE)
    return Attacked(
        case,
        name,
        counted[0],
        ASKED,
        {phase: len(client.failures) for phase, client in phases.items()},
        {phase: client.percentile(50) for phase, client in phases.items()},
        {phase: client.percentile(99) for phase, client in phases.items()},
    )


def _row(each: Attacked) -> tuple[str, ...]:
    failed = [f"{100 * each.failures[phase] / each.asked:.1f} %" for phase in ("before", "during", "after")]
    medians = [f"{1000 * each.p50[phase]:.1f} ms" for phase in ("before", "during", "after")]
    return (each.server, f"{each.counted:,}", *failed, *medians, f"{1000 * each.p99['during']:.0f} ms")
