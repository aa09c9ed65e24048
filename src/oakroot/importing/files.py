"""A folder of zone files as a set-up: OctoDNS's and DNSControl's dumps, or what anybody has collected.

A file's zone is told by its name; which of several readings of a name is meant, by where the SOA stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import dns.exception
import dns.name

from oakroot._engine import find_serial
from oakroot.importing.setup import Note, Place, ReadFile, Setup, SourceZone

_PREFIXES = ("db.", "named.", "zone.", "pri.", "master.")
_SUFFIXES = (".zone", ".db", ".hosts", ".txt", ".dns", ".tidy", ".rev", ".fwd")


def read_files(folder: str, names: Iterable[str], read: ReadFile) -> Setup:
    """The zones of the files of these names in a folder; what is none becomes a note."""
    zones: list[SourceZone] = []
    notes: list[Note] = []
    for name in sorted(names):
        if name.startswith("."):
            continue
        path = f"{folder}/{name}"
        place = Place(path, 0)
        try:
            text = read(path)
        except OSError as error:
            notes.append(Note(f"left out: it cannot be read: {error.strerror or error}", place))
            continue
        apex = next((each for each in _candidates(name) if _has_soa(text, each, name)), None)
        if apex is None:
            notes.append(Note("left out: its name is none of a zone that it has the SOA of", place))
        else:
            zones.append(SourceZone(apex, path, folder, place))
    return Setup(tuple(zones), notes=tuple(notes))


def _candidates(name: str) -> Iterator[str]:
    """The zones that a file of this name may be meant for."""
    stems = [name]
    for suffix in _SUFFIXES:
        stems += [name.removesuffix(suffix)] if name.endswith(suffix) else []
    for prefix in _PREFIXES:
        stems += [stem.removeprefix(prefix) for stem in tuple(stems) if stem.startswith(prefix)]
    for stem in dict.fromkeys(reversed(stems)):
        try:
            zone = dns.name.from_text(stem).canonicalize()
        except (dns.exception.DNSException, ValueError):
            continue
        if zone != dns.name.root:
            yield zone.to_text()


def _has_soa(text: bytes, apex: str, name: str) -> bool:
    return find_serial(text, apex, name) is not None
