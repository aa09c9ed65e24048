"""`oakroot primary`: serves the zones of a git repository."""

from __future__ import annotations

import argparse
import asyncio
import logging
import secrets
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from oakroot._engine import Server
from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.catalogs import add_catalog_options, offers
from oakroot.cli.control import add_socket_options, controlled
from oakroot.cli.nameserver import (
    add_follower_options,
    add_server_options,
    bind,
    lifetime_of_process,
    listed,
    notify_target,
    refuse_halves,
    transfer_rules,
)
from oakroot.cli.options import percentage
from oakroot.cli.reading_again import reader
from oakroot.cli.remote import add_remote_options, credentials
from oakroot.cli.tapping import add_tap_options, tapping
from oakroot.cli.watching import add_watch_options, watching
from oakroot.frozen import frozen
from oakroot.git.credentials import Credentials
from oakroot.git.errors import GitError
from oakroot.git.remote import Remote, parse_remote
from oakroot.git.repository import RemoteRepository
from oakroot.operate.certificate import CertificateFiles
from oakroot.operate.lifetime import Lifetime
from oakroot.primary import demo
from oakroot.primary.core import Settings
from oakroot.primary.raised import RaisedSerials
from oakroot.primary.service import Choices, Service
from oakroot.primary.worker import GitWorker
from oakroot.roles.commands import spreading_commands
from oakroot.zones.guard import Guard
from oakroot.zones.serials import SERIAL_POLICIES

_log = logging.getLogger("oakroot.primary")

_DESCRIPTION = """\
Serves the zones of a git repository: each file in its root is the zone of its name. A NOTIFY that
is signed by a key from the repository makes it pull; so does SIGHUP, which also has the settings
read again, and the clock with --poll.
Without --remote it makes a small demo repository and serves that."""

_EPILOG = """\
Over ssh, with a key made by `oakroot keygen ssh` and the git server's host key pinned:
  oakroot primary --remote git@git.example.org:zones.git --ssh-key @/etc/oakroot/ssh-key \\
      --authenticator SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU
The token for an https remote is taken from $OAKROOT_GIT_TOKEN or $OAKROOT_GIT_TOKEN_FILE."""


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "primary",
        help="serve the zones of a git repository",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_repository_options(parser)
    add_server_options(parser)
    add_catalog_options(add_follower_options(parser))
    add_socket_options(parser)
    add_watch_options(parser)
    add_tap_options(parser)


def _add_repository_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the repository")
    group.add_argument(
        "--remote",
        metavar="URL[#BRANCH]",
        help="a path, git://, https:// or ssh address of the zone repository (default: a demo)",
    )
    add_remote_options(group)
    group.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="keep the copy of the repository here over restarts, and serials that could not be pushed",
    )
    group.add_argument("--poll", type=_seconds, metavar="SECONDS", help="pull this often without being told")
    group.add_argument(
        "--serial",
        choices=SERIAL_POLICIES,
        default="increment",
        help="how to raise the serial of a zone that changed without it; manual refuses such a change "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--max-deleted",
        type=percentage,
        default=30,
        metavar="PERCENT",
        help="hold back what deletes more of a zone, or of all zones, unless the last commit's message has "
        "the line 'Oakroot-Force: yes'; 100 lets any share go (default: %(default)s)",
    )


_LIVE = (
    "poll", "serial", "max_deleted", "ssh_key", "authenticator", "git_ca",
    "notify", "allow_unsigned_transfer", "tls_transfers_only", "catalog", "catalog_group",
)  # fmt: skip
"""Options that SIGHUP takes over from the settings."""


@frozen
class Configuration:
    """What the options say, as far as it can be told before anything is opened."""

    remote: Remote | None
    """None: the demo."""
    choices: Choices


def configuration(arguments: argparse.Namespace) -> Configuration:
    """Reads the options; CommandError."""
    refuse_halves(arguments)
    try:
        remote = parse_remote(arguments.remote) if arguments.remote else None
        given = credentials(arguments, remote)
    except GitError as error:
        raise CommandError(str(error), exit_code=Exit.USAGE) from None
    settings = Settings(
        poll=arguments.poll,
        transfer_rules=transfer_rules(arguments),
        catalogs=offers(arguments.catalog, arguments.catalog_group),
    )
    choices = Choices(
        settings,
        tuple(notify_target(text) for text in arguments.notify),
        given if remote is not None else Credentials(),
        arguments.serial,
        Guard(arguments.max_deleted / 100),
    )
    return Configuration(remote, choices)


def run(arguments: argparse.Namespace) -> int:
    """Serves until it is told to stop."""
    chosen = configuration(arguments)
    lifetime = lifetime_of_process()
    with ExitStack() as stack:
        server, tls = bind(arguments, lifetime)
        folder = None
        remote = chosen.remote
        if remote is None:
            folder = _temporary_folder(stack)
            remote = _demo(folder)
        try:
            repository = stack.enter_context(
                RemoteRepository(remote, chosen.choices.credentials, directory=arguments.cache)
            )
        except GitError as error:
            raise CommandError(str(error)) from None
        _tell(server.addresses, remote, folder)
        raised = None if arguments.cache is None else RaisedSerials(arguments.cache)
        worker = GitWorker(repository, chosen.choices.policy, time.time, chosen.choices.guard, raised=raised)
        asyncio.run(_serve(server, worker, chosen.choices, tls, arguments, lifetime))
    return Exit.FINE


async def _serve(
    server: Server,
    worker: GitWorker,
    chosen: Choices,
    tls: CertificateFiles | None,
    arguments: argparse.Namespace,
    lifetime: Lifetime,
) -> None:
    service = Service(server, worker, chosen.settings, chosen.notified, tls, lifetime)
    with tapping(arguments, server, arguments.identity) as tap:
        control = controlled(arguments, lifetime, "primary", spreading_commands(service, tap.report))
        service.read_settings_with(reader(arguments, lambda again: configuration(again).choices, _LIVE, tap))
        async with control, watching(service, arguments, server, tap.counts):
            await service.run()


def _temporary_folder(stack: ExitStack) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="oakroot-demo-")))


def _demo(folder: Path) -> Remote:
    return parse_remote(str(demo.make_demo(folder, secrets.token_bytes, int(time.time()))))


def _tell(addresses: Sequence[tuple[str, int]], remote: Remote, folder: Path | None) -> None:
    if folder is not None:
        print(demo.advice(folder, addresses), flush=True)
    _log.info("serving %s on %s", remote, listed(addresses))


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 1 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError("it must be 1 or more")
    return seconds
