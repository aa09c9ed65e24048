"""Options that every command takes which serves zones: where to listen, whom else to tell of changes."""

from __future__ import annotations

import argparse
import ipaddress
import logging
import os
import re
import socket
from collections.abc import Sequence
from pathlib import Path

from oakroot._engine import Server, adopt_cookie_secret
from oakroot.cli import CommandError, Exit
from oakroot.cli.options import domain_name, key_option, positive_count
from oakroot.cli.privileges import add_user_option, drop_privileges
from oakroot.client.server import DEFAULT_PORT, TLS_PORT
from oakroot.distribution.targets import Configured
from oakroot.operate.certificate import CertificateError, CertificateFiles
from oakroot.operate.inheritance import InheritanceError, places, settled
from oakroot.operate.lifetime import Lifetime
from oakroot.roles.followers import TransferRules

_log = logging.getLogger(__name__)

# How long a secondary that wants to hear of changes may keep its connection without a word over it.
KEPT_SECONDS = 3600.0
_ADDRESS = re.compile(r"(?:\[(?P<bracketed>[^\[\]]+)\]|(?P<plain>[^\[\]:]+))(?::(?P<port>[0-9]{1,5}))?\Z")
_LAST_PORT = 65535


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """Adds what `bind` needs."""
    group = parser.add_argument_group("the name server")
    group.add_argument(
        "--listen",
        type=listen_address,
        action="append",
        metavar="ADDR[:PORT]",
        help="where to answer, IPv6 in brackets; may be given again (default: all addresses, port 53)",
    )
    group.add_argument(
        "--workers",
        type=positive_count,
        default=os.cpu_count() or 1,
        metavar="N",
        help="threads that answer (default: one per processor)",
    )
    group.add_argument(
        "--rate-limit",
        type=count,
        default=200,
        metavar="N",
        help="answers of one kind per second and client network over UDP: of those above it every second is "
        "truncated and the others are dropped; clients with a DNS cookie have no limit; 0: no limit for "
        "anybody (default: %(default)s)",
    )
    add_user_option(group)
    group.add_argument("--identity", metavar="TEXT", help="what to answer to id.server and NSID")
    group.add_argument("--version-text", metavar="TEXT", help="what to answer to version.bind")
    _add_tls_options(parser)


def _add_tls_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("DNS over TLS")
    group.add_argument(
        "--tls-cert",
        type=Path,
        metavar="FILE",
        help="the server's certificate and those between it and the authority, in PEM: DNS over TLS is "
        "offered, transfers (XoT) included; read again on SIGHUP and within a minute of a change",
    )
    group.add_argument("--tls-key", type=Path, metavar="FILE", help="the certificate's private key, in PEM")
    group.add_argument(
        "--listen-tls",
        type=tls_address,
        action="append",
        metavar="ADDR[:PORT]",
        help="where to speak TLS; may be given again (default: port 853 of the addresses of --listen)",
    )


def add_follower_options(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Adds what concerns those who copy our zones; gives the group of options."""
    group = parser.add_argument_group("secondaries")
    group.add_argument(
        "--notify",
        action="append",
        default=[],
        metavar="ADDR[:PORT][@KEY]",
        help="a server to notify of every change, besides name servers and those that keys name; KEY is the "
        "name of a key of the repository, or @FILE or NAME:ALGORITHM:BASE64 for another; may be given again",
    )
    group.add_argument(
        "--allow-unsigned-transfer",
        action="store_true",
        help="send whole zones to anybody who asks, also without a key",
    )
    group.add_argument(
        "--tls-transfers-only",
        action="store_true",
        help="send zones over TLS only; who asks without it is refused (needs --tls-cert)",
    )
    return group


def lifetime_of_process() -> Lifetime:
    """Whose sockets we have, and who wants to know that we serve."""
    try:
        return Lifetime.of_process()
    except InheritanceError as error:
        raise CommandError(str(error)) from None


def bind(arguments: argparse.Namespace, lifetime: Lifetime) -> tuple[Server, CertificateFiles | None]:
    """The server, its sockets bound or inherited, and its certificate if it is to speak TLS.

    OSError names the address that cannot be bound, CommandError what is wrong with the certificate.
    """
    listen, listen_tls = _where(arguments, lifetime)
    if lifetime.handed is not None:
        # Clients keep their cookies.
        adopt_cookie_secret(lifetime.handed.cookie_secret)
    server = Server(
        listen,
        listen_tls=listen_tls if arguments.tls_cert else None,
        inherited=[each.descriptor for each in lifetime.inherited],
        workers=arguments.workers,
        tcp_reply_seconds=KEPT_SECONDS,
        rate_limit=arguments.rate_limit,
        identity=arguments.identity,
        version=arguments.version_text,
    )
    if lifetime.supervisor.stores:
        lifetime.keep(descriptor for *_, descriptor in server.share())
    lifetime.let_go()
    certificate = _certificate(arguments, server)
    drop_privileges(arguments, [getattr(arguments, name, None) for name in ("state", "cache")])
    return server, certificate


def _certificate(arguments: argparse.Namespace, server: Server) -> CertificateFiles | None:
    """What is shown over TLS, if TLS is to be spoken."""
    if arguments.tls_cert is None:
        return None
    certificate = CertificateFiles(arguments.tls_cert, arguments.tls_key, server.set_certificate)
    try:
        certificate.load()
    except CertificateError as error:
        raise CommandError(f"--tls-cert: {error}", exit_code=Exit.USAGE) from None
    _log.info("TLS on %s", listed(server.tls_addresses))
    return certificate


def _where(
    arguments: argparse.Namespace, lifetime: Lifetime
) -> tuple[Sequence[tuple[str, int]], Sequence[tuple[str, int]]]:
    """The addresses for DNS and for DNS over TLS: those asked for, those of inherited sockets, or all."""
    inherited = lifetime.inherited
    listen = settled(arguments.listen or places(inherited, "udp") or _all_addresses(), inherited, "udp")
    tls = arguments.listen_tls or places(inherited, "tls") or [(address, TLS_PORT) for address, _ in listen]
    return listen, settled(tls, inherited, "tls")


def transfer_rules(arguments: argparse.Namespace) -> TransferRules:
    """What the options say about transfers."""
    return TransferRules(unsigned=arguments.allow_unsigned_transfer, tls_only=arguments.tls_transfers_only)


def refuse_halves(arguments: argparse.Namespace) -> None:
    """CommandError for options about TLS that are of no use without others."""
    if (arguments.tls_cert is None) != (arguments.tls_key is None):
        raise CommandError("--tls-cert and --tls-key belong together", exit_code=Exit.USAGE)
    for name in ("listen_tls", "tls_transfers_only"):
        if getattr(arguments, name) and arguments.tls_cert is None:
            option = name.replace("_", "-")
            raise CommandError(f"--{option} needs --tls-cert and --tls-key", exit_code=Exit.USAGE)


def listed(addresses: Sequence[tuple[str, int]]) -> str:
    """Addresses and ports as they stand in a log line."""
    return ", ".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in addresses)


def tls_address(text: str) -> tuple[str, int]:
    """Reads `ADDR[:PORT]` of a place where TLS is spoken."""
    return listen_address(text, TLS_PORT)


def listen_address(text: str, default_port: int = DEFAULT_PORT) -> tuple[str, int]:
    """Reads `ADDR[:PORT]`; port 0 lets the system choose."""
    found = _ADDRESS.match(text)
    host = text if found is None else found["bracketed"] or found["plain"]
    port = default_port if found is None else int(found["port"] or default_port)
    try:
        address = str(ipaddress.ip_address(host))
    except ValueError:
        message = f"{text} is no ADDR[:PORT]: give an IP address of this machine, IPv6 in brackets"
        raise argparse.ArgumentTypeError(message) from None
    if port > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{port} is no port")
    return address, port


def notify_target(text: str) -> Configured:
    """Reads `ADDR[:PORT][@KEY]`; CommandError, which quotes no key."""
    place, _, key = text.partition("@")
    try:
        address, port = listen_address(place)
        if not key:
            return Configured(address, port)
        is_name = not key.startswith("@") and ":" not in key
        return Configured(address, port, domain_name(key) if is_name else key_option(key))
    except argparse.ArgumentTypeError as error:
        raise CommandError(f"--notify: {error}", exit_code=Exit.USAGE) from None


def _all_addresses() -> Sequence[tuple[str, int]]:
    """IPv4 and, where the machine has it, IPv6."""
    addresses = [("0.0.0.0", DEFAULT_PORT)]  # noqa: S104 - a public name server
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::", 0))
    except OSError as error:
        _log.info("no IPv6 on this machine: %s", error.strerror)
        return addresses
    return [*addresses, ("::", DEFAULT_PORT)]


def count(text: str) -> int:
    """Reads a number that is not negative."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("it must not be negative")
    return number
