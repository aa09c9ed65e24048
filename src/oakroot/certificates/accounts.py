"""The files of an ACME account: its key, made where there is none, and the secret of an external account."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from oakroot.certificates.jose import AccountKey, PrivateKey, decode
from oakroot.certificates.rejected import RejectedError

RSA_BITS = 3072


def load_or_make(path: Path, kind: str = "p256") -> tuple[AccountKey, bool]:
    """(the account key in this file, whether it was made just now); `kind`: p256, p384 or rsa.

    Raises RejectedError for a file that is no such key, and OSError.
    """
    try:
        octets = path.read_bytes()
    except FileNotFoundError:
        return _make(path, kind), True
    _require_private(path)
    return AccountKey(_read(octets, path)), False


def read_external_secret(text: str) -> bytes:
    """The secret of an external account as authorities hand it out: base64 for URLs; raises RejectedError."""
    try:
        secret = decode(text.strip().rstrip("="))
    except ValueError:
        secret = b""
    if not secret:
        # It is not quoted: it is a secret.
        raise RejectedError("external-key", "the key of the external account is no base64url text")
    return secret


def _make(path: Path, kind: str) -> AccountKey:
    private: PrivateKey
    if kind == "rsa":
        private = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    else:
        private = ec.generate_private_key(ec.SECP384R1() if kind == "p384" else ec.SECP256R1())
    text = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written beside its place and moved there: half a key would be no key, and the account were lost.
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return AccountKey(private)


def _read(octets: bytes, path: Path) -> PrivateKey:
    try:
        private = load_pem_private_key(octets, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise RejectedError(
            "account-key",
            f"{path} holds no account key",
            "a private key in PEM without password, P-256, P-384 or RSA; where there is no file, one is made",
        )
    return private


def _require_private(path: Path) -> None:
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise RejectedError(
            "account-key-mode", f"others than its owner may use {path}", f"mend it with `chmod 600 {path}`"
        )
