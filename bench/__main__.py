"""`python -m bench`: Oakroot beside NSD, Knot DNS and BIND in one run; README.md tells how it measures."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from bench import contestants, loading, serving, tables, workloads
from bench.workloads import Workload
from tests.peers.nameservers import DaemonNameserver, NameserverError

HERE = Path(__file__).parent
Kinds = list[type[DaemonNameserver]]


def main() -> int:
    """Runs the parts that were asked for."""
    options = _options()
    kinds = contestants.installed(options.only)
    print("measured:", ", ".join(kind.name for kind in kinds))
    loads: dict[str, list[loading.Load]] = {}
    serves: list[serving.Serve] = []
    dnsperf: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="oakroot-bench-", dir=options.directory) as directory:
        made = [
            workloads.one_big_zone(Path(directory) / "big", options.records),
            workloads.many_zones(Path(directory) / "many", options.zones),
        ]
        try:
            for workload in made:
                if options.part in ("load", "all"):
                    loads[workload.name] = _load(kinds, workload, Path(directory), options.rounds)
                if options.part in ("serve", "all"):
                    serves += _serve(kinds, workload, Path(directory), options, dnsperf)
        except NameserverError as error:
            print(f"bench: {error}", file=sys.stderr)
            return 1
    out = options.out or HERE / "results" / time.strftime("%Y%m%d-%H%M%S.json")
    tables.write_json(out, loads, serves, dnsperf)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("part", nargs="?", choices=("load", "serve", "all"), default="all")
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each is measured, in turn (default 3)"
    )
    parser.add_argument("--records", type=int, default=1_000_000, help="of the one big zone")
    parser.add_argument("--zones", type=int, default=10_000, help="of ten records each")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each burst of questions")
    parser.add_argument(
        "--only", nargs="+", metavar="SERVER", help="of oakroot, oakroot-engine, nsd, knot, bind"
    )
    parser.add_argument("--directory", type=Path, help="where to put zones meanwhile (default: the system's)")
    parser.add_argument("--out", type=Path, help="where to put the results as JSON (default: bench/results)")
    return parser.parse_args()


def _load(kinds: Kinds, workload: Workload, directory: Path, rounds: int) -> list[loading.Load]:
    """Each server in turn, round by round, so that a slow minute of the machine hits all of them."""
    loads = []
    for number in range(rounds):
        for kind in kinds:
            print(f"loading {workload.name}: round {number + 1}, {kind.name}", file=sys.stderr)
            loads.append(loading.load(kind, workload, directory / f"load-{kind.name}"))
    tables.load_table(workload.name, loads)
    return loads


def _serve(
    kinds: Kinds, workload: Workload, directory: Path, options: argparse.Namespace, dnsperf: dict[str, float]
) -> list[serving.Serve]:
    serving.build_tools()
    # The engine alone serves as the primary does: its threads are the same.
    kinds = [kind for kind in kinds if kind is not contestants.OakrootEngine]
    found: list[serving.Serve] = []
    with serving.running(kinds, workload, directory / "serve") as servers:
        for mix, transport in [*((mix, "udp") for mix in workload.mixes), ("hosts", "tcp")]:
            of_mix: list[serving.Serve] = []
            for number in range(options.rounds):
                print(f"serving {workload.name}: {mix}, {transport}, round {number + 1}", file=sys.stderr)
                of_mix += [
                    serving.serve(server, workload, mix, transport, options.seconds)
                    for server in servers
                    if transport == "udp" or not isinstance(server, serving.Floor)
                ]
            tables.serve_table(workload.name, mix, transport, of_mix)
            found += of_mix
        for server in servers:
            rate = serving.dnsperf_rate(server, workload.mixes["hosts"], max(1, round(options.seconds)))
            if rate is not None:
                dnsperf[f"{workload.name}: {server.name}"] = rate
    rows = [
        [key.split(": ")[1], f"{rate / 1000:.0f}"] for key, rate in dnsperf.items() if workload.name in key
    ]
    tables.print_table(f"dnsperf, {workload.name}: hosts, udp", ["server", "1000 answers/s"], rows)
    return found


if __name__ == "__main__":
    sys.exit(main())
