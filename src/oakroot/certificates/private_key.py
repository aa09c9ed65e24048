"""The private key of a certificate, and the request made with it. Its texts never show the key."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import field

import dns.name
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from oakroot.certificates.names import write_name
from oakroot.certificates.rejected import RejectedError
from oakroot.certificates.signing_request import SigningRequest, read_signing_request
from oakroot.frozen import frozen

_AnyKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

RSA_BITS = 2048
"""What authorities want at least; a longer one makes handshakes slow and outlives no certificate."""
_PUBLIC_EXPONENT = 65537
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


class KeyType(enum.Enum):
    """The kinds of key that a certificate can be had for."""

    RSA = "rsa"
    P256 = "p256"
    P384 = "p384"
    ED25519 = "ed25519"


@frozen
class PrivateKey:
    """A key that is strong enough for authorities."""

    type: KeyType | None
    """None for kinds that are read but not made, such as P-521."""
    public_key: bytes = field(repr=False)
    """The SubjectPublicKeyInfo, in DER."""
    _key: _AnyKey = field(repr=False, compare=False)

    def pem(self) -> str:
        """The key itself, as PKCS#8: for a file that only its owner reads."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")

    def request_for(self, names: Iterable[dns.name.Name]) -> SigningRequest:
        """A request for a certificate with exactly these names; raises RejectedError for unfit ones.

        The names stand in subjectAltName alone: a common name has room for 64 octets, and nobody reads it.
        """
        wanted = x509.SubjectAlternativeName([x509.DNSName(write_name(name)) for name in sorted(set(names))])
        builder = x509.CertificateSigningRequestBuilder(x509.Name([])).add_extension(wanted, critical=False)
        # Ed25519 brings its own hash.
        digest = None if isinstance(self._key, ed25519.Ed25519PrivateKey) else SHA256()
        return read_signing_request(builder.sign(self._key, digest).public_bytes(Encoding.DER))


def make_private_key(kind: KeyType) -> PrivateKey:
    """A new key."""
    match kind:
        case KeyType.RSA:
            return _wrap(rsa.generate_private_key(_PUBLIC_EXPONENT, RSA_BITS))
        case KeyType.P256:
            return _wrap(ec.generate_private_key(ec.SECP256R1()))
        case KeyType.P384:
            return _wrap(ec.generate_private_key(ec.SECP384R1()))
        case KeyType.ED25519:
            return _wrap(ed25519.Ed25519PrivateKey.generate())


def read_private_key(pem: bytes) -> PrivateKey:
    """Reads a key in PEM, in any of the formats of OpenSSL; raises RejectedError, which quotes nothing."""
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise RejectedError(
            "key-encrypted",
            "the private key is encrypted",
            "decrypt it: openssl pkey -in FILE -out privkey.pem; the certificate's users need it so, too",
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise RejectedError(
            "key-garbage", "this is no private key in PEM", "take it away, and one is made"
        ) from None
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < RSA_BITS:
        raise RejectedError(
            "key-weak",
            f"the private key is RSA of {key.key_size} bits, which authorities refuse",
            "take it away, and one is made",
        )
    if not isinstance(key, _AnyKey) or (
        isinstance(key, ec.EllipticCurvePrivateKey) and not isinstance(key.curve, _CURVES)
    ):
        raise RejectedError(
            "key-type",
            "the private key is of a kind that no authority certifies",
            "take it away, and one is made",
        )
    return _wrap(key)


def _wrap(key: _AnyKey) -> PrivateKey:
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return PrivateKey(_type_of(key), public, key)


def _type_of(key: _AnyKey) -> KeyType | None:
    if isinstance(key, rsa.RSAPrivateKey):
        return KeyType.RSA
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return KeyType.ED25519
    return {"secp256r1": KeyType.P256, "secp384r1": KeyType.P384}.get(key.curve.name)
