"""How the files in the root of a branch changed lately: commits from the newest on, with their parents."""

from __future__ import annotations

import heapq
import stat
from collections.abc import Iterable, Iterator, Mapping

from dulwich.objects import Commit, ObjectID

from oakroot.frozen import frozen
from oakroot.git.commits import TreeId, head_of
from oakroot.git.entries import Entry, difference, entries
from oakroot.git.reader import Reader


@frozen
class Passage:
    """What a commit made of one of its parents. `older` is None for the first commit of a history."""

    older: TreeId | None
    newer: TreeId
    changed: Mapping[str, tuple[str | None, str | None]]
    """Names in the root whose content differs, those of folders too, with its ids before and after."""
    commit: str
    author: str
    moment: float
    """When it was committed."""
    subject: str


def recent_passages(reader: Reader, start: ObjectID, limit: int) -> Iterator[Passage]:
    """The passages to the newest `limit` commits of a history. Where a shallow copy ends, so do they."""
    waiting: list[tuple[int, int, Commit]] = []
    seen: set[ObjectID] = set()

    def add(name: ObjectID) -> Commit:
        commit = reader.commit(name)
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
        if not commit.parents:
            yield _passage(commit, None, _difference(reader, None, commit.tree))
        if not all(parent in reader for parent in commit.parents):
            continue
        for name in commit.parents:
            parent = add(name)
            yield _passage(commit, _tree_id(parent), _difference(reader, parent.tree, commit.tree))


def _passage(
    commit: Commit, older: TreeId | None, changed: Mapping[str, tuple[str | None, str | None]]
) -> Passage:
    head = head_of(commit, None)
    return Passage(older, head.tree, changed, head.commit, head.author, head.time, head.subject)


def _difference(
    reader: Reader, older: ObjectID | None, newer: ObjectID
) -> dict[str, tuple[str | None, str | None]]:
    """What is in one of two root folders only, or differs."""
    if older == newer:
        return {}
    if older is None:
        return {name: (None, content) for name, content in _ids(entries(reader.folder(newer).octets))}
    found = difference(reader.folder(older), reader.folder(newer))
    gone, come = dict(_ids(found.gone.items())), dict(_ids(found.come.items()))
    return {name: (gone.get(name), come.get(name)) for name in {*gone, *come}}


def _ids(found: Iterable[tuple[bytes, Entry]]) -> Iterator[tuple[str, str]]:
    """The names and ids of those that are files or folders."""
    for name, entry in found:
        if stat.S_ISREG(entry.mode) or stat.S_ISDIR(entry.mode):
            yield name.decode("utf-8", "backslashreplace"), entry.content


def _tree_id(commit: Commit) -> TreeId:
    return TreeId(commit.tree.decode("ascii"))
