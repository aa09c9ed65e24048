"""Private keys of ssh in every notation of `--ssh-key`. Loaded late, since this needs cryptography.

The `ed25519:` notation itself is at home in `oakroot.keys.ssh`.
"""

from __future__ import annotations

import base64
from dataclasses import field
from pathlib import Path
from typing import cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    SSHPrivateKeyTypes,
    load_pem_private_key,
    load_ssh_private_key,
)

from oakroot.frozen import frozen
from oakroot.git.credentials import fingerprint_of, read_text_file
from oakroot.git.errors import InvalidSetting
from oakroot.keys.rejected import KeyRejectedError
from oakroot.keys.ssh import read_ssh_key

_KEY_FORMS = "give ed25519:BASE64, the path of an OpenSSH private key, or @FILE holding either"


@frozen
class PrivateKey:
    """A private key, of whatever type OpenSSH knows, for the login on an ssh server."""

    private: SSHPrivateKeyTypes = field(repr=False)

    @property
    def public_line(self) -> str:
        """The public key as it stands in authorized_keys."""
        public = self.private.public_key()
        return public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode("ascii")

    @property
    def fingerprint(self) -> str:
        """SHA256:... of the public key."""
        return fingerprint_of(base64.b64decode(self.public_line.split()[1]))

    def openssh_private(self) -> bytes:
        """The private key in OpenSSH's own format, for the ssh library. Handle as what it is."""
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())

    def __repr__(self) -> str:
        return f"PrivateKey({self.fingerprint})"


def parse_ssh_key(text: str) -> PrivateKey:
    """Reads `--ssh-key`: `ed25519:BASE64` (the raw private key), a key file's path, or `@FILE` with either.

    A key file's content is taken too: that is what a systemd credential or `OAKROOT_SSH_KEY_FILE` hands over.

    Raises:
        InvalidSetting: with the reason; the text itself is never repeated, as it may be a secret.
    """
    text = text.strip()
    if text.startswith("@"):
        content = read_text_file(Path(text[1:]), "the ssh key file")
        return _ssh_key_from_content(content, text[1:])
    kind, mark, _data = text.partition(":")
    if (mark and kind == "ed25519") or "PRIVATE KEY-----" in text:
        return _ssh_key_from_content(text, "the ssh key")
    if mark and kind == "rsa":
        raise InvalidSetting(
            "rsa:SEED keys can only be computed by the program that made the seed; "
            "make a new key with `oakroot keygen ssh`, or give an OpenSSH private key file"
        )
    content = read_text_file(
        Path(text), f"the ssh key is not ed25519:BASE64, and as a file ({_KEY_FORMS}) it"
    )
    return _ssh_key_from_content(content, text)


def _ssh_key_from_content(content: str, name: str) -> PrivateKey:
    if content.lstrip().startswith("ed25519:"):
        return _raw_ed25519(content)
    octets = content.encode("utf-8")
    load = load_ssh_private_key if "OPENSSH PRIVATE KEY" in content else load_pem_private_key
    try:
        key = PrivateKey(cast("SSHPrivateKeyTypes", load(octets, None)))
        _ = key.public_line  # other kinds of key have none
    except TypeError:
        raise InvalidSetting(
            f"{name} is protected by a passphrase; a server has nobody to ask: "
            "make a key of its own with `oakroot keygen ssh`"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidSetting(f"{name} holds no private key that ssh can use; {_KEY_FORMS}") from None
    return key


def _raw_ed25519(notation: str) -> PrivateKey:
    try:
        key = read_ssh_key(notation)
    except KeyRejectedError as error:
        hint = f"; {error.hint}" if error.hint else ""
        raise InvalidSetting(f"the ssh key cannot be used: {error.message}{hint}") from None
    return PrivateKey(Ed25519PrivateKey.from_private_bytes(key.private.reveal()))
