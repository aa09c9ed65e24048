"""TLS towards primaries (RFC 9103): strict authentication, or no connection.

A primary is known by the name in its certificate, which an authority vouches for, or by its public key. TLS
1.3 and the protocol `dot` are demanded. There is no way from here back to a connection without TLS.
"""

from __future__ import annotations

import hmac
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509

from oakroot.operate.certificate import CertificateFiles, Stamp, stamp
from oakroot.operate.certificate_facts import pin_of
from oakroot.secondary.sources import Identity

_PROTOCOL = "dot"
_REASONS = {
    "WRONG_VERSION_NUMBER": "it does not speak TLS on this port",
    "TLSV1_ALERT_NO_APPLICATION_PROTOCOL": "it does not speak DNS over TLS on this port (ALPN dot)",
    "TLSV1_ALERT_PROTOCOL_VERSION": "it does not speak TLS 1.3",
    "UNSUPPORTED_PROTOCOL": "it does not speak TLS 1.3",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it wants a certificate of ours: give --tls-cert and --tls-key",
}


class UntrustedError(OSError):
    """The handshake was done with somebody who is not the primary that was meant."""


@dataclass(slots=True)
class Encryption:
    """How primaries are spoken to over TLS."""

    authorities: Path | None = None
    """Certificates in PEM; None: those that the system trusts."""
    certificate: CertificateFiles | None = None
    """Ours, shown where we listen for TLS, and to primaries that ask for one."""
    _contexts: dict[bool, tuple[Stamp, ssl.SSLContext]] = field(default_factory=dict)

    def context(self, identity: Identity) -> ssl.SSLContext:
        """What a connection begins with, of the files as they are now; OSError where they are of no use."""
        is_pinned = bool(identity.pin)
        own = () if self.certificate is None else self.certificate.files
        now = stamp(*own, *(() if self.authorities is None else (self.authorities,)))
        known = self._contexts.get(is_pinned)
        if known is None or known[0] != now:
            known = now, self._new_context(is_pinned=is_pinned)
            self._contexts[is_pinned] = known
        return known[1]

    def _new_context(self, *, is_pinned: bool) -> ssl.SSLContext:
        if is_pinned:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            # The key is looked at instead, by `prove`.
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            context = ssl.create_default_context(cafile=self.authorities and str(self.authorities))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.set_alpn_protocols([_PROTOCOL])
        if self.certificate is not None:
            context.load_cert_chain(*self.certificate.files)
        return context


def prove(connection: ssl.SSLSocket | ssl.SSLObject, identity: Identity) -> None:
    """Judges a handshake that is done, before anything is sent; raises UntrustedError.

    The name was judged in the handshake, if it is the name that the primary is known by.
    """
    if connection.selected_alpn_protocol() != _PROTOCOL:
        raise UntrustedError("it does not speak DNS over TLS on this port (ALPN dot)")
    if identity.pin:
        der = connection.getpeercert(binary_form=True)
        shown = "" if der is None else pin_of(x509.load_der_x509_certificate(der))
        if not hmac.compare_digest(shown, identity.pin):
            raise UntrustedError(f"its key is another one than the pinned (its pin-sha256 is {shown})")


def server_name(identity: Identity) -> str | None:
    """What the handshake asks for and compares the certificate with; None: nothing."""
    return identity.name or None


def explain(error: OSError) -> str:
    """Why there is no connection, in words that say who is at fault."""
    match error:
        case UntrustedError():
            return str(error)
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message.rstrip('.')}"
        case ssl.SSLError():
            reason = error.reason or "the handshake of TLS failed"
            return _REASONS.get(reason, reason.replace("_", " ").lower())
        case TimeoutError():
            return "no answer in time"
    return error.strerror or str(error) or type(error).__name__
