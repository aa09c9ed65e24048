"""`oakroot secondary`: serves zones of other servers, configured by nothing but keys."""

from __future__ import annotations

import argparse
import asyncio
import logging
import secrets
from pathlib import Path

import dns.name

from oakroot._engine import Server
from oakroot.cli import CommandError, Exit, Subparsers, options
from oakroot.cli.control import add_socket_options, controlled
from oakroot.cli.encryption import add_tls_primary_options, encryption_of
from oakroot.cli.nameserver import (
    add_follower_options,
    add_server_options,
    bind,
    lifetime_of_process,
    listed,
    listen_address,
    notify_target,
    refuse_halves,
    transfer_rules,
)
from oakroot.cli.reading_again import reader
from oakroot.cli.sources import plan_of, read_all_keys
from oakroot.cli.tapping import add_tap_options, tapping
from oakroot.cli.watching import add_watch_options, watching
from oakroot.distribution.targets import Configured
from oakroot.frozen import frozen
from oakroot.keys.key import Key
from oakroot.operate.lifetime import Lifetime
from oakroot.roles.commands import copying_commands
from oakroot.secondary.core import Settings
from oakroot.secondary.directory import StateDirectory
from oakroot.secondary.encryption import Encryption
from oakroot.secondary.service import Choices, Service
from oakroot.secondary.sources import (
    Plan,
)
from oakroot.secondary.sources import Server as Primary

_log = logging.getLogger("oakroot.secondary")

_DESCRIPTION = """\
Transfers zones from primaries, keeps them fresh and serves them. Which zones, and where from, is
told by the names of the keys: PRIMARY.SECONDARY._transfer.ZONE, or FREE.PRIMARY._transfer.ZONE
where the secondary's address does not matter. A key without ZONE brings every zone that the
primary has. SIGHUP has the settings and keys read again, and all zones checked at once."""

_EPILOG = """\
With a key made by `oakroot keygen tsig 192.0.2.1.198.51.100.1._transfer.example.org`, which the
primary has in a key file of its repository:
  oakroot secondary --key @/etc/oakroot/transfer.key --state /var/lib/oakroot
Over TLS from that primary, whose certificate a public authority has signed:
  oakroot secondary --key @/etc/oakroot/transfer.key --tls-primary 192.0.2.1#ns1.example.org"""


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "secondary",
        help="serve zones of other servers",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_zone_options(parser)
    add_server_options(parser)
    add_follower_options(parser)
    add_socket_options(parser)
    add_watch_options(parser)
    add_tap_options(parser)


def _add_zone_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the zones")
    group.add_argument(
        "--key",
        action="append",
        required=True,
        metavar="KEY",
        help="a key, or several: @FILE, in the form of BIND, Knot DNS, NSD or a key file; or "
        "NAME:ALGORITHM:BASE64; may be given again",
    )
    group.add_argument(
        "--primary",
        type=listen_address,
        metavar="ADDR[:PORT]",
        help="the primary of keys whose names do not tell its address",
    )
    add_tls_primary_options(group)
    group.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="keep zones here over restarts (default: nothing on disk)",
    )
    group.add_argument(
        "--catalog",
        action="append",
        default=[],
        metavar="NAME",
        help="follow the catalog zone of this name (RFC 9432) and serve the zones that it lists; may be "
        "given again; one that the name of a key tells is followed anyway",
    )
    group.add_argument(
        "--transfers",
        type=options.positive_count,
        default=10,
        metavar="N",
        help="how many transfers from primaries may be under way (default: %(default)s)",
    )


_LIVE = (
    "key", "primary", "tls_primary", "transfers",
    "notify", "allow_unsigned_transfer", "tls_transfers_only",
)  # fmt: skip
"""Options that SIGHUP takes over from the settings."""


@frozen
class Configuration:
    """What the options say, as far as it can be told before anything is opened."""

    keys: tuple[Key, ...]
    primary: Primary | None
    settings: Settings
    notified: tuple[Configured, ...]
    encrypted: tuple[Primary, ...]

    def plan(self, server: Server | None = None) -> Plan:
        """Which zones come from where, to a server with these sockets; CommandError."""
        plan = plan_of(self.keys, self.primary, server, self.encrypted)
        _check_catalogs(self.settings, plan)
        return plan

    def choices(self, server: Server) -> Choices:
        """What may be decided anew."""
        settings = self.settings
        return Choices(self.plan(server), settings.transfers, settings.transfer_rules, self.notified)


def configuration(arguments: argparse.Namespace) -> Configuration:
    """Reads the options; CommandError."""
    refuse_halves(arguments)
    chosen = Configuration(
        tuple(read_all_keys(arguments.key)),
        None if arguments.primary is None else Primary(*arguments.primary),
        Settings(
            seed=secrets.randbits(64),
            transfers=arguments.transfers,
            transfer_rules=transfer_rules(arguments),
            catalogs=frozenset(map(_catalog, arguments.catalog)),
        ),
        tuple(notify_target(text) for text in arguments.notify),
        tuple(arguments.tls_primary),
    )
    chosen.plan()
    return chosen


def run(arguments: argparse.Namespace) -> int:
    """Serves until it is told to stop."""
    chosen = configuration(arguments)
    state = None if arguments.state is None else StateDirectory(arguments.state)
    lifetime = lifetime_of_process()
    server, certificate = bind(arguments, lifetime)
    encryption = encryption_of(arguments, certificate)
    plan = chosen.plan(server)
    _tell(plan, server)
    asyncio.run(_serve(server, plan, chosen, state, encryption, arguments, lifetime))
    return Exit.FINE


async def _serve(
    server: Server,
    plan: Plan,
    chosen: Configuration,
    state: StateDirectory | None,
    encryption: Encryption,
    arguments: argparse.Namespace,
    lifetime: Lifetime,
) -> None:
    service = Service(
        server,
        plan,
        chosen.settings,
        state,
        notified=chosen.notified,
        encryption=encryption,
        lifetime=lifetime,
    )
    with tapping(arguments, server, arguments.identity) as tap:
        control = controlled(arguments, lifetime, "secondary", copying_commands(service, tap.report))
        service.read_settings_with(
            reader(arguments, lambda again: configuration(again).choices(server), _LIVE, tap)
        )
        async with control, watching(service, arguments, server, tap.counts):
            await service.run()


def _catalog(text: str) -> dns.name.Name:
    try:
        return options.domain_name(text).canonicalize()
    except argparse.ArgumentTypeError as error:
        raise CommandError(f"--catalog: {error}", exit_code=Exit.USAGE) from None


def _check_catalogs(settings: Settings, plan: Plan) -> None:
    for name in settings.catalogs:
        if not plan.sources_of(name):
            hint = "give a key named PRIMARY.SECONDARY._transfer.ZONE for it, a zone above it, or all zones"
            message = f"no key brings the catalog zone {name}"
            raise CommandError(message, hint=hint, exit_code=Exit.USAGE)


def _tell(plan: Plan, server: Server) -> None:
    _log.info("listening on %s", listed(server.addresses))
    for source in plan.sources:
        zone = "every zone" if source.zone.to_text() == "." else f"the zone {source.zone}"
        _log.info("%s comes from %s", zone, source)
        if source.key.weakness is not None:
            _log.warning("%s: %s", source.key.name, source.key.weakness)
