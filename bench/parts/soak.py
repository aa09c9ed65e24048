"""`python -m bench soak`: everything at once, for long; is memory flat, are descriptors, is anything lost?"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.curves import Panel, draw
from bench.part import Part, Table, Target
from bench.soak.house import CHANGED, PUSHED, House, house
from bench.soak.work import (
    PATIENCE,
    Comings,
    Hangups,
    Looks,
    Pushes,
    Queries,
    Renewals,
    Transfers,
    Updates,
    Work,
    whole_zone,
)

SAMPLE_SECONDS = 5.0
LOST = "what was acknowledged and is lost, and answers that failed"
RECORDS = 500
WARM_UP = 0.25
"""The share of the time after which memory is to be flat: caches and kept versions have filled by then."""


@dataclass(frozen=True)
class Sample:
    """One process at one moment, or (`server` is `work`) what was done until then."""

    case: str
    server: str
    minutes: float
    numbers: dict[str, float]


class SoakPart(Part[Sample]):
    """See the head of the file."""

    name = "soak"
    help = "everything at once, for long: memory, descriptors, and whether anything is lost"
    measurement = Sample
    case_shapes = ("soak",)
    name_shapes = (
        "Processes",
        "What was done",
        "memory of the * at the end, to that after a quarter",
        "descriptors of the *, most less fewest",
        LOST,
    )
    is_for_all = False

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """How long."""
        parser.add_argument("--minutes", type=float, default=30.0, help="how long (default 30)")

    def run(self, options: argparse.Namespace) -> list[Sample]:
        """One house, once."""
        with house(options.directory, RECORDS) as everybody:
            works = start(everybody, options.directory)
            samples = watch(everybody, works, options.minutes * 60)
            for work in works:
                work.stop()
            lost = losses(everybody, works)
        for each in lost:
            print(f"soak: {each}", file=sys.stderr)
        return [*samples, Sample("soak", "lost", options.minutes, {"lost": float(len(lost))})]

    def tables(self, measurements: Sequence[Sample]) -> list[Table]:
        """Each process, and what was done."""
        processes = [name for name in dict.fromkeys(each.server for each in measurements) if name not in NONE]
        head = ("process", "memory after a quarter", "at the end", "growth", "descriptors", "processor")
        rows = [_row(name, _of(measurements, name)) for name in processes]
        done = [each for each in measurements if each.server == "work"][-1:]
        counts = [(name, f"{count:,.0f}") for each in done for name, count in each.numbers.items()]
        counts += [
            ("failed or lost", f"{each.numbers['lost']:.0f}")
            for each in measurements
            if each.server == "lost"
        ]
        return [Table("Processes", head, rows), Table("What was done", ("what", "how often"), counts)]

    def targets(self, measurements: Sequence[Sample]) -> list[Target]:
        """Flat, and nothing lost."""
        found = []
        for name in dict.fromkeys(each.server for each in measurements if each.server not in NONE):
            of_it = _of(measurements, name)
            before, after = _memory(of_it)
            found.append(
                Target(f"memory of the {name} at the end, to that after a quarter", 1.05, after / before)
            )
            spread = max(_late(of_it, "descriptors")) - min(_late(of_it, "descriptors"))
            found.append(Target(f"descriptors of the {name}, most less fewest", 12, spread))
        lost = next((each.numbers["lost"] for each in measurements if each.server == "lost"), None)
        return [*found, Target(LOST, 0, lost)]

    def pictures(self, measurements: Sequence[Sample]) -> dict[str, str]:
        """Over the minutes: memory, descriptors, and work done."""
        if not measurements:
            return {}
        names = [name for name in dict.fromkeys(each.server for each in measurements) if name not in NONE]

        def curves(what: str, scale: float = 1.0) -> dict[str, list[tuple[float, float]]]:
            return {
                name: [(each.minutes, each.numbers[what] * scale) for each in _of(measurements, name)]
                for name in names
            }

        work = [each for each in measurements if each.server == "work"]
        kinds = [name for name in work[-1].numbers if name != "failures"] if work else []
        done = {
            name: [(each.minutes, 100 * each.numbers[name] / max(work[-1].numbers[name], 1)) for each in work]
            for name in kinds
        }
        across = "minutes"
        return {
            "soak-processes": draw(
                [
                    Panel("Resident memory, MB", across, curves("memory", 1e-6), linear=True),
                    Panel("File descriptors", across, curves("descriptors"), linear=True),
                ]
            ),
            "soak-work": draw([Panel("Work done, % of all", across, done, linear=True)]),
        }


NONE = ("work", "lost")
PART = SoakPart()


def start(everybody: House, directory: Path) -> list[Work]:
    """Begins with everything."""
    works: list[Work] = [
        Queries(everybody),
        Updates(everybody),
        Pushes(everybody, directory),
        Transfers(everybody),
        Comings(everybody),
        Renewals(everybody),
        Looks(everybody),
        Hangups(everybody),
    ]
    for work in works:
        work.start()
    return works


def watch(everybody: House, works: Sequence[Work], seconds: float) -> list[Sample]:
    """Looks at all processes every few seconds."""
    begun = time.monotonic()
    samples: list[Sample] = []
    told = 0.0
    while (now := time.monotonic() - begun) < seconds:
        minutes = now / 60
        samples += [Sample("soak", name, minutes, usage(pid)) for name, pid in everybody.processes().items()]
        numbers = {
            work.name: float(work.issued if isinstance(work, Renewals) else work.done) for work in works
        }
        numbers["failures"] = float(sum(len(work.failures) for work in works))
        samples.append(Sample("soak", "work", minutes, numbers))
        if now >= told:
            told = now + 60
            print(f"soak: {minutes:.0f} min: {numbers}", file=sys.stderr)
        time.sleep(SAMPLE_SECONDS)
    return samples


def usage(process: int) -> dict[str, float]:
    """Octets in memory, open files, threads, seconds of the processor."""
    folder = Path(f"/proc/{process}")
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    return {
        "memory": float(status["VmRSS"].split()[0]) * 1024,
        "descriptors": float(len(list((folder / "fd").iterdir()))),
        "threads": float(status["Threads"]),
        "processor": (int(fields[11]) + int(fields[12])) / 100,
    }


def losses(everybody: House, works: Sequence[Work]) -> list[str]:
    """What failed, and what was acknowledged but is missing in git or at a server, in the end."""
    found = [f"{work.name}: {failure}" for work in works for failure in work.failures]
    updates = next(work for work in works if isinstance(work, Updates))
    pushes = next(work for work in works if isinstance(work, Pushes))
    wanted = {f"u{number}" for number in updates.living}
    in_git = {
        line.split()[0] for line in everybody.repository.show(CHANGED).splitlines() if line.startswith("u")
    }
    unknown = {f"u{number}" for number in updates.unknown}
    found += [f"git: {name} is missing" for name in sorted(wanted - in_git - unknown)]
    found += [f"git: {name} should be gone" for name in sorted(in_git - wanted - unknown)]
    if f"push TXT {pushes.number}" not in everybody.repository.show(PUSHED):
        found.append(f"git: push {pushes.number} is missing")
    places = {"primary": everybody.address}
    places |= {f"secondary {number}": each.address for number, each in enumerate(everybody.lasting)}
    places["passing secondary"] = everybody.passing.address
    for name, place in places.items():
        served = _settled(everybody, place, in_git)
        found += [f"{name}: {owner} differs from git" for owner in sorted(served ^ in_git)]
    return found


def _settled(everybody: House, place: tuple[str, int], wanted: set[str]) -> set[str]:
    """The names of updates that are served there, once they are what is wanted or that takes long."""
    deadline = time.monotonic() + 2 * PATIENCE
    while True:
        zone = whole_zone(place, CHANGED, everybody.transfer_key)
        served = {str(name) for name in zone.nodes if str(name).startswith("u")}
        if served == wanted or time.monotonic() > deadline:
            return served
        time.sleep(0.5)


def _of(measurements: Sequence[Sample], name: str) -> list[Sample]:
    return [each for each in measurements if each.server == name]


def _late(of_it: Sequence[Sample], what: str) -> list[float]:
    """The numbers after the first quarter."""
    return [each.numbers[what] for each in of_it[int(len(of_it) * WARM_UP) :]]


def _memory(of_it: Sequence[Sample]) -> tuple[float, float]:
    """Medians of the second quarter of the time, and of the last one."""
    late, quarter = _late(of_it, "memory"), max(len(of_it) // 4, 1)
    return median(late[:quarter]), median(late[-quarter:])


def _row(name: str, of_it: Sequence[Sample]) -> tuple[str, ...]:
    before, after = _memory(of_it)
    descriptors = _late(of_it, "descriptors")
    return (
        name,
        f"{before / 1e6:.1f} MB",
        f"{after / 1e6:.1f} MB",
        f"{100 * (after / before - 1):+.1f} %",
        f"{min(descriptors):.0f} to {max(descriptors):.0f}",
        f"{of_it[-1].numbers['processor']:.0f} s",
    )
