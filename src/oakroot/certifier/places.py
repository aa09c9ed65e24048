"""Where in our zones a name's records belong, and what CAA says of it: questions to our copies alone.

What must not live here: what follows from the answers.
"""

from __future__ import annotations

from collections.abc import Iterator

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.CAA
import dns.rdtypes.ANY.TXT

from oakroot._engine import Catalogue, Zone
from oakroot.certificates.names import write_name
from oakroot.certificates.rejected import RejectedError
from oakroot.certifier.events import NameServer, Place

_ALIASES_LIMIT = 8
_CRITICAL = 128


def zone_of(catalogue: Catalogue, name: dns.name.Name) -> Zone | None:
    """The zone of ours that the name is in: the longest."""
    for ancestor in _upwards(name):
        zone = catalogue.zone(ancestor.to_text())
        if zone is not None:
            return zone
    return None


def find_place(catalogue: Catalogue, name: dns.name.Name) -> Place:
    """Where a record at this name belongs, aliases followed; raises RejectedError where we cannot put one."""
    start = name
    for _ in range(_ALIASES_LIMIT):
        zone = zone_of(catalogue, name)
        if zone is None:
            raise _unreachable(start, name, "is in none of the zones here", "transfer that zone to us, too")
        target = _alias(zone, name)
        if target is None:
            return Place(zone.apex, name.to_text())
        name = target
    raise RejectedError("alias-loop", f"{start} is an alias of an alias, and so on", "shorten the chain")


def _alias(zone: Zone, name: dns.name.Name) -> dns.name.Name | None:
    """What the name is an alias of, by a CNAME of its own or a DNAME above it; RejectedError at a delegation.

    A wildcard does not count: as soon as the record is there, the name is, and no wildcard stands for it.
    """
    apex = dns.name.from_text(zone.apex)
    for ancestor in reversed(list(_upwards(name))):
        if not ancestor.is_subdomain(apex):
            continue
        if ancestor != apex and zone.records_of(ancestor.to_text(), "NS"):
            raise _unreachable(
                name, ancestor, "is delegated to other servers", "transfer that zone to us, too"
            )
        moved = [] if ancestor == name else zone.records_of(ancestor.to_text(), "DNAME")
        if moved:
            # RFC 6672 §2.2: what stands left of the DNAME's owner stays.
            return _moved(name, ancestor, dns.name.from_text(moved[0][3]))
    aliases = zone.records_of(name.to_text(), "CNAME")
    return dns.name.from_text(aliases[0][3]).canonicalize() if aliases else None


def _moved(name: dns.name.Name, owner: dns.name.Name, target: dns.name.Name) -> dns.name.Name:
    try:
        return name.relativize(owner).derelativize(target).canonicalize()
    except dns.exception.DNSException:
        text = f"the DNAME of {write_name(owner)} makes a name of it that is too long"
        raise RejectedError("alias-length", f"{write_name(name)}: {text}") from None


def texts_at(catalogue: Catalogue, place: Place) -> tuple[str, ...]:
    """The TXT records there, the strings of each joined."""
    zone = catalogue.zone(place.zone)
    if zone is None:
        return ()
    return tuple(_text(rdata) for _, _, _, rdata in zone.records_of(place.owner, "TXT"))


def name_servers(catalogue: Catalogue, apex: str) -> tuple[NameServer, ...]:
    """Who serves a zone of ours, with the addresses that our zones know."""
    zone = catalogue.zone(apex)
    names = [] if zone is None else sorted(rdata for _, _, _, rdata in zone.records_of(apex, "NS"))
    return tuple(NameServer(name, _addresses(catalogue, name)) for name in names)


def _addresses(catalogue: Catalogue, name: str) -> tuple[str, ...]:
    zone = zone_of(catalogue, dns.name.from_text(name))
    if zone is None:
        return ()
    return tuple(rdata for kind in ("A", "AAAA") for _, _, _, rdata in zone.records_of(name, kind))


def caa_objection(
    catalogue: Catalogue, name: dns.name.Name, identities: tuple[str, ...], account: str, method: str
) -> str | None:
    """Why the authority of these names would not be allowed to issue (RFC 8659, RFC 8657); None where it is.

    Only what our own zones say is looked at; above them the authority sees for itself.
    """
    is_wildcard = name.is_wild()
    for ancestor in _upwards(name.parent() if is_wildcard else name):
        records = _caa(catalogue, ancestor)
        if records:
            return _objection(records, ancestor, identities, (account, method), is_wildcard=is_wildcard)
    return None


def _caa(catalogue: Catalogue, name: dns.name.Name) -> list[dns.rdtypes.ANY.CAA.CAA]:
    try:
        place = find_place(catalogue, name)
    except RejectedError:
        return []
    zone = catalogue.zone(place.zone)
    rdatas = [] if zone is None else zone.records_of(place.owner, "CAA")
    return [record for record in map(_read_caa, (rdata for *_, rdata in rdatas)) if record is not None]


def _read_caa(rdata: str) -> dns.rdtypes.ANY.CAA.CAA | None:
    try:
        record = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.CAA, rdata)
    except dns.exception.DNSException:
        return None
    return record if isinstance(record, dns.rdtypes.ANY.CAA.CAA) else None


def _objection(
    records: list[dns.rdtypes.ANY.CAA.CAA],
    at: dns.name.Name,
    identities: tuple[str, ...],
    ours: tuple[str, str],
    *,
    is_wildcard: bool,
) -> str | None:
    by_tag: dict[bytes, list[str]] = {}
    for record in records:
        by_tag.setdefault(record.tag.lower(), []).append(record.value.decode("ascii", "replace"))
        if record.flags & _CRITICAL and record.tag.lower() not in {b"issue", b"issuewild", b"iodef"}:
            tag = record.tag.decode("ascii", "replace")
            return f"CAA at {write_name(at)} has the critical property {tag}, which forbids all issuing"
    wild = by_tag.get(b"issuewild") if is_wildcard else None
    values = wild or by_tag.get(b"issue")
    if values is None or not identities:
        return None
    for value in values:
        issuer, parameters = _issuer(value)
        if issuer in {identity.lower() for identity in identities} and _suits(parameters, *ours):
            return None
    return (
        f"CAA at {write_name(at)} allows {' and '.join(repr(value) for value in values)}, "
        f"which is not {' or '.join(identities)} with this account and dns-01"
    )


def _issuer(value: str) -> tuple[str, dict[str, str]]:
    issuer, *rest = (part.strip() for part in value.split(";"))
    pairs = (part.partition("=") for part in rest if part)
    return issuer.lower(), {tag.strip().lower(): text.strip() for tag, _, text in pairs}


def _suits(parameters: dict[str, str], account: str, method: str) -> bool:
    """RFC 8657 §3 and §4."""
    methods = parameters.get("validationmethods")
    return parameters.get("accounturi", account) == account and (
        methods is None or method in {each.strip() for each in methods.split(",")}
    )


def _text(rdata: str) -> str:
    record = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.TXT, rdata)
    strings = record.strings if isinstance(record, dns.rdtypes.ANY.TXT.TXT) else ()
    return b"".join(strings).decode("utf-8", "replace")


def _upwards(name: dns.name.Name) -> Iterator[dns.name.Name]:
    """The name, its parent, and so on to the root."""
    while True:
        yield name
        if name == dns.name.root:
            return
        name = name.parent()


def _unreachable(start: dns.name.Name, name: dns.name.Name, what: str, hint: str) -> RejectedError:
    alias = "" if start == name else f"{write_name(start)} leads to "
    return RejectedError("place", f"{alias}{write_name(name)}, which {what}", hint)
