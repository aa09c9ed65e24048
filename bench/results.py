"""Results as JSON files, one for each run: what was measured, with which command, where and when.

What must not live here: what the numbers mean.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

DIRECTORY = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Run:
    """One run of one part."""

    part: str
    at: str
    """UTC, as `2026-01-31T12:00:00Z`."""
    command: str
    machine: dict[str, str]
    versions: dict[str, str]
    measurements: list[dict[str, Any]]


def write(run: Run, directory: Path = DIRECTORY) -> Path:
    """Keeps a run; gives its file."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{run.part}-{run.at.replace(':', '').replace('-', '')}.json"
    path.write_text(json.dumps(asdict(run), indent=1) + "\n")
    return path


def runs(part: str, directory: Path = DIRECTORY) -> list[Run]:
    """The runs of a part, the oldest first."""
    found = [Run(**json.loads(path.read_text())) for path in directory.glob(f"{part}-*.json")]
    return sorted(found, key=lambda run: run.at)


def newest(found: Iterable[Run]) -> list[dict[str, Any]]:
    """The newest measurements of each case: cases that a later run left out stay as they were."""
    of_case: dict[str, list[dict[str, Any]]] = {}
    for run in found:
        measured: dict[str, list[dict[str, Any]]] = {}
        for measurement in run.measurements:
            measured.setdefault(measurement["case"], []).append(measurement)
        of_case.update(measured)
    return [measurement for measurements in of_case.values() for measurement in measurements]
