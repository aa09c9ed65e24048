"""UPDATE (RFC 2136) as a value: the message read, its prerequisites and operations told apart.

What is wrong with the message itself is found here, by §3.1 to §3.4.1. What must not live here: zones, and
what becomes of them (`update_judge`).
"""

from __future__ import annotations

import functools
import re

import dns.exception
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
from dns.edns import EDECode

from oakroot._engine import canonical_rdata, read_message_records, type_number
from oakroot.frozen import frozen
from oakroot.keys.names import is_within
from oakroot.protocol.message import ExtendedError
from oakroot.protocol.wire import MalformedError, Section, read_question

# Types that no zone can hold: those for questions and for messages (RFC 6895 §3.1).
_META_TYPES = range(128, 256)
_LONGEST_TTL = 2**31 - 1
# RDATA without octets, as any type may write it (RFC 3597 §5).
_NO_OCTETS = "\\# 0"
# What is special in a label of the engine's text of a name.
_ESCAPED = re.compile(rb"\\(\d{3}|.)")
# As in `wire`: clients speak of the same few names again and again.
_NAMES_KEPT = 4096

_Record = tuple[int, str, str, int, int, str | None]
"""Section, owner, type, class, TTL, and the RDATA if there is any."""


@frozen
class NameInUse:
    """The name has a record (§2.4.4)."""

    owner: str


@frozen
class NameNotInUse:
    """The name has no record (§2.4.5)."""

    owner: str


@frozen
class RrsetExists:
    """There is such an RRset, whatever it holds (§2.4.1)."""

    owner: str
    type: str


@frozen
class RrsetAbsent:
    """There is no such RRset (§2.4.3)."""

    owner: str
    type: str


@frozen
class RrsetIs:
    """The RRset holds exactly these values, given in canonical text (§2.4.2)."""

    owner: str
    type: str
    values: frozenset[str]


Prerequisite = NameInUse | NameNotInUse | RrsetExists | RrsetAbsent | RrsetIs


@frozen
class Add:
    """Add a record, or give its RRset another TTL (§2.5.1)."""

    owner: str
    ttl: int
    type: str
    rdata: str


@frozen
class DeleteRrset:
    """Delete an RRset (§2.5.2)."""

    owner: str
    type: str


@frozen
class DeleteName:
    """Delete all records of a name (§2.5.3)."""

    owner: str


@frozen
class DeleteRecord:
    """Delete one record, whatever its TTL (§2.5.4)."""

    owner: str
    type: str
    rdata: str


UpdateOperation = Add | DeleteRrset | DeleteName | DeleteRecord


@frozen
class Update:
    """A well-formed UPDATE. `scope` is what the zone section names: a zone, or a name below one."""

    scope: dns.name.Name
    prerequisites: tuple[Prerequisite, ...]
    operations: tuple[UpdateOperation, ...]
    owners: tuple[dns.name.Name, ...] = ()
    """The names whose records the update would change, each once."""


@frozen
class Denied:
    """What an UPDATE without effect is answered, with the rule in words."""

    rcode: dns.rcode.Rcode
    reason: ExtendedError


class _DeniedError(Exception):
    """Leaves the reading of one record."""

    def __init__(self, rcode: dns.rcode.Rcode, text: str) -> None:
        super().__init__(text)
        self.denied = deny(rcode, text)


def deny(rcode: dns.rcode.Rcode, text: str) -> Denied:
    """The denial, with the extended error that goes with its rcode."""
    codes = {
        dns.rcode.REFUSED: EDECode.PROHIBITED,
        dns.rcode.NOTAUTH: EDECode.NOT_AUTHORITATIVE,
        dns.rcode.NOTZONE: EDECode.NOT_AUTHORITATIVE,
    }
    return Denied(rcode, ExtendedError(codes.get(rcode, EDECode.OTHER), text))


def read(query: bytes) -> Update | Denied:
    """Reads an UPDATE of any octets, its TSIG record taken off."""
    try:
        question = read_question(query)
        records = read_message_records(query)
    except (MalformedError, ValueError) as error:
        return deny(dns.rcode.FORMERR, str(error))
    if (question.type, question.class_) != (dns.rdatatype.SOA, dns.rdataclass.IN):
        return deny(dns.rcode.FORMERR, "the zone section names one zone, with type SOA and class IN (§3.1.1)")
    prerequisites: list[Prerequisite] = []
    operations: list[UpdateOperation] = []
    owners: dict[str, dns.name.Name] = {}
    values: dict[tuple[str, str], tuple[str, str, set[str]]] = {}
    try:
        for record in records:
            section, owner, kind, class_, _, _ = record
            if section == Section.ADDITIONAL:
                break
            name = _within(question.name, owner)
            if section == Section.AUTHORITY:
                owners.setdefault(owner, name)
                operations.append(_operation(record))
            elif class_ == dns.rdataclass.IN:
                values.setdefault((owner.lower(), kind), (owner, kind, set()))[2].add(_value(record))
            else:
                prerequisites.append(_prerequisite(record))
    except _DeniedError as error:
        return error.denied
    prerequisites += [RrsetIs(owner, kind, frozenset(found)) for owner, kind, found in values.values()]
    return Update(question.name, tuple(prerequisites), tuple(operations), tuple(owners.values()))


def _within(scope: dns.name.Name, owner: str) -> dns.name.Name:
    """The name, which must be at or below the one of the zone section."""
    try:
        name = _name(owner)
    except dns.exception.DNSException as error:
        raise _DeniedError(dns.rcode.FORMERR, f"{owner} is no name") from error
    if not is_within(name, scope):
        text = f"{owner} is not at or below {scope}, which the zone section names (§3.1.2)"
        raise _DeniedError(dns.rcode.NOTZONE, text)
    return name


@functools.lru_cache(_NAMES_KEPT)
def _name(text: str) -> dns.name.Name:
    """As `dns.name.from_text` of the engine's text; that one looks at each character in Python."""
    if text == ".":
        return dns.name.root
    # Escaped by their numbers, these two are no longer in the way of finding the borders of labels.
    plain = text.replace(r"\\", r"\092").replace(r"\.", r"\046")
    return dns.name.Name(map(_label, plain.split(".")))


@functools.lru_cache(_NAMES_KEPT)
def _label(text: str) -> bytes:
    if "\\" not in text:
        return text.encode()
    return _ESCAPED.sub(_unescaped, text.encode())


def _unescaped(escape: re.Match[bytes]) -> bytes:
    written = escape[1]
    return written if len(written) == 1 else int(written).to_bytes()


def _prerequisite(record: _Record) -> Prerequisite:
    """A prerequisite of class ANY or NONE (§3.2.1 to §3.2.4)."""
    _, owner, kind, class_, ttl, rdata = record
    what = f"the prerequisite {owner} {kind}"
    if ttl != 0 or rdata is not None:
        raise _DeniedError(dns.rcode.FORMERR, f"{what} has a TTL or data, which it must not (§3.2.5)")
    any_type = kind == "ANY"
    if not any_type:
        _check_type(kind, what)
    if class_ == dns.rdataclass.ANY:
        return NameInUse(owner) if any_type else RrsetExists(owner, kind)
    if class_ == dns.rdataclass.NONE:
        return NameNotInUse(owner) if any_type else RrsetAbsent(owner, kind)
    raise _DeniedError(dns.rcode.FORMERR, f"{what} has a class that is not IN, ANY or NONE (§3.2.5)")


def _value(record: _Record) -> str:
    """A value that an RRset must have (§3.2.3)."""
    _, owner, kind, _, ttl, rdata = record
    what = f"the prerequisite {owner} {kind}"
    if ttl != 0:
        raise _DeniedError(dns.rcode.FORMERR, f"{what} has a TTL, which must be 0 (§3.2.5)")
    _check_type(kind, what)
    return _canonical(what, kind, rdata)


def _operation(record: _Record) -> UpdateOperation:
    """One record of the update section (§3.4.1)."""
    _, owner, kind, class_, ttl, rdata = record
    what = f"the update of {owner} {kind}"
    if class_ == dns.rdataclass.IN:
        _check_type(kind, what)
        # A TTL with its highest bit set means 0 (RFC 2181 §8).
        return Add(owner, ttl if ttl <= _LONGEST_TTL else 0, kind, _canonical(what, kind, rdata, keep=True))
    if ttl != 0:
        raise _DeniedError(dns.rcode.FORMERR, f"{what} deletes with a TTL that is not 0 (§3.4.1.3)")
    if class_ == dns.rdataclass.NONE:
        _check_type(kind, what)
        return DeleteRecord(owner, kind, _canonical(what, kind, rdata, keep=True))
    if class_ != dns.rdataclass.ANY:
        raise _DeniedError(dns.rcode.FORMERR, f"{what} has a class that is not IN, ANY or NONE (§3.4.1.3)")
    if rdata is not None:
        raise _DeniedError(dns.rcode.FORMERR, f"{what} deletes a whole RRset and has data (§3.4.1.3)")
    if kind == "ANY":
        return DeleteName(owner)
    _check_type(kind, what)
    return DeleteRrset(owner, kind)


def _check_type(kind: str, what: str) -> None:
    number = type_number(kind)
    if number in _META_TYPES or number in {dns.rdatatype.TYPE0, dns.rdatatype.OPT}:
        raise _DeniedError(dns.rcode.FORMERR, f"{what} has a type that no zone can hold (§3.4.1.2)")


def _canonical(what: str, kind: str, rdata: str | None, *, keep: bool = False) -> str:
    """The value in canonical text, or as it was written; both are checked. A type may allow no octets."""
    try:
        canonical = canonical_rdata(kind, _NO_OCTETS if rdata is None else rdata)
    except ValueError as error:
        raise _DeniedError(dns.rcode.FORMERR, f"{what} has data that cannot be read: {error}") from error
    return rdata if keep and rdata is not None else canonical
