"""What was made of a commit: the zones as served, the keys, and everything the next load needs to know.

Only frozen values here; `load` makes the next `Loaded` from the one before and a tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from oakroot._engine import Catalogue, Marks, Zone
from oakroot.frozen import frozen
from oakroot.keys.keyring import Keyring
from oakroot.zones.diagnostics import Finding
from oakroot.zones.filenames import Ignored, KeyFile, ZoneFile
from oakroot.zones.keyfiles import LoadedKeyFile


@frozen
class Marked:
    """A version of a zone file as it was read, with marks: of the next one only the difference is read."""

    blob: str
    zone: Zone
    marks: Marks = field(repr=False)


@frozen
class LoadedZone:
    """A zone file and what is served for it."""

    apex: str
    path: str
    blob: str
    includes: Mapping[str, str | None]
    """Every `$INCLUDE`d path with the id of its content when it was read; None where there was none."""
    zone: Zone | None
    """What is served: the newest good version, its serial raised where need be. None: SERVFAIL."""
    written_serial: int | None
    """The serial in the file where `zone` is what the file says; None where it is an older version."""
    findings: tuple[Finding, ...]
    """About the newest text, served or not."""
    marked: Marked | None = None
    """The newest version that was long and plain enough to be marked; not always what is served."""
    is_held: bool = False
    """Whether the newest text, or the file's removal, is held back because it deletes too much at once."""

    @property
    def is_current(self) -> bool:
        """Whether what the repository says is what is served."""
        return self.written_serial is not None

    @property
    def is_raised(self) -> bool:
        """Whether it is served with another serial than the one in the repository."""
        return self.zone is not None and self.written_serial not in {None, self.zone.serial}

    @property
    def is_plain(self) -> bool:
        """Whether it is what its own file says, and that file all that it depends on."""
        return not self.includes and self.zone is not None and self.written_serial == self.zone.serial


@frozen
class Loaded:
    """All zones and keys of a repository, as served."""

    commit: str | None
    kinds: Mapping[str, ZoneFile | KeyFile | Ignored]
    zones: Mapping[str, LoadedZone]
    """By apex; also those that cannot be served."""
    key_files: Mapping[str, LoadedKeyFile]
    """By path."""
    keyring: Keyring
    serials: Mapping[str, int]
    """The last served serial of each zone, also of zones that are gone: they may come back."""
    catalogue: Catalogue
    name_findings: tuple[Finding, ...] = ()
    """About files that are nothing because of their names."""
    key_duplicates: tuple[Finding, ...] = ()
    """About keys of one name in several places."""
    exceptions: frozenset[str] = frozenset()
    """The apexes of zones that are not plain: these few have to be looked at where the others need not."""

    @classmethod
    def nothing(cls) -> Loaded:
        """Before the first load."""
        return cls(None, {}, {}, {}, Keyring(), {}, Catalogue())

    def findings(self) -> Iterator[Finding]:
        """Everything there is to say about the repository's files."""
        yield from self.name_findings
        for zone in self.zones.values():
            yield from zone.findings
        for key_file in self.key_files.values():
            yield from key_file.findings
        yield from self.key_duplicates


def exceptions_after(before: frozenset[str], touched: Iterable[LoadedZone]) -> frozenset[str]:
    """The exceptions once these zones are loaded."""
    touched = tuple(touched)
    plain = {zone.apex for zone in touched if zone.is_plain}
    return (before - plain) | {zone.apex for zone in touched if zone.apex not in plain}


@frozen
class ZoneChange:
    """What a load did to one zone; `before` or `after` is None where nothing was or is served."""

    apex: str
    before: Zone | None
    after: Zone | None


@frozen
class Edit:
    """New content for one file, to be committed: the same file with another serial in its SOA."""

    path: str
    content: bytes = field(repr=False)
    apex: str
    old_serial: int
    new_serial: int


@frozen
class Loading:
    """The outcome of a load: the new state, and what is new about it."""

    loaded: Loaded
    changes: tuple[ZoneChange, ...]
    findings: tuple[Finding, ...]
    """About the files that were read for this load."""
    edits: tuple[Edit, ...]
    """The serials that the repository should learn."""
