"""`oakroot retransfer`: a running secondary transfers a whole zone anew."""

from __future__ import annotations

import argparse

from oakroot.cli import Exit, Subparsers
from oakroot.cli.control import add_asking_options, add_zone_argument, ask_service

_DESCRIPTION = """\
Asks a running secondary, over its control socket, to transfer the whole of ZONE anew, whatever
serial it has: after a primary was set back to an earlier serial, or where a copy is in doubt. What
is served stays until the transfer has ended well."""

_EPILOG = """\
exit code: 0 the transfer waits for its turn or has begun, 1 the service would not, 2 wrong usage."""


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "retransfer",
        help="have a running secondary transfer a zone anew",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_zone_argument(parser, "the zone", optional=False)
    add_asking_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Prints what is being done."""
    print(ask_service(arguments, "retransfer").get("said", ""))
    return Exit.FINE
