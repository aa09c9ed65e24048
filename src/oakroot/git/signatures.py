"""Signatures of files by ssh keys, in OpenSSH's form: `ssh-keygen -Y verify` reads what is signed here.

The form is PROTOCOL.sshsig of OpenSSH. Whose key counts is said by a file of allowed signers
(ssh-keygen(1), "ALLOWED SIGNERS"), which is the reader's, never the signer's.
"""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import field

from asyncssh import KeyImportError, create_sshsig, import_private_key, validate_sshsig
from asyncssh.public_key import decode_ssh_certificate, decode_ssh_public_key
from asyncssh.sshsig import SSHAllowedSigners, import_allowed_signers

from oakroot.frozen import frozen
from oakroot.git.credentials import LoginKey, fingerprint_of
from oakroot.git.errors import GitError, InvalidSetting

_BEGIN, _END = b"-----BEGIN SSH SIGNATURE-----", b"-----END SSH SIGNATURE-----"
_MAGIC = b"SSHSIG\0\0\0\1"


class SignatureRejected(GitError):  # noqa: N818 - as in `errors`: the name says what happened
    """The signature is broken, or is not one of those that count; the message says which."""


@frozen
class Signers:
    """Who may sign, and with which keys."""

    known: SSHAllowedSigners = field(repr=False)


def read_signers(text: str) -> Signers:
    """Reads a file of allowed signers; InvalidSetting if it names nobody."""
    try:
        # The library takes an empty list for one that says nothing yet.
        return Signers(import_allowed_signers(text.strip() or "#"))
    except (KeyImportError, ValueError) as problem:
        form = "each of its lines is NAME and a public key, as `oakroot keygen ssh` prints it"
        raise InvalidSetting(f"no file of allowed signers: {problem}; {form}") from None


def sign(octets: bytes, key: LoginKey, namespace: str) -> bytes:
    """The signature of a file, for one purpose that `namespace` names."""
    return create_sshsig(import_private_key(key.openssh_private()), octets, namespace=namespace)


def check_signature(octets: bytes, signature: bytes, name: str, namespace: str, signers: Signers) -> str:
    """The fingerprint of the key with which `name` has signed the octets; SignatureRejected."""
    public, purpose = _key_and_namespace(signature)
    # The library takes any namespace that the file of signers does not forbid.
    if purpose != namespace.encode():
        raise SignatureRejected(f"the signature is for another purpose: {purpose.decode(errors='replace')!r}")
    if _is_valid(octets, signature, name, signers.known):
        return _fingerprint(public)
    fingerprint = fingerprint_of(public)
    own = f"{name} {_kind(public)} {base64.b64encode(public).decode()}".encode()
    if _is_valid(octets, signature, name, own):
        raise SignatureRejected(f"the key {fingerprint} is none of {name}'s among the signers that count")
    raise SignatureRejected(f"the signature by {fingerprint} is not of this file: one of them was changed")


def _is_valid(octets: bytes, signature: bytes, name: str, signers: bytes | SSHAllowedSigners) -> bool:
    try:
        return validate_sshsig(octets, signature, name, signers)
    except Exception:  # noqa: BLE001 - a damaged key fails in a dozen ways, and none of them is a signature
        return False


def _fingerprint(public: bytes) -> str:
    """Of the key itself: whoever has it may put it into any number of certificates."""
    try:
        key = decode_ssh_certificate(public).key
    except KeyImportError:
        key = decode_ssh_public_key(public)
    return fingerprint_of(key.public_data)


def _key_and_namespace(signature: bytes) -> tuple[bytes, bytes]:
    body = signature.strip().removeprefix(_BEGIN).removesuffix(_END)
    is_whole = len(body) == len(signature.strip()) - len(_BEGIN) - len(_END)
    try:
        octets = base64.b64decode(b"".join(body.split()), validate=True)
        magic, rest = octets[: len(_MAGIC)], octets[len(_MAGIC) :]
        public, rest = _string(rest)
        namespace, _ = _string(rest)
        _kind(public)
    except (ValueError, binascii.Error, struct.error):
        is_whole, magic, public, namespace = False, b"", b"", b""
    if not is_whole or magic != _MAGIC:
        raise SignatureRejected("the signature is broken: it is no SSH SIGNATURE, or was cut off")
    return public, namespace


def _kind(public: bytes) -> str:
    return _string(public)[0].decode("ascii")


def _string(octets: bytes) -> tuple[bytes, bytes]:
    """A string of ssh (RFC 4251, section 5), and what follows it."""
    (length,) = struct.unpack_from(">I", octets)
    if len(octets) < 4 + length:
        raise ValueError
    return octets[4 : 4 + length], octets[4 + length :]
