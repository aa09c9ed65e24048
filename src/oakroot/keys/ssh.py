"""Ed25519 keys for ssh: the short `ed25519:BASE64` notation and OpenSSH's forms, one made from the other.

What lives here is the key itself; using it belongs to `git/`.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

from oakroot.frozen import frozen
from oakroot.keys.rejected import KeyRejectedError
from oakroot.keys.secret import Secret

PREFIX = "ed25519:"
PRIVATE_KEY_LENGTH = 32
_ARMOUR = "-----BEGIN OPENSSH PRIVATE KEY-----"


@frozen
class SshKey:
    """An Ed25519 key pair, told by its 32 private octets (RFC 8032 §5.1.5)."""

    private: Secret

    def __post_init__(self) -> None:
        if len(self.private) != PRIVATE_KEY_LENGTH:
            raise KeyRejectedError(
                "ssh-key-length",
                f"an ed25519 private key has {PRIVATE_KEY_LENGTH} octets, this one has {len(self.private)}",
            )

    def notation(self) -> str:
        """`ed25519:BASE64`, the private key in one word."""
        return PREFIX + self.private.base64()

    def public_line(self, comment: str = "") -> str:
        """The line for `authorized_keys` or a git host's list of deploy keys."""
        octets = self._key().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        return f"{octets.decode('ascii')} {comment}".rstrip()

    def openssh_file(self) -> bytes:
        """The private key as ssh-keygen writes it, without a passphrase."""
        return self._key().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())

    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.private.reveal())


def read_ssh_key(text: str) -> SshKey:
    """Reads `ed25519:BASE64` or an OpenSSH private key file; raises KeyRejectedError, which quotes nothing.

    What `oakroot keygen ssh` printed may be given as it is: lines after the private key are its public half.
    """
    lines = text.strip().splitlines()
    first = lines[0].strip() if lines else ""
    if first.startswith(PREFIX):
        return SshKey(Secret.from_base64(first.removeprefix(PREFIX)))
    if first == _ARMOUR:
        return _read_openssh(text)
    raise KeyRejectedError(
        "ssh-key-form",
        "this is no ssh private key that is understood",
        "give ed25519:BASE64, or an OpenSSH private key file of type ed25519",
    )


def mint_ssh_key(random: Callable[[int], bytes]) -> SshKey:
    """A new key from this source of random octets."""
    return SshKey(Secret(random(PRIVATE_KEY_LENGTH)))


def _read_openssh(text: str) -> SshKey:
    try:
        key = load_ssh_private_key(text.encode(), password=None)
    # The library's word for "a passphrase is needed".
    except TypeError:
        raise KeyRejectedError(
            "ssh-key-passphrase",
            "the ssh private key file is protected by a passphrase",
            "a server cannot type: give it a key without one, made by `oakroot keygen ssh`",
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyRejectedError("ssh-key-file", "the ssh private key file is damaged") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRejectedError(
            "ssh-key-type",
            "the ssh private key is not of type ed25519",
            "make one with `oakroot keygen ssh`",
        )
    return SshKey(Secret(key.private_bytes_raw()))
