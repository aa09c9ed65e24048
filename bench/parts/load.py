"""`python -m bench load`: time and memory from the start of a server to right answers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from statistics import median

from bench import contestants, loading, workloads
from bench.loading import Load
from bench.part import Part, Table, cases, ratio, servers, told

YARDSTICK = "nsd"
MEASURES: tuple[tuple[str, Callable[[Load], float], str], ...] = (
    ("s to answer", lambda load: load.seconds, "{:.2f}"),
    ("CPU s", lambda load: load.processor_seconds, "{:.2f}"),
    ("peak MiB", lambda load: load.peak_octets / 2**20, "{:.0f}"),
    ("resting MiB", lambda load: load.resting_octets / 2**20, "{:.0f}"),
)


class LoadPart(Part[Load]):
    """See the head of the file."""

    name = "load"
    help = "time and memory to load: one zone of a million records, and 10,000 zones of ten"
    measurement = Load
    case_shapes = ("1 zone of * records", "* zones of * records")
    name_shapes = ("Loading {case}",)

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """The sizes."""
        parser.add_argument("--records", type=int, default=1_000_000, help="of the one big zone")
        parser.add_argument("--zones", type=int, default=10_000, help="of ten records each")

    def run(self, options: argparse.Namespace) -> list[Load]:
        """Each server in turn, round by round, so that a slow minute of the machine hits all of them."""
        kinds = contestants.installed(options.only)
        loads = []
        for workload in (
            workloads.one_big_zone(options.directory / "big", options.records),
            workloads.many_zones(options.directory / "many", options.zones),
        ):
            for number in range(options.rounds):
                for kind in kinds:
                    print(f"loading {workload.name}: round {number + 1}, {kind.name}", file=sys.stderr)
                    loads.append(loading.load(kind, workload, options.directory / f"load-{kind.name}"))
        return loads

    def tables(self, measurements: Sequence[Load]) -> list[Table]:
        """One of each workload: every measure with its ratio to NSD's."""
        return [_table(case, loads) for case, loads in cases(measurements).items()]


def _table(case: str, loads: Sequence[Load]) -> Table:
    of_server = servers(loads)
    head = ["server", *(cell for name, _, _ in MEASURES for cell in (name, f"to {YARDSTICK}"))]
    rows = []
    for server, own in of_server.items():
        row = [server]
        for _, measure, form in MEASURES:
            values = [measure(load) for load in own]
            yardstick = [measure(load) for load in of_server.get(YARDSTICK, [])]
            row += [told(values, form), ratio(median(values), median(yardstick) if yardstick else None)]
        rows.append(row)
    rows += _share_of_git(of_server, len(head))
    return Table(f"Loading {case}", head, rows)


def _share_of_git(of_server: dict[str, list[Load]], columns: int) -> list[list[str]]:
    """What the primary takes beyond its engine: clone, checks of names and keys, Python itself."""
    whole, engine = of_server.get("oakroot"), of_server.get("oakroot-engine")
    if not whole or not engine:
        return []
    share = median(load.seconds for load in whole) - median(load.seconds for load in engine)
    return [["git and Python's share", f"{share:.2f}", *["-"] * (columns - 2)]]


PART = LoadPart()
