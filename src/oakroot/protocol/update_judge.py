"""What an UPDATE makes of a zone (RFC 2136 §3.2 and §3.4.2): the records to remove and to add, or a denial.

Pure, and at the cost of what the update names. What must not live here: who may update, serials, and whether
the outcome is fit to be served.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import dns.rcode

from oakroot._engine import Zone, canonical_rdata
from oakroot.protocol.update import (
    Add,
    DeleteName,
    DeleteRecord,
    DeleteRrset,
    Denied,
    NameInUse,
    NameNotInUse,
    Prerequisite,
    RrsetAbsent,
    RrsetExists,
    RrsetIs,
    Update,
    UpdateOperation,
    deny,
)
from oakroot.zones.edits import TextRecord
from oakroot.zones.serials import is_forward

# Of these a name has one record, so that a new one takes the place of the old one (§3.4.2.2; RFC 6672 §2.4).
_SINGLE_TYPES = frozenset({"CNAME", "DNAME", "SOA"})
# Made by the signer of a zone, over all of it; a zone with them is signed, and is not updated here.
_SIGNER_TYPES = frozenset({"RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "ZONEMD", "SIG", "NXT"})
# The numbers that TSIG keys have in key files, which DNSSEC does not use.
_SECRET_PREFIXES = tuple(f"0 3 {number} " for number in (157, *range(161, 166)))
_SERIAL_AT = 2


@dataclass(frozen=True, slots=True)
class Change:
    """What to remove and to add. `ignored`: what RFC 2136 has a server leave out, and why, in words."""

    removed: tuple[TextRecord, ...]
    added: tuple[TextRecord, ...]
    ignored: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.removed or self.added)


def judge(update: Update, zone: Zone) -> Change | Denied:
    """The change this update makes of the zone, if its prerequisites hold."""
    for prerequisite in update.prerequisites:
        denied = _judge_prerequisite(prerequisite, zone)
        if denied is not None:
            return denied
    draft = _Draft(zone)
    for operation in update.operations:
        denied = _judge_type(operation)
        if denied is not None:
            return denied
        _apply(draft, operation)
    return draft.change()


def _judge_prerequisite(  # noqa: C901 - one arm for each kind, and nothing else
    prerequisite: Prerequisite, zone: Zone
) -> Denied | None:
    """None if it holds (§3.2)."""
    match prerequisite:
        case NameInUse(owner):
            if not zone.types_of(owner):
                return deny(dns.rcode.NXDOMAIN, f"prerequisite: {owner} has no records")
        case NameNotInUse(owner):
            if zone.types_of(owner):
                return deny(dns.rcode.YXDOMAIN, f"prerequisite: {owner} has records")
        case RrsetExists(owner, kind):
            if not zone.records_of(owner, kind):
                return deny(dns.rcode.NXRRSET, f"prerequisite: {owner} has no {kind} records")
        case RrsetAbsent(owner, kind):
            if zone.records_of(owner, kind):
                return deny(dns.rcode.YXRRSET, f"prerequisite: {owner} has {kind} records")
        case RrsetIs(owner, kind, values):
            found = {canonical_rdata(kind, rdata) for *_, rdata in zone.records_of(owner, kind)}
            if found != values:
                text = f"prerequisite: the {kind} records of {owner} are others than these"
                return deny(dns.rcode.NXRRSET, text)
    return None


def _judge_type(operation: UpdateOperation) -> Denied | None:
    """A denial of what must not be in a zone by UPDATE at all."""
    if isinstance(operation, DeleteName):
        return None
    owner, kind = operation.owner, operation.type
    if kind in _SIGNER_TYPES:
        return deny(dns.rcode.REFUSED, f"{owner} {kind}: such records are made by the signer of a zone")
    if isinstance(operation, Add) and kind == "DNSKEY" and operation.rdata.startswith(_SECRET_PREFIXES):
        return deny(dns.rcode.REFUSED, f"{owner} {kind}: a TSIG key in a zone would be served to everybody")
    return None


# TTL and RDATA, by the canonical text of the RDATA.
_Values = dict[str, tuple[int, str]]


@dataclass(slots=True)
class _Rrset:
    """An RRset as it was, and as it becomes."""

    owner: str
    type: str
    before: _Values
    after: _Values = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.after = dict(self.before)

    def records(
        self, one: dict[str, tuple[int, str]], other: dict[str, tuple[int, str]]
    ) -> Iterator[TextRecord]:
        """The records of the one that the other does not have, or has with another TTL."""
        for value, (ttl, rdata) in one.items():
            if value not in other or other[value][0] != ttl:
                yield (self.owner, ttl, self.type, rdata)


class _Draft:
    """A zone under change: what was touched, above what it is."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.ignored: list[str] = []
        self._apex = zone.apex.lower()
        self._touched: dict[str, dict[str, _Rrset]] = {}

    def is_apex(self, owner: str) -> bool:
        return owner.lower() == self._apex

    def rrset(self, owner: str, kind: str) -> _Rrset:
        touched = self._touched.setdefault(owner.lower(), {})
        if kind not in touched:
            found = self.zone.records_of(owner, kind)
            values = {canonical_rdata(kind, rdata): (ttl, rdata) for _, ttl, _, rdata in found}
            touched[kind] = _Rrset(found[0][0] if found else owner, kind, values)
        return touched[kind]

    def types(self, owner: str) -> set[str]:
        touched = self._touched.get(owner.lower(), {})
        kept = {kind for kind in self.zone.types_of(owner) if kind not in touched}
        return kept | {kind for kind, rrset in touched.items() if rrset.after}

    def change(self) -> Change:
        rrsets = [rrset for touched in self._touched.values() for rrset in touched.values()]
        return Change(
            tuple(record for rrset in rrsets for record in rrset.records(rrset.before, rrset.after)),
            tuple(record for rrset in rrsets for record in rrset.records(rrset.after, rrset.before)),
            tuple(self.ignored),
        )


def _apply(draft: _Draft, operation: UpdateOperation) -> None:
    match operation:
        case Add():
            _add(draft, operation)
        case DeleteName(owner):
            for kind in sorted(draft.types(owner)):
                if not (draft.is_apex(owner) and kind in {"SOA", "NS"}):
                    draft.rrset(owner, kind).after.clear()
        case DeleteRrset(owner, kind):
            if draft.is_apex(owner) and kind in {"SOA", "NS"}:
                draft.ignored.append(f"the {kind} records of a zone are not deleted all at once (§3.4.2.3)")
            else:
                draft.rrset(owner, kind).after.clear()
        case DeleteRecord(owner, kind, rdata):
            _delete_record(draft, owner, kind, rdata)


def _add(draft: _Draft, add: Add) -> None:
    """§3.4.2.2."""
    obstacle = _obstacle(draft, add)
    if obstacle is not None:
        draft.ignored.append(f"{add.owner} {add.type} is not added: {obstacle} (§3.4.2.2)")
        return
    rrset = draft.rrset(add.owner, add.type)
    value = canonical_rdata(add.type, add.rdata)
    kept = {} if add.type in _SINGLE_TYPES else rrset.after
    # All records of an RRset have one TTL (RFC 2181 §5.2): that of the last one added.
    rrset.after = {known: (add.ttl, rdata) for known, (_, rdata) in kept.items()}
    rrset.after.setdefault(value, (add.ttl, add.rdata))


def _obstacle(draft: _Draft, add: Add) -> str | None:
    """Why the record is silently left out, if it is."""
    if add.type == "SOA":
        if not draft.is_apex(add.owner):
            return "a SOA belongs to the name of the zone"
        ((_, known),) = draft.rrset(add.owner, "SOA").after.values()
        old, new = (int(rdata.split()[_SERIAL_AT]) for rdata in (known, add.rdata))
        return None if is_forward(old, new) else f"its serial {new} is not forward of {old} (RFC 1982)"
    others = draft.types(add.owner) - {add.type}
    if add.type == "CNAME" and others:
        return f"the name has other records, {', '.join(sorted(others))}"
    if "CNAME" in others:
        return "the name is an alias; its CNAME must be deleted first"
    return None


def _delete_record(draft: _Draft, owner: str, kind: str, rdata: str) -> None:
    """§3.4.2.4."""
    rrset = draft.rrset(owner, kind)
    value = canonical_rdata(kind, rdata)
    if value not in rrset.after:
        return
    if draft.is_apex(owner) and kind == "SOA":
        draft.ignored.append("the SOA of a zone is not deleted (§3.4.2.4)")
    elif draft.is_apex(owner) and kind == "NS" and len(rrset.after) == 1:
        draft.ignored.append(f"the last name server {rdata} of a zone is not deleted (§3.4.2.4)")
    else:
        del rrset.after[value]
