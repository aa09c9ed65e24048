"""A look at a repository on this machine that costs next to nothing: where its branch is now.

To open one reads its settings and all its refs. While its folder looks as it did then, one ref is all that is
to be read; gitrepository-layout(5). What a glance does not see (a detached HEAD, symbolic refs, refs that are
no files) is left to dulwich. What must not live here: which branch is meant where several could be (`refs`).
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from dulwich.objects import ObjectID
from dulwich.refs import Ref, check_ref_format
from dulwich.repo import Repo

from oakroot.git.refs import BRANCHES, Tip
from oakroot.git.remote import Branch

_Look = tuple[int, int, int, int] | None

_COMMIT = re.compile(rb"([0-9a-f]{40})\n?")
_HEAD = re.compile(rb"ref: (refs/heads/[^\n]+)\n?")
_LONGEST_REF = 4096


class Glance:
    """What was seen of a repository when it was opened."""

    def __init__(self, path: Path, repo: Repo) -> None:
        """`path` is how it is reached; that what it leads to is another folder by now is noticed."""
        own, common = Path(repo.controldir()), Path(repo.commondir())
        self._head = own / "HEAD"
        self._common = common
        self._place = str(path / ".git")
        # What it is; which commits have no parents in it; which packs there are; whose objects it borrows.
        objects = common / "objects"
        named = (common / "config", own / "shallow", objects / "pack", objects / "info" / "alternates")
        self._watched = tuple(map(str, named))
        self._seen = self._look()

    def tip(self, branch: Branch | None) -> Tip | None:
        """Where this branch is, or the one that HEAD stands for; None: the repository must be opened."""
        with suppress(OSError):
            if self._look() == self._seen:
                return self._tip(branch)
        return None

    def _tip(self, branch: Branch | None) -> Tip | None:
        if branch is None:
            head = _HEAD.fullmatch(_start(self._head))
            name = None if head is None else head[1]
        else:
            name = BRANCHES + branch.encode()
        if name is None or not check_ref_format(Ref(name)):
            return None
        commit = self._commit(name)
        return None if commit is None else Tip(Ref(name), commit)

    def _commit(self, name: bytes) -> ObjectID | None:
        try:
            found = _COMMIT.fullmatch(_start(self._common / os.fsdecode(name)))
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            # Only now: what git has packed it takes away afterwards.
            packed = (self._common / "packed-refs").read_bytes()
            found = re.search(rb"^([0-9a-f]{40}) %b$" % re.escape(name), packed, re.MULTILINE)
        return None if found is None else ObjectID(found[1])

    def _look(self) -> tuple[_Look, ...]:
        # A folder changes with each commit that is made in it; a file (`git worktree`) leads to another.
        return _look_at(self._place, is_itself=True), *map(_look_at, self._watched)


def _look_at(path: str, *, is_itself: bool = False) -> _Look:
    """How what is there looks; `is_itself`: of a folder only whether it is the same one."""
    try:
        found = os.stat(path)  # noqa: PTH116 - at each fetch, and a Path takes as long as the call
    except (FileNotFoundError, NotADirectoryError):
        return None
    if is_itself and stat.S_ISDIR(found.st_mode):
        return found.st_dev, found.st_ino, 0, 0
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def _start(path: Path) -> bytes:
    with path.open("rb", buffering=0) as file:
        return file.read(_LONGEST_REF) or b""
