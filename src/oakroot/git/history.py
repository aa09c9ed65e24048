"""Which commits changed some files, newest first, as `git log -- FILE` finds them."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator

from oakroot.frozen import frozen
from oakroot.git.checkout import Checkout, Revision


@frozen
class Step:
    """A commit that changed one of the files against each of its parents; none: it is the first commit."""

    revision: Revision
    parents: tuple[Revision, ...]


def history(checkout: Checkout, start: Revision, paths: Callable[[], Collection[str]]) -> Iterator[Step]:
    """The commits at or before `start` that changed one of the files that `paths` names at that moment.

    Where a merge has the files of one parent, only that parent's history is followed (git-log(1), "History
    Simplification"): what the other one did to them did not come to pass.
    """
    walk = _Walk()
    walk.add(start)
    for revision in walk:
        parents = checkout.parents(revision)
        wanted = tuple(paths())
        there = _entries(checkout, revision, wanted)
        same = next((parent for parent in parents if _entries(checkout, parent, wanted) == there), None)
        if same is not None:
            walk.add(same)
            continue
        # Where a shallow clone ends, nobody knows what its last commit changed.
        if parents or (any(there) and not revision.parents):
            yield Step(revision, parents)
        for parent in parents:
            walk.add(parent)


def _entries(checkout: Checkout, revision: Revision, paths: Collection[str]) -> list[str | None]:
    return [checkout.entry(revision, path) for path in paths]


class _Walk:
    """Commits to look at, the newest first, each once."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, Revision]] = []
        self._seen: set[str] = set()

    def add(self, revision: Revision) -> None:
        if revision.commit not in self._seen:
            self._seen.add(revision.commit)
            # Commits of one second stay in the order in which they were found: children before parents.
            heapq.heappush(self._waiting, (-revision.time, len(self._seen), revision))

    def __iter__(self) -> Iterator[Revision]:
        while self._waiting:
            yield heapq.heappop(self._waiting)[2]
