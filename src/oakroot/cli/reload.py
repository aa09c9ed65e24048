"""`oakroot reload`: a running service reads its settings again and looks at once."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any, cast

from oakroot.cli import Exit, Subparsers
from oakroot.cli.control import add_asking_options, add_zone_argument, ask_service
from oakroot.zones.diagnostics import visible

_DESCRIPTION = """\
Asks a running service, over its control socket, to read its settings again and to look at once: a
primary pulls, and its answer comes when that has ended; a secondary checks its zones, and a
certifier tries again what failed. With ZONE a secondary checks that zone alone, and a primary,
which pulls the repository as a whole, tells of that zone alone."""

_EPILOG = """\
exit code: 0 done, 1 the service would not, or a zone of the primary is not current, 2 wrong usage."""

_PATIENCE = 130.0  # a little more than the service takes for it


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "reload",
        help="have a running service read its settings and zones again",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_zone_argument(parser, "a zone that matters (default: all)")
    add_asking_options(parser, _PATIENCE)


def run(arguments: argparse.Namespace) -> int:
    """Prints what came of it; complains of zones that are not what the repository has."""
    answer = ask_service(arguments, "reload")
    print(visible(str(answer.get("said", ""))), flush=True)  # before the complaints, in a pipe too
    part = cast("Mapping[str, Any]", answer.get("overview") or {})
    if part.get("role") != "primary":
        return Exit.FINE
    bad = [zone for zone in part.get("zones", ()) if zone.get("reason")]
    for zone in bad:
        told = f"{zone.get('apex')} {zone.get('condition')}: {zone.get('reason')}"
        print(visible(told), file=sys.stderr)
    return Exit.NOT_SO if bad else Exit.FINE
