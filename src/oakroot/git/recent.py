"""How the files in the root of a branch changed lately: commits from the newest on, with their parents."""

from __future__ import annotations

import heapq
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dulwich.objects import Commit, ObjectID

from oakroot.git.commits import TreeId
from oakroot.git.copy import Copy

_Entry = tuple[bytes, bytes, bytes]
# Mode, name and id of one entry of a tree object.
_ENTRY = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Passage:
    """What a commit made of one of its parents. `older` is None for the first commit of a history."""

    older: TreeId | None
    newer: TreeId
    changed: Mapping[str, tuple[str | None, str | None]]
    """Names in the root whose content differs, those of folders too, with its ids before and after."""


def recent_passages(copy: Copy, start: ObjectID, limit: int) -> Iterator[Passage]:
    """The passages to the newest `limit` commits of a history. Where a shallow copy ends, so do they."""
    entries = _Entries(copy)
    waiting: list[tuple[int, int, Commit]] = []
    seen: set[ObjectID] = set()

    def add(name: ObjectID) -> Commit:
        commit = copy.commit(name)
        if name not in seen:
            seen.add(name)
            # Commits of one second stay in the order in which they were found: children before parents.
            heapq.heappush(waiting, (-commit.commit_time, len(seen), commit))
        return commit

    add(start)
    for _ in range(limit):
        if not waiting:
            return
        _, _, commit = heapq.heappop(waiting)
        newer = _tree_id(commit)
        if not commit.parents:
            yield Passage(None, newer, entries.difference(None, commit.tree))
        if not all(parent in copy.objects for parent in commit.parents):
            continue
        for name in commit.parents:
            parent = add(name)
            yield Passage(_tree_id(parent), newer, entries.difference(parent.tree, commit.tree))


class _Entries:
    """The entries of root folders; the last two are kept, as each is compared twice.

    They are compared as git writes them: of ten thousand files mostly one has changed.
    """

    def __init__(self, copy: Copy) -> None:
        self._copy = copy
        self._known: dict[ObjectID, frozenset[_Entry]] = {}

    def difference(self, older: ObjectID | None, newer: ObjectID) -> dict[str, tuple[str | None, str | None]]:
        """What is in one of them only, or differs."""
        if older == newer:
            return {}
        before = frozenset[_Entry]() if older is None else self._of(older)
        after = self._of(newer)
        self._known = {name: known for name, known in self._known.items() if name in {older, newer}}
        gone, come = _ids(before - after), _ids(after - before)
        return {name: (gone.get(name), come.get(name)) for name in {*gone, *come}}

    def _of(self, tree: ObjectID) -> frozenset[_Entry]:
        if tree not in self._known:
            self._known[tree] = frozenset(_ENTRY.findall(self._copy.tree_octets(tree)))
        return self._known[tree]


def _ids(entries: frozenset[_Entry]) -> dict[str, str]:
    """The ids of those that are files or folders, by name."""
    return {
        name.decode("utf-8", "backslashreplace"): content.hex()
        for mode, name, content in entries
        if stat.S_ISREG(int(mode, 8)) or stat.S_ISDIR(int(mode, 8))
    }


def _tree_id(commit: Commit) -> TreeId:
    return TreeId(commit.tree.decode("ascii"))
