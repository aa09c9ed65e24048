"""`knot.conf` as a set-up: which zones Knot DNS is the primary of, and which keys may do what there."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from oakroot.importing.permissions import read_source_key
from oakroot.importing.setup import Note, Permission, ReadFile, Setup, SourceZone, absolute, plain, quoted
from oakroot.importing.stanzas import Item, read_stanzas
from oakroot.keys.grant import Operation
from oakroot.keys.key import Key
from oakroot.keys.limits import NO_LIMITS, Limits, types_limit
from oakroot.keys.rejected import KeyRejectedError

DEFAULT_STORAGE = "/var/lib/knot"
_OPERATIONS = {"notify": Operation.NOTIFY, "transfer": Operation.TRANSFER, "update": Operation.UPDATE}
_MATCHES = {
    "sub-or-equal": NO_LIMITS,
    "equal": Limits(is_exact=True),
    "sub": Limits(is_below=True),
}
"""How the owner of a record is compared; that of `pattern` no key's name can say."""
_SILENT = frozenset(
    {"server", "log", "key", "acl", "remote", "remotes", "template", "zone", "control", "database"}
)


@dataclass
class _Named:
    """The stanzas that others refer to, by section and id."""

    items: Mapping[str, Mapping[str, Item]]
    keys: dict[str, Key | None] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def get(self, section: str, name: str) -> Item | None:
        return self.items.get(section, {}).get(name)

    def option(self, zone: Item, name: str) -> list[str]:
        """A zone's own values, or those of its template."""
        if name in zone.fields:
            return zone.values(name)
        template = self.get("template", zone.value("template") or "default")
        return [] if template is None else template.values(name)


def read_knot(path: str, read: ReadFile) -> Setup:
    """The set-up of a `knot.conf`; raises ConfigurationError, and OSError for a file that cannot be read."""
    items = list(read_stanzas(path, read))
    named = _Named(_by_name(items))
    for item in items:
        if item.section == "key":
            _key(named, item)
        elif item.section not in _SILENT and not item.section.startswith("mod-"):
            named.notes.append(Note(f"{item.section} is left behind", item.place))
        elif item.section.startswith("mod-"):
            named.notes.append(Note(f"the module {item.section} is left behind", item.place))
    zones: list[SourceZone] = []
    permissions: dict[Permission, None] = {}
    for item in items:
        if item.section == "zone" and item.value("domain") is not None:
            _zone(named, item, zones, permissions)
    return Setup(tuple(zones), named.keys, tuple(permissions), tuple(named.notes))


def _by_name(items: Iterable[Item]) -> dict[str, dict[str, Item]]:
    found: dict[str, dict[str, Item]] = {}
    for item in items:
        name = item.value("id")
        if name is not None:
            found.setdefault(item.section, {})[name] = item
    return found


def _key(named: _Named, item: Item) -> None:
    name = item.value("id") or ""
    key = read_source_key(name, item.value("algorithm") or "", item.value("secret") or "", item.place)
    if isinstance(key, Note):
        named.notes.append(key)
    named.keys[plain(name)] = None if isinstance(key, Note) else key


def _zone(named: _Named, item: Item, zones: list[SourceZone], permissions: dict[Permission, None]) -> None:
    apex = absolute(item.value("domain") or "")
    if named.option(item, "master"):
        text = f"the zone {apex} is left out: it comes from another primary; `oakroot secondary` does that"
        named.notes.append(Note(text, item.place))
        return
    file = (named.option(item, "file") or ["%s.zone"])[-1].replace("%s", plain(apex) or "root")
    if "%" in file:
        named.notes.append(
            Note(f"the zone {apex} is left out: the form of its file's name, {file}", item.place)
        )
        return
    storage = (named.option(item, "storage") or [DEFAULT_STORAGE])[-1]
    path = posixpath.join(storage, file)
    zones.append(SourceZone(apex, path, posixpath.dirname(path), item.place))
    if (named.option(item, "dnssec-signing") or ["off"])[-1] in {"on", "true"}:
        text = f"{apex} was signed by Knot DNS; Oakroot serves what is in the file: remove the DS first"
        named.notes.append(Note(text, item.place))
    denied: list[Permission] = []
    for name in named.option(item, "acl"):
        rule = named.get("acl", name)
        if rule is not None and (rule.value("deny") or "off") in {"on", "true"}:
            denied += _denials(named, rule, apex)
        elif rule is not None:
            _grant(named, rule, apex, denied, permissions)
    flags = " ".join(f"--notify {address}" for address in _addresses(named, named.option(item, "notify")))
    if flags:
        named.notes.append(Note(f"notify at {apex}: start the primary with {flags}", item.place))


def _denials(named: _Named, rule: Item, apex: str) -> list[Permission]:
    """What a rule may deny to those behind it; a key `*` stands for any."""
    what = f"acl {rule.value('id') or ''} at {apex} denies"
    named.notes.append(Note(f"{what}: Oakroot only grants, and leaves behind what it touches", rule.place))
    keys, is_by_address = _keys(named, rule)
    actions = rule.values("action")
    operations = [_OPERATIONS[action] for action in actions if action in _OPERATIONS]
    if not actions:
        operations = list(Operation)
    return [
        Permission(key, operation, apex)
        for key in (["*"] if is_by_address else keys)
        for operation in operations
    ]


def _keys(named: _Named, rule: Item) -> tuple[list[str], bool]:
    """The keys of a rule, those of its remotes too; whether it is for some without a key as well."""
    keys, remotes = rule.values("key"), rule.values("remote")
    found = [named.get("remote", remote) for remote in remotes]
    of_remotes = [[] if each is None else each.values("key") for each in found]
    is_by_address = not all(of_remotes) or not (keys or of_remotes)
    return [plain(key) for key in (*keys, *(key for each in of_remotes for key in each))], is_by_address


def _grant(
    named: _Named, rule: Item, apex: str, denied: Sequence[Permission], permissions: dict[Permission, None]
) -> None:
    what = f"acl {rule.value('id') or ''} at {apex}"
    keys, is_by_address = _keys(named, rule)
    if is_by_address:
        text = f"{what} grants by address: Oakroot grants by key alone; give that peer a key"
        named.notes.append(Note(text, rule.place))
    if keys and (rule.values("address") or rule.values("remote")):
        text = f"{what} is for some addresses: Oakroot grants to the key, wherever it is used from"
        named.notes.append(Note(text, rule.place))
    for key in keys:
        for permission in _granted(named, rule, key, apex):
            # A key for updates may do all that the denial names, too.
            if any(each.key in {"*", key} and each.operation <= permission.operation for each in denied):
                text = f"{what} is left behind for the key {quoted(key)}: a rule before it denies some of it"
                named.notes.append(Note(text, rule.place))
            else:
                permissions[permission] = None


def _granted(named: _Named, rule: Item, key: str, apex: str) -> Iterator[Permission]:
    """What a rule lets a key do."""
    for action in rule.values("action"):
        if action == "update":
            updates = _updates(rule, key, apex)
            if not updates:
                text = (
                    f"updates of acl {rule.value('id') or ''} at {apex}: a key's name cannot say their limits"
                )
                named.notes.append(Note(text, rule.place))
            yield from updates
        elif action in _OPERATIONS:
            yield Permission(key, _OPERATIONS[action], apex)


def _updates(rule: Item, key: str, apex: str) -> tuple[Permission, ...]:
    """What a rule lets a key update; nothing where the name of a key cannot say it."""
    match = _MATCHES.get(rule.value("update-owner-match") or "sub-or-equal")
    try:
        types = types_limit(word.lower().encode() for word in rule.values("update-type"))
    except KeyRejectedError:
        return ()
    match rule.value("update-owner") or "none":
        case "none":
            names, match = [apex], NO_LIMITS
        case "zone":
            names = [apex]
        case "key":
            names = [absolute(key)]
        case "name":
            names = [_below(name, apex) for name in rule.values("update-owner-name")]
        case _:
            names = []
    if match is None or any("*" in name for name in names):
        return ()
    limits = replace(match, only=types or None)
    return tuple(Permission(key, Operation.UPDATE, name, limits, apex) for name in names)


def _below(name: str, apex: str) -> str:
    """A name as Knot DNS reads it: without a final dot it is relative to the zone."""
    return absolute(name) if name.endswith(".") else absolute(f"{name}.{apex}")


def _addresses(named: _Named, remotes: Iterable[str]) -> list[str]:
    found = (named.get("remote", remote) for remote in remotes)
    return [
        address.replace("@", ":") for item in found if item is not None for address in item.values("address")
    ]
