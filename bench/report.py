"""Writes what was measured: tables on the terminal, and the tables and targets of docs/performance.md.

The page is prose with marked places, `<!-- bench: serve -->` to `<!-- end -->`; what stands between them is
written by `python -m bench report` from the newest results, and by nobody else. Parts are measured on
different days and machines: what there are no results of stays as it is, unless no part gives it any more.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import results
from bench.part import NOT_MEASURED, Part, Row, Target
from bench.results import Run

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
PLACE = re.compile(r"(<!-- bench: (?P<name>[\w ]+) -->\n)(?P<text>.*?)(<!-- end -->)", re.DOTALL)
TABLE = re.compile(r"^\*\*(.+)\*\*\n\n(?:\|.*\n?)+\n*", re.MULTILINE)
VERSIONS = re.compile(r"^\*\*Versions\*\*: (?P<named>.*)\.$", re.MULTILINE)
TARGETS_HEAD = ("target", "at most", "found", "verdict")
AnyPart = Part[Any]
Writer = Callable[[str], str]
"""Gives what is to stand at a place, of what stands there."""


def write_page(parts: Sequence[AnyPart], directory: Path = results.DIRECTORY, page: Path = PAGE) -> None:
    """Fills the places of the page with the newest results."""
    runs = {part.name: results.runs(part.name, directory) for part in parts}
    newest = {part.name: _measurements(part, runs[part.name]) for part in parts}

    def standing(row: Row) -> bool:
        return any(part.gives(row[0]) for part in parts) or _left_out(row[0])

    measured = [part for part in parts if runs[part.name]]
    texts: dict[str, Writer] = {
        "targets": lambda before: _lines(
            TARGETS_HEAD, _merged(filter(standing, _cells(before)), _targets(measured, newest))
        ),
        "machine": functools.partial(_machine, [run for of_part in runs.values() for run in of_part]),
        **{
            part.name: functools.partial(_section, part, runs[part.name], newest[part.name]) for part in parts
        },
    }
    page.write_text(fill(page.read_text(), texts))
    images = page.parent / "images"
    for part in measured:
        for name, picture in part.pictures(newest[part.name]).items():
            images.mkdir(exist_ok=True)
            (images / f"{name}.svg").write_text(picture)


def fill(text: str, texts: Mapping[str, Writer]) -> str:
    """The page with each place filled; a place of an unknown name stays."""

    def filled(place: re.Match[str]) -> str:
        write = texts.get(place["name"])
        return place[0] if write is None else f"{place[1]}\n{write(place['text'].strip())}\n{place[4]}"

    return PLACE.sub(filled, text)


def print_tables(part: AnyPart, measurements: Sequence[Any]) -> None:
    """The tables of one run, and how far its targets were met."""
    for table in part.tables(measurements):
        print(f"\n{table.title}\n")
        print(_lines(table.head, table.rows))
    targets = part.targets(measurements)
    if targets:
        print(f"\nTargets\n\n{_lines(TARGETS_HEAD, _targets([part], {part.name: measurements}))}")


def _measurements(part: AnyPart, runs: Iterable[Run]) -> list[Any]:
    """What a part measured, of the cases that it still has."""
    found = [part.measurement(**measurement) for measurement in results.newest(runs)]
    return [measurement for measurement in found if part.measures(measurement.case)]


def _left_out(name: str) -> bool:
    """Says so; not standing."""
    print(f"bench: {name}: no part gives this any more, left out", file=sys.stderr)
    return False


def _checked(part: AnyPart, name: str) -> str:
    """A name that the part gives; LookupError: it must list it, or the next report leaves it out."""
    if not part.gives(name):
        raise LookupError(f"{part.name}: {name} has none of the shapes of its names")
    return name


def _section(part: AnyPart, runs: Sequence[Run], measurements: Sequence[Any], before: str) -> str:
    if not runs:
        standing = TABLE.sub(
            lambda table: table[0] if part.gives(table[1]) or _left_out(table[1]) else "", before
        )
        return f"{standing.strip() or 'Not measured yet.'}\n"
    commands = sorted({f"`{run.command}` on {run.at[:10]}" for run in runs})
    blocks = [f"Measured by {', '.join(commands)}.\n"]
    blocks += [
        f"**{_checked(part, table.title)}**\n\n{_lines(table.head, table.rows)}"
        for table in part.tables(measurements)
    ]
    return "\n".join(blocks)


def _targets(parts: Sequence[AnyPart], measurements: Mapping[str, Sequence[Any]]) -> list[Row]:
    return [_row(part, target) for part in parts for target in part.targets(measurements[part.name])]


def _merged(before: Iterable[Row], rows: Sequence[Row]) -> list[Row]:
    """The rows of before, each as it is now if it was measured again, and then what is new."""
    named = {row[0]: row for row in before}
    named.update((row[0], row) for row in rows if row[0] not in named or row[3] != NOT_MEASURED)
    return list(named.values())


def _cells(table: str) -> list[Row]:
    """The rows of a table as `_lines` writes it."""
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table.splitlines()[2:]]


def _row(part: AnyPart, target: Target) -> Row:
    unit = f" {target.unit}" if target.unit else ""
    found = "-" if target.found is None else f"{target.found:.3g}{unit}"
    return (_checked(part, target.what), f"{target.wanted:.3g}{unit}", found, target.verdict)


def _machine(runs: Sequence[Run], before: str) -> str:
    if not runs:
        return f"{before or 'Not measured yet.'}\n"
    newest = max(runs, key=lambda run: run.at)
    facts = [f"{name} {value}" for name, value in newest.machine.items()]
    said = VERSIONS.search(before)
    versions = dict(one.split(" ", 1) for one in said["named"].split(", ")) if said else {}
    for run in sorted(runs, key=lambda run: run.at):
        versions.update(run.versions)
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"**Machine**: {', '.join(facts)}.\n**Versions**: {named}.\n"


def _lines(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown whose columns also stand below each other on a terminal."""
    table = [list(head), *map(list, rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]

    def line(row: Sequence[str]) -> str:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        return f"| {' | '.join(cells)} |"

    return "\n".join([line(table[0]), line(rule), *map(line, table[1:])]) + "\n"
