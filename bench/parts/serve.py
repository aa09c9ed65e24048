"""`python -m bench serve`: processor time for each answer, beside the bare echo as the floor."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from statistics import median

from bench import contestants, serving, workloads
from bench.part import Part, Table, Target, cases, ratio, servers, told
from bench.serving import Floor, Serve
from bench.workloads import Workload
from tests.peers.nameservers import DaemonNameserver

FLOOR = Floor.name


class ServePart(Part[Serve]):
    """See the head of the file."""

    name = "serve"
    help = "processor time for each answer over UDP and TCP, beside the bare echo as the floor"
    measurement = Serve

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """The sizes, and what to measure of all."""
        parser.add_argument("--records", type=int, default=1_000_000, help="of the one big zone")
        parser.add_argument("--zones", type=int, default=10_000, help="of ten records each")
        parser.add_argument("--seconds", type=float, default=2.0, help="of each burst of questions")

    def run(self, options: argparse.Namespace) -> list[Serve]:
        """All servers of a workload are up at once; each round asks each of them."""
        serving.build_tools()
        # The engine alone serves as the primary does: its threads are the same.
        kinds = [
            kind for kind in contestants.installed(options.only) if kind is not contestants.OakrootEngine
        ]
        found = []
        for workload in (
            workloads.one_big_zone(options.directory / "big", options.records),
            workloads.many_zones(options.directory / "many", options.zones),
        ):
            with serving.running(kinds, workload, options.directory / "serve") as up:
                found += _rounds(up, workload, options)
        return found

    def tables(self, measurements: Sequence[Serve]) -> list[Table]:
        """One of each case, with the ratios to the floor and to Oakroot."""
        return [_table(case, serves) for case, serves in cases(measurements).items()]

    def targets(self, measurements: Sequence[Serve]) -> list[Target]:
        """The floor's processor time, nearly."""
        _ = measurements
        return []


def _rounds(up: Sequence[DaemonNameserver], workload: Workload, options: argparse.Namespace) -> list[Serve]:
    found = []
    for mix, transport in [*((mix, "udp") for mix in workload.mixes), ("hosts", "tcp")]:
        for number in range(options.rounds):
            print(f"serving {workload.name}: {mix}, {transport}, round {number + 1}", file=sys.stderr)
            found += [
                serving.serve(server, workload, mix, transport, options.seconds)
                for server in up
                if transport == "udp" or not isinstance(server, Floor)
            ]
    return found


def _table(case: str, serves: Sequence[Serve]) -> Table:
    of_server = servers(serves)
    floor = _total(of_server.get(FLOOR, []))
    oakroot = _total(of_server.get("oakroot", []))
    head = [
        "server",
        "CPU µs per answer",
        "of it user",
        "to floor",
        "oakroot to it",
        "1000 answers/s",
        "lost",
    ]
    rows = [
        [
            server,
            told([serve.microseconds for serve in own], "{:.2f}"),
            told([serve.user_microseconds for serve in own], "{:.2f}"),
            ratio(_total(own), floor),
            ratio(oakroot, _total(own)),
            told([serve.rate / 1000 for serve in own], "{:.0f}"),
            str(sum(serve.lost for serve in own)),
        ]
        for server, own in of_server.items()
    ]
    return Table(f"Serving {case}", head, rows)


def _total(serves: Sequence[Serve]) -> float | None:
    return median(serve.microseconds for serve in serves) if serves else None


PART = ServePart()
