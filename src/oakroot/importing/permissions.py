"""Keys of an old server as keys whose names say what they may do."""

from __future__ import annotations

import dns.exception
import dns.name

from oakroot.importing.setup import Note, Permission, Place, plain, quoted
from oakroot.keys.grant import read_grant
from oakroot.keys.key import Algorithm, Key
from oakroot.keys.keyfile import key_name
from oakroot.keys.rejected import KeyRejectedError
from oakroot.keys.secret import Secret


def read_source_key(name: str, algorithm: str, secret: str, place: Place) -> Key | Note:
    """A key of the old server; a note, which does not hold the secret, where it cannot be carried over."""
    known = Algorithm.named(algorithm)
    if known is None:
        return Note(
            f"the key {quoted(name)} is for {quoted(algorithm)}, which Oakroot does not use: make a new one",
            place,
        )
    try:
        return Key(key_name(name), known, Secret.from_base64("".join(secret.split())))
    except KeyRejectedError as error:
        return Note(f"the key {quoted(name)} is left out: {error.message}", place)


def granted_name(permission: Permission) -> dns.name.Name:
    """The name that grants what the old configuration granted, such as `laptop._update.example.org.`.

    Raises KeyRejectedError where no name can say it.
    """
    free = key_name(plain(permission.key)).labels[:-1]
    zone = dns.name.from_text(permission.zone)
    granting = (*permission.limits.labels, permission.operation.label.encode())
    try:
        name = dns.name.Name((*free, *granting, *zone.labels))
    except dns.exception.DNSException:
        raise KeyRejectedError("key-name", "the name that would say what it may do is too long") from None
    grant = read_grant(name)
    if (grant.limits, grant.zone) != (permission.limits, zone):
        raise KeyRejectedError("key-name", "its name reads as something else where it grants")
    return name
