"""Names in certificates, and the names in DNS at which their records live.

A name in a certificate is a host name, or a wildcard: a host name below one `*` (RFC 6125 §6.4.3). Nothing
here knows zones or X.509.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import dns.exception
import dns.name

from oakroot.certificates.rejected import RejectedError

_WILDCARD = b"*"
_CHALLENGE = b"_acme-challenge"
_PERSISTENT = b"_validation-persist"
_RECORDS = (b"_letsencrypt", b"_tcp")
# RFC 1123 §2.1: letters, digits and inner hyphens. `\Z`, since `$` lets a newline pass.
_HOST_LABEL = re.compile(rb"(?i)[a-z0-9]([a-z0-9-]*[a-z0-9])?\Z")


def read_name(text: str) -> dns.name.Name:
    """A name for a certificate, absolute and in lower case; raises RejectedError."""
    try:
        # Name by name and ASCII only: an international name must come in its A-label form (RFC 5280 §7.2).
        name = dns.name.from_text(text.encode("ascii"), dns.name.root).canonicalize()
    except (dns.exception.DNSException, UnicodeError):
        raise _no_name(text) from None
    labels = name.labels[:-1]
    if labels[:1] == (_WILDCARD,):
        labels = labels[1:]
    if not labels or not all(_HOST_LABEL.match(label) for label in labels):
        raise _no_name(text)
    return name


def _no_name(text: str) -> RejectedError:
    return RejectedError(
        "name",
        f"{text[:260]!r} is no name for a certificate",
        "letters, digits and hyphens between dots; a wildcard is *.HOST, an international name xn--…",
    )


def write_name(name: dns.name.Name) -> str:
    """The name as certificates and ACME write it: no final dot."""
    return name.to_text(omit_final_dot=True)


def write_names(names: Iterable[dns.name.Name]) -> str:
    """Names for a reader, in the order of DNS, so that relatives stand together."""
    return ", ".join(write_name(name) for name in sorted(names))


def is_wildcard(name: dns.name.Name) -> bool:
    """Whether the name begins with `*`."""
    return name.labels[0] == _WILDCARD


def without_wildcard(name: dns.name.Name) -> dns.name.Name:
    """The name that is proved to own this one: of `*.example.org`, `example.org` (RFC 8555 §7.1.3)."""
    return dns.name.Name(name.labels[1:]) if is_wildcard(name) else name


def records_name(host: dns.name.Name) -> dns.name.Name:
    """Where request and certificate of a host are published: `_letsencrypt._tcp.HOST`.

    A wildcard has them at the name below its `*`, where nothing else would answer for it (RFC 4592 §2.1.1).
    Raises RejectedError where no room is left for the two labels.
    """
    return _below(without_wildcard(host), *_RECORDS)


def host_of(owner: dns.name.Name) -> dns.name.Name | None:
    """The host whose records live at this name; None for any other name."""
    labels = owner.canonicalize().labels
    host = labels[len(_RECORDS) :]
    if labels[: len(_RECORDS)] != _RECORDS or not all(_HOST_LABEL.match(label) for label in host[:-1]):
        return None
    return dns.name.Name(host) if len(host) > 1 else None


def challenge_name(name: dns.name.Name) -> dns.name.Name:
    """Where dns-01 wants its TXT (RFC 8555 §8.4): the same for a wildcard and the name below it."""
    return _below(without_wildcard(name), _CHALLENGE)


def persistent_name(name: dns.name.Name) -> dns.name.Name:
    """Where dns-persist-01 wants its TXT, which stays."""
    return _below(without_wildcard(name), _PERSISTENT)


def host_of_persistent(owner: dns.name.Name) -> dns.name.Name | None:
    """The host whose permissions live at this name; None for any other name."""
    labels = owner.canonicalize().labels
    return dns.name.Name(labels[1:]) if labels[0] == _PERSISTENT and len(labels) > 1 else None


def _below(host: dns.name.Name, *labels: bytes) -> dns.name.Name:
    try:
        return dns.name.Name((*labels, *host.labels))
    except dns.exception.DNSException:
        raise RejectedError(
            "name-length",
            f"{write_name(host)} is too long to have {b'.'.join(labels).decode()} in front of it",
            "a name in DNS has at most 255 octets",
        ) from None
