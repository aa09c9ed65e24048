"""Options about TLS towards primaries: which, and what they must prove."""

from __future__ import annotations

import argparse
import base64
from pathlib import Path

from oakroot.cli import CommandError, Exit
from oakroot.cli.nameserver import tls_address
from oakroot.operate.certificate import CertificateFiles
from oakroot.secondary.encryption import Encryption, explain
from oakroot.secondary.sources import Identity
from oakroot.secondary.sources import Server as Primary

_PIN = "pin-sha256:"
_PIN_LENGTH = 32


def add_tls_primary_options(group: argparse._ArgumentGroup) -> None:
    """Adds them to those about the zones."""
    group.add_argument(
        "--tls-primary",
        type=tls_primary,
        action="append",
        default=[],
        metavar="ADDR[:PORT]#NAME",
        help="speak TLS to this primary, and nothing else; its certificate must be for NAME, or for NAME "
        "pin-sha256:BASE64 its key must be that one (the primary's log tells it); default port 853; may be "
        "given again",
    )
    group.add_argument(
        "--tls-ca",
        type=Path,
        metavar="FILE",
        help="the authorities that certificates of primaries must come from, in PEM (default: the system's)",
    )


def tls_primary(text: str) -> Primary:
    """Reads `ADDR[:PORT]#NAME`."""
    place, _, name = text.partition("#")
    address, port = tls_address(place)
    if not name:
        message = f"{text} does not say what the primary must prove: give ADDR[:PORT]#NAME-IN-ITS-CERTIFICATE"
        raise argparse.ArgumentTypeError(message)
    if not name.startswith(_PIN):
        return Primary(address, port, Identity(name=name))
    pin = name.removeprefix(_PIN)
    try:
        length = len(base64.b64decode(pin, validate=True))
    except ValueError:
        length = 0
    if length != _PIN_LENGTH:
        raise argparse.ArgumentTypeError(f"{pin} is no SHA-256 in base64")
    return Primary(address, port, Identity(pin=pin))


def encryption_of(arguments: argparse.Namespace, certificate: CertificateFiles | None) -> Encryption:
    """How TLS is spoken; CommandError where a file is of no use."""
    encryption = Encryption(arguments.tls_ca, certificate)
    try:
        for server in arguments.tls_primary:
            encryption.context(server.identity)
    except OSError as error:
        raise CommandError(f"--tls-ca: {explain(error)}", exit_code=Exit.USAGE) from None
    return encryption
