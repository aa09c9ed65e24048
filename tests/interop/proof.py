"""Checks that an answer proves what it denies, as a validating resolver would.

RFC 4035 §5.4 for NSEC, RFC 5155 §8 for NSEC3: an arbiter of its own for cases in which servers send
different NSEC or NSEC3 records. Signatures are not verified: all servers send those that the signing tool
made. What must not live here: which server said it.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from base64 import b32hexdecode
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from tests.interop import wire
from tests.interop.wire import Record
from tests.interop.zones import from_labels, is_at_or_below, labels

_OPT_OUT = 1


def read_types(bitmap: bytes) -> frozenset[int]:
    """The types in a type bit map (RFC 4034 §4.1.2)."""
    found: set[int] = set()
    while bitmap:
        window, length = bitmap[0], bitmap[1]
        for at, octet in enumerate(bitmap[2 : 2 + length]):
            found.update(window << 8 | at << 3 | bit for bit in range(8) if octet & 0x80 >> bit)
        bitmap = bitmap[2 + length :]
    return frozenset(found)


def sort_key(name: bytes) -> list[bytes]:
    """Orders names canonically (RFC 4034 §6.1)."""
    return labels(name)[::-1]


def lacks(types: frozenset[int], type_: int) -> bool:
    """Whether a name with these types may be said to have no `type_`, by the zone that holds this bit map."""
    if type_ in types or wire.CNAME in types:
        return False
    # At a cut the parent speaks for the DS and for nothing else (RFC 6840 §4.1).
    return type_ == wire.DS or wire.NS not in types or wire.SOA in types


def _ends_the_zone(types: frozenset[int]) -> bool:
    """Whether names below belong elsewhere, so that nothing may be concluded for them (RFC 6840 §4.1)."""
    return wire.DNAME in types or (wire.NS in types and wire.SOA not in types)


def _ancestors(name: bytes, apex: bytes) -> list[bytes]:
    """The name and what is above it, up to the apex."""
    parts = labels(name)
    return [from_labels(parts[start:]) for start in range(len(parts) - len(labels(apex)) + 1)]


def _wildcard(encloser: bytes) -> bytes:
    return b"\1*" + encloser


class Denial(ABC):
    """What the NSEC or NSEC3 records of one zone in one response prove."""

    @abstractmethod
    def denies_name(self, name: bytes) -> bool:
        """Whether neither the name nor a wildcard for it exists."""

    @abstractmethod
    def denies_type(self, name: bytes, type_: int) -> bool:
        """Whether the name exists, or a wildcard for it does, without this type."""

    @abstractmethod
    def denies_closer_match(self, name: bytes, encloser: bytes) -> bool:
        """Whether nothing nearer to `name` exists than the wildcard right below `encloser`."""

    @abstractmethod
    def denies_secure_delegation(self, cut: bytes) -> bool:
        """Whether there is no DS at the cut."""


@dataclass(frozen=True)
class NsecDenial(Denial):
    """Denial by names as they are."""

    apex: bytes
    records: tuple[tuple[bytes, bytes, frozenset[int]], ...]
    """Owner, next name, types."""

    def _matching(self, name: bytes) -> frozenset[int] | None:
        return next((types for owner, _, types in self.records if owner == name), None)

    def _covering(self, name: bytes) -> tuple[bytes, bytes] | None:
        for owner, following, types in self.records:
            after = sort_key(owner) < sort_key(name)
            before = following == self.apex or sort_key(name) < sort_key(following)
            if after and before and not (is_at_or_below(name, owner) and _ends_the_zone(types)):
                return owner, following
        return None

    def _is_empty_nonterminal(self, name: bytes) -> bool:
        covering = self._covering(name)
        return covering is not None and is_at_or_below(covering[1], name)

    def _encloser(self, name: bytes) -> bytes | None:
        """The closest encloser of a name that is shown not to exist."""
        covering = self._covering(name)
        if covering is None or is_at_or_below(covering[1], name):
            return None
        above = _ancestors(name, self.apex)[1:]
        return next((one for one in above if any(is_at_or_below(end, one) for end in covering)), None)

    def denies_name(self, name: bytes) -> bool:
        encloser = self._encloser(name)
        return encloser is not None and self._encloser(_wildcard(encloser)) == encloser

    def denies_type(self, name: bytes, type_: int) -> bool:
        return self._has_no(name, type_) or (
            (encloser := self._encloser(name)) is not None and self._has_no(_wildcard(encloser), type_)
        )

    def _has_no(self, name: bytes, type_: int) -> bool:
        types = self._matching(name)
        return self._is_empty_nonterminal(name) if types is None else lacks(types, type_)

    def denies_closer_match(self, name: bytes, encloser: bytes) -> bool:
        return self._encloser(name) == encloser

    def denies_secure_delegation(self, cut: bytes) -> bool:
        types = self._matching(cut)
        return types is not None and wire.NS in types and lacks(types, wire.DS)


@dataclass(frozen=True)
class Nsec3Denial(Denial):
    """Denial by hashed names."""

    apex: bytes
    salt: bytes
    iterations: int
    records: tuple[tuple[bytes, bytes, frozenset[int], bool], ...]
    """Owner's hash, next hash, types, opt-out."""

    def _hash(self, name: bytes) -> bytes:
        digest = hashlib.sha1(name + self.salt).digest()  # noqa: S324 - the one algorithm NSEC3 has
        for _ in range(self.iterations):
            digest = hashlib.sha1(digest + self.salt).digest()  # noqa: S324 - the same
        return digest

    def _matching(self, name: bytes) -> frozenset[int] | None:
        hashed = self._hash(name)
        return next((types for owner, _, types, _ in self.records if owner == hashed), None)

    def _covering(self, name: bytes) -> bool | None:
        """None when the name is not covered, else whether with opt-out."""
        hashed = self._hash(name)
        for owner, following, _, opt_out in self.records:
            inside = owner < hashed < following if owner < following else hashed > owner or hashed < following
            if inside:
                return opt_out
        return None

    def _encloser(self, name: bytes) -> tuple[bytes, bool] | None:
        """The closest encloser (RFC 5155 §8.3), and whether the name below it is covered with opt-out."""
        enclosers = _ancestors(name, self.apex)
        for closer, encloser in pairwise(enclosers):
            types = self._matching(encloser)
            if types is not None:
                covered = self._covering(closer)
                return None if covered is None or _ends_the_zone(types) else (encloser, covered)
        return None

    def denies_name(self, name: bytes) -> bool:
        found = self._encloser(name)
        return found is not None and self._covering(_wildcard(found[0])) is not None

    def denies_type(self, name: bytes, type_: int) -> bool:
        types = self._matching(name)
        if types is not None:
            return lacks(types, type_)
        found = self._encloser(name)
        if found is None:
            return False
        encloser, opt_out = found
        at_wildcard = self._matching(_wildcard(encloser))
        # With opt-out, insecure delegations and the empty non-terminals above them have no record (RFC 5155
        # §7.1).
        return opt_out if at_wildcard is None else lacks(at_wildcard, type_)

    def denies_closer_match(self, name: bytes, encloser: bytes) -> bool:
        closer = from_labels(labels(name)[-len(labels(encloser)) - 1 :])
        return self._covering(closer) is not None

    def denies_secure_delegation(self, cut: bytes) -> bool:
        types = self._matching(cut)
        if types is not None:
            return wire.NS in types and lacks(types, wire.DS)
        found = self._encloser(cut)
        return found is not None and found[1]


def denial_by(records: Iterable[Record], apex: bytes) -> Denial:
    """What the NSEC or NSEC3 records among these prove about the zone at `apex`; without any, nothing."""
    own = [record for record in records if is_at_or_below(record.owner, apex)]
    hashed = [_read_nsec3(record) for record in own if record.type == wire.NSEC3]
    if not hashed:
        return NsecDenial(apex, tuple(_read_nsec(record) for record in own if record.type == wire.NSEC))
    salt, iterations = hashed[0][1]
    return Nsec3Denial(apex, salt, iterations, tuple(record for record, _ in hashed))


def _read_nsec(record: Record) -> tuple[bytes, bytes, frozenset[int]]:
    end = 0
    while record.rdata[end]:
        end += 1 + record.rdata[end]
    return record.owner, record.rdata[: end + 1], read_types(record.rdata[end + 1 :])


def _read_nsec3(record: Record) -> tuple[tuple[bytes, bytes, frozenset[int], bool], tuple[bytes, int]]:
    rdata = record.rdata
    salt_end = 5 + rdata[4]
    hash_end = salt_end + 1 + rdata[salt_end]
    owner = b32hexdecode(labels(record.owner)[0].upper())
    parameters = (rdata[5:salt_end], int.from_bytes(rdata[2:4]))
    following = rdata[salt_end + 1 : hash_end]
    return (owner, following, read_types(rdata[hash_end:]), bool(rdata[1] & _OPT_OUT)), parameters
