"""Reads what a machine is told when it starts: its addresses, and what is left for its server. Pure.

The notation is that of MirageOS unikernels, so that their command lines carry over.
"""

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Callable, Sequence

from oakroot.frozen import frozen

Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_BEGIN = " -- "
USAGE = "--ipv4=ADDRESS/LENGTH [--ipv4-gateway=ADDRESS] [--ipv6=… --ipv6-gateway=…] [--dns-servers=ADDRESS,…]"


class BootRejectedError(Exception):
    """The arguments are not good; the message is for the console."""


@frozen
class Boot:
    """What a machine is told."""

    interfaces: tuple[Interface, ...]
    gateways: tuple[Address, ...]
    name_servers: tuple[Address, ...]
    server: tuple[str, ...]
    """The arguments of the server."""


def words_of(command_line: str) -> list[str]:
    """The words of the kernel's command line that are for us: those after `--`."""
    _, begin, rest = f" {command_line.strip()} ".partition(_BEGIN)
    return split(rest) if begin else []


def split(text: str) -> list[str]:
    """Words, quoted as a shell has it."""
    try:
        return shlex.split(text)
    except ValueError as problem:
        raise BootRejectedError(f"boot arguments: {problem}") from None


def read_boot(words: Sequence[str]) -> Boot:
    """What the words say; BootRejectedError names the one that is wrong, or what is missing."""
    given, server = _sort(words)
    interfaces: list[Interface] = []
    gateways: list[Address] = []
    for family in ("ipv4", "ipv6"):
        interface, gateway = _one(given, family), _one(given, f"{family}-gateway")
        if interface is not None:
            interfaces.append(_interface(family, interface))
        if gateway is not None:
            gateways.append(_gateway(family, gateway, interfaces[-1] if interface is not None else None))
    if not interfaces:
        raise BootRejectedError(f"no address was given: {USAGE}")
    servers = [
        _address("dns-servers", part) for text in given["dns-servers"] for part in text.split(",") if part
    ]
    return Boot(tuple(interfaces), tuple(gateways), tuple(servers), server)


_OPTIONS = ("ipv4", "ipv4-gateway", "ipv6", "ipv6-gateway", "dns-servers")


def _sort(words: Sequence[str]) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    given: dict[str, list[str]] = {name: [] for name in _OPTIONS}
    server: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or name not in given:
            server.append(word)
            continue
        if not equals:
            if not rest:
                raise BootRejectedError(f"--{name} needs a value")
            value = rest.pop(0)
        given[name].append(value)
    return given, tuple(server)


def _one(given: dict[str, list[str]], name: str) -> str | None:
    values = given[name]
    if len(values) > 1:
        raise BootRejectedError(f"--{name} was given {len(values)} times")
    return values[0] if values else None


def _interface(family: str, text: str) -> Interface:
    kind: Callable[[str], Interface] = (
        ipaddress.IPv4Interface if family == "ipv4" else ipaddress.IPv6Interface
    )
    if "/" not in text:
        raise BootRejectedError(
            f"--{family}={text}: the length of the network's prefix is missing (/24, say)"
        )
    try:
        return kind(text)
    except ValueError as problem:
        raise BootRejectedError(f"--{family}={text}: {problem}") from None


def _gateway(family: str, text: str, interface: Interface | None) -> Address:
    gateway = _address(f"{family}-gateway", text)
    if interface is None:
        raise BootRejectedError(f"--{family}-gateway={text} without --{family}")
    # RFC 4291 section 2.5.6: a link-local gateway is beside us on any network.
    if gateway not in interface.network and not (
        gateway.version == interface.version and gateway.is_link_local
    ):
        raise BootRejectedError(f"--{family}-gateway={text} is not in the network {interface.network}")
    return gateway


def _address(option: str, text: str) -> Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise BootRejectedError(f"--{option}={text}: this is no address") from None
