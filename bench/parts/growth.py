"""`python -m bench growth`: what a record and a query cost as zones grow, and as there are more of them."""

from __future__ import annotations

import argparse
import functools
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import contestants, loading, serving, workloads
from bench.curves import Panel, Points, draw
from bench.loading import Load
from bench.part import Part, Table, Target, servers
from bench.serving import WAYS
from bench.workloads import RECORDS_PER_SMALL_ZONE, Workload
from oakroot._engine import Catalogue, read_zone
from tests.peers.nameservers import DaemonNameserver

OAKROOT = contestants.OakrootPrimary.name
MEASURED = (OAKROOT, contestants.OakrootEngine.name, "nsd", "knot")
SMALLEST = 1000
RECORDS, ZONES = "records of one zone", "zones of ten records"


@dataclass(frozen=True)
class Size:
    """One server with one size of workload."""

    case: str
    server: str
    growing: str
    records: int
    load_microseconds: float
    """For each record, beyond what a server with next to nothing needs to start."""
    octets: float
    """For each record at rest, beyond the same. What stands in files is left aside: of a library's pages a
    process is charged the more, the fewer others use them just then, megabytes that no record has taken."""
    query_microseconds: float
    """Processor time for each answer."""
    reading_microseconds: float | None = None
    """For each record, of our engine alone, read over and over: beside a start small sizes vanish."""


LOADING, MEMORY, QUERY = "load time, µs per record", "memory, octets per record", "CPU µs per query"
READING = "the engine's reading, µs per record"
MEASURES: dict[str, Callable[[Size], float | None]] = {
    READING: lambda size: size.reading_microseconds,
    LOADING: lambda size: size.load_microseconds,
    MEMORY: lambda size: size.octets,
    QUERY: lambda size: size.query_microseconds,
}
# A zone that has outgrown the caches waits for memory once or twice in each query, whoever holds it.
WANTED = {READING: 1.1, MEMORY: 1.1, QUERY: 1.5}
# Below that the clock, and what else the machine does, would be measured.
READING_SECONDS = 1.0


class GrowthPart(Part[Size]):
    """See the head of the file."""

    name = "growth"
    help = "load time and memory per record, and CPU per query, from 1,000 to 1,000,000 records"
    measurement = Size
    case_shapes = tuple(f"* {growing}" for growing in (RECORDS, ZONES))
    name_shapes = ("Growth: *", *(f"growth, *: {measure}, to a hundredth" for measure in WANTED))

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """The largest sizes."""
        parser.add_argument("--records", type=int, default=1_000_000, help="of the largest zone")
        parser.add_argument("--zones", type=int, default=10_000, help="at most")
        parser.add_argument("--seconds", type=float, default=1.0, help="of each burst of questions")

    def run(self, options: argparse.Namespace) -> list[Size]:
        """Sizes in steps of ten; what each server needs to start with next to nothing is taken off."""
        serving.build_tools()
        kinds = contestants.installed(list(options.only or MEASURED))
        nothing = workloads.many_zones(options.directory / "nothing" / "zones", 1)
        starts = {kind.name: [_load(kind, nothing, options) for _ in range(options.rounds)] for kind in kinds}
        sizes = []
        for number, (kind_of_growth, records, make) in enumerate(_plans(options)):
            workload = make(options.directory / str(number) / "zones")
            queries = _queries(kinds, workload, options)
            reading = _reading(workload) * 1e6 / records
            for _ in range(options.rounds):
                for kind in kinds:
                    print(f"growth: {workload.name}, {kind.name}", file=sys.stderr)
                    load = _load(kind, workload, options)
                    start = starts[kind.name]
                    seconds = load.seconds - median(one.seconds for one in start)
                    octets = load.own_octets - median(one.own_octets for one in start)
                    sizes.append(
                        Size(
                            case=f"{records:,} {kind_of_growth}",
                            server=kind.name,
                            growing=kind_of_growth,
                            records=records,
                            load_microseconds=max(0.0, seconds) * 1e6 / records,
                            octets=max(0.0, octets) / records,
                            query_microseconds=queries[kind.name],
                            reading_microseconds=reading if kind.name == OAKROOT else None,
                        )
                    )
        return sizes

    def tables(self, measurements: Sequence[Size]) -> list[Table]:
        """One for zones that grow, one for more and more of them."""
        return [
            _table(growing, [size for size in measurements if size.growing == growing])
            for growing in dict.fromkeys(size.growing for size in measurements)
        ]

    def targets(self, measurements: Sequence[Size]) -> list[Target]:
        """Flat or better: the largest costs no more for each record or query than one of a hundredth."""
        found = []
        for growing in (RECORDS, ZONES):
            own = [size for size in measurements if size.growing == growing and size.server == OAKROOT]
            for measure, wanted in WANTED.items():
                points = dict(_curve(own, measure))
                largest = max(points, default=0.0)
                smaller = points.get(largest / 100)
                ratio = points[largest] / smaller if smaller else None
                found.append(Target(f"growth, {growing}: {measure}, to a hundredth", wanted, ratio))
        return found

    def pictures(self, measurements: Sequence[Size]) -> dict[str, str]:
        """Two rows of three panels."""
        return {
            name: draw(
                [
                    Panel(measure, f"records ({growing})", _curves(measurements, growing, measure))
                    for measure in WANTED
                ]
            )
            for name, growing in (("growth-of-a-zone", RECORDS), ("growth-of-zones", ZONES))
        }


def _plans(options: argparse.Namespace) -> Iterator[tuple[str, int, Callable[[Path], Workload]]]:
    records = SMALLEST
    while records <= options.records:
        yield RECORDS, records, functools.partial(workloads.one_big_zone, records=records)
        records *= 10
    zones = 10
    while zones <= options.zones:
        yield ZONES, zones * RECORDS_PER_SMALL_ZONE, functools.partial(workloads.many_zones, zones=zones)
        zones *= 10


def _load(kind: type[DaemonNameserver], workload: Workload, options: argparse.Namespace) -> Load:
    return loading.load(kind, workload, options.directory / f"growth-{kind.name}")


def _queries(
    kinds: Sequence[type[DaemonNameserver]], workload: Workload, options: argparse.Namespace
) -> dict[str, float]:
    """Processor time for each answer, the median of the rounds."""
    found: dict[str, list[float]] = {}
    directory = options.directory / f"serve-{workload.directory.parent.name}"
    with serving.running(kinds, workload, directory, 1) as up:
        for _ in range(options.rounds):
            for server in up:
                burst = serving.serve(server, "", workload.mixes["hosts"], WAYS["UDP"], options.seconds)
                found.setdefault(server.name, []).append(burst.microseconds)
    return {server: median(values) for server, values in found.items()}


def _reading(workload: Workload) -> float:
    """Seconds that the engine takes to read all zones of a workload, the median of several times."""
    texts = [(zone.path.read_bytes(), zone.apex, str(zone.path)) for zone in workload.zones]
    found: list[float] = []
    while not found or sum(found) < READING_SECONDS:
        started = time.thread_time()
        zones = [read_zone(*text)[0] for text in texts]
        Catalogue().with_zones([zone for zone in zones if zone is not None])
        found.append(time.thread_time() - started)
    return median(found)


def _curve(sizes: Sequence[Size], measure: str) -> Points:
    by_records: dict[float, list[float]] = {}
    for size in sizes:
        if (value := MEASURES[measure](size)) is not None:
            by_records.setdefault(float(size.records), []).append(value)
    return [(records, median(values)) for records, values in by_records.items()]


def _curves(measurements: Sequence[Size], growing: str, measure: str) -> dict[str, Points]:
    of_growing = [size for size in measurements if size.growing == growing]
    curves = {server: _curve(own, measure) for server, own in servers(of_growing).items()}
    return {server: curve for server, curve in curves.items() if curve}


def _table(growing: str, sizes: Sequence[Size]) -> Table:
    head = ["server", *(f"{records:,}" for records in sorted({size.records for size in sizes}))]
    rows = [
        [f"{server}: {measure}", *(f"{value:.2f}" for _, value in sorted(_curve(own, measure)))]
        for measure in MEASURES
        for server, own in servers(sizes).items()
        if _curve(own, measure)
    ]
    return Table(f"Growth: {growing}", head, rows)


PART = GrowthPart()
