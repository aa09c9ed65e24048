"""Catalog zones (RFC 9432): zones whose records are a list of zones, written and read.

What must not live here: which zones are listed, and what follows for those who read it.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import dns.exception
import dns.name

from oakroot._engine import Zone, read_zone, wire_rdata
from oakroot.frozen import frozen

_VERSION = "2"
_NOBODY = "invalid."
"""The one name server of a catalog zone (RFC 9432 §4.1): it is not there to be asked."""
_TIMERS = "3600 600 2147483646 0"
"""Refresh, retry, expire and minimum: a list should be followed soon, and never be forgotten."""
_LABEL_LENGTH = 32
_GROUP_LIMIT = 255


class BrokenCatalogError(ValueError):
    """A zone that may not be followed as a catalog zone (RFC 9432 §5.1); the text says why."""


@frozen
class Member:
    """A zone that a catalog zone lists."""

    zone: dns.name.Name
    label: bytes
    """Its unique label: when that changes, all that is known of the zone is forgotten (RFC 9432 §5.4)."""
    groups: tuple[str, ...] = ()
    new_owner: dns.name.Name | None = None
    """The catalog zone that may take it over (RFC 9432 §4.3.1)."""


Members = Mapping[dns.name.Name, Member]

_Record = tuple[str, int, str, str]


def write_catalog(apex: str, zones: Iterable[tuple[str, str | None]], serial: int) -> Zone:
    """The catalog zone of these zones, each with the group it is in, if it is in one."""
    records = [
        _soa(apex, serial),
        (apex, 0, "NS", _NOBODY),
        (_below(apex, "version"), 0, "TXT", f'"{_VERSION}"'),
        *_records(apex, zones),
    ]
    lines = (f"{owner} {ttl} {kind} {rdata}\n" for owner, ttl, kind, rdata in records)
    zone, findings = read_zone("".join(lines).encode(), apex, apex)
    if zone is None:
        raise AssertionError(f"the catalog zone {apex} has errors: {findings[0].message}")
    return zone


def changed_catalog(
    catalog: Zone,
    gone: Iterable[tuple[str, str | None]],
    come: Iterable[tuple[str, str | None]],
    serial: int,
) -> Zone:
    """A catalog zone that `write_catalog` made, without some zones and with others."""
    apex = catalog.apex
    remove = [_soa(apex, catalog.serial), *_records(apex, gone)]
    return catalog.changed(remove, [_soa(apex, serial), *_records(apex, come)])


def unique_label(zone: str) -> str:
    """The label that stands for a zone, the same in every catalog zone and at all times."""
    return hashlib.sha256(dns.name.from_text(zone).to_digestable()).hexdigest()[:_LABEL_LENGTH]


def is_catalog(zone: Zone) -> bool:
    """Whether a zone is meant as a catalog zone: it tells a version of the schema, and has no name server.

    Then it is a list for machines, of no use to anybody who may not transfer it.
    """
    servers = [rdata for _, _, _, rdata in zone.records_of(zone.apex, "NS")]
    return servers == [_NOBODY] and bool(zone.records_of(_below(zone.apex, "version"), "TXT"))


def read_catalog(zone: Zone) -> Members:
    """The members by the names of their zones; raises BrokenCatalogError."""
    _check_version(zone)
    properties = _properties(zone)
    members: dict[dns.name.Name, Member] = {}
    for (label, prefix, kind), targets in properties.items():
        if (prefix, kind) != (b"", "PTR"):
            continue
        name = _one_name(label, targets, "zones")
        if name in members:
            raise BrokenCatalogError(f"the zone {name} is listed twice")
        owners = properties.get((label, b"coo", "PTR"), [])
        groups = properties.get((label, b"group", "TXT"), [])
        new_owner = _one_name(label, owners, "new owners") if owners else None
        members[name] = Member(name, label, tuple(map(_text, groups)), new_owner)
    return members


def _properties(zone: Zone) -> Mapping[tuple[bytes, bytes, str], list[str]]:
    """By the unique label, the label before it and the type: what is said of members."""
    depth = len(dns.name.from_text(zone.apex).labels)
    found: dict[tuple[bytes, bytes, str], list[str]] = defaultdict(list)
    for owner, _, kind, rdata in zone.records():
        labels = dns.name.from_text(owner).canonicalize().labels[:-depth]
        # Custom properties, which are deeper, are left aside (RFC 9432 §4.4).
        if labels[-1:] == (b"zones",) and len(labels) in {2, 3}:
            found[labels[-2], b"".join(labels[:-2]), kind].append(rdata)
    return found


def may_be_catalog(name: dns.name.Name) -> bool:
    """Whether a catalog zone may have this name: its name server, which is none, must not be in it."""
    return not dns.name.from_text(_NOBODY).is_subdomain(name)


def is_group(text: str) -> bool:
    """Whether this may be the name of a group: one string of characters that need no escape."""
    return 0 < len(text) <= _GROUP_LIMIT and all(
        "!" <= letter <= "~" and letter not in '"\\' for letter in text
    )


def _check_version(zone: Zone) -> None:
    records = zone.records_of(_below(zone.apex, "version"), "TXT")
    if not records:
        raise BrokenCatalogError("it tells no version of its schema")
    if len(records) > 1:
        raise BrokenCatalogError("it tells several versions of its schema")
    if _text(records[0][3]) != _VERSION:
        raise BrokenCatalogError(
            f"the version of its schema is {records[0][3]}; {_VERSION} is the one we know"
        )


def _one_name(label: bytes, targets: list[str], what: str) -> dns.name.Name:
    if len(targets) > 1:
        raise BrokenCatalogError(f"the member {label.decode('ascii', 'backslashreplace')} has several {what}")
    return dns.name.from_text(targets[0]).canonicalize()


def _text(rdata: str) -> str:
    """The strings of a TXT record as one."""
    octets, strings = wire_rdata("TXT", rdata), b""
    while octets:  # each string with its length before it (RFC 1035 section 3.3)
        end = 1 + octets[0]
        strings, octets = strings + octets[1:end], octets[end:]
    return strings.decode("utf-8", "backslashreplace")


def _soa(apex: str, serial: int) -> _Record:
    return apex, 0, "SOA", f"{_NOBODY} {_NOBODY} {serial} {_TIMERS}"


def _records(apex: str, zones: Iterable[tuple[str, str | None]]) -> Iterator[_Record]:
    for zone, group in zones:
        member = _below(apex, f"{unique_label(zone)}.zones")
        yield member, 0, "PTR", zone
        if group is not None:
            yield f"group.{member}", 0, "TXT", f'"{group}"'


def _below(apex: str, labels: str) -> str:
    return f"{labels}." if apex == "." else f"{labels}.{apex}"
