"""A certificate signing request (PKCS#10, RFC 2986) that was found good: an unfit one cannot be built.

Its signature is checked here, since it proves that whoever asks has the key. Zones and rights are not known
here; `names_outside` is told them.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import field

import dns.name
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from oakroot.certificates.names import is_wildcard, read_name, without_wildcard, write_name, write_names
from oakroot.certificates.rejected import RejectedError
from oakroot.frozen import frozen

NAMES_LIMIT = 100
"""How many names Let's Encrypt, and most authorities with it, take in one certificate."""

UNREADABLE = (
    ValueError,
    TypeError,
    InvalidSignature,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What cryptography raises about octets that are no request or certificate; no two of them are related."""

_RSA_BITS = range(2048, 8193)
_STRONG_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


@frozen
class SigningRequest:
    """What somebody wants a certificate for, proved to be theirs."""

    der: bytes = field(repr=False)
    names: frozenset[dns.name.Name]
    public_key: bytes = field(repr=False)
    """The SubjectPublicKeyInfo, in DER."""

    def require_host(self, host: dns.name.Name) -> None:
        """Raises RejectedError unless the request asks for this host, or the wildcard of it."""
        if host not in {without_wildcard(name) for name in self.names}:
            raise RejectedError(
                "host",
                f"the request is published for {write_name(host)}, but asks for {write_names(self.names)}",
                "publish it at _letsencrypt._tcp below the first of its names",
            )


def read_signing_request(der: bytes, names_limit: int = NAMES_LIMIT) -> SigningRequest:
    """Reads and checks a request; raises RejectedError for whatever an authority should not be asked."""
    try:
        # A country of three letters is worth a warning to cryptography; to us it is nothing.
        with warnings.catch_warnings(action="ignore"):
            csr = x509.load_der_x509_csr(der)
            public_key = csr.public_key()
            names = _names(csr)
            digest = csr.signature_hash_algorithm
            signed = csr.is_signature_valid
    except RejectedError:
        raise
    except UNREADABLE:
        # No quote of the library's words: they speak of the inner life of ASN.1.
        raise RejectedError(
            "request-garbage",
            f"the {len(der)} octets are no certificate signing request",
            "publish a PKCS#10 request in DER, as `oakroot certify` does",
        ) from None
    _require_strong_key(public_key)
    # Ed25519 and Ed448 bring their own hash.
    if digest is not None and not isinstance(digest, _STRONG_HASHES):
        raise RejectedError(
            "request-hash", f"the request is signed with {digest.name}", "sign it with SHA-256 or better"
        )
    if not signed:
        raise RejectedError("request-signature", "the request's signature is wrong", "make the request anew")
    if len(names) > names_limit:
        raise RejectedError(
            "request-names",
            f"the request asks for {len(names)} names, and a certificate takes {names_limit}",
            "spread the names over several requests, or use a wildcard",
        )
    spki = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return SigningRequest(der, names, spki)


def names_outside(
    names: Iterable[dns.name.Name], zones: Iterable[dns.name.Name]
) -> tuple[dns.name.Name, ...]:
    """The names that are neither one of the zones nor below one, in the order of DNS."""
    held = tuple(zones)
    return tuple(sorted(name for name in names if not any(name.is_subdomain(zone) for zone in held)))


def _names(csr: x509.CertificateSigningRequest) -> frozenset[dns.name.Name]:
    """The DNS names of the common name and of subjectAltName together (RFC 8555 §7.4)."""
    found = [
        str(attribute.value) for attribute in csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    ] + alternative_names(csr.extensions)
    names = frozenset(map(read_name, found))
    if not names:
        raise RejectedError(
            "request-names", "the request asks for no name", "put the host name into its subjectAltName"
        )
    _require_no_cover(names)
    return names


def _require_no_cover(names: frozenset[dns.name.Name]) -> None:
    """Authorities refuse an order in which a wildcard says the same as a name (RFC 8555 §7.1.3)."""
    wildcards = {without_wildcard(name) for name in names if is_wildcard(name)}
    covered = sorted(name for name in names if not is_wildcard(name) and name.parent() in wildcards)
    if covered:
        raise RejectedError(
            "request-redundant",
            f"{write_names(covered)} is covered by a wildcard of the same request",
            "leave out one of them: authorities refuse both together",
        )


def alternative_names(extensions: x509.Extensions) -> list[str]:
    """The DNS names of subjectAltName as written; raises RejectedError where it holds other kinds."""
    try:
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    other = [type(name).__name__ for name in names if not isinstance(name, x509.DNSName)]
    if other:
        raise RejectedError(
            "name-kind",
            f"subjectAltName holds a name of the kind {other[0]}",
            "only DNS names can be proved by DNS",
        )
    return [name.value for name in names if isinstance(name, x509.DNSName)]


def _require_strong_key(key: object) -> None:
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size in _RSA_BITS:
            return
        raise RejectedError(
            "request-key",
            f"the RSA key has {key.key_size} bits",
            f"take one of {_RSA_BITS.start} to {_RSA_BITS.stop - 1} bits",
        )
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES):
        return
    if not isinstance(key, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)):
        raise RejectedError(
            "request-key",
            "the key is of a kind that no authority certifies",
            "take RSA, P-256, P-384 or Ed25519",
        )
