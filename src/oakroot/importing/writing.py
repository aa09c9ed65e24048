"""The files of a zone repository for a set-up: zone files as they are, with what they include; keys renamed.

A zone file is taken over octet by octet, so that its comments and layout stay. Only where an `$INCLUDE` names
a place that the repository does not have is that one path written anew.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import dns.name

from oakroot.frozen import frozen
from oakroot.importing.narrowing import also_transferring, narrowed, widest
from oakroot.importing.permissions import granted_name
from oakroot.importing.setup import Note, Permission, ReadFile, Setup, SourceZone, quoted, read_name
from oakroot.keys.dnskey import write_dnskey
from oakroot.keys.key import Key
from oakroot.keys.rejected import KeyRejectedError
from oakroot.zones.diagnostics import Finding, errors
from oakroot.zones.filenames import ZoneFile, classify, file_name_of
from oakroot.zones.reading import read_zone_file
from oakroot.zones.tree import Tree

INCLUDED = "included"
"""The folder for what zone files include: in the root every file would be a zone."""
_INCLUDE = re.compile(rb'(?im)^(?P<head>\$INCLUDE[ \t]+)(?P<quote>"?)(?P<path>[^\s";]+)(?P=quote)')
_INCLUDE_DEPTH = 10
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


@frozen
class Imported:
    """What becomes of a set-up."""

    files: Mapping[str, bytes]
    """By path in the new repository."""
    zones: tuple[str, ...]
    keys: tuple[tuple[str, str], ...]
    """(old name, new name) of each key: their users must use the new one."""
    notes: tuple[Note, ...]
    findings: tuple[Finding, ...]
    """About zones that were left out because of errors in their files."""
    left_out: tuple[str, ...] = ()
    """Zones that should have come along and did not; notes say why."""


@dataclass
class _Repository:
    """What is written so far."""

    read: ReadFile
    files: dict[str, bytes] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    """Where an included file went, by its old path."""


def views_of(setup: Setup) -> tuple[str | None, ...]:
    """The views that have zones, each for a repository of its own; None is the one of those without views."""
    return tuple(dict.fromkeys(zone.view for zone in setup.zones))


def write_repository(setup: Setup, read: ReadFile, view: str | None = None) -> Imported:
    """The files for the zones of one view. Errors of files become notes and findings; nothing is raised."""
    repository = _Repository(read)
    zones: list[str] = []
    findings: list[Finding] = []
    wanted = [zone for zone in setup.zones if zone.view == view]
    for zone in wanted:
        problems = _add_zone(repository, zone)
        if problems is None:
            continue
        if errors(problems):
            findings += problems
            repository.notes.append(
                Note(f"the zone {zone.apex} is left out: its file has errors", zone.place)
            )
        else:
            zones.append(zone.apex)
    left_out = tuple(zone.apex for zone in wanted if zone.apex not in zones)
    keys = _add_keys(repository, setup, zones, view)
    notes = (*setup.notes, *repository.notes)
    return Imported(repository.files, tuple(zones), keys, notes, tuple(findings), left_out)


def _add_zone(repository: _Repository, zone: SourceZone) -> tuple[Finding, ...] | None:
    """Adds a zone's files if they are good; None where there is nothing to judge."""
    apex = read_name(zone.apex)
    if apex is None:
        repository.notes.append(Note(f"{quoted(zone.apex)} is left out: it is no domain name", zone.place))
        return None
    name = file_name_of(apex)
    if not isinstance(classify(name), ZoneFile):
        why = f"the zone {zone.apex} is left out: a file of that name is no zone file in a repository"
        repository.notes.append(Note(why, zone.place))
        return None
    if name in repository.files:
        repository.notes.append(Note(f"the zone {zone.apex} is there twice; the first is taken", zone.place))
        return None
    trial = replace(repository, files=dict(repository.files), places=dict(repository.places))
    text = _taken(trial, zone.file, zone.directory, 0)
    if isinstance(text, Note):
        why = f"the zone {zone.apex} is left out: {text.text}"
        repository.notes.append(Note(why, zone.place))
        return None
    trial.files[name] = text
    tree = Tree("", {path: path for path in trial.files}, trial.files.__getitem__)
    findings = read_zone_file(tree, name, zone.apex).findings
    if not errors(findings):
        repository.files, repository.places = trial.files, trial.places
    return findings


def _taken(repository: _Repository, path: str, directory: str, depth: int) -> bytes | Note:
    """The text of a file, its includes taken in; a note where it cannot be read."""
    try:
        text = repository.read(path)
    except OSError as error:
        return Note(f"{path} cannot be read: {error.strerror or error}")
    if depth > _INCLUDE_DEPTH:
        return Note(f"{path} is included too deeply")
    failures: list[Note] = []

    def include(found: re.Match[bytes]) -> bytes:
        written = found["path"].decode("utf-8", "replace")
        target = _included(repository, written, directory, depth)
        if isinstance(target, Note):
            failures.append(target)
            return found[0]
        if target == written:
            return found[0]
        return found["head"] + found["quote"] + target.encode() + found["quote"]

    text = _INCLUDE.sub(include, text)
    return failures[0] if failures else text


def _included(repository: _Repository, written: str, directory: str, depth: int) -> str | Note:
    """Where an included file is in the repository; it is taken in the first time."""
    old = posixpath.normpath(posixpath.join(directory, written))
    if old not in repository.places:
        content = _taken(repository, old, directory, depth + 1)
        if isinstance(content, Note):
            return content
        place = _place(repository, written)
        repository.places[old] = place
        repository.files[place] = content
    return repository.places[old]


def _place(repository: _Repository, written: str) -> str:
    """The path as written where that can be one in the repository, else one of the last part of its name."""
    path = posixpath.normpath(written)
    is_fit = "/" in path and not path.startswith(("/", "..", ".")) and path not in repository.files
    if is_fit:
        return path
    name = _UNSAFE.sub("-", posixpath.basename(path)) or "file"
    candidate, number = f"{INCLUDED}/{name}", 1
    while candidate in repository.files:
        number += 1
        candidate = f"{INCLUDED}/{number}-{name}"
    return candidate


def _add_keys(
    repository: _Repository, setup: Setup, zones: list[str], view: str | None
) -> tuple[tuple[str, str], ...]:
    """Writes the keys that are granted something, into the key file of the zone they are granted it in."""
    lines: dict[str, list[str]] = {}
    renamed = []
    keys = setup.keys_of(view)
    apexes = {dns.name.from_text(apex) for apex in zones}
    for permission in widest(_narrowed(repository, setup, view, keys)):
        path = _key_file(permission, apexes)
        if path is None:
            continue
        key = _renamed(keys, permission)
        if isinstance(key, Note):
            repository.notes.append(key)
            continue
        lines.setdefault(path, []).append(write_dnskey(key))
        renamed.append((permission.key, key.name.to_text()))
    for path, records in lines.items():
        repository.files[path] = "".join(f"{record}\n" for record in records).encode()
    _tell_unused(repository, setup, view)
    return tuple(renamed)


def _narrowed(
    repository: _Repository, setup: Setup, view: str | None, keys: Mapping[str, Key | None]
) -> list[Permission]:
    """The permissions of a view that do not become wider in a repository; notes tell of the others."""
    wanted = [each for each in setup.permissions if each.view == view]
    found: list[Permission] = []
    for each in narrowed(wanted, (zone.apex for zone in setup.zones if zone.view == view)):
        if isinstance(each, Note):
            repository.notes.append(each)
        else:
            found.append(each)
    names = ", ".join(map(quoted, also_transferring([each for each in found if keys.get(each.key)])))
    if names:
        repository.notes.append(
            Note(f"who may update a zone may transfer it, too; here that is new: {names}")
        )
    return found


def _key_file(permission: Permission, apexes: Collection[dns.name.Name]) -> str | None:
    """The file for keys of this permission; None where its zone did not come along."""
    zone = dns.name.from_text(permission.zone)
    if zone == dns.name.root:
        return "_keys"
    above = next((zone.split(at)[1] for at in range(len(zone), 0, -1) if zone.split(at)[1] in apexes), None)
    if above is None:
        return None
    return "_keys" if above == dns.name.root else f"{file_name_of(above)}._keys"


def _renamed(keys: Mapping[str, Key | None], permission: Permission) -> Key | Note:
    """The key under the name that says what it may do."""
    key, name = keys.get(permission.key), quoted(permission.key)
    if key is None:
        why = "was left out" if permission.key in keys else "is not defined"
        return Note(f"the key {name} is used at {permission.zone} but {why}")
    try:
        return replace(key, name=granted_name(permission))
    except KeyRejectedError as error:
        return Note(f"the key {name} is left behind at {permission.zone}: {error.message}")


def _tell_unused(repository: _Repository, setup: Setup, view: str | None) -> None:
    """Of keys for all views it counts whether any view uses them."""
    own = {} if view is None else setup.view_keys.get(view, {})
    used_here = {each.key for each in setup.permissions if each.view == view}
    used = {each.key for each in setup.permissions}
    unused = [name for name, key in own.items() if key is not None and name not in used_here]
    unused += [name for name, key in setup.keys.items() if key is not None and name not in used]
    if unused:
        text = f"keys that no zone grants anything are left behind: {', '.join(map(quoted, sorted(unused)))}"
        repository.notes.append(Note(text))
