"""`oakroot blame`: for each RRset of a zone, the commit that made it what it is."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

from oakroot._engine import Zone
from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.history import Event, ZoneHistory, add_name_arguments, add_repository_option, start_of
from oakroot.cli.plan_views import Paint, rdata_text, relative_name
from oakroot.cli.repository import opened
from oakroot.git.checkout import Revision
from oakroot.operate.terminal import Style, painter
from oakroot.zones.diagnostics import visible
from oakroot.zones.planning import rrset_of

_DESCRIPTION = """\
Shows for each RRset of a zone, or of a name in it, the commit that last changed it, its date and
author. Unlike `git blame` it looks at records, not at lines: a file that was sorted anew blames
nobody."""

_EPILOG = """\
exit code: 0 there are records, 1 there are none, 2 wrong usage.

  oakroot blame example.org
  oakroot blame www.example.org A"""

_AUTHOR_WIDTH = 24

Pair = tuple[str, str]


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "blame",
        help="show which commit made each record what it is",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        words_between_options=True,
    )
    add_name_arguments(parser)
    add_repository_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Prints a line for each record."""
    paint = painter(sys.stdout, os.environ)
    with opened(arguments.repository) as checkout:
        start = start_of(checkout)
        history = ZoneHistory(checkout, arguments.name, start)
        zone = history.at(start)
        if zone is None:
            raise CommandError(f"the newest commit has no zone {history.apex}, or one with errors")
        owner = arguments.name.canonicalize().to_text()
        wanted = dict.fromkeys(_pairs(zone, owner, arguments.type))
        if not wanted:
            raise CommandError(f"{owner} has no such records in the newest commit")
        blamed = _blame(history, zone, set(wanted))
    for pair in wanted:
        for line in _lines(zone, pair, blamed.get(pair), paint):
            print(line)
    return Exit.FINE


def _pairs(zone: Zone, owner: str, rtype: str | None) -> Iterator[Pair]:
    """The (owner, type) pairs that are meant: of a zone's name without a type, all that the zone has."""
    if owner == zone.apex and rtype is None:
        yield from ((name, each) for name, _, each, _ in zone.records())
        return
    yield from ((owner, each) for each in zone.types_of(owner) if rtype in {None, each})


def _blame(history: ZoneHistory, zone: Zone, wanted: set[Pair]) -> dict[Pair, Revision]:
    """The newest commit that gave each RRset the content it has now."""
    blamed: dict[Pair, Revision] = {}
    waiting = set(wanted)
    for event in history.events():
        made = {pair for pair in _touched(event, waiting, zone.apex) if _is_made(event, pair, zone)}
        blamed.update(dict.fromkeys(made, event.revision))
        waiting -= made
        if not waiting:
            break
    return blamed


def _touched(event: Event, waiting: set[Pair], apex: str) -> set[Pair]:
    if event.before is None:
        return waiting
    # A SOA of which only the serial differs is not among the changes.
    return waiting & {(apex, "SOA"), *((change.owner, change.type) for change in event.changes)}


def _is_made(event: Event, pair: Pair, zone: Zone) -> bool:
    """Whether the commit gave this RRset the content it has now."""
    if event.after is None:
        return False
    content = rrset_of(zone, *pair)
    before = None if event.before is None else rrset_of(event.before, *pair)
    return before != content == rrset_of(event.after, *pair)


def _lines(zone: Zone, pair: Pair, revision: Revision | None, paint: Paint) -> Iterator[str]:
    for owner, ttl, rtype, rdata in zone.records_of(*pair):
        record = f"{relative_name(owner, zone.apex)} {ttl} {rtype} {rdata_text(rdata)}"
        yield f"{_who(revision, paint)}  {record}"


def _who(revision: Revision | None, paint: Paint) -> str:
    if revision is None:
        # A shallow clone ends before the commit that did it.
        return f"{'older':<12}  {'':<10}  {'':<{_AUTHOR_WIDTH}}"
    author = visible(revision.author.partition(" <")[0])[:_AUTHOR_WIDTH]
    date = datetime.fromtimestamp(revision.time, UTC).strftime("%Y-%m-%d")
    return f"{paint(revision.commit[:12], Style.WARNING)}  {date}  {author:<{_AUTHOR_WIDTH}}"
