"""`python -m bench`: Oakroot beside its peers; README.md tells how it measures."""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import contestants, machine, report, results
from bench.part import Part
from bench.parts import (
    appliance,
    floods,
    growth,
    handover,
    latency,
    load,
    plan,
    reload,
    serve,
    soak,
    transfer,
    update,
)
from tests.peers.nameservers import NameserverError

PARTS: tuple[Part[Any], ...] = (
    load.PART,
    reload.PART,
    growth.PART,
    latency.PART,
    serve.PART,
    update.PART,
    transfer.PART,
    plan.PART,
    soak.PART,
    floods.PART,
    handover.PART,
    appliance.PART,
)


def main(arguments: Sequence[str]) -> int:
    """Runs the command that was asked for."""
    options = _parser().parse_args(arguments)
    if options.command == "report":
        report.write_page(PARTS, options.results)
        return 0
    for part in PARTS:
        if options.command == part.name or (options.command == "all" and part.is_for_all):
            # Every part has defaults of its own, so `all` takes them as each part's own command would.
            own = options if options.command == part.name else _parser().parse_args([part.name])
            try:
                _run(part, own, arguments)
            except NameserverError as error:
                print(f"bench: {error}", file=sys.stderr)
                return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures Oakroot beside its peers.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for part in PARTS:
        command = commands.add_parser(part.name, help=part.help, description=part.help)
        _common(command)
        part.configure(command)
    commands.add_parser("all", help="every part in turn, with its defaults")
    text = "write the newest results into docs/performance.md"
    command = commands.add_parser("report", help=text, description=text)
    command.add_argument("--results", type=Path, default=results.DIRECTORY, help="where results were kept")
    return parser


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rounds", type=int, default=5, help="how often each is measured, in turn (default 5)"
    )
    names = ", ".join(one.name for one in contestants.ALL)
    parser.add_argument("--only", nargs="+", metavar="SERVER", help=f"of {names}")
    parser.add_argument("--directory", type=Path, help="where to put zones meanwhile (default: the system's)")
    parser.add_argument(
        "--results", type=Path, default=results.DIRECTORY, help="where to keep results as JSON"
    )


def _run(part: Part[Any], options: argparse.Namespace, arguments: Sequence[str]) -> None:
    contestants.compile_oakroot()
    facts = machine.machine()
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with tempfile.TemporaryDirectory(prefix="oakroot-bench-", dir=options.directory) as directory:
        options.directory = Path(directory)
        measurements = part.run(options)
    report.print_tables(part, measurements)
    names = ["oakroot", *dict.fromkeys(measurement.server for measurement in measurements), *part.programs]
    command = shlex.join(["python", "-m", "bench", *arguments])
    kept = [asdict(measurement) for measurement in measurements]
    path = results.write(
        results.Run(part.name, at, command, facts, machine.versions(names), kept), options.results
    )
    print(f"\nwritten to {path}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
