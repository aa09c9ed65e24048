"""`oakroot plan`: what a push would do to zones and keys, before it does it."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time

from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.options import add_directory_argument, add_format_option, percentage
from oakroot.cli.plan_views import as_markdown, as_object, as_text
from oakroot.cli.repository import Version, changed_paths, nothing, opened, version_of, work_version
from oakroot.cli.served import add_server_options, plan_against, server_of
from oakroot.git.checkout import Checkout
from oakroot.operate.terminal import painter
from oakroot.zones.guard import Guard
from oakroot.zones.planning import Rules, make_plan
from oakroot.zones.serials import SERIAL_POLICIES

CHANGES = 2
"""The exit code for a plan with changes, as terraform's -detailed-exitcode has it."""

_SHORTEST_NOTHING = 40

# Hooks print it, too, where "--force" alone would be taken for that of `git push`.
_IF_MEANT = (
    "if it is meant, say `oakroot plan --force`; hooks and the primary heed a line "
    '"Oakroot-Force: yes" in the message of the last commit'
)

_DESCRIPTION = """\
Shows what a push would do: per zone which records come and go, what becomes of the serial, how much
is deleted, and what caches, delegations, secondaries and certificates will feel of it. Compares the
files as they lie in DIR with the branch that a push would move, or with the last commit if there is
none; or with what a server serves: it is asked for each zone that is here, so zones that only the
server has are not seen."""

_EPILOG = """\
exit code: 0 nothing changes, 1 something would not be served as written, too much would be deleted
at once, or there is no plan, 2 changes.

Before a push:
  oakroot plan
For a pull request:
  oakroot plan --against origin/main --rev HEAD --format markdown
Before a server of another kind is replaced:
  oakroot plan --against 192.0.2.53 --key @transfer.key"""


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "plan",
        help="show what a push would change",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_directory_argument(parser)
    parser.add_argument(
        "--against",
        metavar="REV|SERVER",
        help="compare with this revision instead, or with what a server serves: [@]SERVER[:PORT]",
    )
    parser.add_argument(
        "--rev", metavar="REV", help="take the files of this revision, not those of the folder"
    )
    add_format_option(parser, "text", "json", "markdown", of="the plan")
    parser.add_argument(
        "--serial",
        choices=SERIAL_POLICIES,
        default="increment",
        help="how the primary raises serials (default: %(default)s)",
    )
    parser.add_argument(
        "--max-deleted",
        type=percentage,
        default=30,
        metavar="PERCENT",
        help="the share of a zone, or of all zones, that may be deleted at once (default: %(default)s)",
    )
    parser.add_argument("--force", action="store_true", help="let any share be deleted")
    add_server_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Prints the plan, and says by the exit code whether there is anything in it."""
    guard = Guard(1.0 if arguments.force else arguments.max_deleted / 100)
    rules = Rules(arguments.serial, time.time())
    with opened(arguments.directory) as checkout:
        after = _after(checkout, arguments)
        server = server_of(checkout, arguments.against)
        if server is not None:
            plan = plan_against(server, after.tree, rules, arguments)
        elif hasattr(arguments, "zone"):
            raise CommandError("--zone goes with --against SERVER", exit_code=Exit.USAGE)
        else:
            before = _before(checkout, arguments, after)
            plan = make_plan(before.tree, after.tree, changed_paths(before, after), rules)
        beyond = list(plan.beyond(guard))
    match arguments.format:
        case "json":
            print(json.dumps(as_object(plan, beyond), indent=2))
        case "markdown":
            print(as_markdown(plan, beyond))
        case _:
            print(as_text(plan, beyond, painter(sys.stdout, os.environ)))
            if beyond:
                raise CommandError("too much would be deleted at once", hint=_IF_MEANT)
    if plan.is_broken or beyond:
        return Exit.NOT_SO
    return Exit.FINE if plan.is_empty else CHANGES


def _after(checkout: Checkout, arguments: argparse.Namespace) -> Version:
    return work_version(checkout) if arguments.rev is None else _named(checkout, arguments.rev)


def _named(checkout: Checkout, name: str) -> Version:
    """A revision; git's zeros, for a branch that is not there yet or not any more, are nothing."""
    if len(name) >= _SHORTEST_NOTHING and not name.strip("0"):
        return nothing()
    return version_of(checkout, checkout.revision(name))


def _before(checkout: Checkout, arguments: argparse.Namespace, after: Version) -> Version:
    name = arguments.against or checkout.upstream()
    if name is not None:
        return _named(checkout, name)
    if arguments.rev is not None:
        raise CommandError(
            f"nothing to compare {after.name} with: the branch follows no other",
            hint="give --against REV",
            exit_code=Exit.USAGE,
        )
    head = checkout.head()
    return nothing() if head is None else version_of(checkout, head)
