"""Whether a host key is the server's: by a pinned fingerprint, or by known_hosts. Nothing is learnt here."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import asyncssh

from oakroot.frozen import frozen
from oakroot.git.credentials import Credentials, HostKeyPin
from oakroot.git.errors import RemoteUntrusted
from oakroot.git.remote import DEFAULT_PORTS, Remote, Transport

_log = logging.getLogger(__name__)

# Strongest and most common first. SHA-1 (ssh-rsa) is left out on purpose (RFC 8332).
HOST_KEY_ALGORITHMS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
CERTIFICATE_ALGORITHMS = (
    "ssh-ed25519-cert-v01@openssh.com",
    "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ecdsa-sha2-nistp384-cert-v01@openssh.com",
    "ecdsa-sha2-nistp521-cert-v01@openssh.com",
    "rsa-sha2-512-cert-v01@openssh.com",
    "rsa-sha2-256-cert-v01@openssh.com",
)


@frozen
class HostTrust:
    """What is known about one server's host keys. Keys are compared in wire form."""

    pin: HostKeyPin | None = None
    keys: tuple[asyncssh.SSHKey, ...] = ()
    authorities: tuple[asyncssh.SSHKey, ...] = ()
    revoked: tuple[asyncssh.SSHKey, ...] = ()

    def accepts(self, key: asyncssh.SSHKey) -> bool:
        """Whether this is the server's host key. A pin overrides known_hosts altogether."""
        if self.pin is not None:
            return key.get_fingerprint("sha256") == str(self.pin)
        return among(key, self.keys) and not among(key, self.revoked)

    def accepts_authority(self, key: asyncssh.SSHKey) -> bool:
        """Whether host certificates signed with this key are to be believed."""
        return self.pin is None and among(key, self.authorities) and not among(key, self.revoked)

    def algorithms(self) -> tuple[str, ...]:
        """What to offer, best first: the kinds we know keys of, so that a server with several keys shows one.

        A pin has no kind, so everything is offered; see `with_last` for the next try.
        """
        known = {name for key in self.keys for name in _signature_names(key)}
        first = [name for name in HOST_KEY_ALGORITHMS if name in known]
        rest = [name for name in HOST_KEY_ALGORITHMS if name not in known]
        certificates = CERTIFICATE_ALGORITHMS if self.authorities else ()
        return (*certificates, *first, *rest)

    @property
    def expected(self) -> tuple[str, ...]:
        """Fingerprints that would have been accepted."""
        return (str(self.pin),) if self.pin is not None else tuple(described(key) for key in self.keys)


def with_last(algorithms: Sequence[str], key: asyncssh.SSHKey, *, authority: bool) -> tuple[str, ...]:
    """The algorithms with those last under which the server presented this key, so that it shows another.

    They stay among them: a server that finds no algorithm at all just hangs up, and one that shows the same
    key again has said that it has no other. `authority`: the key was shown as signer of a host certificate.
    """
    tried = CERTIFICATE_ALGORITHMS if authority else tuple(_signature_names(key))
    return tuple(sorted(algorithms, key=lambda name: name in tried))


def described(key: asyncssh.SSHKey) -> str:
    """Fingerprint and kind, as `ssh-keygen -l` names them."""
    return f"{key.get_fingerprint('sha256')} ({key.get_algorithm()})"


def trust_for(remote: Remote, credentials: Credentials) -> HostTrust:
    """Collects what the pin or the known_hosts files say about this server."""
    if credentials.host_key_pin is not None:
        return HostTrust(pin=credentials.host_key_pin)
    known = asyncssh.SSHKnownHosts()
    for path in credentials.known_hosts:
        _load(known, path)
    port = remote.effective_port if remote.effective_port != DEFAULT_PORTS[Transport.SSH] else None
    keys, authorities, revoked, *_x509 = known.match(remote.host, "", port)
    return HostTrust(keys=tuple(keys), authorities=tuple(authorities), revoked=tuple(revoked))


def refusal(remote: Remote, trust: HostTrust, presented: Iterable[asyncssh.SSHKey]) -> RemoteUntrusted:
    """The error for a server none of whose keys was accepted: both fingerprints, and how to mend it."""
    keys = tuple(presented)
    shown = tuple(described(key) for key in keys)
    server = f"{remote.host} port {remote.effective_port}"
    seen = " and ".join(shown)
    if any(among(key, trust.revoked) for key in keys) and trust.pin is None:
        text = f"known_hosts marks the host key of {server} as revoked: {seen}; ask whoever runs the server"
    elif not trust.expected:
        text = (
            f"the host key of {server} is unknown: expected none (known_hosts does not list it), "
            f"presented {seen}; compare that with what the server's operator publishes, "
            "then give it as --authenticator SHA256:..., or add the server to known_hosts"
        )
    else:
        text = (
            f"the host key of {server} is wrong: expected {' or '.join(trust.expected)}, presented {seen}; "
            "either somebody is in between, or the server has a new key: if its operator confirms that, "
            "give the new fingerprint as --authenticator, or mend known_hosts"
        )
    return RemoteUntrusted(text, expected=trust.expected, presented=shown)


def _load(known: asyncssh.SSHKnownHosts, path: Path) -> None:
    try:
        text = path.read_text("utf-8", "replace")
    except FileNotFoundError:
        return
    except OSError as error:
        _log.warning("%s cannot be read (%s); host keys listed there are unknown", path, error.strerror)
        return
    for number, line in enumerate(text.splitlines(), 1):
        try:
            known.load(line)
        except ValueError:
            # As OpenSSH does: one bad line must not hide the others.
            _log.warning("%s line %d is no known_hosts entry; left out", path, number)


def among(key: asyncssh.SSHKey, keys: Iterable[asyncssh.SSHKey]) -> bool:
    """Whether the key is one of these."""
    return any(key.public_data == other.public_data for other in keys)


def _signature_names(key: asyncssh.SSHKey) -> list[str]:
    return [name.decode("ascii") for name in key.sig_algorithms]
