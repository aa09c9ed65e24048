"""`nsd.conf` as a set-up: which zones NSD is the primary of, and which keys may transfer them."""

from __future__ import annotations

import posixpath

from oakroot.importing.permissions import read_source_key
from oakroot.importing.setup import Note, Permission, ReadFile, Setup, SourceZone, absolute, plain, quoted
from oakroot.importing.stanzas import Item, read_stanzas
from oakroot.keys.grant import Operation
from oakroot.keys.key import Key

DEFAULT_DIRECTORY = "/etc/nsd"
_SILENT = frozenset({"server", "key", "pattern", "zone", "remote-control"})
_EVERYWHERE = frozenset({"0.0.0.0/0", "::/0", "::0/0"})


def read_nsd(path: str, read: ReadFile) -> Setup:
    """The set-up of an `nsd.conf`; raises ConfigurationError, and OSError for a file that cannot be read."""
    items = list(read_stanzas(path, read))
    directory = next((item.value("zonesdir") for item in items if item.value("zonesdir")), None)
    patterns = {name: item for item in items if item.section == "pattern" and (name := item.value("name"))}
    keys: dict[str, Key | None] = {}
    zones: list[SourceZone] = []
    permissions: dict[Permission, None] = {}
    notes: list[Note] = []
    for item in items:
        if item.section == "key":
            name = item.value("name") or ""
            key = read_source_key(name, item.value("algorithm") or "", item.value("secret") or "", item.place)
            if isinstance(key, Note):
                notes.append(key)
            keys[plain(name)] = None if isinstance(key, Note) else key
        elif item.section == "zone":
            whole = _with_patterns(item, patterns)
            zone = _zone(whole, directory or DEFAULT_DIRECTORY)
            if isinstance(zone, Note):
                notes.append(zone)
                continue
            zones.append(zone)
            for found in _grants(whole, zone.apex):
                if isinstance(found, Note):
                    notes.append(found)
                else:
                    permissions[found] = None
        elif item.section not in _SILENT:
            notes.append(Note(f"{item.section} is left behind", item.place))
    return Setup(tuple(zones), keys, tuple(permissions), tuple(notes))


def _with_patterns(item: Item, patterns: dict[str, Item], depth: int = 0) -> Item:
    """The zone with what its patterns add; what it says itself comes last, and so counts."""
    fields: dict[str, list[str]] = {}
    for name in item.values("include-pattern"):
        pattern = patterns.get(name)
        if pattern is not None and depth < len(patterns):
            for key, values in _with_patterns(pattern, patterns, depth + 1).fields.items():
                fields.setdefault(key, []).extend(values)
    for key, values in item.fields.items():
        fields.setdefault(key, []).extend(values)
    return Item(item.section, item.place, fields)


def _zone(item: Item, directory: str) -> SourceZone | Note:
    apex = absolute(item.value("name") or "")
    if item.values("request-xfr"):
        text = f"the zone {apex} is left out: it comes from another primary; `oakroot secondary` does that"
        return Note(text, item.place)
    file = item.value("zonefile")
    if file is None:
        return Note(f"the zone {apex} is left out: it has no zonefile", item.place)
    file = file.replace("%s", plain(apex) or ".")
    if "%" in file:
        return Note(f"the zone {apex} is left out: the form of its file's name, {file}", item.place)
    return SourceZone(apex, posixpath.join(directory, file), directory, item.place)


def _grants(item: Item, apex: str) -> list[Permission | Note]:
    found: list[Permission | Note] = []
    # Behind the address and the key the name of a TLS section may stand.
    rules = [
        (words[0], words[1].lower()) for rule in item.values("provide-xfr") if len(words := rule.split()) > 1
    ]
    is_closed = any(key == "blocked" and address in _EVERYWHERE for address, key in rules)
    for address, key in rules:
        what = f"provide-xfr at {apex}"
        if key == "blocked":
            text = (
                f"{what} blocks {quoted(address)}: Oakroot only grants, to keys wherever they are used from"
            )
            found.append(Note(text, item.place))
        elif key == "nokey":
            text = f"{what} grants {quoted(address)} without a key: give that peer one"
            found.append(Note(text, item.place))
        elif is_closed:
            text = f"{what} blocks everybody, the key {quoted(key)} too, which is left behind"
            found.append(Note(text, item.place))
        else:
            found.append(Permission(plain(key), Operation.TRANSFER, apex))
            if address not in _EVERYWHERE:
                text = f"{what} is for {quoted(address)}: Oakroot grants to the key, wherever it is used from"
                found.append(Note(text, item.place))
    addresses = [rule.split()[0].replace("@", ":") for rule in item.values("notify")]
    if addresses:
        flags = " ".join(f"--notify {address}" for address in addresses)
        found.append(Note(f"notify at {apex}: start the primary with {flags}", item.place))
    return found
