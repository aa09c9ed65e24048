"""After a start: earlier versions of zones out of the repository's history, for IXFR (RFC 1995).

What was served before a restart is nowhere but there. Only so much is looked at, so that a long history or a
large repository keeps nobody waiting; what is left out costs a transfer of the whole zone. Which versions are
certain is decided in `zones.past`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from oakroot._engine import Zone
from oakroot.git.commits import Head, TreeId
from oakroot.git.errors import GitError
from oakroot.git.recent import Passage
from oakroot.git.repository import Archive
from oakroot.git.trees import BlobId
from oakroot.zones.filenames import ZoneFile
from oakroot.zones.loaded import Loaded, LoadedZone
from oakroot.zones.past import Content, Lineage, earlier_versions
from oakroot.zones.reading import read_zone_file
from oakroot.zones.tree import Tree

COMMITS_LIMIT = 200
WALK_SECONDS = 2.0
READ_SECONDS = 2.0

Past = Mapping[str, tuple[Zone, ...]]
"""Earlier versions by apex, oldest first."""


class _TimeIsOver(Exception):  # noqa: N818 - it is none of a caller's
    """So much for history."""


@dataclass(slots=True)
class _Traced:
    """A zone whose history is walked."""

    zone: LoadedZone
    lineage: Lineage = field(default_factory=Lineage)

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that its text stands in, its own first."""
        return (self.zone.path, *sorted(self.zone.includes))

    @property
    def content(self) -> Content:
        """Its newest text."""
        return (self.zone.blob, *(self.zone.includes[path] for path in self.paths[1:]))


@dataclass(slots=True)
class Recall:
    """One look at the history of a commit that is loaded. `clock` never jumps."""

    archive: Archive
    head: Head
    clock: Callable[[], float]
    versions_limit: Callable[[Zone], int]
    commits: int = 0
    """How many passages from one commit to the next were looked at."""

    def versions(self, loaded: Loaded) -> Past:
        """The earlier versions; GitError where history cannot be read."""
        found: dict[str, tuple[Zone, ...]] = {}
        try:
            traced = self._trace(loaded, self.clock() + WALK_SECONDS)
            until = self.clock() + READ_SECONDS
            for each in traced:
                if each.lineage.origins and each.zone.zone is not None:
                    found[each.zone.apex] = self._earlier(each, each.zone.zone, until)
        except _TimeIsOver:
            pass
        return {apex: versions for apex, versions in found.items() if versions}

    def _trace(self, loaded: Loaded, until: float) -> Collection[_Traced]:
        """Which text came from which, of the zones that are served as the repository has them.

        Where history begins, all zones do: that is looked at last, and for those alone that changed since.
        """
        traced: dict[str, _Traced] = {}
        beginnings = []
        including = _including(loaded)
        for passage in self.archive.recent(self.head, COMMITS_LIMIT):
            if self.clock() >= until:
                break
            self.commits += 1
            if passage.older is None:
                beginnings.append(passage)
                continue
            touched = (zone for name in passage.changed for zone in _zones_of(name, loaded, including))
            for zone in {
                zone.apex: zone for zone in touched if zone.is_current and not zone.is_raised
            }.values():
                each = traced.setdefault(zone.apex, _Traced(zone))
                self._step(each, passage)
        for passage in beginnings:
            for each in traced.values():
                self._step(each, passage)
        return traced.values()

    def _step(self, each: _Traced, passage: Passage) -> None:
        before, after = passage.changed.get(each.zone.path, (None, None))
        if len(each.paths) == 1:
            older, newer = _alone(before), _alone(after)
        else:
            older = None if passage.older is None else self._content(each, passage.older)
            newer = self._content(each, passage.newer)
        if newer is not None:
            each.lineage.add(older, newer)

    def _content(self, each: _Traced, tree: TreeId) -> Content | None:
        content = tuple(self.archive.find_in(tree, path) for path in each.paths)
        return None if content[0] is None else content

    def _earlier(self, each: _Traced, newest: Zone, until: float) -> tuple[Zone, ...]:
        zone = each.zone

        def read(older: Content) -> Zone | None:
            if self.clock() >= until:
                raise _TimeIsOver
            pairs = zip(each.paths, older, strict=True)
            files = {path: blob for path, blob in pairs if blob is not None}
            tree = Tree("", files, lambda blob: self.archive.blob(BlobId(blob)))
            reading = read_zone_file(tree, zone.path, zone.apex)
            if reading.includes.keys() != zone.includes.keys():
                # Then a text is not told by the files that we compare.
                raise LookupError
            return None if reading.zone is None else reading.zone.sharing(newest)

        try:
            return earlier_versions(newest, each.content, each.lineage, read, self.versions_limit(newest))
        except (LookupError, GitError):
            return ()


def _including(loaded: Loaded) -> Mapping[str, Sequence[LoadedZone]]:
    """The zones that include files, by names in the root: those of the files, or of their folders."""
    found: dict[str, list[LoadedZone]] = defaultdict(list)
    for zone in (loaded.zones[apex] for apex in loaded.exceptions):
        for path in zone.includes:
            found[path.partition("/")[0]].append(zone)
    return found


def _zones_of(
    name: str, loaded: Loaded, including: Mapping[str, Sequence[LoadedZone]]
) -> Iterator[LoadedZone]:
    """The zones whose text stands under this name in the root, in part at least."""
    kind = loaded.kinds.get(name)
    zone = loaded.zones.get(kind.apex) if isinstance(kind, ZoneFile) else None
    if zone is not None and zone.path == name:
        yield zone
    yield from including.get(name, ())


def _alone(blob: str | None) -> Content | None:
    return None if blob is None else (blob,)
