"""Prints results as tables and keeps them as JSON. Medians of the rounds, with their span; ratios to NSD."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from bench.loading import Load
from bench.serving import Serve

YARDSTICK = "nsd"
Row = Sequence[str]


def print_table(title: str, head: Row, rows: Iterable[Row]) -> None:
    """The first column to the left, numbers to the right."""
    table = [list(head), *map(list, rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    print(f"\n{title}")
    for row in table:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print("  " + "  ".join(cells).rstrip())


def _told(values: list[float], form: str) -> str:
    """The median, and from where to where the rounds went."""
    middle = form.format(median(values))
    return middle if len(values) == 1 else f"{middle} ({form.format(min(values))}-{form.format(max(values))})"


def _ratio(value: float, yardstick: float | None) -> str:
    return "-" if not yardstick else f"{value / yardstick:.2f}"


def load_table(workload: str, loads: Sequence[Load]) -> None:
    """Time and memory of one workload."""
    measures: tuple[tuple[str, Callable[[Load], float], str], ...] = (
        ("s to answer", lambda load: load.seconds, "{:.2f}"),
        ("CPU s", lambda load: load.processor_seconds, "{:.2f}"),
        ("peak MiB", lambda load: load.peak_octets / 2**20, "{:.0f}"),
        ("resting MiB", lambda load: load.resting_octets / 2**20, "{:.0f}"),
    )
    servers = list(dict.fromkeys(load.server for load in loads))
    head = ["server", *(cell for name, _, _ in measures for cell in (name, f"/{YARDSTICK}"))]
    rows = []
    for server in servers:
        row = [server]
        for _, measure, form in measures:
            values = [measure(load) for load in loads if load.server == server]
            yardstick = [measure(load) for load in loads if load.server == YARDSTICK]
            row += [_told(values, form), _ratio(median(values), median(yardstick) if yardstick else None)]
        rows.append(row)
    print_table(f"Loading {workload}", head, rows)
    _tell_share_of_git(loads)


def _tell_share_of_git(loads: Sequence[Load]) -> None:
    """What the primary takes beyond its engine: clone, checks of names and keys, Python itself."""
    whole = [load.seconds for load in loads if load.server == "oakroot"]
    engine = [load.seconds for load in loads if load.server == "oakroot-engine"]
    if whole and engine:
        print(f"  git and Python's share of oakroot: {median(whole) - median(engine):.2f} s")


def serve_table(workload: str, mix: str, transport: str, serves: Sequence[Serve]) -> None:
    """Processor time for each answer."""
    rows = []
    yardstick = _total(YARDSTICK, serves)
    for server in dict.fromkeys(serve.server for serve in serves):
        own = [serve for serve in serves if serve.server == server]
        rows.append(
            [
                server,
                _told([serve.user_microseconds + serve.system_microseconds for serve in own], "{:.2f}"),
                _told([serve.user_microseconds for serve in own], "{:.2f}"),
                _ratio(_total(server, serves) or 0.0, yardstick),
                _told([serve.rate / 1000 for serve in own], "{:.0f}"),
                str(sum(serve.lost for serve in own)),
            ]
        )
    head = ["server", "CPU µs per answer", "of it user", f"/{YARDSTICK}", "1000 answers/s", "lost"]
    print_table(f"Serving {workload}: {mix}, {transport}", head, rows)


def _total(server: str, serves: Sequence[Serve]) -> float | None:
    values = [
        serve.user_microseconds + serve.system_microseconds for serve in serves if serve.server == server
    ]
    return median(values) if values else None


def write_json(
    path: Path, loads: dict[str, list[Load]], serves: list[Serve], dnsperf: dict[str, float]
) -> None:
    """Everything that was measured, with the machine it was measured on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    machine = {
        "processors": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }
    path.write_text(
        json.dumps(
            {
                "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "machine": machine,
                "loading": {name: [asdict(load) for load in of_one] for name, of_one in loads.items()},
                "serving": [asdict(serve) for serve in serves],
                "dnsperf": dnsperf,
            },
            indent=1,
        )
        + "\n"
    )
    print(f"\nwritten to {path}")
