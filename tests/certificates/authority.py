"""An authority for tests that certifies what is asked for, and private keys of which nothing good comes."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable

import dns.name
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)
from cryptography.x509.oid import NameOID

from oakroot.certificates.certificate import Certificate, read_certificate
from oakroot.certificates.names import read_name, write_name
from oakroot.certificates.private_key import PrivateKey
from oakroot.certificates.signing_request import SigningRequest

DAY = 86400.0
DAYS = 90.0


class TestAuthority:
    """A root and an intermediate, whose signatures are real."""

    __test__ = False  # no test, whatever its name says to pytest

    def __init__(self) -> None:
        self._root, self._key = (
            ec.generate_private_key(ec.SECP256R1()),
            ec.generate_private_key(ec.SECP256R1()),
        )
        self.root = self._authority("Root", "Root", self._root)
        self.intermediate = self._authority("Intermediate", "Root", self._key)

    def certify(
        self, request: SigningRequest, *, begin: float | None = None, days: float = DAYS
    ) -> tuple[Certificate, ...]:
        """The chain for a request, valid from an hour ago unless told otherwise."""
        key = load_der_public_key(request.public_key)
        assert isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey))
        names = sorted(map(write_name, request.names))
        start = dt.datetime.fromtimestamp(time.time() - 3600 if begin is None else begin, dt.UTC)
        certificate = (
            x509.CertificateBuilder(
                issuer_name=_name("Intermediate"),
                subject_name=x509.Name([]),
                public_key=key,
                serial_number=x509.random_serial_number(),
                not_valid_before=start.replace(tzinfo=None),
                not_valid_after=(start + dt.timedelta(days=days)).replace(tzinfo=None),
            )
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=True)
            .sign(self._key, SHA256())
        )
        return read_certificate(certificate.public_bytes(Encoding.DER)), self.intermediate

    def _authority(self, subject: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> Certificate:
        start = dt.datetime.now(dt.UTC) - dt.timedelta(days=1000)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(_name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + dt.timedelta(days=5000))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._root, SHA256())
        )
        return read_certificate(certificate.public_bytes(Encoding.DER))


def new_chain_for(key: PrivateKey, *names: str) -> tuple[Certificate, ...]:
    """A chain for a key, of an authority made for it."""
    return TestAuthority().certify(key.request_for(_read(names)))


def weak_key_pem() -> str:
    """RSA of half the length."""
    return _pem(rsa.generate_private_key(65537, 1024))  # noqa: S505 - weak on purpose


def foreign_key_pem() -> str:
    """X25519, which signs nothing."""
    return _pem(x25519.X25519PrivateKey.generate())


def encrypted_key_pem() -> str:
    """One that cannot be read without its pass phrase."""
    return _pem(ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"pass phrase"))


def _pem(key: PrivateKeyTypes, encryption: KeySerializationEncryption | None = None) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _read(names: Iterable[str]) -> list[dns.name.Name]:
    return [read_name(name) for name in names]
