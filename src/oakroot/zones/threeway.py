"""Merging records three ways: what two sides made of a common base, RRset by RRset.

No text and no layout here (`merge`). An RRset that only one side changed is taken from there. Where both did,
they may agree, or both have added records, or both removed some; all else is a conflict, for a person to
decide. A SOA is merged field by field, and its serial is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from oakroot._engine import canonical_rdata
from oakroot.frozen import frozen
from oakroot.zones.edits import TextRecord

T = TypeVar("T")
Key = tuple[str, str]
"""(owner in lower case, type)."""
RRset = tuple[TextRecord, ...]

SERIAL_AT = 2


@frozen
class Conflict:
    """An RRset that both sides changed, each in its own way; empty: it was removed, or not there."""

    key: Key
    base: RRset
    ours: RRset
    theirs: RRset


@frozen
class Outcome:
    """What is to become of our records."""

    changes: Mapping[Key, RRset]
    """RRsets to have in place of ours."""
    conflicts: tuple[Conflict, ...]


def merge_records(
    base: Sequence[TextRecord],
    ours: Sequence[TextRecord],
    theirs: Sequence[TextRecord],
    *,
    may_unite: bool = True,
) -> Outcome:
    """Merges; `may_unite`: whether both sides may have added to an RRset."""
    keys = changed_keys(base, theirs)
    versions = [rrsets(records, keys) for records in (base, ours, theirs)]
    changes: dict[Key, RRset] = {}
    conflicts = []
    for key in keys:
        old, mine, other = (version[key] for version in versions)
        merged = _merge_rrset(old, mine, other, may_unite=may_unite)
        if merged is None:
            conflicts.append(Conflict(key, old, mine, other))
        elif not same(merged, mine):
            changes[key] = merged
    return Outcome(changes, tuple(conflicts))


def key_of(record: TextRecord) -> Key:
    """Which RRset the record belongs to."""
    return record[0].lower(), record[2]


def changed_keys(old: Iterable[TextRecord], new: Iterable[TextRecord]) -> list[Key]:
    """The RRsets that are not written alike in both, in an order that depends on nothing else."""
    return sorted(set(map(key_of, set(old) ^ set(new))))


def rrsets(records: Iterable[TextRecord], keys: Iterable[Key]) -> dict[Key, RRset]:
    """These RRsets; empty where there are no records."""
    found: dict[Key, list[TextRecord]] = {key: [] for key in keys}
    for record in records:
        rrset = found.get(key_of(record))
        if rrset is not None and record not in rrset:
            rrset.append(record)
    return {key: tuple(rrset) for key, rrset in found.items()}


def same(one: Iterable[TextRecord], other: Iterable[TextRecord]) -> bool:
    """Whether both say the same, in whatever order and notation."""
    return _meaning(one) == _meaning(other)


def missing_from(records: RRset, other: RRset) -> list[TextRecord]:
    """Those of the records that `other` does not have."""
    known = _meaning(other)
    return [record for record in records if meaning_of(record) not in known]


def meaning_of(record: TextRecord) -> TextRecord:
    """The record in the one notation of all that mean the same; of a SOA without its serial."""
    owner, ttl, kind, rdata = record
    rdata = canonical_rdata(kind, rdata)
    if kind == "SOA":
        rdata = with_serial(rdata, 0)
    return owner.lower(), ttl, kind, rdata


def with_serial(rdata: str, serial: int) -> str:
    """RDATA of a SOA with another serial."""
    fields = rdata.split()
    fields[SERIAL_AT] = str(serial)
    return " ".join(fields)


def _meaning(records: Iterable[TextRecord]) -> set[TextRecord]:
    return {meaning_of(record) for record in records}


def _merge_rrset(base: RRset, ours: RRset, theirs: RRset, *, may_unite: bool) -> RRset | None:
    """None where that is for a person to decide."""
    if same(ours, theirs) or same(base, theirs):
        return ours
    if same(base, ours):
        return theirs
    if not (base and ours and theirs):
        return None
    if base[0][2] == "SOA":
        return _merge_soa(base, ours, theirs)
    return _merge_changed(base, ours, theirs, may_unite=may_unite)


def _merge_changed(base: RRset, ours: RRset, theirs: RRset, *, may_unite: bool) -> RRset | None:
    """An RRset that is on all sides, and different."""
    ttl = _merge_value(base[0][1], ours[0][1], theirs[0][1])
    if ttl is None:
        return None
    datas = [_by_data(rrset) for rrset in (base, ours, theirs)]
    merged = _merge_data(*(frozenset(data) for data in datas), may_unite=may_unite)
    if merged is None:
        return None
    known = {**datas[2], **datas[1]}
    return tuple(
        (owner, ttl, kind, rdata) for data, (owner, _, kind, rdata) in known.items() if data in merged
    )


def _by_data(rrset: RRset) -> dict[str, TextRecord]:
    return {canonical_rdata(record[2], record[3]): record for record in rrset}


def _merge_data(
    base: frozenset[str], ours: frozenset[str], theirs: frozenset[str], *, may_unite: bool
) -> frozenset[str] | None:
    if base in (ours, theirs) or ours == theirs:
        return theirs if ours == base else ours
    if may_unite and base <= ours and base <= theirs:
        return ours | theirs
    # To have removed everything is another thing than to have removed some.
    if ours <= base and theirs <= base:
        return ours & theirs or None
    return None


def _merge_soa(base: RRset, ours: RRset, theirs: RRset) -> RRset | None:
    """Field by field; the serial is ours."""
    merged = []
    fields = [(str(soa[0][1]), *canonical_rdata("SOA", soa[0][3]).split()) for soa in (base, ours, theirs)]
    for position, (old, mine, other) in enumerate(zip(*fields, strict=True)):
        value = mine if position == SERIAL_AT + 1 else _merge_value(old, mine, other)
        if value is None:
            return None
        merged.append(value)
    return ((ours[0][0], int(merged[0]), "SOA", " ".join(merged[1:])),)


def _merge_value(base: T, ours: T, theirs: T) -> T | None:
    if ours in (base, theirs):
        return theirs
    return ours if theirs == base else None
