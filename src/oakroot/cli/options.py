"""Options that several commands take in the same way: a server, a zone's name, a key, patience.

A key is read by the command, not by argparse, which would quote a value that it cannot use.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
from pathlib import Path

import dns.exception
import dns.name
import dns.rdatatype

from oakroot.cli import CommandError, Exit
from oakroot.client.server import Server, read_server
from oakroot.keys.key import Key
from oakroot.keys.notation import read_key
from oakroot.keys.rejected import KeyRejectedError
from oakroot.keys.source import find_key_text


def server(text: str) -> Server:
    """Reads `HOST[:PORT]`; an IPv6 address stands in brackets where a port follows."""
    try:
        return read_server(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def domain_name(text: str) -> dns.name.Name:
    """Reads a domain name, absolute with or without its final dot."""
    try:
        return dns.name.from_text(text)
    except (dns.exception.DNSException, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text} is no domain name: {error}") from None


def add_directory_argument(parser: argparse.ArgumentParser) -> None:
    """Adds DIR, a zone repository."""
    parser.add_argument(
        "directory",
        nargs="?",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="the repository (default: here)",
    )


def add_format_option(parser: argparse.ArgumentParser, *forms: str, of: str = "the output") -> None:
    """Adds `--format`; the first form is the default."""
    parser.add_argument(
        "--format", choices=forms, default=forms[0], help=f"form of {of} (default: %(default)s)"
    )


def record_type(text: str) -> str:
    """Reads a record type's name."""
    try:
        return dns.rdatatype.to_text(dns.rdatatype.from_text(text))
    except (dns.rdatatype.UnknownRdatatype, ValueError):
        raise argparse.ArgumentTypeError(f"{text} is no record type") from None


def place(text: str) -> tuple[str, int]:
    """Reads `ADDR[:PORT]` of a server that is asked by its address, of IPv6 with a port in brackets."""
    found = server(text)
    try:
        return str(ipaddress.ip_address(found.host)), found.port
    except ValueError:
        raise argparse.ArgumentTypeError(f"{found.host} is no IP address") from None


def port_number(text: str) -> int:
    """Reads a port."""
    number = int(text)
    if not 0 < number < 1 << 16:
        raise argparse.ArgumentTypeError(f"{text} is no port")
    return number


def add_key_option(parser: argparse._ActionsContainer, purpose: str) -> None:
    """Adds `--key`; what it was given is read by `key_option`."""
    parser.add_argument(
        "--key",
        metavar="KEY",
        help=f"{purpose}: @FILE, in the form of BIND, Knot DNS, NSD or a key file; or NAME:ALGORITHM:BASE64",
    )


def add_timeout_option(parser: argparse._ActionsContainer, patience: float, purpose: str) -> None:
    """Adds `--timeout`, in seconds."""
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=patience,
        metavar="SECONDS",
        help=f"{purpose} (default: %(default)s)",
    )


def key_option(value: str) -> Key:
    """The key that an option's value stands for; CommandError, which never quotes the value."""
    try:
        return read_key(key_text(value))
    except KeyRejectedError as error:
        raise rejected_key(error) from None


def key_text(value: str) -> str:
    """The text of a key: the value, or what is in the file that it names; raises KeyRejectedError."""
    return find_key_text(value, os.environ, lambda file: Path(file).read_text(encoding="utf-8"))


def rejected_key(error: KeyRejectedError) -> CommandError:
    """The error as the command line tells it."""
    return CommandError(error.message, hint=error.hint, exit_code=Exit.USAGE)


def percentage(text: str) -> int:
    """Reads a number from 0 to 100."""
    number = int(text)
    if not 0 <= number <= 100:  # noqa: PLR2004 - that is what percent means
        raise argparse.ArgumentTypeError("it must be between 0 and 100")
    return number


def positive_count(text: str) -> int:
    """Reads a number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be 1 or more")
    return number


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError("it must be more than 0")
    return seconds
