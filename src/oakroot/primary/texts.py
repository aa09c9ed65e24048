"""The files of zones that are being updated, kept in between: reading them costs as much as they are long.

A text is known by the ids of its files, so one that somebody else has changed is never taken for the newest.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from oakroot.frozen import frozen
from oakroot.zones.edited import EditedZone, count_readers
from oakroot.zones.edits import ZoneText, read_zone_text
from oakroot.zones.loaded import Loaded, LoadedZone
from oakroot.zones.tree import Tree

OCTETS_LIMIT = 2**26


@frozen
class _Kept:
    zone: LoadedZone
    text: ZoneText
    octets: int

    def is_of(self, zone: LoadedZone) -> bool:
        kept = self.zone
        return (kept.path, kept.blob, kept.includes) == (zone.path, zone.blob, zone.includes)


class Texts:
    """The texts used last, up to a number of octets; of those, one may be as long as it likes."""

    def __init__(self, octets_limit: int = OCTETS_LIMIT) -> None:
        self._octets_limit = octets_limit
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._readers: Counter[str] | None = None

    def read(self, zone: LoadedZone, known: Loaded, tree: Callable[[], Tree]) -> ZoneText:
        """The files of this zone; raises what reading them raises."""
        kept = self._kept.get(zone.apex)
        if kept is not None and kept.is_of(zone):
            self._kept.move_to_end(zone.apex)
            return kept.text
        files = tree()
        elsewhere = {path for path in (zone.path, *zone.includes) if self._count(known)[path] > 1}
        text = read_zone_text(files, zone.path, zone.apex, elsewhere)
        octets = sum(len(files.content(path)) for path in text.paths)
        self._put(_Kept(zone, text, octets))
        return text

    def are_shared(self, paths: Collection[str], known: Loaded) -> bool:
        """Whether more than one zone reads one of these files."""
        return any(self._count(known)[path] > 1 for path in paths)

    def keep(self, edited: Mapping[str, EditedZone], loaded: Loaded) -> None:
        """These edits are what the newest commit has."""
        for apex, version in edited.items():
            kept = self._kept.get(apex)
            if kept is not None:
                self._put(replace(kept, zone=loaded.zones[apex], text=version.text))

    def somebody_pushed(self) -> None:
        """Which files are read by several zones may be another matter now."""
        self._readers = None
        self._kept = OrderedDict(
            (apex, kept)
            for apex, kept in self._kept.items()
            if len(kept.text.paths) == 1 and not kept.text.shared
        )

    def _count(self, known: Loaded) -> Counter[str]:
        if self._readers is None:
            self._readers = count_readers(known.zones.values())
        return self._readers

    def _put(self, kept: _Kept) -> None:
        self._kept[kept.zone.apex] = kept
        self._kept.move_to_end(kept.zone.apex)
        while len(self._kept) > 1 and sum(each.octets for each in self._kept.values()) > self._octets_limit:
            self._kept.popitem(last=False)
