"""`python -m bench latency`: how long answers take while the server reads new versions of a large zone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from bench import contestants, serving, workloads
from bench.loading import LONGEST, wait_for_last
from bench.part import Part, Table, Target, cases, servers, told
from bench.processes import wait_until_at_rest
from bench.reloading import Version, every_record, take, tell, versions, wait_for
from bench.workloads import Workload
from tests.peers.nameservers import DaemonNameserver, NameserverError

OAKROOT = contestants.OakrootPrimary.name
CANNOT = ("yadifa", contestants.OakrootEngine.name)
MAXIMUM_SECONDS = 1.0
PERCENTILES = ("p50", "p99", "p99.9")


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
    """How many ended, with right answers, within the second burst."""
    seconds: float = 0.0
    """How long the second burst was: from the first word to reload to the last new answer."""

    @property
    def ratio(self) -> float:
        """p99.9 while reloading to p99.9 idle."""
        return self.reloading["p99.9"] / self.idle["p99.9"]


class LatencyPart(Part[Latency]):
    """See the head of the file."""

    name = "latency"
    help = "latency at half the maximal rate while a zone of a million records is read again"
    measurement = Latency
    case_shapes = ("1 zone of * records",)
    name_shapes = (
        "Answers while reloading {case}, in µs",
        "latency, {case}: p99.9 while reloading to idle",
        "latency, {case}: questions lost",
    )

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Size and time."""
        parser.add_argument("--records", type=int, default=1_000_000, help="of the zone")
        parser.add_argument("--seconds", type=float, default=4.0, help="of the idle burst of questions")
        parser.add_argument(
            "--reloads", type=int, default=3, help="during the other burst, which ends with them"
        )

    def run(self, options: argparse.Namespace) -> list[Latency]:
        """One server after the other; every record changes in each version, so nothing can be spared."""
        serving.build_tools()
        workload = workloads.one_big_zone(options.directory / "big" / "zones", options.records)
        made = versions(workload, every_record, options.reloads + 1)
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
        """At most twice the idle p99.9, and nothing lost; a round without a reload proves neither."""
        found = []
        for case, latencies in cases(measurements).items():
            own = servers(latencies).get(OAKROOT, [])
            is_proof = bool(own) and all(latency.reloads for latency in own)
            worst = median(latency.ratio for latency in own) if is_proof else None
            found.append(Target(f"latency, {case}: p99.9 while reloading to idle", 2.0, worst))
            lost = float(sum(latency.lost for latency in own)) if is_proof else None
            found.append(Target(f"latency, {case}: questions lost", 0.0, lost))
        return found


def _measure(
    server: DaemonNameserver, workload: Workload, made: Sequence[Version], seconds: float
) -> Latency:
    first, *later = made
    take(workload, first)
    with serving.on_processor(0):
        server.start(LONGEST)
    wait_for_last(server, replace(workload, last=first.check))
    wait_until_at_rest(server.process_ids())
    questions = workload.mixes["hosts"]
    rate = serving.generate(server, questions, MAXIMUM_SECONDS, *serving.WINDOW)["rate"] / 2
    idle = serving.generate(server, questions, seconds, "--rate", str(rate))
    reloads = _Reloads(server, workload, later)
    busy = serving.generate_during(reloads, server, questions, LONGEST, "--rate", str(rate))
    return Latency(
        case=workload.name,
        server=server.name,
        rate=rate,
        idle=idle["latency"],
        reloading=busy["latency"],
        lost=int(idle["lost"] + busy["lost"]),
        reloads=reloads.done,
        seconds=busy["seconds"],
    )


class _Reloads:
    """Reloads one behind the other, and counts those that ended."""

    def __init__(self, server: DaemonNameserver, workload: Workload, made: Sequence[Version]) -> None:
        self.done = 0
        self._server, self._workload, self._made = server, workload, made

    def __call__(self) -> None:
        for version in self._made:
            take(self._workload, version)
            tell(self._server)
            try:
                wait_for(self._server, version.check)
            except NameserverError as error:
                print(f"bench: {error}", file=sys.stderr)
                return
            self.done += 1


def _table(case: str, latencies: Sequence[Latency]) -> Table:
    spans = [f"{percentile} {when}" for percentile in PERCENTILES for when in ("idle", "reloading")]
    head = ["server", "1000 questions/s", *spans, "longest", "ratio", "lost", "reloads", "s each"]
    rows = []
    for server, own in servers(latencies).items():
        times = [
            told([latency[percentile] for latency in latencies_of], "{:.0f}")
            for percentile in PERCENTILES
            for latencies_of in ([one.idle for one in own], [one.reloading for one in own])
        ]
        rows.append(
            [
                server,
                told([latency.rate / 1000 for latency in own], "{:.0f}"),
                *times,
                told([latency.reloading["max"] for latency in own], "{:.0f}"),
                told([latency.ratio for latency in own], "{:.1f}"),
                str(sum(latency.lost for latency in own)),
                str(sum(latency.reloads for latency in own)),
                told([latency.seconds / latency.reloads for latency in own if latency.reloads], "{:.1f}"),
            ]
        )
    return Table(f"Answers while reloading {case}, in µs", head, rows)


PART = LatencyPart()
