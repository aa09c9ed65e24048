"""What a key's name grants: an operation on a zone and all names below it.

The name is the whole access control: `anything._OPERATION.zone`. The right-most operation label decides, so
what stands left of it is free text and cannot widen the grant; left of `_update` it may narrow it (`limits`).
Nothing here knows secrets.

Names of transfer keys may carry addresses, `PRIMARY.SECONDARY._transfer.zone` or
`free.PRIMARY._transfer.zone`: an IPv4 address takes four labels, an IPv6 address takes one with `-` for `:`.
Labels left of them are free, so two keys may serve the same pair of servers while one replaces the other.
"""

from __future__ import annotations

import enum
import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import dns.name

from oakroot._engine import type_number
from oakroot.frozen import frozen
from oakroot.keys.limits import NO_LIMITS, Limits, is_like_limit, read_limits
from oakroot.keys.names import is_within
from oakroot.keys.rejected import KeyRejectedError

Address = IPv4Address | IPv6Address

_IPV4_LABELS = 4
# RFC 1123 §2.1 within RFC 952: letters, digits and inner hyphens; with a `_` in front a name as in RFC 8552.
# The expression ends in \Z: `$` lets a newline pass.
_ZONE_LABEL = re.compile(rb"(?i)_?[a-z0-9]([a-z0-9-]*[a-z0-9])?\Z")
_NUMBER = re.compile(rb"[0-9]+\Z")
_IPV6_OCTETS = re.compile(rb"(?i)[0-9a-f-]+\Z")
_IPV6_HYPHENS = 7


class Operation(enum.IntEnum):
    """What a key may do; each operation includes those of a lower number."""

    NOTIFY = 1
    TRANSFER = 2
    UPDATE = 3

    @property
    def label(self) -> str:
        """The label of a key's name that stands for this operation."""
        return f"_{self.name.lower()}"


_OPERATIONS = {operation.label.encode(): operation for operation in Operation}


@frozen
class Grant:
    """The right to do `operation`, and those it includes, at `zone` and below. The root zone is all names."""

    operation: Operation
    zone: dns.name.Name
    primary: Address | None = None
    secondary: Address | None = None
    limits: Limits = NO_LIMITS
    """What an update may change; a key with limits is for updates alone."""

    def may(self, operation: Operation) -> bool:
        """Whether the operation is granted anywhere, be it within limits."""
        if self.limits:
            return operation is Operation.UPDATE
        return operation <= self.operation

    def allows(self, operation: Operation, name: dns.name.Name, rtype: str | None = None) -> bool:
        """Whether the operation is granted at this name: for records of a type, or for all of them."""
        if not self.may(operation) or not self.covers(name):
            return False
        if not self.limits:
            return True
        number = None if rtype is None else type_number(rtype)
        return self.limits.admit_name(name, self.zone) and self.limits.admit_type(number)

    def covers(self, name: dns.name.Name) -> bool:
        """Whether the name is the zone or below it."""
        return is_within(name, self.zone)

    @property
    def words(self) -> str:
        """What is granted, such as `may update at example.org. (TXT, _acme-challenge names)`."""
        limits = f" ({self.limits})" if self.limits else ""
        return f"may {self.operation.name.lower()} at {self.zone}{limits}"


def read_grant(name: dns.name.Name) -> Grant:
    """What a key of this name grants; raises KeyRejectedError, which does not quote the name."""
    labels = name.canonicalize().labels[:-1]
    position = next((at for at in reversed(range(len(labels))) if labels[at] in _OPERATIONS), None)
    if position is None:
        raise KeyRejectedError(
            "key-operation",
            "the key's name has no operation label, so it grants nothing",
            "name it anything._update.ZONE, anything._transfer.ZONE or anything._notify.ZONE",
        )
    operation = _OPERATIONS[labels[position]]
    free, zone = labels[:position], labels[position + 1 :]
    if any(not _ZONE_LABEL.match(label) or is_like_limit(label) for label in zone):
        raise KeyRejectedError(
            "key-zone",
            f"what follows {operation.label} in the key's name is no host name",
            f"behind {operation.label} stands a name of letters, digits and hyphens; nothing for all zones",
        )
    apex = dns.name.Name((*zone, b""))
    if operation is Operation.UPDATE:
        return Grant(operation, apex, limits=read_limits(free, _OPERATIONS.__contains__))
    if any(map(is_like_limit, free)):
        raise KeyRejectedError(
            "key-limit",
            f"a limit stands left of {operation.label} in the key's name",
            "only keys for updates have limits: they stand directly left of _update",
        )
    primary, secondary = _read_addresses(free) if operation is Operation.TRANSFER else (None, None)
    return Grant(operation, apex, primary, secondary)


def _read_addresses(labels: tuple[bytes, ...]) -> tuple[Address | None, Address | None]:
    """(primary, secondary): the two addresses nearest to the operation label, or the one."""
    nearest, rest = _take_address(labels)
    if nearest is None:
        return None, None
    further, _ = _take_address(rest)
    return (nearest, None) if further is None else (further, nearest)


def _take_address(labels: tuple[bytes, ...]) -> tuple[Address | None, tuple[bytes, ...]]:
    """The address at the right end, and the labels left of it."""
    if labels and _is_like_ipv6(labels[-1]):
        return _ipv6(labels[-1]), labels[:-1]
    numbers = 0
    while numbers < min(len(labels), _IPV4_LABELS) and _NUMBER.match(labels[-1 - numbers]):
        numbers += 1
    # One number may be a free label: a year, or a count of keys.
    if numbers <= 1:
        return None, labels
    return _ipv4(labels[-numbers:]), labels[:-numbers]


def _is_like_ipv6(label: bytes) -> bool:
    """Whether the label can only be meant as an address; `dead-beef` may well be a word."""
    if not _IPV6_OCTETS.match(label):
        return False
    return b"--" in label or label.count(b"-") == _IPV6_HYPHENS


def _ipv4(labels: tuple[bytes, ...]) -> IPv4Address:
    try:
        return IPv4Address(b".".join(labels).decode())
    except AddressValueError:
        raise KeyRejectedError(
            "key-address",
            "numbers in front of _transfer in the key's name are no IPv4 address",
            "four labels from 0 to 255 make an address; if none is meant, put a word behind the numbers",
        ) from None


def _ipv6(label: bytes) -> IPv6Address:
    try:
        return IPv6Address(label.decode().replace("-", ":"))
    except AddressValueError:
        raise KeyRejectedError(
            "key-address",
            "a label in front of _transfer in the key's name is no IPv6 address",
            "write 2001:db8::53 as 2001-db8--53; if no address is meant, put a word behind it",
        ) from None
