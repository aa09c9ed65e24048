"""What opens the remote and what proves it: ssh keys, host key pins, tokens, a private CA.

Notations in, values out. Every value that holds a secret hides it from `repr`. Nothing here connects
anywhere or needs a library; private keys are read in `login_key`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Protocol, cast

from oakroot.frozen import frozen
from oakroot.git.errors import InvalidSetting
from oakroot.git.remote import Remote, Transport
from oakroot.late import Part, part

SHA256_OCTETS = 32

SYSTEM_KNOWN_HOSTS = (Path("/etc/ssh/ssh_known_hosts"), Path("/etc/ssh/ssh_known_hosts2"))
USER_KNOWN_HOSTS = ("known_hosts", "known_hosts2")


class LoginKey(Protocol):
    """A private key, of whatever type OpenSSH knows, for the login on an ssh server. Its `repr` hides it."""

    @property
    def public_line(self) -> str:
        """The public key as it stands in authorized_keys."""

    @property
    def fingerprint(self) -> str:
        """SHA256:... of the public key."""

    def openssh_private(self) -> bytes:
        """The private key in OpenSSH's own format, for the ssh library. Handle as what it is."""


@frozen
class HostKeyPin:
    """The SHA-256 fingerprint the host key must have. It covers the key's type as well as the key."""

    digest: bytes

    def __str__(self) -> str:
        return _fingerprint_text(self.digest)


@frozen
class Credentials:
    """All that may be needed to reach a remote; each transport takes its part.

    Without `ssh_key`, the ssh agent and the user's own keys are tried. Without `host_key_pin`, `known_hosts`
    decides. `ca_file`, when given, replaces the system's certificate authorities.
    """

    ssh_key: LoginKey | None = None
    host_key_pin: HostKeyPin | None = None
    known_hosts: tuple[Path, ...] = ()
    token: str | None = field(default=None, repr=False)
    ca_file: Path | None = None


def load_credentials(
    *,
    ssh_key: str | None = None,
    authenticator: str | None = None,
    ca_file: str | None = None,
    environment: Mapping[str, str],
) -> Credentials:
    """Reads the settings `--ssh-key`, `--authenticator`, `--git-ca`, and the environment.

    `OAKROOT_GIT_TOKEN`, or the file `OAKROOT_GIT_TOKEN_FILE` names, is the token for https; `SSL_CERT_FILE`
    stands in for `--git-ca`; `HOME` leads to the user's known_hosts.

    Raises:
        InvalidSetting: a notation cannot be read, or a named file cannot.
    """
    home = environment.get("HOME")
    user_files = tuple(Path(home) / ".ssh" / name for name in USER_KNOWN_HOSTS) if home else ()
    authority = ca_file or environment.get("SSL_CERT_FILE") or None
    return Credentials(
        ssh_key=_login_key(ssh_key) if ssh_key else None,
        host_key_pin=parse_authenticator(authenticator) if authenticator else None,
        known_hosts=user_files + SYSTEM_KNOWN_HOSTS,
        token=_token(environment),
        ca_file=Path(authority) if authority else None,
    )


def refuse_open_token(remote: Remote, credentials: Credentials) -> None:
    """InvalidSetting where the token would travel for all to see."""
    if remote.transport is Transport.HTTP and remote.password is None and credentials.token is not None:
        raise InvalidSetting(
            f"a token is set, but {remote} would show it to everybody on the way: use https://, "
            "or unset OAKROOT_GIT_TOKEN and OAKROOT_GIT_TOKEN_FILE"
        )


def parse_authenticator(text: str) -> HostKeyPin:
    """Reads `--authenticator`: `SHA256:FP` as `ssh-keygen -l` prints it, with or without padding.

    `ed25519:FP` and `rsa:FP`, the forms of OCaml's ssh client, are taken too, and so is a public key's line.

    Raises:
        InvalidSetting: it is no SHA-256 fingerprint.
    """
    text = text.strip()
    kind, mark, data = text.partition(":")
    if mark and kind.upper() == "MD5":
        raise InvalidSetting("MD5 fingerprints prove nothing; take the one `ssh-keygen -l -E sha256` prints")
    if mark and re.fullmatch(r"(?i:sha256|ed25519|rsa|ecdsa)", kind):
        digest = _from_base64(data)
    else:
        digest = _digest_of_public_line(text.split())
    if digest is None or len(digest) != SHA256_OCTETS:
        raise InvalidSetting(
            "the authenticator is no host key fingerprint; it looks like SHA256: and 43 characters, "
            "as `ssh-keyscan HOST | ssh-keygen -l -f -` prints them"
        )
    return HostKeyPin(digest)


def fingerprint_of(public_blob: bytes) -> str:
    """SHA256:... of a public key in wire form, as OpenSSH prints it."""
    return _fingerprint_text(hashlib.sha256(public_blob).digest())


def _login_key(text: str) -> LoginKey:
    return cast("LoginKey", part(Part.LOGIN_KEY).parse_ssh_key(text))


def _digest_of_public_line(fields: list[str]) -> bytes | None:
    """`TYPE BASE64 [COMMENT]`; the blob itself begins with the type (RFC 4253, section 6.6)."""
    blob = _from_base64(fields[1]) if len(fields) > 1 else None
    if blob is None or not blob.startswith(len(fields[0]).to_bytes(4) + fields[0].encode()):
        return None
    return hashlib.sha256(blob).digest()


def _fingerprint_text(digest: bytes) -> str:
    return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")


def _from_base64(text: str) -> bytes | None:
    bare = text.strip().rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _token(environment: Mapping[str, str]) -> str | None:
    if token := environment.get("OAKROOT_GIT_TOKEN", "").strip():
        return _checked_token(token, "OAKROOT_GIT_TOKEN")
    if name := environment.get("OAKROOT_GIT_TOKEN_FILE"):
        token = read_text_file(Path(name), "the token file (OAKROOT_GIT_TOKEN_FILE)").strip()
        return _checked_token(token, f"the token in {name}")
    return None


def _checked_token(token: str, name: str) -> str:
    if not token or not token.isascii() or not token.isprintable():
        raise InvalidSetting(f"{name} is empty or not one line of printable ASCII")
    return token


def read_text_file(path: Path, what: str) -> str:
    """The content of a file that a setting names; InvalidSetting begins with `what` it is."""
    try:
        return path.expanduser().read_text("utf-8")
    except UnicodeDecodeError:
        raise InvalidSetting(f"{what} is not text") from None
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it cannot be opened"
        raise InvalidSetting(f"{what} cannot be read: {reason}") from None
