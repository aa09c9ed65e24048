"""`python -m bench serve`: processor time for each answer, beside the bare echo as the floor."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import contestants, mixtures, serving, workloads
from bench.agreement import check_agreement
from bench.part import Part, Table, Target, cases, ratio, servers, told
from bench.serving import WAYS, Floor, Serve, Way
from bench.workloads import Workload
from tests.interop.signing import DENIALS
from tests.peers.nameservers import DaemonNameserver

FLOOR = Floor.name
OAKROOT = contestants.OakrootPrimary.name
MAKERS: dict[str, Callable[[Path, argparse.Namespace], Workload]] = {
    "small": lambda directory, _: mixtures.small_zone(directory),
    "mixed": lambda directory, _: mixtures.mixed_zone(directory),
    "million": lambda directory, options: workloads.one_big_zone(directory, options.records),
    "zones": lambda directory, options: workloads.many_zones(directory, options.zones),
    "nsec": lambda directory, _: mixtures.mixed_zone(directory, DENIALS[0]),
    "nsec3": lambda directory, _: mixtures.mixed_zone(directory, DENIALS[1]),
}


@dataclass(frozen=True)
class Plan:
    """One case, and what it is to reach. Below every peer all are to be."""

    workload: str
    mix: str
    way: Way
    to_floor: float | None = None
    to_nsd: float | None = None

    @property
    def case(self) -> str:
        """How tables name it."""
        return f"{self.workload}: {self.mix}, {self.way.name}"


FLOOD = "random missing names"
SCALING = "small: hosts, two workers to one, to the floor's"
PLANS = (
    Plan("small", "hosts", WAYS["UDP"], 1.05, 0.85),
    Plan("small", "hosts", WAYS["UDP with EDNS"], 1.05, 0.85),
    Plan("small", "hosts", WAYS["dnsperf"]),
    Plan("small", "hosts", WAYS["TCP"]),
    Plan("small", "hosts", WAYS["TCP one by one"]),
    Plan("small", "hosts", WAYS["TCP connection each"]),
    Plan("small", "hosts", WAYS["UDP two workers"]),
    Plan("mixed", "mixed", WAYS["UDP"], 1.05, 0.70),
    Plan("mixed", "mixed", WAYS["UDP with EDNS"], 1.05, 0.70),
    Plan("mixed", "mixed", WAYS["dnsperf"]),
    Plan("mixed", FLOOD, WAYS["UDP"], 1.05),
    Plan("million", "hosts", WAYS["UDP"], 1.10, 0.45),
    Plan("million", "missing names", WAYS["UDP"], 1.10),
    Plan("million", "delegations", WAYS["UDP"], 1.10),
    Plan("million", "hosts", WAYS["dnsperf"]),
    Plan("million", "hosts", WAYS["TCP"]),
    Plan("zones", "hosts", WAYS["UDP"], 1.05),
    Plan("zones", "hosts", WAYS["dnsperf"]),
    Plan("zones", "hosts", WAYS["TCP"]),
    Plan("nsec", "mixed", WAYS["UDP with DO"]),
    Plan("nsec", FLOOD, WAYS["UDP with DO"]),
    Plan("nsec", "mixed", WAYS["dnsperf"]),
    Plan("nsec3", "mixed", WAYS["UDP with DO"]),
    Plan("nsec3", FLOOD, WAYS["UDP with DO"]),
)


class ServePart(Part[Serve]):
    """See the head of the file."""

    name = "serve"
    help = "processor time for each answer over UDP and TCP, beside the bare echo as the floor"
    measurement = Serve
    case_shapes = tuple(plan.case for plan in PLANS)
    name_shapes = (
        "Serving {case}",
        "{case}: to floor",
        "{case}: to NSD",
        "{case}: to the best peer",
        SCALING,
    )

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """The sizes, and what to measure of all."""
        parser.add_argument("--records", type=int, default=1_000_000, help="of the one big zone")
        parser.add_argument("--zones", type=int, default=10_000, help="of ten records each")
        parser.add_argument("--seconds", type=float, default=1.0, help="of each burst of questions")
        parser.add_argument("--workload", nargs="+", choices=MAKERS, help="these zones only")
        mixes = sorted({plan.mix for plan in PLANS})
        parser.add_argument("--mix", nargs="+", choices=mixes, metavar="MIX", help=f"of {', '.join(mixes)}")
        parser.add_argument("--way", nargs="+", choices=WAYS, metavar="WAY", help=f"of {', '.join(WAYS)}")

    def run(self, options: argparse.Namespace) -> list[Serve]:
        """All servers of a workload are up at once; each round asks each of them."""
        serving.build_tools()
        kinds = _contestants(options.only)
        found: list[Serve] = []
        for name, plans in _chosen(options).items():
            workload = MAKERS[name](options.directory / name, options)
            able = [kind for kind in kinds if not (workload.is_signed and kind in contestants.UNSIGNED_ONLY)]
            for workers in sorted({plan.way.workers for plan in plans}):
                own = [plan for plan in plans if plan.way.workers == workers]
                with serving.running(able, workload, options.directory / f"{name}-{workers}", workers) as up:
                    for plan in own:
                        found += _rounds(up, workload, plan, options)
        return found

    def tables(self, measurements: Sequence[Serve]) -> list[Table]:
        """One of each case, with the ratios to the floor and to Oakroot."""
        return [_table(case, serves) for case, serves in cases(measurements).items()]

    def targets(self, measurements: Sequence[Serve]) -> list[Target]:
        """The floor's processor time, nearly, and less than any peer's."""
        of_case = cases(measurements)
        targets = [target for plan in PLANS for target in _targets(plan, of_case.get(plan.case, []))]
        own, floor = (_scaling(server, of_case) for server in (OAKROOT, FLOOR))
        scaling = own / floor if own and floor else None
        return [*targets, Target(SCALING, 1.10, scaling)]


def _scaling(server: str, of_case: Mapping[str, Sequence[Serve]]) -> float | None:
    """What an answer of two workers costs to one of one."""
    ways = "UDP", "UDP two workers"
    one, two = (_of(server, of_case.get(f"small: hosts, {way}", [])) for way in ways)
    return two / one if one and two else None


def _contestants(only: Sequence[str] | None) -> list[type[DaemonNameserver]]:
    """Not the engine alone, whose threads are the primary's, but the primary with rate limiting too."""
    limited = contestants.OakrootLimited
    kinds = contestants.installed(only)
    kinds = [kind for kind in kinds if kind is not contestants.OakrootEngine]
    return [*kinds, limited] if only is None or limited.name in only else kinds


def _chosen(options: argparse.Namespace) -> dict[str, list[Plan]]:
    """The plans that the options leave, by workload."""
    found: dict[str, list[Plan]] = {}
    for plan in PLANS:
        wanted = (
            options.workload is None or plan.workload in options.workload,
            options.mix is None or plan.mix in options.mix,
            options.way is None or plan.way.name in options.way,
            serving.has_dnsperf() or not plan.way.by_dnsperf,
        )
        if all(wanted):
            found.setdefault(plan.workload, []).append(plan)
    return found


def _rounds(
    up: Sequence[DaemonNameserver], workload: Workload, plan: Plan, options: argparse.Namespace
) -> Iterator[Serve]:
    questions, way = workload.mixes[plan.mix], plan.way
    answering = [server for server in up if not isinstance(server, Floor)]
    check_agreement(answering, questions, edns=way.edns, dnssec=way.dnssec)
    for number in range(options.rounds):
        print(f"serving {plan.case}: round {number + 1}", file=sys.stderr)
        asked = list(answering if way.over_tcp else up)
        # Each is first in turn: nobody always comes after one that leaves the caches full of its own.
        first = number % len(asked)
        for server in asked[first:] + asked[:first]:
            yield serving.serve(server, plan.case, questions, way, options.seconds)


def _targets(plan: Plan, serves: Sequence[Serve]) -> Iterator[Target]:
    own = _of(OAKROOT, serves)
    ours = (FLOOR, OAKROOT, contestants.OakrootLimited.name)
    rivals = {name: _of(name, serves) for name in servers(serves) if name not in ours}
    best = min((value for value in rivals.values() if value), default=None)
    wanted = [
        ("floor", plan.to_floor, _of(FLOOR, serves)),
        ("NSD", plan.to_nsd, rivals.get("nsd")),
        ("the best peer", 1.0, best),
    ]
    for name, most, other in wanted:
        if most is not None:
            yield Target(f"{plan.case}: to {name}", most, own / other if own and other else None)


def _table(case: str, serves: Sequence[Serve]) -> Table:
    of_server = servers(serves)
    floor, oakroot = _of(FLOOR, serves), _of(OAKROOT, serves)
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
            ratio(_of(server, serves), floor),
            ratio(oakroot, _of(server, serves)),
            told([serve.rate / 1000 for serve in own], "{:.0f}"),
            str(sum(serve.lost for serve in own)),
        ]
        for server, own in of_server.items()
    ]
    if case.endswith(", UDP two workers"):
        head.append("balance")
        for row, own in zip(rows, of_server.values(), strict=True):
            row.append(told([serve.balance for serve in own], "{:.2f}"))
    return Table(f"Serving {case}", head, rows)


def _of(server: str, serves: Sequence[Serve]) -> float | None:
    """The median of a server's processor time for each answer."""
    found = [serve.microseconds for serve in serves if serve.server == server]
    return median(found) if found else None


PART = ServePart()
