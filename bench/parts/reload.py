"""`python -m bench reload`: from the word to reload until the new version of a zone is answered."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import contestants, workloads
from bench.loading import wait_for_last
from bench.part import Part, Table, Target, cases, servers, told
from bench.peers import PowerDns
from bench.processes import processor
from bench.reloading import Change, every_record, one_record, take, tell, versions, wait_for
from bench.workloads import Workload
from tests.peers.nameservers import DaemonNameserver, NameserverError

OAKROOT = contestants.OakrootPrimary.name
# The others look for the zone that changed, among all that they have.
IS_TOLD = PowerDns.name
FEW_ZONES = 100
SMALL_ZONE = 20_000
# YADIFA reads a zone again only by its own control protocol.
CANNOT = ("yadifa", contestants.OakrootEngine.name)
ONE, EVERY = "one record changed", "every record changed"
MANY_TO_FEW = "reload: many zones to few"
CHANGES: dict[str, Change] = {ONE: one_record, EVERY: every_record}
# A tenth of the fastest peer's time where only what changed is read of a large file; else its time.
WANTED = {ONE: 0.1, EVERY: 1.0}


@dataclass(frozen=True)
class Reload:
    """One server taking one new version."""

    case: str
    server: str
    seconds: float
    """From the word to reload to the first right answer."""
    processor_seconds: float


class ReloadPart(Part[Reload]):
    """See the head of the file."""

    name = "reload"
    help = "time to serve a new version of a zone: small, of a million records, one of 10,000"
    measurement = Reload
    case_shapes = tuple(
        f"{zones}, {change}"
        for zones in ("1 zone of * records", "* zones of * records")
        for change in CHANGES
    )
    name_shapes = ("Reloading {case}", "reload, {case}: to *", MANY_TO_FEW)

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """The sizes."""
        parser.add_argument("--records", type=int, default=1_000_000, help="of the one big zone")
        parser.add_argument("--zones", type=int, default=10_000, help="of ten records each")

    def run(self, options: argparse.Namespace) -> list[Reload]:
        """Every server in turn takes each version, so that a slow minute hits all of them."""
        makers: tuple[tuple[str, Callable[[Path], Workload]], ...] = (
            (ONE, lambda path: workloads.one_big_zone(path, min(SMALL_ZONE, options.records))),
            (ONE, lambda path: workloads.many_zones(path, min(FEW_ZONES, options.zones))),
            (ONE, lambda path: workloads.many_zones(path, options.zones)),
            (ONE, lambda path: workloads.one_big_zone(path, options.records)),
            (EVERY, lambda path: workloads.one_big_zone(path, options.records)),
        )
        kinds = [kind for kind in contestants.installed(options.only) if kind.name not in CANNOT]
        reloads = []
        for number, (change, make) in enumerate(makers):
            workload = make(options.directory / str(number) / "zones")
            case = f"{workload.name}, {change}"
            reloads += _measure(kinds, workload, CHANGES[change], case, options)
        return reloads

    def tables(self, measurements: Sequence[Reload]) -> list[Table]:
        """One of each case."""
        return [_table(case, reloads) for case, reloads in cases(measurements).items()]

    def targets(self, measurements: Sequence[Reload]) -> list[Target]:
        """Below the fastest peer, by an order where one record changed in a million; whatever the zones."""
        found = []
        own: dict[str, float] = {}
        for case, reloads in cases(measurements).items():
            seconds = {server: _median(of_one) for server, of_one in servers(reloads).items()}
            if (ours := seconds.pop(OAKROOT, None)) is None:
                continue
            own[case] = ours
            change = case.rpartition(", ")[2]
            is_large = "1 zone of" in case and f"{SMALL_ZONE:,}" not in case
            wanted = WANTED[change] if is_large else 1.0
            rivals = {"the fastest peer": list(seconds.values())}
            if " zones of" in case:
                told_which = seconds.pop(IS_TOLD, None)
                rivals = {"the fastest peer that looks for the zone": list(seconds.values())}
                if told_which is not None:
                    rivals["PowerDNS, which is told the zone"] = [told_which]
            for rival, theirs in rivals.items():
                ratio = ours / min(theirs) if theirs else None
                found.append(Target(f"reload, {case}: to {rival}", wanted, ratio))
        many = [seconds for case, seconds in own.items() if " zones of" in case]
        if len(many) > 1:
            found.append(Target(MANY_TO_FEW, 1.2, max(many) / min(many)))
        return found


def _measure(
    kinds: Sequence[type[DaemonNameserver]],
    workload: Workload,
    change: Change,
    case: str,
    options: argparse.Namespace,
) -> list[Reload]:
    made = versions(workload, change, options.rounds + 1)
    reloads = []
    for kind in kinds:
        # One server at a time: what one reads, the page cache has for the next, and all read it often.
        take(workload, made[0])
        server = kind(workload.zones, options.directory / f"reload-{kind.name}")
        server.launch()
        try:
            wait_for_last(server, _at(workload, made[0].check))
            for number, version in enumerate(made[1:], 1):
                print(f"reloading {case}: round {number}, {kind.name}", file=sys.stderr)
                take(workload, version)
                before, started = processor(server.process_ids()).total, time.monotonic()
                tell(server)
                wait_for(server, version.check)
                seconds = time.monotonic() - started
                used = processor(server.process_ids()).total - before
                reloads.append(Reload(case, kind.name, seconds, used))
        except NameserverError as error:
            print(f"bench: {error}", file=sys.stderr)
        finally:
            server.stop()
    return reloads


def _at(workload: Workload, check: workloads.Check) -> Workload:
    return Workload(
        workload.name, workload.directory, workload.apexes, check, workload.checks, workload.mixes
    )


def _median(reloads: Sequence[Reload]) -> float:
    return median(reload.seconds for reload in reloads)


def _table(case: str, reloads: Sequence[Reload]) -> Table:
    rows = [
        [
            server,
            told([1000 * reload.seconds for reload in own], "{:.0f}"),
            told([1000 * reload.processor_seconds for reload in own], "{:.0f}"),
        ]
        for server, own in servers(reloads).items()
    ]
    return Table(f"Reloading {case}", ["server", "ms to answer", "CPU ms"], rows)


PART = ReloadPart()
