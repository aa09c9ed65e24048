"""An X.509 certificate as far as this room needs it, and when it will do for a request.

Whether an authority is to be trusted is not judged here: what is in our own zone was put there with our own
key, and who presents the certificate is believed or not by the clients.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import field

import dns.name
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from oakroot.certificates.jose import encode
from oakroot.certificates.names import read_name
from oakroot.certificates.rejected import RejectedError
from oakroot.certificates.signing_request import UNREADABLE, SigningRequest, alternative_names
from oakroot.frozen import frozen

_LIFETIME_PARTS = 3
_AUTHORITIES_LIMIT = 16


@frozen
class Certificate:
    """A certificate of a host or an authority; times are seconds since 1970."""

    der: bytes = field(repr=False)
    names: frozenset[dns.name.Name]
    """Empty for authorities."""
    public_key: bytes = field(repr=False)
    """The SubjectPublicKeyInfo, in DER."""
    not_before: float
    not_after: float
    subject: bytes = field(repr=False)
    issuer: bytes = field(repr=False)
    is_authority: bool = False

    @property
    def lifetime(self) -> float:
        """Seconds from the first to the last at which it is valid."""
        return self.not_after - self.not_before

    @property
    def pem(self) -> str:
        """As OpenSSL's tools want it."""
        return x509.load_der_x509_certificate(self.der).public_bytes(Encoding.PEM).decode("ascii")


def read_certificate(der: bytes) -> Certificate:
    """Reads a certificate; raises RejectedError for what is none, or is for other things than hosts."""
    try:
        with warnings.catch_warnings(action="ignore"):  # those are for who made it, and for developers
            return _certificate(der)
    except RejectedError:
        raise
    except UNREADABLE:
        raise RejectedError(
            "certificate-garbage",
            f"the {len(der)} octets are no certificate",
            "it is replaced as soon as there is a request beside it",
        ) from None


def _certificate(der: bytes) -> Certificate:
    parsed = x509.load_der_x509_certificate(der)
    is_authority = _is_authority(parsed.extensions)
    names = () if is_authority else map(read_name, alternative_names(parsed.extensions))
    return Certificate(
        der,
        frozenset(names),
        parsed.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        parsed.not_valid_before_utc.timestamp(),
        parsed.not_valid_after_utc.timestamp(),
        parsed.subject.public_bytes(),
        parsed.issuer.public_bytes(),
        is_authority,
    )


def read_chain(pem: str) -> tuple[Certificate, tuple[Certificate, ...]]:
    """(certificate, authorities) as ACME delivers them (RFC 8555 §7.4.2); raises RejectedError."""
    try:
        parsed = x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise RejectedError(
            "certificate-garbage", "what the authority delivered is no chain in PEM"
        ) from None
    certificates = [read_certificate(each.public_bytes(Encoding.DER)) for each in parsed]
    return certificates[0], tuple(certificates[1:])


def renewal_identifier(certificate: Certificate) -> str | None:
    """How renewal information names it (RFC 9773 §4.1); None for one that does not tell its issuer's key."""
    parsed = x509.load_der_x509_certificate(certificate.der)
    try:
        issuer = parsed.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound:
        return None
    serial = parsed.serial_number
    if issuer is None or serial <= 0:
        return None
    # The octets of a DER INTEGER: one more bit, for the sign.
    octets = serial.to_bytes(serial.bit_length() // 8 + 1)
    return f"{encode(issuer)}.{encode(octets)}"


def _is_authority(extensions: x509.Extensions) -> bool:
    try:
        return extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def matches(certificate: Certificate, request: SigningRequest) -> bool:
    """Whether the certificate has the request's key and exactly its names; time is another question."""
    return certificate.public_key == request.public_key and certificate.names == request.names


def is_valid(certificate: Certificate, now: float) -> bool:
    """Whether clients whose clock shows `now` accept it."""
    return certificate.not_before <= now <= certificate.not_after


def renewal_due(certificate: Certificate) -> float:
    """From when on a new one is to be had: at a third of its lifetime left, be that 6 days or 90."""
    return certificate.not_after - certificate.lifetime / _LIFETIME_PARTS


def is_fresh(certificate: Certificate, now: float) -> bool:
    """Whether at least a third of its lifetime is left.

    One that begins in the future is fresh: our clock is late then, or its authority's is early, and another
    order would not change that.
    """
    return now <= renewal_due(certificate)


def chain_of(certificate: Certificate, authorities: Iterable[Certificate]) -> tuple[Certificate, ...]:
    """The authorities from the certificate's issuer upwards, the longest way; what is unrelated is left out.

    The root is part of it where it was published. An authority may be there twice, cross-signed: names
    decide, and each way is tried. Only the first sixteen are looked at: who may write
    records shall not keep us busy.
    """
    return _longest(certificate, tuple(authorities)[:_AUTHORITIES_LIMIT])


def require_sound(chain: Sequence[Certificate]) -> None:
    """Raises RejectedError unless each certificate of the chain is signed by the next one's key."""
    parsed = [x509.load_der_x509_certificate(certificate.der) for certificate in chain]
    for certificate, issuer in itertools.pairwise(parsed):
        try:
            certificate.verify_directly_issued_by(issuer)
        except UNREADABLE:
            raise RejectedError(
                "chain",
                f"{certificate.subject.rfc4514_string()} is not signed by what stands behind it in the chain",
                "the certifier puts a whole chain in its place when it renews: oakroot certify --force",
            ) from None


def _longest(certificate: Certificate, rest: Sequence[Certificate]) -> tuple[Certificate, ...]:
    if certificate.subject == certificate.issuer:
        return ()
    # Nobody is passed twice, so a circle of issuers ends.
    further = [other for other in rest if other.subject not in (certificate.subject, certificate.issuer)]
    ways = [(issuer, *_longest(issuer, further)) for issuer in rest if issuer.subject == certificate.issuer]
    return max(ways, key=len, default=())
