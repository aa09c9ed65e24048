"""What a file in the root of a zone repository is, told by its name alone.

The rule lives here and nowhere else: the name of a zone file is the zone, a name that ends in the label
`_keys` is a key file, and some names never are zones. Nothing here opens a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import dns.exception
import dns.name

from oakroot.frozen import frozen

KEY_LABEL = "_keys"
_NEVER_ZONES = ("README", "LICENSE", "CHANGELOG")
# What nearly all names are, told without the long way through a name's wire form: a start has thousands.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*")
LONGEST_PLAIN_NAME = 253


@frozen
class ZoneFile:
    """A zone file; `apex` is the zone's name in lower case, with its final dot."""

    apex: str


@frozen
class KeyFile:
    """A key file for names at or below `zone`; None: for all zones."""

    zone: str | None


@frozen
class Ignored:
    """No zone and no key file. `surprising` when its author may well have meant it to be one."""

    reason: str
    surprising: bool = False


def classify(path: str) -> ZoneFile | KeyFile | Ignored:
    """Tells what the file at this path of the repository is; never raises."""
    if (ignored := _never_a_zone(path)) is not None:
        return ignored
    if _PLAIN_NAME.fullmatch(path) and len(path) <= LONGEST_PLAIN_NAME and KEY_LABEL not in path.lower():
        return ZoneFile(f"{path.lower()}.")
    if not path.isascii():
        return Ignored(f"its name is not ASCII; {_ascii_form_hint(path)}", surprising=True)
    try:
        name = dns.name.from_text(path, origin=dns.name.root).canonicalize()
    except (dns.exception.DNSException, ValueError) as error:
        return Ignored(f"its name is no domain name: {error}", surprising=True)
    return _classify_name(name, path)


def file_name_of(zone: dns.name.Name) -> str:
    """The name that a zone's file should have; `classify` reads it back."""
    if zone == dns.name.root:
        return "@"
    return zone.canonicalize().to_text(omit_final_dot=True).replace("/", "\\047")


def plain_name(path: str) -> str:
    """A text that is equal for all spellings of a zone's name; cheap, for those who look at every file."""
    if "\\" not in path:
        return path.lower().removesuffix(".")
    kind = classify(path)
    return kind.apex.removesuffix(".") if isinstance(kind, ZoneFile) else path


def zone_file_of(paths: Iterable[str], name: dns.name.Name) -> tuple[str, str] | None:
    """(apex, path) of the zone nearest above this name, or at it; None where no file is one."""
    by_name: dict[str, str] = {}
    for path in sorted(paths):
        by_name.setdefault(plain_name(path), path)
    for depth in range(len(name.labels)):
        ancestor = name.split(len(name.labels) - depth)[1].canonicalize()
        found = by_name.get("@" if ancestor == dns.name.root else ancestor.to_text(omit_final_dot=True))
        if found is None:
            continue
        kind = classify(found)
        if isinstance(kind, ZoneFile):
            return kind.apex, found
    return None


def _never_a_zone(path: str) -> Ignored | None:
    if "/" in path:
        return Ignored("it is in a folder")
    if path.startswith("."):
        return Ignored("it is hidden")
    if path == "Makefile" or path.startswith(_NEVER_ZONES):
        return Ignored("its name says that it is about the repository")
    if path.endswith("~") and not may_hold_keys(path):
        reason = "it looks like a backup that an editor made; in the name of a zone, ~ is written \\126"
        return Ignored(reason, surprising=True)
    return None


def may_hold_keys(path: str) -> bool:
    """Whether the file at this path is a key file or looks like a copy of one, in whatever folder."""
    labels = path.rpartition("/")[2].lower().split(".")
    return any(label.startswith(KEY_LABEL) for label in labels)


def _classify_name(name: dns.name.Name, path: str) -> ZoneFile | KeyFile | Ignored:
    labels = name.labels[:-1]
    if labels and labels[-1] == KEY_LABEL.encode():
        rest = dns.name.Name((*labels[:-1], b""))
        return KeyFile(None if rest == dns.name.root else rest.to_text())
    if may_hold_keys(path):
        # An editor's backup (`_keys~`) or a copy (`example.org._keys.old`). Read as a zone, its secrets would
        # be served to the world, or quoted in diagnostics.
        return Ignored("it looks like a copy of a key file", surprising=True)
    return ZoneFile(name.to_text())


def _ascii_form_hint(path: str) -> str:
    try:
        return f"name the file {dns.name.from_text(path).to_text(omit_final_dot=True)}"
    except (dns.exception.DNSException, ValueError):
        return "write other octets as \\DDD"
