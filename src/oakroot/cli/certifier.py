"""`oakroot certifier`: turns certificate requests found in DNS into certificates, by ACME and dns-01."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import dns.name

from oakroot._engine import Server
from oakroot.certificates.accounts import load_or_make, read_external_secret
from oakroot.certificates.authority import PRODUCTION, STAGING, Authority
from oakroot.certificates.jose import AccountKey, ExternalAccount
from oakroot.certificates.names import records_name
from oakroot.certificates.rejected import RejectedError
from oakroot.certifier.core import Settings
from oakroot.certifier.journal import Journal
from oakroot.certifier.service import Choices, Hands, Service
from oakroot.certifier.updates import Prober, Sender
from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.control import add_socket_options, controlled
from oakroot.cli.nameserver import (
    KEPT_SECONDS,
    lifetime_of_process,
    listed,
    listen_address,
)
from oakroot.cli.options import rejected_key
from oakroot.cli.privileges import add_user_option, drop_privileges
from oakroot.cli.reading_again import reader
from oakroot.cli.sources import plan_of, read_all_keys
from oakroot.cli.tapping import add_tap_options, tapping
from oakroot.cli.watching import add_watch_options, watching
from oakroot.client.server import Server as NameServer
from oakroot.frozen import frozen
from oakroot.keys.grant import Operation
from oakroot.keys.key import Key
from oakroot.keys.keyring import GrantedKey
from oakroot.keys.rejected import KeyRejectedError
from oakroot.keys.source import find_key_text
from oakroot.operate.inheritance import places, settled
from oakroot.operate.lifetime import Lifetime
from oakroot.roles.commands import commands
from oakroot.secondary.directory import StateDirectory
from oakroot.secondary.sources import Plan
from oakroot.secondary.sources import Server as Primary

_log = logging.getLogger("oakroot.certifier")

PREDECESSOR_PATIENCE = 60.0
"""Two certifiers would order everything twice, so one waits for the other to end."""

_DESCRIPTION = """\
Keeps copies of the zones that its keys may update, as a secondary that nobody needs to know. For
each certificate request in them (TLSA 3 255 0 at _letsencrypt._tcp.HOST, as `oakroot certify`
publishes it) it orders a certificate, proves the names by dns-01, and publishes the certificate
beside the request. It renews when a third of the lifetime is left, or when the authority says so.
The primary may be any that takes signed UPDATEs. SIGHUP tries at once what waits after a failure."""

_EPILOG = """\
Without --production or --directory, certificates come from the staging environment of Let's
Encrypt, which no browser trusts: see that all works, then add --production.
With a key made by `oakroot keygen tsig certifier._update.example.org`:
  oakroot certifier --server 192.0.2.1 --key @certifier.key --account-key /var/lib/oakroot/account.pem"""


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "certifier",
        help="get certificates for requests found in DNS",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_zone_options(parser)
    _add_authority_options(parser)
    add_socket_options(parser)
    add_watch_options(parser)
    add_tap_options(parser)


def _add_zone_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the zones")
    group.add_argument(
        "--server",
        type=listen_address,
        required=True,
        metavar="ADDR[:PORT]",
        help="the primary, which is sent UPDATEs",
    )
    group.add_argument(
        "--key",
        action="append",
        required=True,
        metavar="KEY",
        help="a key to update a zone and all below it, or several: @FILE, in the form of BIND, Knot DNS, NSD "
        "or a key file; or NAME:ALGORITHM:BASE64; may be given again",
    )
    group.add_argument(
        "--own-names-only",
        action="store_true",
        help="order for a request only names at and below the host it is published for: for zones in which "
        "others may update some names, but shall have certificates for no others",
    )
    _add_copy_options(group)


def _add_copy_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--nameserver",
        type=listen_address,
        action="append",
        default=[],
        metavar="ADDR[:PORT]",
        help="see here whether challenges are visible, instead of at the name servers of the zones; may be "
        "given again",
    )
    group.add_argument(
        "--state", type=Path, metavar="DIR", help="keep copies here over restarts (default: nothing on disk)"
    )
    group.add_argument(
        "--listen",
        type=listen_address,
        action="append",
        default=[],
        metavar="ADDR[:PORT]",
        help="serve the copies here, and take NOTIFYs; may be given again (default: nowhere)",
    )
    add_user_option(group)


def _add_authority_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the authority")
    group.add_argument(
        "--account-key",
        type=Path,
        required=True,
        metavar="FILE",
        help="the private key of the account, in PEM; made where there is none",
    )
    group.add_argument(
        "--orders",
        type=Path,
        metavar="FILE",
        help="remember orders here over restarts (default: beside the account key)",
    )
    group.add_argument(
        "--account-key-type",
        choices=("p256", "p384", "rsa"),
        default="p256",
        help="the kind of key to make (default: %(default)s)",
    )
    group.add_argument("--email", metavar="ADDRESS", help="where the authority may write to")
    place = group.add_mutually_exclusive_group()
    place.add_argument("--production", action="store_true", help="Let's Encrypt itself, not its staging")
    place.add_argument("--directory", metavar="URL", help="the directory of another ACME authority")
    group.add_argument(
        "--directory-ca",
        type=Path,
        metavar="FILE",
        help="trust the certificates in this file for the authority's HTTPS, instead of the system's",
    )
    group.add_argument(
        "--profile", metavar="NAME", help="the kind of certificate, where the authority has kinds"
    )
    group.add_argument(
        "--eab-kid", metavar="ID", help="bind the account to the one the authority knows by this (EAB)"
    )
    group.add_argument(
        "--eab-key", metavar="SECRET", help="the secret that belongs to --eab-kid: @FILE, or in base64url"
    )


_LIVE = ("key",)
"""Options that SIGHUP takes over from the settings."""


@frozen
class Configuration:
    """What the options say, as far as it can be told before anything is opened."""

    keys: tuple[Key, ...]
    primary: tuple[str, int]
    directory: str
    external: ExternalAccount | None

    def plan(self, server: Server | None = None) -> Plan:
        """Which zones come from where, to a server with these sockets; CommandError."""
        return plan_of(self.keys, Primary(*self.primary), server)

    def choices(self, server: Server) -> Choices:
        """What may be decided anew."""
        plan = self.plan(server)
        updating = _updating(plan)
        return Choices(plan, updating, tuple(_served_wholly(updating)))


def configuration(arguments: argparse.Namespace) -> Configuration:
    """Reads the options; CommandError."""
    directory = arguments.directory or (PRODUCTION if arguments.production else STAGING)
    if not directory.startswith("https://"):
        raise CommandError("--directory must be an https URL (RFC 8555 §6.1)", exit_code=Exit.USAGE)
    chosen = Configuration(
        tuple(read_all_keys(arguments.key)), arguments.server, directory, _external(arguments)
    )
    _updating(chosen.plan())
    return chosen


def run(arguments: argparse.Namespace) -> int:
    """Works until it is told to stop."""
    chosen = configuration(arguments)
    lifetime = lifetime_of_process()
    listen = settled(arguments.listen or places(lifetime.inherited, "udp"), lifetime.inherited, "udp")
    inherited = [each.descriptor for each in lifetime.inherited]
    server = Server(listen, inherited=inherited, tcp_reply_seconds=KEPT_SECONDS)
    lifetime.let_go()
    drop_privileges(arguments, [_folder_of_orders(arguments), arguments.state])
    authority = _authority(arguments, chosen, _account(arguments))
    state = None if arguments.state is None else StateDirectory(arguments.state)
    choices = chosen.choices(server)
    settings = Settings(
        seed=secrets.randbits(64),
        grants=choices.grants,
        profile=arguments.profile,
        own_names_only=arguments.own_names_only,
    )
    primary = NameServer(*chosen.primary)
    hands = Hands(
        authority,
        Sender(primary, choices.updating),
        Prober(primary, tuple(NameServer(*place) for place in arguments.nameserver)),
        Journal(arguments.orders) if arguments.orders else Journal.beside(arguments.account_key),
    )
    _tell(choices.updating, server, primary)
    if not lifetime.wait_for_predecessor(PREDECESSOR_PATIENCE):
        raise CommandError("the certifier whose place this one was to take does not end")
    asyncio.run(_serve(server, choices.plan, settings, hands, state, arguments, lifetime))
    return Exit.FINE


async def _serve(
    server: Server,
    plan: Plan,
    settings: Settings,
    hands: Hands,
    state: StateDirectory | None,
    arguments: argparse.Namespace,
    lifetime: Lifetime,
) -> None:
    service = Service(server, plan, settings, hands, state, lifetime)
    # Nobody asks a certifier for its name, so it has no option for one.
    with tapping(arguments, server, None) as tap:
        control = controlled(arguments, lifetime, "certifier", commands(service, tap.report))
        service.read_settings_with(
            reader(arguments, lambda again: configuration(again).choices(server), _LIVE, tap)
        )
        async with control, watching(service, arguments, server, tap.counts):
            await service.run()


def _folder_of_orders(arguments: argparse.Namespace) -> Path:
    """The folder that is written to; one that has only the key is whose it is."""
    file: Path = arguments.orders or arguments.account_key
    return file.parent


def _account(arguments: argparse.Namespace) -> AccountKey:
    try:
        key, is_new = load_or_make(arguments.account_key, arguments.account_key_type)
    except RejectedError as error:
        raise CommandError(error.message, hint=error.hint, exit_code=Exit.USAGE) from None
    if is_new:
        _log.warning("made the account key %s: keep it, and a copy of it", arguments.account_key)
    return key


def _authority(arguments: argparse.Namespace, chosen: Configuration, key: AccountKey) -> Authority:
    if chosen.directory == STAGING:
        _log.warning("certificates of the staging environment are for tests only; --production has real ones")
    _log.info("the authority is %s", chosen.directory)
    return Authority(
        chosen.directory,
        key,
        contact=arguments.email,
        external=chosen.external,
        ca_file=arguments.directory_ca,
    )


def _external(arguments: argparse.Namespace) -> ExternalAccount | None:
    if (arguments.eab_kid is None) != (arguments.eab_key is None):
        raise CommandError("--eab-kid and --eab-key belong together", exit_code=Exit.USAGE)
    if arguments.eab_kid is None:
        return None
    try:
        text = find_key_text(
            arguments.eab_key, os.environ, lambda file: Path(file).read_text(encoding="utf-8")
        )
        return ExternalAccount(arguments.eab_kid, read_external_secret(text))
    except KeyRejectedError as error:
        raise rejected_key(error) from None
    except RejectedError as error:
        raise CommandError(error.message, hint=error.hint, exit_code=Exit.USAGE) from None


def _updating(plan: Plan) -> tuple[GrantedKey, ...]:
    """The keys that may update; those with limits bring no zone, and are no sources."""
    updating = tuple(source.granted for source in plan.sources if source.granted.grant.may(Operation.UPDATE))
    updating += tuple(granted for granted in plan.keyring.keys if granted.grant.limits)
    if not updating:
        raise CommandError(
            "none of the keys may update",
            hint="give one named anything._update.ZONE, made by `oakroot keygen tsig`",
            exit_code=Exit.USAGE,
        )
    return tuple(dict.fromkeys(updating))


def _served_wholly(updating: tuple[GrantedKey, ...]) -> Iterator[dns.name.Name]:
    """Where challenges as well as certificates may be published, be it by different keys."""
    for name in dict.fromkeys(granted.grant.zone for granted in updating):
        wanted = ((dns.name.Name(("_acme-challenge", *name.labels)), "TXT"), (records_name(name), "TLSA"))
        if all(
            any(granted.grant.allows(Operation.UPDATE, owner, rtype) for granted in updating)
            for owner, rtype in wanted
        ):
            yield name


def _tell(updating: tuple[GrantedKey, ...], server: Server, primary: NameServer) -> None:
    if server.addresses:
        _log.info("listening on %s", listed(server.addresses))
    for granted in updating:
        _log.info("key %s %s of %s", granted.key.name, granted.grant.words, primary)
        if granted.key.weakness is not None:
            _log.warning("%s: %s", granted.key.name, granted.key.weakness)
