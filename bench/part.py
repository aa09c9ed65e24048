"""What a part of the benchmark is: options, a run that gives measurements, their tables and their targets.

A part is a file in `bench/parts` and a line in `__main__`. What must not live here: where results are kept
(`results`) and how the page is written (`report`).
"""

from __future__ import annotations

import argparse
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from statistics import median
from typing import ClassVar, Generic, Protocol, TypeVar

Row = Sequence[str]
NOT_MEASURED = "not measured"


class Measurement(Protocol):
    """A frozen dataclass of numbers and words, kept as JSON.

    One of each server in each round. A later run of the same case takes the place of an earlier one.
    """

    @property
    def case(self) -> str:
        """What was measured, in the words of a table's title."""
        ...

    @property
    def server(self) -> str:
        """Who was measured."""
        ...


M = TypeVar("M", bound=Measurement)


@dataclass(frozen=True)
class Table:
    """A table as the terminal and the page show it: the first column to the left, numbers to the right."""

    title: str
    head: Row
    rows: Sequence[Row]


@dataclass(frozen=True)
class Target:
    """What is to be reached: at most `wanted`."""

    what: str
    wanted: float
    found: float | None
    """None: not measured."""
    unit: str = ""

    @property
    def verdict(self) -> str:
        """Met, or missed by how much."""
        if self.found is None:
            return NOT_MEASURED
        if self.found <= self.wanted:
            return "met"
        if not self.wanted:
            return "missed"
        return f"missed by {100 * (self.found / self.wanted - 1):.0f} %"


class Part(ABC, Generic[M]):
    """One command of the benchmark."""

    name: ClassVar[str]
    help: ClassVar[str]
    measurement: type[M]
    case_shapes: ClassVar[Sequence[str]]
    """The cases it measures; `*` stands for what options choose."""
    name_shapes: ClassVar[Sequence[str]]
    """The titles of its tables and the names of its targets; `{case}` stands for each case."""
    is_for_all: ClassVar[bool] = True
    """Whether `all` runs it too."""
    programs: ClassVar[Sequence[str]] = ()
    """Who else takes part, by the names of `machine.ASKING`: their versions are told, too."""

    @abstractmethod
    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Adds the options of this part alone."""

    @abstractmethod
    def run(self, options: argparse.Namespace) -> list[M]:
        """Measures; raises `NameserverError` when a server does not answer right."""

    @abstractmethod
    def tables(self, measurements: Sequence[M]) -> list[Table]:
        """The tables, in the order of the page."""

    def measures(self, case: str) -> bool:
        """Whether it measures this, or what was called so has gone."""
        return any(fnmatchcase(case, shape) for shape in self.case_shapes)

    def gives(self, name: str) -> bool:
        """Whether it may give a table or a target of this name."""
        shapes = {shape.replace("{case}", case) for shape in self.name_shapes for case in self.case_shapes}
        return any(fnmatchcase(name, shape) for shape in shapes)

    def targets(self, measurements: Sequence[M]) -> list[Target]:
        """What the measurements must reach."""
        _ = measurements
        return []

    def pictures(self, measurements: Sequence[M]) -> dict[str, str]:
        """SVG texts by the names of their files beside the page, `images/NAME.svg`, which the page shows."""
        _ = measurements
        return {}


def cases(measurements: Iterable[M]) -> dict[str, list[M]]:
    """The measurements of each case, in the order in which the cases came."""
    found: dict[str, list[M]] = {}
    for measurement in measurements:
        found.setdefault(measurement.case, []).append(measurement)
    return found


def servers(measurements: Iterable[M]) -> dict[str, list[M]]:
    """The measurements of each server."""
    found: dict[str, list[M]] = {}
    for measurement in measurements:
        found.setdefault(measurement.server, []).append(measurement)
    return found


def told(values: Sequence[float], form: str) -> str:
    """The median, and from where to where the rounds went."""
    if not values:
        return "-"
    middle = form.format(median(values))
    return middle if len(values) == 1 else f"{middle} ({form.format(min(values))}-{form.format(max(values))})"


def ratio(value: float | None, yardstick: float | None) -> str:
    """How often the yardstick goes into the value."""
    return "-" if value is None or not yardstick else f"{value / yardstick:.2f}"
