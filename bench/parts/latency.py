"""`python -m bench latency`: how long answers take while the server reads a new version of a large zone."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Self

from bench import contestants, serving, workloads
from bench.loading import LONGEST, wait_for_last
from bench.part import Part, Table, Target, cases, servers, told
from bench.reloading import Version, every_record, take, tell, versions, wait_for
from bench.workloads import Workload
from tests.peers.nameservers import DaemonNameserver, NameserverError

OAKROOT = contestants.OakrootPrimary.name
CANNOT = ("yadifa", contestants.OakrootEngine.name)
MAXIMUM_SECONDS = 1.0


@dataclass(frozen=True)
class Latency:
    """One server at half its maximal rate, first idle, then with reloads one behind the other."""

    case: str
    server: str
    rate: float
    """Questions a second."""
    idle: dict[str, float]
    """Microseconds by percentile."""
    reloading: dict[str, float]
    lost: int
    """In both bursts."""
    reloads: int


class LatencyPart(Part[Latency]):
    """See the head of the file."""

    name = "latency"
    help = "latency at half the maximal rate while a zone of a million records is read again"
    measurement = Latency

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Size and time."""
        parser.add_argument("--records", type=int, default=1_000_000, help="of the zone")
        parser.add_argument("--seconds", type=float, default=4.0, help="of each burst of questions")

    def run(self, options: argparse.Namespace) -> list[Latency]:
        """One server after the other; every record changes in each version, so nothing can be spared."""
        serving.build_tools()
        workload = workloads.one_big_zone(options.directory / "big" / "zones", options.records)
        made = versions(workload, every_record, 8)
        found = []
        for kind in contestants.installed(options.only):
            for number in range(options.rounds if kind.name not in CANNOT else 0):
                print(f"latency: round {number + 1}, {kind.name}", file=sys.stderr)
                directory = options.directory / f"latency-{kind.name}"
                server = kind(workload.zones, directory)
                try:
                    found.append(_measure(server, workload, made, options.seconds))
                except NameserverError as error:
                    print(f"bench: {error}", file=sys.stderr)
                finally:
                    server.stop()
        return found

    def tables(self, measurements: Sequence[Latency]) -> list[Table]:
        """One of each case."""
        return [_table(case, found) for case, found in cases(measurements).items()]

    def targets(self, measurements: Sequence[Latency]) -> list[Target]:
        """At most twice the idle p99.9, and nothing lost."""
        found = []
        for case, latencies in cases(measurements).items():
            own = servers(latencies).get(OAKROOT, [])
            ratios = [latency.reloading["p99.9"] / latency.idle["p99.9"] for latency in own]
            worst = median(ratios) if ratios else None
            found.append(Target(f"latency, {case}: p99.9 while reloading to idle", 2.0, worst))
            lost = float(sum(latency.lost for latency in own)) if own else None
            found.append(Target(f"latency, {case}: questions lost", 0.0, lost))
        return found


def _measure(
    server: DaemonNameserver, workload: Workload, made: Sequence[Version], seconds: float
) -> Latency:
    take(workload, made[0])
    with serving.on_processor(0):
        server.start(LONGEST)
    first = made[0]
    wait_for_last(
        server,
        Workload(
            workload.name, workload.directory, workload.apexes, first.check, workload.checks, workload.mixes
        ),
    )
    questions = workload.mixes["hosts"]
    rate = serving.generate(server, questions, MAXIMUM_SECONDS)["rate"] / 2
    idle = serving.generate(server, questions, seconds, "--rate", str(rate))
    with _Reloads(server, workload, made[1:]) as reloads:
        busy = serving.generate(server, questions, seconds, "--rate", str(rate))
        done = reloads.done
    return Latency(
        case=workload.name,
        server=server.name,
        rate=rate,
        idle=idle["latency"],
        reloading=busy["latency"],
        lost=int(idle["lost"] + busy["lost"]),
        reloads=done,
    )


class _Reloads:
    """Reloads one behind the other, in a thread, until it is told to end."""

    def __init__(self, server: DaemonNameserver, workload: Workload, made: Sequence[Version]) -> None:
        self.done = 0
        self._server, self._workload, self._made = server, workload, made
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        for version in self._made:
            if self._ended.is_set():
                return
            take(self._workload, version)
            tell(self._server)
            try:
                wait_for(self._server, version.check)
            except NameserverError as error:
                print(f"bench: {error}", file=sys.stderr)
                return
            self.done += 1


def _table(case: str, latencies: Sequence[Latency]) -> Table:
    head = ["server", "1000 questions/s", "p50 idle µs", "p99.9 idle", "p99.9 reloading", "longest", "ratio"]
    rows = []
    for server, own in servers(latencies).items():
        ratios = [latency.reloading["p99.9"] / latency.idle["p99.9"] for latency in own]
        rows.append(
            [
                server,
                told([latency.rate / 1000 for latency in own], "{:.0f}"),
                told([latency.idle["p50"] for latency in own], "{:.0f}"),
                told([latency.idle["p99.9"] for latency in own], "{:.0f}"),
                told([latency.reloading["p99.9"] for latency in own], "{:.0f}"),
                told([latency.reloading["max"] for latency in own], "{:.0f}"),
                told(ratios, "{:.1f}"),
                str(sum(latency.lost for latency in own)),
                str(sum(latency.reloads for latency in own)),
            ]
        )
    return Table(f"Answers while reloading {case}", [*head, "lost", "reloads"], rows)


PART = LatencyPart()
