"""Options that every command takes which serves zones: where to listen, whom else to tell of changes."""

from __future__ import annotations

import argparse
import ipaddress
import logging
import os
import re
import socket
from collections.abc import Sequence

from oakroot._engine import Server
from oakroot.cli import CommandError, Exit
from oakroot.cli.options import domain_name, key_option
from oakroot.distribution.targets import Configured

_log = logging.getLogger(__name__)

DEFAULT_PORT = 53
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
        type=_positive_count,
        default=os.cpu_count() or 1,
        metavar="N",
        help="threads that answer (default: one per processor)",
    )
    group.add_argument(
        "--rate-limit",
        type=_count,
        default=0,
        metavar="N",
        help="answers per second and client network over UDP; 0: no limit (default: %(default)s)",
    )
    group.add_argument("--identity", metavar="TEXT", help="what to answer to id.server and NSID")
    group.add_argument("--version-text", metavar="TEXT", help="what to answer to version.bind")


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
    return group


def bind(arguments: argparse.Namespace) -> Server:
    """The server, its sockets bound; OSError names the address that cannot be."""
    return Server(
        arguments.listen or _all_addresses(),
        workers=arguments.workers,
        tcp_reply_seconds=KEPT_SECONDS,
        rate_limit=arguments.rate_limit,
        identity=arguments.identity,
        version=arguments.version_text,
    )


def listed(addresses: Sequence[tuple[str, int]]) -> str:
    """Addresses and ports as they stand in a log line."""
    return ", ".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in addresses)


def listen_address(text: str) -> tuple[str, int]:
    """Reads `ADDR[:PORT]`; port 0 lets the system choose."""
    found = _ADDRESS.match(text)
    host = text if found is None else found["bracketed"] or found["plain"]
    port = DEFAULT_PORT if found is None else int(found["port"] or DEFAULT_PORT)
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


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("it must not be negative")
    return number


def _positive_count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be 1 or more")
    return number
