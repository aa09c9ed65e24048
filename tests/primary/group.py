"""A repository in memory that takes groups of updates, for tests of what a primary writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import dns.name
import dns.update

from oakroot.keys.grant import read_grant
from oakroot.keys.key import Algorithm, Key
from oakroot.keys.keyring import GrantedKey
from oakroot.keys.secret import Secret
from oakroot.primary.writing import Draft, Submission, write_group
from oakroot.protocol.update import Update, read
from oakroot.zones.edited import take_edited
from oakroot.zones.edits import ZoneText, read_zone_text
from oakroot.zones.load import SerialRules, load
from oakroot.zones.loaded import Loaded, LoadedZone
from oakroot.zones.serials import SerialPolicy
from tests.zones.repositories import KEY_LINE, NOON, tree_of

Build = Callable[[dns.update.UpdateMessage], object]


def signer_of(loaded: Loaded, name: str) -> GrantedKey:
    """The key of this name, whether it is in the repository or not."""
    owner = dns.name.from_text(name)
    found = loaded.keyring.find(owner)
    return found or GrantedKey(Key(owner, Algorithm.SHA256, Secret(b"other")), read_grant(owner), "_keys", 1)


@dataclass
class Group:
    """Some zones, their keys, and what is written for updates."""

    files: dict[str, bytes]
    policy: SerialPolicy = "increment"
    loaded: Loaded = field(default_factory=Loaded.nothing)

    def __post_init__(self) -> None:
        zones = {path for path in self.files if "/" not in path and not path.endswith("_keys")}
        self.files |= {f"{zone}._keys": KEY_LINE.format(zone=f"{zone}.").encode() for zone in zones}
        self.load()

    def load(self) -> Loaded:
        """Reads all files, as a pull does."""
        self.loaded = load(tree_of(self.files), self.loaded, self.rules).loaded
        return self.loaded

    @property
    def rules(self) -> SerialRules:
        """How serials rise."""
        return SerialRules(self.policy, NOON)

    def write(self, zone: str, *updates: Build, key: str | None = None) -> Draft:
        """Judges these updates as one group; what they write is in the files afterwards."""
        signer = signer_of(self.loaded, key or f"personal._update.{zone}.")
        submissions = [
            Submission(number, build_update(zone, build), signer, "192.0.2.200")
            for number, build in enumerate(updates)
        ]
        draft = write_group(submissions, self.loaded, self._read_text, self.rules)
        self.files = {**self.files, **draft.contents}
        return draft

    def take(self, draft: Draft) -> None:
        """Loads what was written without reading it."""
        tree = tree_of(self.files)
        blobs = {path: tree.files[path] for path in draft.contents}
        self.loaded = take_edited(self.loaded, "next", draft.edited, blobs, ()).loaded

    def _read_text(self, zone: LoadedZone) -> ZoneText:
        others = [other for other in self.loaded.zones.values() if other is not zone]
        elsewhere = {path for other in others for path in (other.path, *other.includes)}
        return read_zone_text(tree_of(self.files), zone.path, zone.apex, elsewhere)


def build_update(zone: str, build: Build) -> Update:
    """The update that this makes of an empty message."""
    message = dns.update.UpdateMessage(zone)
    build(message)
    update = read(message.to_wire())
    assert isinstance(update, Update), update
    return update


def together(*parts: Build) -> Build:
    """One update of several parts."""

    def build(message: dns.update.UpdateMessage) -> None:
        for part in parts:
            part(message)

    return build


def text_of(files: Mapping[str, bytes], path: str) -> list[str]:
    """The lines of a file."""
    return files[path].decode().splitlines()
