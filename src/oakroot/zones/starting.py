"""The first load after a start: nothing is served yet that could be compared with what is to be served.

For the guard against mass deletion the commit before the newest push stands in. Only where that push deletes
too much the earlier commit is loaded at all; then the start goes on as if it had been served.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from oakroot.zones.filenames import ZoneFile, classify
from oakroot.zones.guard import Guard, too_much_deleted
from oakroot.zones.load import SerialRules, load
from oakroot.zones.loaded import Loaded, Loading, ZoneChange
from oakroot.zones.reading import read_zone_file
from oakroot.zones.tree import Tree


def load_first(
    tree: Tree,
    earlier: Tree | None,
    rules: SerialRules,
    guard: Guard | None,
    serials: Mapping[str, int] = MappingProxyType({}),
) -> Loading:
    """What to serve of a tree, with `earlier` as it was before the newest push; None: nobody knows.

    `serials`: of zones, by apex, that are known to have been served.
    Raises only what the trees' `read` raises.
    """
    nothing = replace(Loaded.nothing(), serials=serials)
    if earlier is None or guard is None or not _deletes_too_much(earlier, tree, guard):
        return load(tree, nothing, rules, guard)
    before = load(earlier, nothing, rules).loaded
    loading = load(tree, before, rules, guard)
    loaded = loading.loaded
    served = [
        ZoneChange(apex, None, zone.zone) for apex, zone in loaded.zones.items() if zone.zone is not None
    ]
    return replace(loading, changes=tuple(served), findings=tuple(loaded.findings()))


def _deletes_too_much(earlier: Tree, tree: Tree, guard: Guard) -> bool:
    """Whether a zone loses too much, or too many zones go. What zones include is not looked at."""
    gone = {}
    for path, blob in earlier.files.items():
        if "/" in path or tree.files.get(path) == blob:
            continue
        kind = classify(path)
        if not isinstance(kind, ZoneFile):
            continue
        if path not in tree.files:
            gone[kind.apex] = path
        elif _loses_too_much(earlier, tree, path, kind.apex, guard):
            return True
    if gone:
        kept = {kind.apex for kind in map(classify, tree.files) if isinstance(kind, ZoneFile)}
        removed = gone.keys() - kept
        return guard.is_beyond(len(removed), len(removed | kept))
    return False


def _loses_too_much(earlier: Tree, tree: Tree, path: str, apex: str, guard: Guard) -> bool:
    old = read_zone_file(earlier, path, apex).zone
    new = None if old is None else read_zone_file(tree, path, apex).zone
    return old is not None and new is not None and too_much_deleted(old, new, path, guard) is not None
