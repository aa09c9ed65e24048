"""Requests to an ACME authority as they are signed: JWS of the one form that RFC 8555 §6.2 allows.

Only signing lives here, and the names of keys that it needs; files, nonces and HTTP are others' business.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from oakroot.certificates.rejected import RejectedError
from oakroot.frozen import frozen

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_RSA_BITS = range(2048, 8193)


@frozen
class _Curve:
    """How JOSE calls a curve (RFC 7518 §3.4, §6.2.1)."""

    name: str
    algorithm: str
    octets: int
    digest: hashes.HashAlgorithm


_CURVES = {
    "secp256r1": _Curve("P-256", "ES256", 32, hashes.SHA256()),
    "secp384r1": _Curve("P-384", "ES384", 48, hashes.SHA384()),
}


@frozen
class AccountKey:
    """The key that an account at an authority is known by; its texts never show it."""

    private: PrivateKey = field(repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.private, rsa.RSAPrivateKey):
            fits = self.private.key_size in _RSA_BITS
        else:
            fits = self.private.curve.name in _CURVES
        if not fits:
            raise RejectedError(
                "account-key",
                "authorities take no account key of this kind",
                "take P-256, P-384 or RSA with 2048 bits or more",
            )

    @property
    def public(self) -> dict[str, str]:
        """The public key as a JWK (RFC 7517), with its required members and no others."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            numbers = self.private.public_key().public_numbers()
            return {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}
        curve, point = _CURVES[self.private.curve.name], self.private.public_key().public_numbers()
        x, y = (encode(number.to_bytes(curve.octets)) for number in (point.x, point.y))
        return {"crv": curve.name, "kty": "EC", "x": x, "y": y}

    @property
    def thumbprint(self) -> str:
        """The key's name in challenges (RFC 7638)."""
        canonical = json.dumps(self.public, sort_keys=True, separators=(",", ":"))
        return encode(hashlib.sha256(canonical.encode()).digest())

    def sign(self, url: str, nonce: str, payload: object, account: str | None) -> bytes:
        """The body of a POST, by the account of this URL or by the bare key. No payload: POST-as-GET."""
        identity = {"jwk": self.public} if account is None else {"kid": account}
        header = {"alg": self._algorithm, "nonce": nonce, "url": url, **identity}
        return _flattened(header, payload, self._signature)

    @property
    def _algorithm(self) -> str:
        if isinstance(self.private, rsa.RSAPrivateKey):
            return "RS256"
        return _CURVES[self.private.curve.name].algorithm

    def _signature(self, text: bytes) -> bytes:
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(text, padding.PKCS1v15(), hashes.SHA256())
        curve = _CURVES[self.private.curve.name]
        r, s = decode_dss_signature(self.private.sign(text, ec.ECDSA(curve.digest)))
        return r.to_bytes(curve.octets) + s.to_bytes(curve.octets)


@frozen
class ExternalAccount:
    """What binds an ACME account to one that its owner has with the authority (RFC 8555 §7.3.4)."""

    identifier: str
    secret: bytes = field(repr=False)

    def binding(self, url: str, key: AccountKey) -> Mapping[str, object]:
        """The member `externalAccountBinding` of a request for an account at this URL."""
        header = {"alg": "HS256", "kid": self.identifier, "url": url}
        body = _flattened(header, key.public, lambda text: hmac.digest(self.secret, text, "sha256"))
        binding: Mapping[str, object] = json.loads(body)
        return binding


def dns_value(token: str, thumbprint: str) -> str:
    """What dns-01 wants in its TXT record (RFC 8555 §8.4)."""
    return encode(hashlib.sha256(f"{token}.{thumbprint}".encode()).digest())


def encode(octets: bytes) -> str:
    """Base64 as JOSE writes it: for URLs, without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(octets).decode("ascii").rstrip("=")


def decode(text: str) -> bytes:
    """The octets behind such a text, padded or not; raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _number(value: int) -> str:
    return encode(value.to_bytes((value.bit_length() + 7) // 8))


def _flattened(header: Mapping[str, object], payload: object, sign: Callable[[bytes], bytes]) -> bytes:
    """The flattened JSON form (RFC 7515 §7.2.2)."""
    protected = encode(json.dumps(header).encode())
    content = "" if payload is None else encode(json.dumps(payload).encode())
    signature = encode(sign(f"{protected}.{content}".encode()))
    return json.dumps({"protected": protected, "payload": content, "signature": signature}).encode()
