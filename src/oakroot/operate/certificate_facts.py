"""What the log says of a certificate. It takes a large library, so it is loaded late (`oakroot.late`)."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from oakroot.frozen import frozen


@frozen
class Facts:
    """A line about a certificate, and whether it is still valid."""

    text: str
    is_valid: bool
    not_after: float
    """In seconds since 1970."""


def read_facts(chain: bytes, now: datetime) -> Facts:
    """About the first certificate of a chain in PEM; ValueError where there is none."""
    certificate = x509.load_pem_x509_certificates(chain)[0]
    until = certificate.not_valid_after_utc
    is_valid = until > now
    names = ", ".join(_names(certificate)) or "no name"
    validity = f"{'valid' if is_valid else 'EXPIRED'} until {until:%Y-%m-%d %H:%M} UTC"
    text = f"TLS certificate for {names}, {validity}, pin-sha256:{pin_of(certificate)}"
    return Facts(text, is_valid, until.timestamp())


def pin_of(certificate: x509.Certificate) -> str:
    """The digest of its public key, in base64 (RFC 7858 §4.2): what clients may know it by."""
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = map(str, names.get_values_for_type(x509.IPAddress))
    return [*names.get_values_for_type(x509.DNSName), *addresses]
