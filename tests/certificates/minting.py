"""Requests and certificates of every kind, good and bad, made for one test."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

START = 1_800_000_000.0
DAY = 86400.0


@functools.cache
def new_key(kind: str = "p256") -> CertificateIssuerPrivateKeyTypes:
    """A key of this kind, the same each time: making RSA keys takes its time."""
    match kind:
        case "p256" | "other":
            return ec.generate_private_key(ec.SECP256R1())
        case "p384":
            return ec.generate_private_key(ec.SECP384R1())
        case "secp256k1":
            return ec.generate_private_key(ec.SECP256K1())
        case "ed25519":
            return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.removeprefix("rsa")))


def new_request(
    *names: str,
    common_name: str | None = None,
    kind: str = "p256",
    digest: SHA256 | SHA512 | None = None,
    more: Sequence[x509.GeneralName] = (),
) -> bytes:
    """A signing request in DER."""
    subject = [] if common_name is None else [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    if names or more:
        alternative = x509.SubjectAlternativeName([*(x509.DNSName(name) for name in names), *more])
        builder = builder.add_extension(alternative, critical=False)
    hashing = None if kind == "ed25519" else digest or SHA256()
    return builder.sign(new_key(kind), hashing).public_bytes(Encoding.DER)


def new_certificate(
    *names: str,
    kind: str = "p256",
    issuer: str = "Intermediate",
    begin: float = START,
    days: float = 90,
    serial: int | None = None,
    issuer_key: bytes | None = None,
) -> bytes:
    """A certificate of a host in DER, for the key that requests of this kind have."""
    builder = _builder(names[0], issuer, kind, begin, days).add_extension(
        x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
    )
    if issuer_key is not None:
        identifier = x509.AuthorityKeyIdentifier(issuer_key, None, None)
        builder = builder.add_extension(identifier, critical=False)
    builder = builder.serial_number(x509.random_serial_number() if serial is None else serial)
    return builder.sign(new_key("p384"), SHA256()).public_bytes(Encoding.DER)


def new_authority(subject: str, issuer: str, *, begin: float = START, kind: str = "p384") -> bytes:
    """The certificate of an authority in DER; those of the kind p384 have signed all others."""
    builder = _builder(subject, issuer, kind, begin, 1000)
    return (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .serial_number(x509.random_serial_number())
        .sign(new_key("p384"), SHA256())
        .public_bytes(Encoding.DER)
    )


def as_pem(*ders: bytes) -> str:
    """Certificates as an ACME authority delivers them."""
    return "".join(
        x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode("ascii") for der in ders
    )


def _builder(subject: str, issuer: str, kind: str, begin: float, days: float) -> x509.CertificateBuilder:
    start = dt.datetime.fromtimestamp(begin, dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(new_key(kind).public_key())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=days))
    )
