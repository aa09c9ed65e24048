"""`oakroot status`: what a running service is doing, as it says itself over its control socket."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from typing import Any, cast

from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.control import add_asking_options, add_zone_argument, ask_service
from oakroot.cli.status_views import status_lines
from oakroot.operate.terminal import painter

_DESCRIPTION = """\
Shows what a running service says of itself over its control socket: its zones and serials, which
version is served and why if it is not the newest, keys and when each was used last, secondaries and
what they have, the state of git, what waits, and where queries are written down. With ZONE only
what concerns that zone."""

_EPILOG = """\
exit code: 0 all zones are current, 1 one is not, or the service gives no answer, 2 wrong usage.

Which zones are not what the repository has:
  oakroot status --format json | jq '.zones[] | select(.condition != "current")'"""


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "status",
        help="show what a running service is doing",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_zone_argument(parser, "show this zone alone")
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="form of the output (default: %(default)s)"
    )
    add_asking_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Prints it, and says by the exit code whether all zones are current."""
    overview = ask_service(arguments, "status").get("overview")
    if not isinstance(overview, dict):
        raise CommandError("the service's answer has no overview; is it of another version?")
    overview = cast("dict[str, Any]", overview)
    if arguments.zone is not None:
        overview = _of_zone(overview, arguments.zone.canonicalize().to_text())
    if arguments.format == "json":
        print(json.dumps(overview, indent=2))
    else:
        print("\n".join(status_lines(overview, painter(sys.stdout, os.environ))))
    zones = overview.get("zones", ())
    return Exit.FINE if all(zone.get("condition") == "current" for zone in zones) else Exit.NOT_SO


def _of_zone(overview: Mapping[str, Any], apex: str) -> dict[str, Any]:
    zones = [zone for zone in overview.get("zones", ()) if zone.get("apex") == apex]
    if not zones:
        message = f"this {overview.get('role')} has no zone {apex}"
        raise CommandError(message, hint="`oakroot status` lists its zones")
    secondaries = [
        {**each, "copies": [copy for copy in each.get("copies", ()) if copy.get("zone") == apex]}
        for each in overview.get("secondaries", ())
    ]
    return {
        **overview,
        "zones": zones,
        "secondaries": [each for each in secondaries if each["copies"]],
        "keys": [each for each in overview.get("keys", ()) if _covers(str(each.get("zone")), apex)],
        "certificates": [each for each in overview.get("certificates", ()) if each.get("zone") == apex],
    }


def _covers(zone: str, apex: str) -> bool:
    return zone in {".", apex} or apex.endswith(f".{zone}")
