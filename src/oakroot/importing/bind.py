"""`named.conf` as a set-up: which zones named is the primary of, and which keys may do what there.

PowerDNS reads the same file for its bind backend.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field

from oakroot.importing.named_conf import Statement, read_named_conf
from oakroot.importing.permissions import read_source_key
from oakroot.importing.setup import (
    Note,
    Permission,
    Place,
    ReadFile,
    Setup,
    SourceZone,
    absolute,
    plain,
    quoted,
)
from oakroot.importing.update_policy import read_update_policy
from oakroot.keys.grant import Operation
from oakroot.keys.key import Key

DEFAULT_DIRECTORY = "/var/cache/bind"
_PRIMARY = frozenset({"master", "primary", "native"})
"""The last is PowerDNS's word for a zone whose secondaries are fed by other means."""
_SILENT = frozenset(
    {"key", "zone", "view", "options", "acl", "logging", "controls", "include", "trust-anchors"}
)
_SIGNING = ("dnssec-policy", "inline-signing", "auto-dnssec")


@dataclass
class _Reader:
    """What has been read so far."""

    directory: str
    zones: list[SourceZone] = field(default_factory=list)
    keys: dict[str, Key] = field(default_factory=dict)
    permissions: dict[Permission, None] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def note(self, text: str, place: Place) -> None:
        """Something the operator has to know."""
        self.notes.append(Note(text, place))


def read_bind(path: str, read: ReadFile) -> Setup:
    """The set-up of a `named.conf`; raises ConfigurationError, and OSError for a file that cannot be read."""
    statements = read_named_conf(path, read)
    options = next((each for each in statements if each.name == "options"), None)
    reader = _Reader((options.value("directory") if options else None) or DEFAULT_DIRECTORY)
    for statement in statements:
        if statement.name == "key":
            _key(reader, statement)
    if options is not None:
        _grants(reader, options, ".", "all zones")
        _notified(reader, options, "all zones")
    for statement in statements:
        _top(reader, statement)
    return Setup(tuple(reader.zones), reader.keys, tuple(reader.permissions), tuple(reader.notes))


def _top(reader: _Reader, statement: Statement) -> None:
    if statement.name == "zone":
        _zone(reader, statement, None)
    elif statement.name == "view" and statement.block is not None:
        name = statement.words[1] if len(statement.words) > 1 else "_default"
        for inner in statement.block:
            if inner.name == "zone":
                _zone(reader, inner, name)
            elif inner.name == "key":
                _key(reader, inner)
        reader.note(
            f"the view {name} becomes a repository of its own: who is answered from it is left behind",
            statement.place,
        )
    elif statement.name not in _SILENT:
        reader.note(f"{quoted(' '.join(statement.words[:2]))} is left behind", statement.place)


def _key(reader: _Reader, statement: Statement) -> None:
    name = statement.words[1] if len(statement.words) > 1 else ""
    algorithm, secret = statement.value("algorithm") or "", statement.value("secret") or ""
    key = read_source_key(name, algorithm, secret, statement.place)
    if isinstance(key, Note):
        reader.notes.append(key)
    else:
        reader.keys[plain(name)] = key


def _zone(reader: _Reader, statement: Statement, view: str | None) -> None:
    name = absolute(statement.words[1]) if len(statement.words) > 1 else "."
    kind = (statement.value("type") or "").lower()
    file = statement.value("file")
    if kind not in _PRIMARY:
        what = f"of type {kind}" if kind else "without a type"
        reader.note(
            f"the zone {name} is left out: it is {what}, and only primary zones have files to take",
            statement.place,
        )
        return
    if file is None:
        reader.note(f"the zone {name} is left out: it has no file", statement.place)
        return
    if (statement.value("masterfile-format") or "text").lower() != "text":
        reader.note(
            f"the zone {name} is left out: its file is not text; `named-compilezone -F text` makes one",
            statement.place,
        )
        return
    path = posixpath.join(reader.directory, file)
    reader.zones.append(SourceZone(name, path, reader.directory, statement.place, view))
    for option in _SIGNING:
        if (statement.value(option) or "none").lower() not in {"none", "no", "off"}:
            text = f"{name} was signed by named ({option}); Oakroot serves the file: remove the DS first"
            reader.note(text, statement.place)
            break
    _grants(reader, statement, name, name)
    _notified(reader, statement, name)


def _grants(reader: _Reader, statement: Statement, zone: str, where: str) -> None:
    """Permissions by key; those by address are only told."""
    for option, operation in (("allow-transfer", Operation.TRANSFER), ("allow-update", Operation.UPDATE)):
        found = statement.find(option)
        for entry in (found.block if found is not None else None) or ():
            _grant(reader, entry, operation, zone, f"{option} at {where}")
    policy = statement.find("update-policy")
    if policy is not None:
        for rule in read_update_policy(policy, zone):
            if isinstance(rule, Note):
                reader.notes.append(rule)
            else:
                reader.permissions[rule] = None
        if policy.block is None:
            reader.note(
                f"update-policy {quoted(' '.join(policy.words[1:]))} at {where} is left behind", policy.place
            )


def _grant(reader: _Reader, entry: Statement, operation: Operation, zone: str, what: str) -> None:
    words = [word.lower() for word in entry.words]
    if words[:1] == ["key"] and len(words) > 1:
        reader.permissions[Permission(plain(words[1]), operation, zone)] = None
    elif words == ["any"] and operation is Operation.TRANSFER:
        reader.note(f"{what} is any: `oakroot primary --allow-unsigned-transfer` does that", entry.place)
    elif words not in ([], ["none"]):
        told = quoted(" ".join(entry.words)) or "a list"
        reader.note(f"{what} has {told}: Oakroot grants by key alone; give that peer a key", entry.place)


def _notified(reader: _Reader, statement: Statement, where: str) -> None:
    found = statement.find("also-notify")
    addresses = list(_words(found)) if found is not None else []
    if found is not None and addresses:
        flags = " ".join(f"--notify {address}" for address in addresses)
        reader.note(f"also-notify at {where}: start the primary with {flags}", found.place)


def _words(statement: Statement) -> Iterator[str]:
    for entry in statement.block or ():
        yield entry.words[0]
