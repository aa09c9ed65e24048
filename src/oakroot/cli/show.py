"""`oakroot show`: the records of a name as they were at a moment."""

from __future__ import annotations

import argparse

from oakroot._engine import Zone
from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.history import (
    ZoneHistory,
    add_name_arguments,
    add_repository_option,
    revision_at,
    start_of,
)
from oakroot.cli.repository import opened
from oakroot.zones.diagnostics import visible

_DESCRIPTION = """\
Shows the records of a name as the repository has them, or had them at a moment: an age such as 2h, a
date, a revision, or a serial of the zone."""

_EPILOG = """\
exit code: 0 there are records, 1 there are none, 2 wrong usage.

What an address was two hours ago:
  oakroot show www.example.org A --at 2h
What a zone's mail servers were under an old serial:
  oakroot show example.org MX --at 2026112901"""


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "show",
        help="show the records of a name, now or at a moment",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        words_between_options=True,
    )
    add_name_arguments(parser)
    parser.add_argument(
        "--at", metavar="WHEN", help="an age, a date, a revision or a serial (default: the newest commit)"
    )
    add_repository_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Prints the records in master file format."""
    with opened(arguments.repository) as checkout:
        start = start_of(checkout)
        history = ZoneHistory(checkout, arguments.name, start)
        revision = start if arguments.at is None else revision_at(history, checkout, arguments.at)
        zone = history.at(revision)
    there = f"commit {revision.commit[:12]} ({revision.subject})"
    if zone is None:
        raise CommandError(f"{there} has no zone {history.apex}, or one with errors")
    owner = arguments.name.canonicalize().to_text()
    records = _records(zone, owner, arguments.type)
    for name, ttl, rtype, rdata in records:
        print(f"{visible(name)} {ttl} IN {rtype} {visible(rdata)}")
    if not records:
        what = "no records" if arguments.type is None else f"no {arguments.type}"
        raise CommandError(f"{owner} has {what} in {there}", hint=_hint(zone, owner))
    return Exit.FINE


def _records(zone: Zone, owner: str, rtype: str | None) -> list[tuple[str, int, str, str]]:
    types = zone.types_of(owner) if rtype is None else [rtype]
    return [record for each in types for record in zone.records_of(owner, each)]


def _hint(zone: Zone, owner: str) -> str | None:
    types = zone.types_of(owner)
    return f"it has {', '.join(types)}" if types else None
