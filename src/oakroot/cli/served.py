"""What a running server serves, for `plan --against SERVER`."""

from __future__ import annotations

import argparse
import re

import dns.name

from oakroot._engine import Zone
from oakroot.cli import CommandError, Exit
from oakroot.cli.options import add_key_option, add_timeout_option, domain_name, key_option
from oakroot.client.exchange import Deadline
from oakroot.client.server import Server, read_server
from oakroot.client.whole_zone import served_zone
from oakroot.git.checkout import Checkout, RevisionUnknown
from oakroot.zones.diagnostics import visible
from oakroot.zones.plan import Plan
from oakroot.zones.planning import Rules, plan_for_server, zone_files
from oakroot.zones.tree import Tree

_PATIENCE = 60
_GIT_AT = re.compile(r"@(\Z|[{~^])")
"""How git begins a revision that is told from the newest commit."""
_LIKE_SERVER = re.compile(r"^@|[.:]|^localhost\Z")


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """Adds what only goes with `--against SERVER`."""
    group = parser.add_argument_group("with --against SERVER")
    group.add_argument(
        "--zone",
        action="append",
        type=domain_name,
        default=argparse.SUPPRESS,  # hooks have a $OAKROOT_ZONE for others, and a plan of all
        metavar="NAME",
        help="compare only this zone; may be given again (default: all zones)",
    )
    add_key_option(group, "a key that may transfer the zones")
    add_timeout_option(group, _PATIENCE, "how long to wait for one zone")


def server_of(checkout: Checkout, against: str | None) -> Server | None:
    """The server that `--against` names: `@SERVER`, or what is no revision and looks like a server."""
    if against is None or _GIT_AT.match(against):
        return None
    try:
        if not against.startswith("@"):
            checkout.revision(against)
            return None
    except RevisionUnknown:
        if not _LIKE_SERVER.search(against):
            return None
    try:
        return read_server(against.removeprefix("@"))
    except ValueError as error:
        raise CommandError(f"--against {visible(against)}: {error}", exit_code=Exit.USAGE) from None


def plan_against(server: Server, after: Tree, rules: Rules, arguments: argparse.Namespace) -> Plan:
    """Zone by zone; the first that cannot be had ends it all, and nothing is shown."""
    key = None if arguments.key is None else key_option(arguments.key)
    only = {name.canonicalize().to_text() for name in getattr(arguments, "zone", ())}
    unknown = only - zone_files(after).keys()
    if unknown:
        raise CommandError(f"the repository has no zone {min(unknown)}", exit_code=Exit.USAGE)

    def served(apex: str) -> Zone | None:
        return served_zone(server, dns.name.from_text(apex), key, Deadline.after(arguments.timeout))

    return plan_for_server(served, after, rules, only)
