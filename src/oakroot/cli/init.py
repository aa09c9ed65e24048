"""`oakroot init`: makes a zone repository: a zone, a key, hooks, a workflow, and the merge driver."""

from __future__ import annotations

import argparse
import ipaddress
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import dns.name

from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.options import domain_name
from oakroot.cli.scaffold import SECRET_MODE, WORKFLOWS, File, common_files, template, write_repository
from oakroot.keys.dnskey import write_dnskey
from oakroot.keys.key import Algorithm
from oakroot.keys.mint import mint_key
from oakroot.zones.filenames import file_name_of

_DESCRIPTION = """\
Makes DIR a git repository of zones, ready to be pushed and served: an example zone, a key that may
notify and update it, hooks that check each commit and show what a push will do, hooks for the git
server, a workflow for its CI, and the merge driver. In a repository that is there it adds what lacks;
no file is written over."""

_EPILOG = """\
exit code: 0 it is there, 1 it cannot be made, 2 wrong usage.

  oakroot init zones --zone example.org --address 192.0.2.53
  cd zones && git commit --message "Begin" && oakroot primary --remote . --listen 127.0.0.1:5353"""


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "init",
        help="make a zone repository",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("directory", type=Path, metavar="DIR", help="the folder; made if it is not there")
    parser.add_argument(
        "--zone",
        type=domain_name,
        default=dns.name.from_text("example.org"),
        metavar="NAME",
        help="the zone to begin with (default: example.org)",
    )
    parser.add_argument(
        "--address",
        type=ipaddress.IPv4Address,
        default=ipaddress.IPv4Address("192.0.2.53"),
        metavar="ADDRESS",
        help="the IPv4 address of its name server (default: an example)",
    )
    parser.add_argument(
        "--ci",
        action="append",
        choices=(*WORKFLOWS, "none"),
        help="whose workflow to write, repeatable (default: github)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Writes what lacks, makes it known to git, and says what is next."""
    folder: Path = arguments.directory
    written = write_repository(folder, _files(arguments))
    for path in written:
        print(f"wrote {path}")
    if not written:
        print(f"{folder} has all of it already: nothing was written")
        return Exit.FINE
    place = shlex.quote(str(folder))
    print(f"next: cd {place}, look at the zone, `git commit`, and `oakroot primary --remote .`")
    return Exit.FINE


def _files(arguments: argparse.Namespace) -> Iterator[File]:
    zone: dns.name.Name = arguments.zone
    if zone == dns.name.root:
        raise CommandError("the root zone is not begun this way", exit_code=Exit.USAGE)
    name = file_name_of(zone)
    key = mint_key(dns.name.from_text("operator._update", zone), Algorithm.SHA256, os.urandom)
    yield File(name, template("zone").replace(b"{address}", str(arguments.address).encode()))
    yield File(f"{name}._keys", f"{write_dnskey(key)}\n".encode(), SECRET_MODE)
    yield from common_files(arguments.ci or ["github"])
