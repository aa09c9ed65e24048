"""`oakroot renotify`: a running service notifies its secondaries once more."""

from __future__ import annotations

import argparse

from oakroot.cli import Exit, Subparsers
from oakroot.cli.control import add_asking_options, add_zone_argument, ask_service

_DESCRIPTION = """\
Asks a running primary or secondary, over its control socket, to notify all who copy ZONE from it,
or any zone, as if it had just changed. `oakroot status` then shows who has acknowledged it.
(`oakroot notify` is something else: it tells a primary, over DNS, that its repository has changed.)"""

_EPILOG = """\
exit code: 0 they are being notified, 1 the service would not, 2 wrong usage."""


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "renotify",
        help="have a running service notify its secondaries",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_zone_argument(parser, "the zone (default: all)")
    add_asking_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Prints what is being done."""
    print(ask_service(arguments, "notify").get("said", ""))
    return Exit.FINE
