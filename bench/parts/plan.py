"""`python -m bench plan`: how long an operator waits for `oakroot plan`, one record changed."""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import workloads
from bench.part import Part, Table, Target, cases, servers, told
from bench.workloads import Workload

CHANGES = 2
READING = "reading both versions"
_READ = """
import sys
from oakroot._engine import read_zone
for path in sys.argv[2:]:
    read_zone(open(path, "rb").read(), sys.argv[1], "zone")
"""


@dataclass(frozen=True)
class Planned:
    """One command that was waited for."""

    case: str
    server: str
    """The command, or what it is measured by."""
    seconds: float
    processor_seconds: float


class PlanPart(Part[Planned]):
    """See the head of the file."""

    name = "plan"
    help = "what a plan of one changed record takes, of one large zone and of many small ones"
    measurement = Planned
    case_shapes = ("1 zone of * records", "* zones of * records")
    name_shapes = (
        "Planning one changed record of {case}",
        f"plan of {{case}}, to {READING}",
        "plan of {case}",
    )

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """The sizes."""
        parser.add_argument("--records", type=int, default=1_000_000, help="of the one big zone")
        parser.add_argument("--zones", type=int, default=10_000, help="of ten records each")

    def run(self, options: argparse.Namespace) -> list[Planned]:
        """A record is added to the last zone; then each command has its turn, round by round."""
        found = []
        for workload in (
            workloads.one_big_zone(options.directory / "big", options.records),
            workloads.many_zones(options.directory / "many", options.zones),
        ):
            apex, file = workload.apexes[-1], workload.zones[-1].path
            before = options.directory / f"{apex}before"
            before.write_bytes(file.read_bytes())
            file.write_text(before.read_text().replace(" 1 7200 ", " 2 7200 ", 1) + "added IN A 192.0.2.9\n")
            for number in range(options.rounds):
                print(f"planning {workload.name}: round {number + 1}", file=sys.stderr)
                found += _round(workload, apex, before, file)
        return found

    def tables(self, measurements: Sequence[Planned]) -> list[Table]:
        """One of each workload."""
        head = ("command", "s", "CPU s")
        return [
            Table(
                f"Planning one changed record of {case}",
                head,
                [
                    [
                        name,
                        told([each.seconds for each in own], "{:.2f}"),
                        told([each.processor_seconds for each in own], "{:.2f}"),
                    ]
                    for name, own in servers(planned).items()
                ],
            )
            for case, planned in cases(measurements).items()
        ]

    def targets(self, measurements: Sequence[Planned]) -> list[Target]:
        """A large zone costs no more than reading it twice; many zones, of which one changed, a second.

        Processor time is compared: all is one thread, and what else the machine does counts for nothing.
        """
        targets = []
        for case, planned in cases(measurements).items():
            used = {
                name: median(one.processor_seconds for one in own) for name, own in servers(planned).items()
            }
            if READING in used:
                ratio = used["oakroot plan"] / used[READING]
                targets.append(Target(f"plan of {case}, to {READING}", 1.0, round(ratio, 2)))
            else:
                targets.append(Target(f"plan of {case}", 1.0, round(used["oakroot plan"], 2), "CPU s"))
        return targets


def _round(workload: Workload, apex: str, before: Path, after: Path) -> list[Planned]:
    program = Path(sys.executable).with_name("oakroot")
    found = [_timed(workload.name, "oakroot plan", [program, "plan", workload.directory], CHANGES)]
    if len(workload.apexes) == 1:
        found.append(_timed(workload.name, READING, [sys.executable, "-c", _READ, apex, before, after], 0))
    return found


def _timed(case: str, name: str, command: Sequence[str | Path], code: int) -> Planned:
    """The command from its start to its end; what it has to say is thrown away."""
    used, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    ended = subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
    seconds, now = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended != code:
        raise AssertionError(f"{name} ended with {ended}")
    return Planned(case, name, seconds, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime)


PART = PlanPart()
