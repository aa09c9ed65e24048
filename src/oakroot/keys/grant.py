"""What a key's name grants: an operation on a zone and all names below it.

The name is the whole access control: `anything._OPERATION.zone`. The right-most operation label decides, so
what stands left of it is free text and cannot widen the grant. Nothing here knows secrets.

Names of transfer keys may carry addresses, `PRIMARY.SECONDARY._transfer.zone` or
`free.PRIMARY._transfer.zone`: an IPv4 address takes four labels, an IPv6 address takes one with `-` for `:`.
Labels left of them are free, so two keys may serve the same pair of servers while one replaces the other.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import dns.name

from oakroot.keys.rejected import KeyRejectedError

Address = IPv4Address | IPv6Address

_IPV4_LABELS = 4
# RFC 1123 §2.1 within RFC 952: letters, digits and inner hyphens. The expression ends in \Z: `$` lets a
# newline pass.
_HOST_LABEL = re.compile(rb"(?i)[a-z0-9]([a-z0-9-]*[a-z0-9])?\Z")
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


@dataclass(frozen=True, slots=True)
class Grant:
    """The right to do `operation`, and those it includes, at `zone` and below. The root zone is all names."""

    operation: Operation
    zone: dns.name.Name
    primary: Address | None = None
    secondary: Address | None = None

    def allows(self, operation: Operation, name: dns.name.Name) -> bool:
        """Whether the operation is granted at this name."""
        return operation <= self.operation and self.covers(name)

    def covers(self, name: dns.name.Name) -> bool:
        """Whether the name is the zone or below it."""
        return name.is_subdomain(self.zone)


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
    zone = labels[position + 1 :]
    if not all(_HOST_LABEL.match(label) for label in zone):
        raise KeyRejectedError(
            "key-zone",
            f"what follows {operation.label} in the key's name is no host name",
            f"behind {operation.label} stands the zone: letters, digits and hyphens; nothing for all zones",
        )
    primary, secondary = None, None
    if operation is Operation.TRANSFER:
        primary, secondary = _read_addresses(labels[:position])
    return Grant(operation, dns.name.Name((*zone, b"")), primary, secondary)


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
