"""The newest commits of the repository with what became of their files, for the status page."""

from __future__ import annotations

from oakroot.git.commits import Head
from oakroot.git.recent import Passage
from oakroot.git.repository import Archive
from oakroot.operate.changes import FILES_LIMIT, Change, FileChange, compare

COMMITS_LIMIT = 15


def recent_changes(archive: Archive, head: Head) -> tuple[Change, ...]:
    """The newest first; of a merge what it made of its first parent. GitError: the copy cannot be read."""
    changes: dict[str, Change] = {}
    for passage in archive.recent(head, COMMITS_LIMIT):
        if passage.commit not in changes:
            changes[passage.commit] = _change(archive, passage)
    return tuple(changes.values())


def _change(archive: Archive, passage: Passage) -> Change:
    files = [_file(archive, passage, path) for path in sorted(passage.changed)[:FILES_LIMIT]]
    left = len(passage.changed) - FILES_LIMIT
    if left > 0:
        files.append(FileChange(f"and {left} more files", ()))
    return Change(passage.commit, passage.author, passage.moment, passage.subject, tuple(files))


def _file(archive: Archive, passage: Passage, path: str) -> FileChange:
    trees = (passage.older, passage.newer)
    blobs = [None if tree is None else archive.find_in(tree, path) for tree in trees]
    if not any(blobs):
        return FileChange(path, (" files in this folder have changed",))
    return compare(path, *(b"" if blob is None else archive.blob(blob) for blob in blobs))
