"""`oakroot stay`: a running service serves on while systemd restarts it."""

from __future__ import annotations

import argparse

from oakroot.cli import Exit, Subparsers
from oakroot.cli.control import add_asking_options, ask_service, ask_those_before

_DESCRIPTION = """\
Tells a running primary or secondary, over its control socket, that systemd is about to restart it:
it serves on until the process that systemd starts next does, or systemd gives the service up. The
units oakroot-primary-stay and oakroot-secondary-stay do this at `systemctl restart`; there is
nothing else to use it for.

With --end those that serve on, or have not quite ended since another process came, close their
sockets and end: the .socket units do this before their addresses are bound anew."""

_EPILOG = """\
exit code: 0 it stays, or none does any more; 1 the service would not; 2 wrong usage."""


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "stay",
        help="have a running service serve on while systemd restarts it",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--end", action="store_true", help="have those that serve on close their sockets and end"
    )
    add_asking_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Prints what it does."""
    if arguments.end:
        for said in ask_those_before(arguments, "leave"):
            print(said.get("said", ""))
        return Exit.FINE
    print(ask_service(arguments, "stay").get("said", ""))
    return Exit.FINE
