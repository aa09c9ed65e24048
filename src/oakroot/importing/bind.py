"""`named.conf` as a set-up: which zones named is the primary of, and which keys may do what there.

PowerDNS reads the same file for its bind backend.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from oakroot.importing.match_lists import Lists, admitted, named_lists
from oakroot.importing.named_conf import Statement, read_named_conf
from oakroot.importing.notified import SERVER_LISTS, notified, server_lists
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
    {"zone", "options", "acl", "logging", "controls", "include", "trust-anchors", *SERVER_LISTS}
)
_SIGNING = ("dnssec-policy", "inline-signing", "auto-dnssec")


_LISTS = {"allow-transfer": Operation.TRANSFER, "allow-update": Operation.UPDATE}
_QUERIES = ("allow-query", "allow-query-on")
_LEFT_BEHIND = ("allow-notify", "allow-update-forwarding")


@dataclass
class _Reader:
    """What has been read so far."""

    directory: str
    zones: list[SourceZone] = field(default_factory=list)
    keys: dict[str, Key | None] = field(default_factory=dict)
    view_keys: dict[str, dict[str, Key | None]] = field(default_factory=dict)
    permissions: dict[Permission, None] = field(default_factory=dict)
    notes: dict[Note, None] = field(default_factory=dict)
    lists: Lists = field(default_factory=dict)
    servers: Lists = field(default_factory=dict)

    def note(self, text: str, place: Place) -> None:
        """Something the operator has to know; once is enough."""
        self.notes[Note(text, place)] = None


@dataclass(frozen=True)
class _Scope:
    """A view, or all that is in none."""

    view: str | None
    zones: tuple[Statement, ...]
    defaults: tuple[tuple[Statement, str], ...]
    """Where stands what a zone does not say itself, the nearest first, and how to call it."""


@dataclass(frozen=True)
class _Granting:
    """What the keys of a list are granted, and where that list stands."""

    operation: Operation
    zone: str
    view: str | None
    where: str


def read_bind(path: str, read: ReadFile) -> Setup:
    """The set-up of a `named.conf`; raises ConfigurationError, and OSError for a file that cannot be read."""
    statements = read_named_conf(path, read)
    options = next((each for each in statements if each.name == "options"), None)
    reader = _Reader((options.value("directory") if options else None) or DEFAULT_DIRECTORY)
    reader.lists, reader.servers = named_lists(statements), server_lists(statements)
    defaults: tuple[tuple[Statement, str], ...] = ()
    if options is not None:
        defaults = ((options, "all zones"),)
        _told(reader, *defaults[0])
    for statement in statements:
        if statement.name == "key":
            _key(reader, statement, reader.keys)
        elif statement.name == "view":
            _view(reader, statement, defaults)
        elif statement.name not in _SILENT:
            reader.note(f"{quoted(' '.join(statement.words[:2]))} is left behind", statement.place)
    _scope(reader, _Scope(None, _zones_of(statements), defaults))
    permissions, notes = tuple(reader.permissions), tuple(reader.notes)
    return Setup(tuple(reader.zones), reader.keys, permissions, notes, reader.view_keys)


def _view(reader: _Reader, statement: Statement, defaults: tuple[tuple[Statement, str], ...]) -> None:
    name = statement.words[1] if len(statement.words) > 1 else "_default"
    where = f"the view {name}"
    keys = reader.view_keys.setdefault(name, {})
    for inner in statement.block or ():
        if inner.name == "key":
            _key(reader, inner, keys)
    _told(reader, statement, where)
    _scope(reader, _Scope(name, _zones_of(statement.block or ()), ((statement, where), *defaults)))
    reader.note(
        f"the view {name} becomes a repository of its own: who is answered from it is left behind",
        statement.place,
    )


def _zones_of(statements: Iterable[Statement]) -> tuple[Statement, ...]:
    return tuple(each for each in statements if each.name == "zone")


def _key(reader: _Reader, statement: Statement, keys: dict[str, Key | None]) -> None:
    name = statement.words[1] if len(statement.words) > 1 else ""
    algorithm, secret = statement.value("algorithm") or "", statement.value("secret") or ""
    key = read_source_key(name, algorithm, secret, statement.place)
    if isinstance(key, Note):
        reader.notes[key] = None
    keys[plain(name)] = None if isinstance(key, Note) else key


def _scope(reader: _Reader, scope: _Scope) -> None:
    taken = [
        (statement, apex)
        for statement in scope.zones
        if (apex := _zone(reader, statement, scope.view)) is not None
    ]
    for statement, apex in taken:
        _told(reader, statement, apex)
    _grants(reader, scope, taken)


def _zone(reader: _Reader, statement: Statement, view: str | None) -> str | None:
    """Takes a zone, and gives its apex; None where a note says why it is left out."""
    name = absolute(statement.words[1]) if len(statement.words) > 1 else "."
    kind = (statement.value("type") or "").lower()
    file = statement.value("file")
    if kind not in _PRIMARY:
        what = f"of type {kind}" if kind else "without a type"
        reader.note(
            f"the zone {name} is left out: it is {what}, and only primary zones have files to take",
            statement.place,
        )
        return None
    if file is None:
        reader.note(f"the zone {name} is left out: it has no file", statement.place)
        return None
    if (statement.value("masterfile-format") or "text").lower() != "text":
        reader.note(
            f"the zone {name} is left out: its file is not text; `named-compilezone -F text` makes one",
            statement.place,
        )
        return None
    path = posixpath.join(reader.directory, file)
    reader.zones.append(SourceZone(name, path, reader.directory, statement.place, view))
    for option in _SIGNING:
        if (statement.value(option) or "none").lower() not in {"none", "no", "off"}:
            text = f"{name} was signed by named ({option}); Oakroot serves the file: remove the DS first"
            reader.note(text, statement.place)
            break
    return name


def _grants(reader: _Reader, scope: _Scope, zones: Sequence[tuple[Statement, str]]) -> None:
    """Permissions by key; those by address are only told.

    A zone's own list replaces that of its view, which replaces that of the options. A key may do something in
    all zones only where no zone has a list of its own.
    """
    for option, operation in _LISTS.items():
        default = next(
            ((found, where) for each, where in scope.defaults if (found := each.find(option)) is not None),
            None,
        )
        if default is not None and not any(_own(each, option) for each in scope.zones):
            _grant(reader, default[0], _Granting(operation, ".", scope.view, default[1]))
        for statement, apex in zones:
            own = _own(statement, option)
            found, where = (own, apex) if own is not None else default or (None, "")
            if found is not None and found.name == option:
                _grant(reader, found, _Granting(operation, apex, scope.view, where))
    for statement, apex in zones:
        policy = statement.find("update-policy")
        if policy is not None:
            _policy(reader, policy, apex, scope.view)


def _own(zone: Statement, option: str) -> Statement | None:
    """What a zone says itself; its update-policy stands for allow-update."""
    policy = zone.find("update-policy") if option == "allow-update" else None
    return policy or zone.find(option)


def _policy(reader: _Reader, policy: Statement, zone: str, view: str | None) -> None:
    for rule in read_update_policy(policy, zone):
        if isinstance(rule, Note):
            reader.notes[rule] = None
        else:
            reader.permissions[replace(rule, apex=zone, view=view)] = None
    if policy.block is None:
        text = f"update-policy {quoted(' '.join(policy.words[1:]))} at {zone} is left behind"
        reader.note(text, policy.place)


def _grant(reader: _Reader, option: Statement, granting: _Granting) -> None:
    """Grants what a list does to keys; what it says of others is told."""
    what = f"{option.name} at {granting.where}"
    found = admitted(option.block or (), reader.lists)
    for key in found.keys:
        reader.permissions[Permission(key, granting.operation, granting.zone, view=granting.view)] = None
    for element in found.others:
        told = f"{what} has {quoted(element.text)}: Oakroot grants by key alone; give that peer a key"
        reader.note(told, element.place)
    if found.everybody is not None and granting.operation is Operation.TRANSFER:
        told = f"{what} is any: `oakroot primary --allow-unsigned-transfer` does that"
        reader.note(told, found.everybody.place)
    for key, element in found.denied.items():
        reader.note(f"{what} excepts the key {quoted(key)}, which is granted nothing by it", element.place)
    if found.exception is not None:
        told = f"{what} excepts {quoted(found.exception.text)}: from there on its keys are left behind,"
        reader.note(f"{told} since Oakroot only grants", found.exception.place)
    if len(option.words) > 1:
        demanded = quoted(" ".join(option.words[1:]))
        reader.note(f"{what} demanded {demanded}: Oakroot grants by key on every way", option.place)


def _told(reader: _Reader, statement: Statement, where: str) -> None:
    """What a zone, a view or the options say of others than keys."""
    for option in _QUERIES:
        found = statement.find(option)
        if found is not None and [each.words for each in found.block or ()] != [("any",)]:
            reader.note(f"{option} at {where} is left behind: Oakroot answers everybody", found.place)
    for option in _LEFT_BEHIND:
        found = statement.find(option)
        if found is not None:
            reader.note(f"{option} at {where} is left behind", found.place)
    found = statement.find("also-notify")
    flags = [f"--notify {each}" for each in notified(found, reader.servers)] if found else []
    if found is not None and flags:
        reader.note(f"also-notify at {where}: start the primary with {' '.join(flags)}", found.place)
