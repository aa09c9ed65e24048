"""`python -m bench update`: acknowledged updates a second, how long each waits, and where our time goes."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import dns.message
import dns.name
import dns.query

from bench import workloads
from bench.part import Part, Table, Target, cases, ratio, servers, told
from bench.processes import processor
from bench.updatable import TAKERS, Taker
from bench.updating import Burst, Plan, burst
from oakroot.keys.key import Algorithm, Key
from oakroot.keys.mint import mint_key
from tests.peers.nameservers import NameserverError, ZoneFile
from tests.peers.ports import Address

YARDSTICK = "bind"
TARGET_CASE = "10,000 records, 64 clients"
TARGET = f"BIND's updates a second to ours, {TARGET_CASE}"
SHARES = "Microseconds for each update, by part of the work"
WARM_UP = 0.5
PARTS = {
    "requests": "TSIG, queue, answers",
    "judging": "judging",
    "engine": "new zone",
    "edit": "its text",
    "reading": "reading the file, once",
    "hash": "blob's hash",
    "objects": "writing objects",
    "push": "push",
    "loading": "serving it",
}


@dataclass(frozen=True)
class Updates:
    """One burst of updates at one server."""

    case: str
    server: str
    acknowledged: int
    seconds: float
    middle: float
    slowest: float
    """Seconds until the acknowledgement that 50 % and 99 % of all updates had."""
    processor: float = 0.0
    """Seconds of processor time that the server used, in user space and in the kernel."""
    commits: int = 0
    parts: dict[str, float] = field(default_factory=dict)
    """Of us: seconds of each part of the work."""

    @property
    def rate(self) -> float:
        """Acknowledged updates a second."""
        return self.acknowledged / self.seconds


class UpdatePart(Part[Updates]):
    """See the head of the file."""

    name = "update"
    help = "dynamic updates: acknowledged a second, waiting time, and where it goes"
    measurement = Updates
    case_shapes = ("* records, 1 client", "* records, * clients")
    name_shapes = ("Updating {case}", SHARES, TARGET)

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Sizes, clients, and how long."""
        parser.add_argument(
            "--records", type=int, nargs="+", default=[100, 10_000, 1_000_000], help="of the zone"
        )
        parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64], help="at the same time")
        parser.add_argument("--seconds", type=float, default=10.0, help="of each burst")

    def run(self, options: argparse.Namespace) -> list[Updates]:
        """Each server in turn, started anew for each burst, round by round."""
        takers = [each for each in TAKERS if each.is_installed() and _wanted(each, options.only)]
        measured = []
        for records in options.records:
            workload = workloads.one_big_zone(options.directory / str(records) / "zone", records)
            zone = workload.zones[0]
            for number in range(options.rounds):
                for clients in options.clients:
                    case = f"{records:,} records, {clients} client{'s' if clients > 1 else ''}"
                    for taker in takers:
                        print(f"updating {case}: round {number + 1}, {taker.name}", file=sys.stderr)
                        place = options.directory / f"{taker.name}-{records}-{clients}-{number}"
                        measured.append(_measure(taker, zone, place, case, clients, options.seconds))
        return measured

    def tables(self, measurements: Sequence[Updates]) -> list[Table]:
        """One of rates and waiting times for each case, and one of where our time goes."""
        return [
            *(_rates(case, of_case) for case, of_case in cases(measurements).items()),
            _shares([each for each in measurements if each.parts]),
        ]

    def targets(self, measurements: Sequence[Updates]) -> list[Target]:
        """From many clients no slower than BIND, which only writes a journal."""
        of_server = servers(each for each in measurements if each.case == TARGET_CASE)
        ours, theirs = (_rate(of_server.get(name, [])) for name in ("oakroot", YARDSTICK))
        found = theirs / ours if ours and theirs else None
        return [Target(TARGET, 1.0, found)]


def _wanted(taker: type[Taker], only: list[str] | None) -> bool:
    return only is None or taker.name in only


def _measure(
    kind: type[Taker], zone: ZoneFile, directory: Path, case: str, clients: int, seconds: float
) -> Updates:
    key = _key(zone.apex)
    with kind(zone, key, directory) as taker:
        plan = Plan(taker.address, key, zone.apex)
        burst(plan, 1, WARM_UP)
        commits, spent = taker.commits(), processor(taker.server.process_ids())
        found = burst(plan, clients, seconds)
        spent = processor(taker.server.process_ids()) - spent
        commits = taker.commits() - commits
        _require_served(taker, found)
    parts = taker.parts()
    middle, slowest = found.percentile(0.5), found.percentile(0.99)
    return Updates(
        case=case,
        server=kind.name,
        acknowledged=len(found.latencies),
        seconds=found.seconds,
        middle=middle,
        slowest=slowest,
        processor=spent.total,
        commits=commits,
        parts=dict(parts),
    )


def _key(apex: str) -> Key:
    return mint_key(dns.name.from_text(f"bench._update.{apex}"), Algorithm.SHA256, secrets.token_bytes)


def _require_served(taker: Taker, found: Burst) -> None:
    for owner, address in list(found.last.items())[:20]:
        served = _ask(taker.address, owner)
        if served != [address]:
            raise NameserverError(f"{taker.name} serves {served} for {owner}, but acknowledged {address}")
        if not taker.has_kept(owner, address):
            raise NameserverError(f"{taker.name} acknowledged {owner} {address}, and its repository lacks it")


def _ask(server: Address, owner: str) -> list[str]:
    reply = dns.query.tcp(dns.message.make_query(owner, "A"), server[0], port=server[1], timeout=30)
    return [rdata.to_text() for rrset in reply.answer for rdata in rrset]


def _rate(measurements: Sequence[Updates]) -> float | None:
    return median(each.rate for each in measurements) if measurements else None


def _rates(case: str, measurements: Sequence[Updates]) -> Table:
    of_server = servers(measurements)
    yardstick = _rate(of_server.get(YARDSTICK, []))
    head = ("server", "updates/s", f"to {YARDSTICK}", "CPU µs", "p50 ms", "p99 ms", "updates a commit")
    rows = []
    for server, own in of_server.items():
        groups = [each.acknowledged / each.commits for each in own if each.commits]
        rows.append(
            (
                server,
                told([each.rate for each in own], "{:.0f}"),
                ratio(_rate(own), yardstick),
                told([1e6 * each.processor / each.acknowledged for each in own if each.processor], "{:.0f}"),
                told([1000 * each.middle for each in own], "{:.2f}"),
                told([1000 * each.slowest for each in own], "{:.1f}"),
                told(groups, "{:.1f}"),
            )
        )
    return Table(f"Updating {case}", head, rows)


def _shares(measurements: Sequence[Updates]) -> Table:
    """Of each update in the middle of the rounds; what waits for the disk or the other end is in it."""
    rows = []
    for case, of_case in cases(measurements).items():
        for server, own in servers(of_case).items():
            shares = [
                median(1e6 * each.parts.get(part, 0.0) / each.acknowledged for each in own) for part in PARTS
            ]
            rows.append((f"{server}, {case}", *(f"{share:.0f}" for share in shares)))
    return Table(SHARES, ("", *PARTS.values()), rows)


PART = UpdatePart()
