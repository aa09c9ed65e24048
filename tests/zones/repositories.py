"""Zone repositories in memory, for tests: files by path, told apart by their content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from oakroot._engine import Zone
from oakroot.zones.load import SerialRules, load
from oakroot.zones.loaded import Loaded, Loading
from oakroot.zones.serials import SerialPolicy
from oakroot.zones.tree import Since, Tree

NOON = 1_795_348_800.0  # 2026-11-22 12:00 UTC
KEY_LINE = "personal._update.{zone} DNSKEY 0 3 163 kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=\n"


def zone_text(serial: int = 1, *records: str) -> bytes:
    """A small zone file; relative names, as the file name gives the origin."""
    lines = [
        "$TTL 3600",
        f"@\tSOA\tns1\thostmaster\t{serial}\t86400\t7200\t1048576\t3600",
        "@\tNS\tns1",
        "ns1\tA\t192.0.2.1",
        *records,
    ]
    return "".join(f"{line}\n" for line in lines).encode()


BROKEN = zone_text(2, "www\tA\t192.0.2.256")


def tree_of(files: Mapping[str, bytes | str], commit: str = "a1b2c3") -> Tree:
    """A tree with these files."""
    contents = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    blobs = {hashlib.sha256(text).hexdigest(): text for text in contents.values()}
    listing = {path: hashlib.sha256(text).hexdigest() for path, text in contents.items()}
    return Tree(commit, listing, blobs.__getitem__)


@dataclass
class Repository:
    """A repository that is loaded again after each change of its files."""

    policy: SerialPolicy = "increment"
    loaded: Loaded = field(default_factory=Loaded.nothing)
    files: dict[str, bytes | str] = field(default_factory=dict)

    def holds(self, files: Mapping[str, bytes | str]) -> Loading:
        """Replaces all files, and loads; told what has changed, a load must come to the same."""
        tree, rules = tree_of(files), SerialRules(self.policy, NOON)
        loading = load(tree, self.loaded, rules)
        if (since := self._since(files)) is not None:
            assert _facts(load(replace(tree, since=since), self.loaded, rules)) == _facts(loading)
        self.files, self.loaded = dict(files), loading.loaded
        return loading

    def _since(self, files: Mapping[str, bytes | str]) -> Since | None:
        """What git tells of a change that leaves the names in the root as they are."""
        is_small = len(files) < 1000
        if self.loaded.commit is None or _root(self.files) != _root(files) or not is_small:
            return None
        paths = (path for path in {*self.files, *files} if self.files.get(path) != files.get(path))
        return Since(self.loaded.commit, {path.partition("/")[0] for path in paths})

    def changes(
        self, files: Mapping[str, bytes | str | None] | None = None, /, **more: bytes | None
    ) -> Loading:
        """Changes some files (None removes one), and loads."""
        merged = {**self.files, **(files or {}), **more}
        return self.holds({path: text for path, text in merged.items() if text is not None})

    def serial(self, apex: str) -> int | None:
        """The serial that is served for a zone."""
        zone = self.loaded.catalogue.zone(apex)
        return None if zone is None else zone.serial


def _root(files: Mapping[str, bytes | str]) -> set[tuple[str, bool]]:
    return {(path.partition("/")[0], "/" in path) for path in files}


def _facts(loading: Loading) -> object:
    """All that is to be said of a load; zones are told by what they hold."""

    def held(zone: Zone | None) -> object:
        return None if zone is None else (zone.serial, zone.records())

    loaded = loading.loaded
    served = {apex: loaded.catalogue.zone(apex) for apex in loaded.zones}
    return (
        {apex: replace(zone, zone=None, marked=None) for apex, zone in loaded.zones.items()},
        {apex: held(zone) for apex, zone in served.items()},
        {apex for apex, zone in loaded.zones.items() if not zone.is_plain} == loaded.exceptions,
        (loaded.kinds, loaded.key_files, loaded.keyring, loaded.serials, len(loaded.catalogue)),
        {change.apex: (held(change.before), held(change.after)) for change in loading.changes},
        (sorted(loading.findings, key=repr), loading.edits, loaded.name_findings, loaded.key_duplicates),
    )
