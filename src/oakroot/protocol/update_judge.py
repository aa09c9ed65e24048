"""What an UPDATE makes of a zone (RFC 2136 §3.2 and §3.4.2): the records to remove and to add, or a denial.

Pure, and at the cost of what the update names. What must not live here: who may update, serials, and whether
the outcome is fit to be served.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import dns.rcode

from oakroot._engine import canonical_rdata
from oakroot.frozen import frozen
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
MOST_TYPES = 100
"""How many types of records an update may bring a name to: each one is looked at when the name changes."""
# A reason names them all only where somebody would read it.
_MOST_LISTED = 10


class Zone(Protocol):
    """A zone to look things up in, whether it is a version of its own or one under change."""

    @property
    def apex(self) -> str:
        """Its name."""

    def types_of(self, owner: str) -> list[str]:
        """The types of the records of a name."""

    def records_of(self, owner: str, rtype: str, /) -> list[TextRecord]:
        """The records of one RRset; empty where there is none."""


@frozen
class Change:
    """What to remove and to add. `ignored`: what RFC 2136 has a server leave out, and why, in words."""

    removed: tuple[TextRecord, ...]
    added: tuple[TextRecord, ...]
    ignored: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.removed or self.added)


def judge(update: Update, zone: Zone) -> Change | Denied:
    """The change this update makes of the zone, if its prerequisites hold."""
    draft = _Draft(zone)
    for prerequisite in update.prerequisites:
        denied = _judge_prerequisite(prerequisite, draft)
        if denied is not None:
            return denied
    for operation in update.operations:
        denied = _judge_type(operation) or _apply(draft, operation)
        if denied is not None:
            return denied
    return draft.change()


def _judge_prerequisite(  # noqa: C901 - one arm for each kind, and nothing else
    prerequisite: Prerequisite, draft: _Draft
) -> Denied | None:
    """None if it holds (§3.2)."""
    match prerequisite:
        case NameInUse(owner):
            if not draft.node(owner).types:
                return deny(dns.rcode.NXDOMAIN, f"prerequisite: {owner} has no records")
        case NameNotInUse(owner):
            if draft.node(owner).types:
                return deny(dns.rcode.YXDOMAIN, f"prerequisite: {owner} has records")
        case RrsetExists(owner, kind):
            if kind not in draft.node(owner).types:
                return deny(dns.rcode.NXRRSET, f"prerequisite: {owner} has no {kind} records")
        case RrsetAbsent(owner, kind):
            if kind in draft.node(owner).types:
                return deny(dns.rcode.YXRRSET, f"prerequisite: {owner} has {kind} records")
        case RrsetIs(owner, kind, values):
            if draft.rrset(owner, kind).before.keys() != values:
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


@dataclass(slots=True)
class _Rrset:
    """An RRset as it was (TTL and RDATA) and as it becomes (RDATA), by the canonical text of its RDATA."""

    owner: str
    type: str
    before: dict[str, tuple[int, str]]
    after: dict[str, str]
    ttl: int | None = None
    """That of all records (RFC 2181 §5.2), once one was added; until then each has the one it had."""

    def removed(self) -> Iterator[TextRecord]:
        for value, (ttl, rdata) in self.before.items():
            if value not in self.after or self.ttl not in {None, ttl}:
                yield (self.owner, ttl, self.type, rdata)

    def added(self) -> Iterator[TextRecord]:
        if self.ttl is None:
            return
        for value, rdata in self.after.items():
            if value not in self.before or self.before[value][0] != self.ttl:
                yield (self.owner, self.ttl, self.type, rdata)


@dataclass(slots=True)
class _Node:
    """A name: the types that it has by now, and those of its RRsets that were looked at."""

    types: set[str]
    rrsets: dict[str, _Rrset] = field(default_factory=dict)


class _Draft:
    """A zone under change: what was looked at, and becomes of it. The zone is asked for each thing once."""

    def __init__(self, zone: Zone) -> None:
        self.ignored: list[str] = []
        self._zone = zone
        self._apex = zone.apex.lower()
        self._nodes: dict[str, _Node] = {}

    def is_apex(self, owner: str) -> bool:
        return owner.lower() == self._apex

    def node(self, owner: str) -> _Node:
        key = owner.lower()
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = _Node(set(self._zone.types_of(owner)))
        return node

    def rrset(self, owner: str, kind: str) -> _Rrset:
        node = self.node(owner)
        rrset = node.rrsets.get(kind)
        if rrset is None:
            found = self._zone.records_of(owner, kind) if kind in node.types else []
            before = {canonical_rdata(kind, rdata): (ttl, rdata) for _, ttl, _, rdata in found}
            after = {value: rdata for value, (_, rdata) in before.items()}
            rrset = node.rrsets[kind] = _Rrset(found[0][0] if found else owner, kind, before, after)
        return rrset

    def clear(self, owner: str, kind: str) -> None:
        self.rrset(owner, kind).after.clear()
        self.node(owner).types.discard(kind)

    def change(self) -> Change:
        rrsets = [rrset for node in self._nodes.values() for rrset in node.rrsets.values()]
        return Change(
            tuple(record for rrset in rrsets for record in rrset.removed()),
            tuple(record for rrset in rrsets for record in rrset.added()),
            tuple(self.ignored),
        )


def _apply(draft: _Draft, operation: UpdateOperation) -> Denied | None:
    match operation:
        case Add():
            return _add(draft, operation)
        case DeleteName(owner):
            for kind in sorted(draft.node(owner).types):
                if not (draft.is_apex(owner) and kind in {"SOA", "NS"}):
                    draft.clear(owner, kind)
        case DeleteRrset(owner, kind):
            if draft.is_apex(owner) and kind in {"SOA", "NS"}:
                draft.ignored.append(f"the {kind} records of a zone are not deleted all at once (§3.4.2.3)")
            else:
                draft.clear(owner, kind)
        case DeleteRecord(owner, kind, rdata):
            _delete_record(draft, owner, kind, rdata)
    return None


def _add(draft: _Draft, add: Add) -> Denied | None:
    """§3.4.2.2."""
    obstacle = _obstacle(draft, add)
    if obstacle is not None:
        draft.ignored.append(f"{add.owner} {add.type} is not added: {obstacle} (§3.4.2.2)")
        return None
    types = draft.node(add.owner).types
    if add.type not in types and len(types) >= MOST_TYPES:
        return deny(dns.rcode.REFUSED, f"{add.owner} {add.type}: a name has at most {MOST_TYPES} types here")
    rrset = draft.rrset(add.owner, add.type)
    if add.type in _SINGLE_TYPES:
        rrset.after.clear()
    rrset.after.setdefault(canonical_rdata(add.type, add.rdata), add.rdata)
    rrset.ttl = add.ttl
    types.add(add.type)
    return None


def _obstacle(draft: _Draft, add: Add) -> str | None:
    """Why the record is silently left out, if it is."""
    if add.type == "SOA":
        if not draft.is_apex(add.owner):
            return "a SOA belongs to the name of the zone"
        (known,) = draft.rrset(add.owner, "SOA").after.values()
        old, new = (int(rdata.split()[_SERIAL_AT]) for rdata in (known, add.rdata))
        return None if is_forward(old, new) else f"its serial {new} is not forward of {old} (RFC 1982)"
    types = draft.node(add.owner).types
    if add.type != "CNAME":
        return "the name is an alias; its CNAME must be deleted first" if "CNAME" in types else None
    if types <= {"CNAME"}:
        return None
    others = types - {"CNAME"} if len(types) <= _MOST_LISTED else ()
    return f"the name has other records, {', '.join(sorted(others)) or f'of {len(types)} types'}"


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
        if not rrset.after:
            draft.node(owner).types.discard(kind)
