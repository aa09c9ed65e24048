"""`oakroot log`: which commits changed a zone or a name, whose they are, and what became of the records."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.history import (
    Event,
    ZoneHistory,
    add_name_arguments,
    add_repository_option,
    is_meant,
    start_of,
)
from oakroot.cli.options import add_format_option, positive_count
from oakroot.cli.plan_views import Paint, record_lines, rrset_object
from oakroot.cli.repository import opened
from oakroot.operate.terminal import Style, painter
from oakroot.zones.diagnostics import visible

_DESCRIPTION = """\
Shows the commits that changed a zone, or a name in it, newest first: who, when, why, and which records
came and went. Read from the git repository of the zones, not from a server."""

_EPILOG = """\
exit code: 0 something was found, 1 no commit ever changed it, 2 wrong usage.

Who changed an address:
  oakroot log www.example.org A
The last ten changes of a zone:
  oakroot log -n 10 example.org"""


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "log",
        help="show who changed a zone or a name, and how",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        words_between_options=True,
    )
    add_name_arguments(parser)
    add_repository_option(parser)
    parser.add_argument(
        "-n", "--number", type=positive_count, metavar="N", help="show so many commits at most"
    )
    add_format_option(parser, "text", "json")


def run(arguments: argparse.Namespace) -> int:
    """Prints the commits as they are found: a long history takes its time."""
    paint = painter(sys.stdout, os.environ)
    shown = 0
    with opened(arguments.repository) as checkout:
        zone = ZoneHistory(checkout, arguments.name, start_of(checkout))
        for event in _meant(zone, arguments):
            if shown == arguments.number:
                break
            print(_line_of_json(event) if arguments.format == "json" else _text(event, zone.apex, paint))
            shown += 1
    if not shown:
        raise CommandError(f"no commit ever changed {_subject(arguments)}")
    return Exit.FINE


def _subject(arguments: argparse.Namespace) -> str:
    name = arguments.name.to_text()
    return name if arguments.type is None else f"{arguments.type} at {name}"


def _meant(zone: ZoneHistory, arguments: argparse.Namespace) -> Iterator[Event]:
    """The events that touch what was asked for, with nothing else in them."""
    whole = arguments.name.canonicalize().to_text() == zone.apex and arguments.type is None
    for event in zone.events():
        changes = tuple(
            change for change in event.changes if is_meant(change, zone.apex, arguments.name, arguments.type)
        )
        if whole or changes:
            yield replace(event, changes=changes)


def _text(event: Event, apex: str, paint: Paint) -> str:
    revision = event.revision
    lines = [
        f"{paint(revision.commit[:12], Style.WARNING)}  {_date(revision.time)}  {visible(revision.author)}",
        f"    {visible(revision.subject)}",
        f"  {visible(apex)} {_serials(event)}",
    ]
    lines += [f"    {paint(text, style)}" for text, style in record_lines(event.changes, apex)]
    return "\n".join(lines) + "\n"


def _serials(event: Event) -> str:
    before, after = event.before, event.after
    if after is None:
        return "was gone, or had errors"
    if before is None:
        return f"serial {after.serial}, {after.record_count} records"
    if before.serial == after.serial:
        return f"serial {after.serial} stayed"
    return f"serial {before.serial} -> {after.serial}"


def _date(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def _line_of_json(event: Event) -> str:
    revision = event.revision
    return json.dumps(
        {
            "commit": revision.commit,
            "time": datetime.fromtimestamp(revision.time, UTC).isoformat(),
            "author": revision.author,
            "message": revision.message,
            "serial_before": None if event.before is None else event.before.serial,
            "serial_after": None if event.after is None else event.after.serial,
            "changes": [
                {
                    "owner": change.owner,
                    "type": change.type,
                    "before": rrset_object(change.before),
                    "after": rrset_object(change.after),
                }
                for change in event.changes
            ],
        }
    )
