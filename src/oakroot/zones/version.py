"""One version of one file of the repository as text and as records, for those who merge such files.

Files it includes are left out: they are files of their own. What must not live here: a second version.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from oakroot._engine import Document, Record, find_serial, read_records, read_zone
from oakroot.frozen import frozen
from oakroot.zones.diagnostics import visible
from oakroot.zones.edits import TextRecord
from oakroot.zones.filenames import Ignored, KeyFile, ZoneFile, classify
from oakroot.zones.parts import Setting
from oakroot.zones.threeway import Key, RRset, missing_from, rrsets, same, with_serial

# Whoever raises the serial of a zone with these breaks a signature or a digest.
_SEALS = frozenset({"RRSIG", "ZONEMD"})

# Strings and escapes are stepped over: a semicolon in them begins no comment.
_COMMENT = re.compile(rb'"(?:\\.|[^"\\])*"|\\.|;([^\r\n]*)', re.DOTALL)

_INCLUDE = re.compile(rb"^\$INCLUDE[ \t]([^;\r\n]*)", re.IGNORECASE | re.MULTILINE)


class UnreadableError(Exception):
    """The text has errors, or must not be edited; the words tell which."""


@frozen
class Subject:
    """What the file at a path is, and so how it is read.

    A part of a zone, and a key file, may leave TTLs out: they are read behind a prefix that says one; that of
    a part says its origin too, so that a name is the same however it is written.
    """

    path: str
    apex: str | None = None
    holds_keys: bool = False
    is_guess: bool = False
    """It stands in a folder, and is a part of a zone if it reads like one."""
    setting: Setting | None = None
    """With what zones read it, if it is known to be a part of some."""

    @property
    def origin(self) -> str:
        """What relative names are completed with."""
        return self.apex or "."

    @property
    def prefix(self) -> bytes:
        """What is put before the text to read it."""
        if self.setting is not None:
            return f"$ORIGIN {self.setting.origin}\n$TTL {self.setting.ttl}\n".encode()
        return b"" if self.apex else b"$TTL 0\n"


def subject_of(path: str, setting: Setting | None = None) -> Subject | None:
    """What is at this path, which zones read with this setting; None: neither records nor keys."""
    match classify(path):
        case ZoneFile(apex):
            return Subject(path, apex)
        case KeyFile():
            return Subject(path, holds_keys=True)
        case Ignored() if "/" in path:
            return Subject(path, is_guess=setting is None, setting=setting)
        case _:
            return None


@frozen
class Version:
    """A text without errors, and what it says."""

    subject: Subject
    text: bytes
    """With the prefix of its subject."""
    document: Document
    records: tuple[TextRecord, ...]
    repeats: int
    """How many records stand in it that stood in it before."""
    place_of_serial: tuple[int, int] | None

    @property
    def content(self) -> bytes:
        """As the file has it."""
        return self.text.removeprefix(self.subject.prefix)

    @property
    def serial(self) -> int | None:
        """The serial, where the SOA stands in this file."""
        return None if self.place_of_serial is None else int(self.text[slice(*self.place_of_serial)])

    @property
    def comments(self) -> frozenset[bytes]:
        """What comments say."""
        return frozenset(found[1].strip() for found in _COMMENT.finditer(self.text) if found[1] is not None)

    @property
    def includes(self) -> frozenset[bytes]:
        """The words of each `$INCLUDE`."""
        return frozenset(b" ".join(found[1].split()) for found in _INCLUDE.finditer(self.text))

    def with_serial(self, serial: int | None) -> Version:
        """The same with another serial, if there is one."""
        if self.place_of_serial is None or serial is None:
            return self
        start, end = self.place_of_serial
        return _read(self.subject, b"%s%d%s" % (self.text[:start], serial, self.text[end:]))

    def with_rrsets(self, wanted: Mapping[Key, RRset], like: Version | None = None) -> Version:
        """The same with other records in some RRsets, and its own serial; ValueError: they cannot be written.

        Records that stand in `like` are written as they are there.
        """
        present = rrsets(self.records, wanted)
        remove: list[TextRecord] = []
        add: list[TextRecord] = []
        for key, rrset in wanted.items():
            remove += missing_from(present[key], rrset)
            add += map(self._with_own_serial, missing_from(rrset, present[key]))
        if not remove and not add:
            return self
        document = self.document.changed(remove, add, like=None if like is None else like.document)
        return _read(self.subject, document.content(0))

    def says_the_same(self, other: Version) -> bool:
        """Whether both have the same records, but for serials, and this one repeats no more of them."""
        mine, others = set(self.records), set(other.records)
        return self.repeats <= other.repeats and same(mine - others, others - mine)

    def faults(self) -> set[tuple[str, str]]:
        """What is wrong with the zone as a whole, in codes and words, as if includes were empty."""
        if self.subject.apex is None:
            return set()
        _, found = read_zone(self.text, self.subject.apex, self.subject.path, _nothing)
        return {(each.code, visible(each.message)) for each in found if each.severity == "error"}

    def _with_own_serial(self, record: TextRecord) -> TextRecord:
        owner, ttl, kind, rdata = record
        if kind == "SOA" and self.serial is not None:
            rdata = with_serial(rdata, self.serial)
        return owner, ttl, kind, rdata


def read_version(subject: Subject, content: bytes) -> Version:
    """Reads a version of a file; raises UnreadableError."""
    return _read(subject, subject.prefix + content)


def _read(subject: Subject, text: bytes) -> Version:
    found, diagnostics = read_records(
        text, subject.origin, subject.path, _nothing, default_ttl=None, confidential=subject.holds_keys
    )
    for diagnostic in diagnostics:
        if diagnostic.severity == "error":
            line = diagnostic.line - subject.prefix.count(b"\n")
            raise UnreadableError(f"line {line}: {visible(diagnostic.message)}")
    records = _as_served(found)
    seal = next((kind for _, _, kind, _ in records if kind in _SEALS), None)
    if seal is not None:
        raise UnreadableError(f"it has {seal} records: merge what it was signed from, and sign that again")
    place = find_serial(text, subject.origin, subject.path, _nothing)
    document = Document.read(text, subject.origin, subject.path, _nothing)
    repeats = len(found) - len(records)
    return Version(subject, text, document, records, repeats, None if place is None else place[1:])


def _as_served(found: Sequence[Record]) -> tuple[TextRecord, ...]:
    """The records as a zone has them: each once, with the TTL of the first of its RRset."""
    ttls: dict[Key, int] = {}
    served = {}
    for record in found:
        ttl = ttls.setdefault((record.owner.lower(), record.type), record.ttl)
        served[record.owner.lower(), record.type, record.rdata] = record.owner, ttl, record.type, record.rdata
    return tuple(served.values())


def _nothing(_path: str) -> bytes:
    return b""
