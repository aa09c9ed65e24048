"""Takes zones whose files we have edited ourselves as they are: nothing is read again, nothing is listed.

What `load` finds out about files that others wrote is known of our own edits: so a change costs what it
touches. What must not live here: edits, and whether they may be served.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from oakroot._engine import Zone
from oakroot.frozen import frozen
from oakroot.zones.edits import ZoneText
from oakroot.zones.loaded import Edit, Loaded, LoadedZone, Loading, ZoneChange, exceptions_after


@frozen
class EditedZone:
    """A zone, and the files that say the same."""

    zone: Zone
    text: ZoneText


def count_readers(zones: Iterable[LoadedZone]) -> Counter[str]:
    """How many zones read each file."""
    return Counter(path for zone in zones for path in {zone.path, *zone.includes})


def take_edited(
    before: Loaded,
    commit: str,
    edited: Mapping[str, EditedZone],
    blobs: Mapping[str, str],
    edits: Iterable[Edit],
) -> Loading:
    """What is loaded once this commit of ours is the newest: these zones changed, by apex, and nothing else.

    `blobs`: the ids of the files that changed, by path; no other zone may read one of them. `edits`: what
    the repository should have learned before; what is left of it, it still should.
    """
    zones, changes = dict(before.zones), []
    for apex, version in edited.items():
        known = zones[apex]
        zones[apex] = replace(
            known,
            zone=version.zone,
            blob=blobs.get(known.path, known.blob),
            includes={path: blobs.get(path, blob) for path, blob in known.includes.items()},
            written_serial=version.zone.serial,
        )
        changes.append(ZoneChange(apex, known.zone, version.zone))
    serials = {change.apex: change.after.serial for change in changes if change.after is not None}
    loaded = replace(
        before,
        commit=commit,
        zones=zones,
        serials={**before.serials, **serials},
        catalogue=before.catalogue.with_zones([version.zone for version in edited.values()]),
        exceptions=exceptions_after(before.exceptions, (zones[apex] for apex in edited)),
    )
    left = tuple(edit for edit in edits if edit.path not in blobs)
    return Loading(loaded, tuple(changes), findings=(), edits=left)
