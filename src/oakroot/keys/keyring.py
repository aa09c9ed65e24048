"""The keys a server knows, read from the records of key files; and what is wrong with those.

Pure: the records were read by somebody else. A record that is wrong gives a problem and no key; the others
stay. Problems name the file and the line, never the text: they end in logs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal, Protocol

import dns.exception
import dns.name

from oakroot.frozen import frozen
from oakroot.keys.dnskey import read_dnskey_rdata
from oakroot.keys.grant import Grant, Operation, read_grant
from oakroot.keys.key import Key
from oakroot.keys.limits import is_nearly_limit
from oakroot.keys.names import folded
from oakroot.keys.rejected import KeyRejectedError


class KeyRecord(Protocol):
    """A record of a key file as the engine read it."""

    @property
    def owner(self) -> str:
        """The absolute name, with its final dot."""

    @property
    def type(self) -> str:
        """The mnemonic of the record type."""

    @property
    def rdata(self) -> str:
        """The RDATA as text."""

    @property
    def file(self) -> str:
        """The file it stands in."""

    @property
    def line(self) -> int:
        """Its line there, from 1."""


@frozen
class KeyProblem:
    """One thing wrong with a key file. Holds nothing of the file's text but names of good keys."""

    severity: Literal["error", "warning"]
    code: str
    message: str
    file: str
    line: int
    hint: str | None = None


@frozen
class GrantedKey:
    """A key, what its name grants, and where it is written."""

    key: Key
    grant: Grant
    file: str
    line: int


@frozen
class KeyFile:
    """What one key file gave."""

    keys: tuple[GrantedKey, ...]
    problems: tuple[KeyProblem, ...]


def read_key_file(records: Iterable[KeyRecord], zone: str | None) -> KeyFile:
    """The keys of one key file; its names must be for `zone` or below it, None: for any."""
    apex = dns.name.root if zone is None else dns.name.from_text(zone)
    keys: list[GrantedKey] = []
    problems: list[KeyProblem] = []
    for record in records:
        try:
            granted = _read_record(record, apex)
        except KeyRejectedError as error:
            problems.append(_problem("error", error, record.file, record.line))
            continue
        keys.append(granted)
        problems.extend(_doubts(granted, apex))
    return KeyFile(tuple(keys), tuple(problems))


class Keyring:
    """An immutable set of keys, one for each name."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Iterable[GrantedKey] = ()) -> None:
        """Takes the keys in the order in which they win: of several with one name the first is taken."""
        by_name: dict[tuple[bytes, ...], GrantedKey] = {}
        for granted in keys:
            by_name.setdefault(folded(granted.key.name), granted)
        self._keys: Mapping[tuple[bytes, ...], GrantedKey] = MappingProxyType(by_name)

    @property
    def keys(self) -> tuple[GrantedKey, ...]:
        """All keys."""
        return tuple(self._keys.values())

    def find(self, name: dns.name.Name) -> GrantedKey | None:
        """The key of exactly this name, in any case of letters."""
        return self._keys.get(folded(name))

    def allowing(self, operation: Operation, name: dns.name.Name) -> tuple[GrantedKey, ...]:
        """The keys that may do this at this name, without limits."""
        return tuple(granted for granted in self._keys.values() if granted.grant.allows(operation, name))

    def __len__(self) -> int:
        return len(self._keys)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Keyring) and _bare(self) == _bare(other)

    def __hash__(self) -> int:
        return hash(frozenset(self._keys))

    def __repr__(self) -> str:
        return f"<Keyring of {len(self)}>"


def gather(files: Mapping[str, KeyFile]) -> tuple[Keyring, tuple[KeyProblem, ...]]:
    """One keyring from all key files, and all their problems.

    Of several keys with one name the first wins, the file `_keys` before the others and those in the order of
    their names; what does not win is an error.
    """
    first: dict[dns.name.Name, GrantedKey] = {}
    problems: list[KeyProblem] = []
    for name in sorted(files, key=lambda file: (file != "_keys", file)):
        problems.extend(files[name].problems)
        for granted in files[name].keys:
            winner = first.setdefault(granted.key.name, granted)
            if winner is not granted:
                problems.append(_duplicate(granted, winner))
    return Keyring(first.values()), tuple(problems)


@frozen
class KeyringChange:
    """How one keyring differs from an earlier one; `changed` holds the new keys of names that stayed."""

    added: tuple[GrantedKey, ...]
    removed: tuple[GrantedKey, ...]
    changed: tuple[GrantedKey, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def difference(old: Keyring, new: Keyring) -> KeyringChange:
    """What became of the keys; that one moved to another line is no change."""
    pairs = [(old.find(granted.key.name), granted) for granted in new.keys]
    return KeyringChange(
        added=tuple(granted for earlier, granted in pairs if earlier is None),
        removed=tuple(granted for granted in old.keys if new.find(granted.key.name) is None),
        changed=tuple(
            granted for earlier, granted in pairs if earlier is not None and earlier.key != granted.key
        ),
    )


def _bare(keyring: Keyring) -> dict[dns.name.Name, Key]:
    return {granted.key.name: granted.key for granted in keyring.keys}


def _read_record(record: KeyRecord, apex: dns.name.Name) -> GrantedKey:
    if record.type.upper() != "DNSKEY":
        raise KeyRejectedError(
            "key-type",
            "a key file holds DNSKEY records only",
            "write NAME DNSKEY 0 3 ALGORITHM BASE64, and other records in the zone's file",
        )
    algorithm, secret = read_dnskey_rdata(record.rdata)
    name = _read_owner(record.owner)
    grant = read_grant(name)
    if not grant.zone.is_subdomain(apex):
        raise KeyRejectedError(
            "key-outside-zone",
            "the key is for names outside the zone of this file",
            f"this file holds keys for {apex} and names below it; the others go to a file of their own",
        )
    return GrantedKey(Key(name, algorithm, secret), grant, record.file, record.line)


def _read_owner(owner: str) -> dns.name.Name:
    try:
        return dns.name.from_text(owner)
    except (dns.exception.DNSException, ValueError):
        raise KeyRejectedError("key-name", "the key's name is no domain name") from None


def _doubts(granted: GrantedKey, apex: dns.name.Name) -> Iterable[KeyProblem]:
    """What is lawful and most likely not meant."""
    weakness = granted.key.weakness
    if weakness is not None:
        yield _warning(granted, "key-weak", weakness, "make one with `oakroot keygen tsig`")
    if granted.grant.operation is Operation.UPDATE and any(map(is_nearly_limit, _nearest_free(granted))):
        yield _warning(
            granted,
            "key-limit-doubt",
            f"the key {granted.key.name} {granted.grant.words}, not limited by the word in front of that",
            "if it is meant as a limit, write it with _ in front",
        )
    zone = granted.grant.zone
    if apex != dns.name.root and zone.relativize(apex).is_subdomain(apex.relativize(dns.name.root)):
        yield _warning(
            granted,
            "key-zone-twice",
            f"the key {granted.key.name} names the zone twice",
            "a final dot is missing behind the key's name",
        )


def _nearest_free(granted: GrantedKey) -> tuple[bytes, ...]:
    """The free label next to the operation label and its limits, if there is one."""
    granting = len(granted.grant.zone.labels) + 1 + len(granted.grant.limits.labels)
    return granted.key.name.canonicalize().labels[:-granting][-1:]


def _warning(granted: GrantedKey, code: str, message: str, hint: str) -> KeyProblem:
    return KeyProblem("warning", code, message, granted.file, granted.line, hint)


def _duplicate(granted: GrantedKey, winner: GrantedKey) -> KeyProblem:
    return KeyProblem(
        "error",
        "key-duplicate",
        f"the key {granted.key.name} is there already, in {winner.file} line {winner.line}, which counts",
        granted.file,
        granted.line,
        "remove one of them; while a key is replaced, both need names of their own",
    )


def _problem(
    severity: Literal["error", "warning"], error: KeyRejectedError, file: str, line: int
) -> KeyProblem:
    return KeyProblem(severity, error.code, error.message, file, line, error.hint)
