"""OctoDNS's zones in YAML, as its YamlProvider keeps them, as master files.

It needs PyYAML, and is loaded late. What providers do and DNS does not (ALIAS, pools, geo) is told.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dns.exception
import dns.name
import yaml
from yaml.constructor import ConstructorError

from oakroot._engine import read_records, read_zone
from oakroot.importing.octodns_values import ValueUnfitError, rdata_of
from oakroot.importing.setup import Note, Place, ReadFile, Setup, SourceZone, quoted
from oakroot.importing.transferred import write_master_file

DEFAULT_TTL = 3600
"""What OctoDNS gives a record that does not say."""
_SUFFIXES = (".yaml", ".yml")
_AT_PROVIDERS = ("dynamic", "geo")
_REFUSED = frozenset({"ALIAS", "URLFWD"})
_SOA = "hostmaster.{apex} 1 86400 7200 2419200 3600"
_MERGE = "tag:yaml.org,2002:merge"
_HALF = re.compile("[\ud800-\udfff]")

_Pair = tuple[yaml.Node, yaml.Node]


class _Loader(yaml.SafeLoader):
    """Refuses a name that stands there twice, for one of them would be lost, and halves of characters."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:  # noqa: ANN401 - its stub is wrong
        """With merges (`<<`) carried out as OctoDNS does: what comes later counts."""
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        pairs: dict[object, _Pair] = {}
        own: set[object] = set()
        for key, value in node.value:
            if key.tag == _MERGE:
                pairs |= {_identity(each): (each, merged) for each, merged in _merged(value)}
                continue
            identity = _identity(key)
            if identity in own:
                raise ConstructorError(None, None, f"{key.value!r} is there twice", key.start_mark)
            own.add(identity)
            pairs[identity] = key, value
        node.value = list(pairs.values())
        return node

    def construct_scalar(self, node: Any) -> str:  # noqa: ANN401 - as PyYAML has it
        text = str(super().construct_scalar(node))
        if _HALF.search(text):
            raise ConstructorError(None, None, "\\uD800 to \\uDFFF are no characters", node.start_mark)
        return text


def _identity(key: yaml.Node) -> object:
    return (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else id(key)


def _merged(value: yaml.Node) -> Iterator[_Pair]:
    """What `<<` brings: of several mappings the first counts, so it comes last."""
    for each in reversed(value.value) if isinstance(value, yaml.SequenceNode) else [value]:
        if not isinstance(each, yaml.MappingNode):
            raise ConstructorError(None, None, "<< takes a mapping, or several", each.start_mark)
        yield from each.value


@dataclass
class _Reader:
    """What has been made so far."""

    nameservers: Sequence[str]
    zones: list[SourceZone] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    texts: dict[str, bytes] = field(default_factory=dict)


def read_octodns(
    folder: str, names: Iterable[str], read: ReadFile, nameservers: Sequence[str] = ()
) -> tuple[Setup, Mapping[str, bytes]]:
    """The zones of a folder's `ZONE.yaml` files, and the text of a master file for each, by its path.

    `nameservers` are for zones whose file names none at the apex: OctoDNS leaves them to providers.
    """
    reader = _Reader(nameservers)
    for name in sorted(names):
        stem = next((name.removesuffix(suffix) for suffix in _SUFFIXES if name.endswith(suffix)), None)
        path = posixpath.join(folder, name)
        if stem is None or name.startswith("."):
            continue
        try:
            apex = dns.name.from_text(stem).canonicalize()
            content = yaml.load(read(path), _Loader)  # noqa: S506 - a SafeLoader
        except (dns.exception.DNSException, ValueError):
            reader.notes.append(Note("left out: its name is no zone's", Place(path, 0)))
        except (OSError, RecursionError) as error:
            reader.notes.append(Note(f"left out: it cannot be read: {error}", Place(path, 0)))
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = 0 if mark is None else mark.line + 1
            problem = getattr(error, "problem", None) or "it is no YAML"
            reader.notes.append(Note(f"left out: {quoted(str(problem))}", Place(path, line)))
        else:
            _zone(reader, apex, content or {}, Place(path, 0))
    return Setup(tuple(reader.zones), notes=tuple(reader.notes)), reader.texts


def _zone(reader: _Reader, apex: dns.name.Name, content: object, place: Place) -> None:
    """Adds a zone; where it has errors it is left out, and each is told."""
    if not isinstance(content, Mapping):
        reader.notes.append(Note("left out: it has no names with records", place))
        return
    lines: list[str] = []
    errors: list[str] = []
    for owner, entries in content.items():
        for entry in entries if isinstance(entries, list) else [entries]:
            what = f"{owner or '@'} {entry.get('type') if isinstance(entry, Mapping) else entry}"
            try:
                lines += _records(reader, apex, str(owner), entry, place)
            except ValueUnfitError as error:
                errors.append(f"{quoted(what)}: {error}")
    lines += _made(reader, apex, lines, place)
    text = f"$TTL {DEFAULT_TTL}\n" + "\n".join(lines) + "\n"
    zone, findings = read_zone(text.encode(), apex.to_text(), place.file)
    for finding in findings:
        if finding.severity == "error":
            written = lines[finding.line - 2] if 1 < finding.line <= len(lines) + 1 else ""
            errors.append(f"{quoted(written)}: {finding.message}" if written else finding.message)
    reader.notes += [Note(f"the zone {apex} is left out: {error}", place) for error in errors]
    # A zone with errors goes on to `write_repository`, which counts it as left out.
    reader.zones.append(SourceZone(apex.to_text(), place.file, posixpath.dirname(place.file), place))
    reader.texts[place.file] = write_master_file(zone) if zone is not None and not errors else b"; left out\n"


def _records(reader: _Reader, apex: dns.name.Name, owner: str, entry: object, place: Place) -> Iterator[str]:
    """The lines of one entry below a name; ValueUnfitError."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("type"), str):
        raise ValueUnfitError("it has no type")
    rtype, special = entry["type"].upper(), _settings(entry)
    what = f"{rtype} at {owner or '@'} of {apex}"
    if special.get("ignored"):
        reader.notes.append(Note(f"{what} is left out: OctoDNS ignores it, too", place))
        return
    if rtype in _REFUSED or "/" in rtype:
        told = f"{what} is left out: it is no record type of DNS, only the provider knew what it meant"
        reader.notes.append(Note(told, place))
        return
    for key in ("included", "excluded"):
        if key in special:
            told = f"{what} was for some providers alone ({key}); here everybody is answered it"
            reader.notes.append(Note(told, place))
    for key in _AT_PROVIDERS:
        if key in entry:
            reader.notes.append(Note(f"{what}: {key} is left behind, its plain values stay", place))
    values = entry["values"] if "values" in entry else entry.get("value")
    values = values if isinstance(values, list) else [values]
    name = _owner(owner, apex)
    ttl = entry.get("ttl", DEFAULT_TTL)
    if not isinstance(ttl, int):
        raise ValueUnfitError(f"{ttl!r} is no TTL")
    for value in values:
        yield _single(
            f"{name} {ttl} {rtype} {rdata_of(rtype, value, is_lenient=bool(special.get('lenient')))}"
        )


def _settings(entry: Mapping[str, object]) -> Mapping[str, object]:
    """What the entry says to OctoDNS itself."""
    special = entry.get("octodns") or {}
    if not isinstance(special, Mapping):
        raise ValueUnfitError(f"octodns: {special!r} has no settings by their names")
    return special


def _single(line: str) -> str:
    """This line, which is one record, or wrong in itself; ValueUnfitError when it would be more than that."""
    records, findings = read_records(line.encode(), ".", "")
    if "\n" in line or (len(records) != 1 and not findings):
        raise ValueUnfitError(f"{line!r} is not one record")
    return line


def _owner(owner: str, apex: dns.name.Name) -> str:
    try:
        return (dns.name.from_text(owner, apex) if owner else apex).to_text()
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueUnfitError(f"it is no name: {error}") from None


def _made(reader: _Reader, apex: dns.name.Name, lines: Sequence[str], place: Place) -> list[str]:
    """The SOA, and NS records where there are none: OctoDNS leaves both to its providers."""
    words = [line.split() for line in lines]
    servers = [word[3] for word in words if word[0] == apex.to_text() and word[2] == "NS"]
    made = []
    if not servers:
        servers = [dns.name.from_text(each).to_text() for each in reader.nameservers]
        made = [f"{apex} {DEFAULT_TTL} NS {each}" for each in servers]
    if not servers:
        told = f"{apex} names no name servers at its apex: give --nameserver NAME for such zones"
        reader.notes.append(Note(told, place))
        return []
    told = f"{apex} gets a SOA with serial 1: raise it above that of any secondary which is to follow"
    reader.notes.append(Note(told, place))
    return [f"{apex} {DEFAULT_TTL} SOA {servers[0]} {_SOA.format(apex=apex)}", *made]
