"""Commits as values: the head of the remote as the other rooms see it, and the making of the next one."""

from __future__ import annotations

import re
from typing import NewType

from dulwich.objects import Commit, ObjectID

from oakroot.frozen import frozen
from oakroot.git.errors import printable
from oakroot.git.remote import Branch

CommitId = NewType("CommitId", str)
TreeId = NewType("TreeId", str)
_MESSAGE_LIMIT = 65536


@frozen
class Head:
    """Where the branch stands. `previous` is the head before it, if there was one in this copy.

    `rewritten`: `previous` is not in this head's history (somebody pushed by force).
    `branch` is None when the remote's HEAD is detached; such a head cannot be pushed to.
    """

    commit: CommitId
    tree: TreeId
    branch: Branch | None
    author: str
    time: int
    subject: str
    message: str = ""
    """All of it, as far as it is not longer than anybody writes."""
    previous: CommitId | None = None
    rewritten: bool = False

    @property
    def moved(self) -> bool:
        """Whether this is another commit than the last time."""
        return self.commit != self.previous


@frozen
class Person:
    """Who wrote a commit. Characters that would break git's `Name <address>` form are left out."""

    name: str
    email: str

    def line(self) -> bytes:
        """As it stands in a commit object; gitformat, "user information"."""
        name = " ".join(re.sub(r"[<>\x00-\x1f\x7f]", " ", self.name).split()) or "unknown"
        email = re.sub(r"[<>\x00-\x20\x7f]", "", self.email)
        return f"{name} <{email}>".encode("utf-8", "replace")


def head_of(
    commit: Commit, branch: Branch | None, *, previous: ObjectID | None = None, rewritten: bool = False
) -> Head:
    """Tells what other rooms need to know of a commit."""
    return Head(
        commit=CommitId(commit.id.decode("ascii")),
        tree=TreeId(commit.tree.decode("ascii")),
        branch=branch,
        author=printable(commit.author, 200),
        time=commit.commit_time,
        subject=printable(commit.message.strip().partition(b"\n")[0], 200),
        message=commit.message[:_MESSAGE_LIMIT].decode("utf-8", "replace"),
        previous=None if previous is None else CommitId(previous.decode("ascii")),
        rewritten=rewritten,
    )


def make_commit(
    *, tree: ObjectID, parent: ObjectID | None, author: Person, committer: Person, message: str, now: int
) -> Commit:
    """A commit with one parent, or the first one of a history; at `now` in UTC."""
    commit = Commit()
    commit.tree = tree
    commit.parents = [] if parent is None else [parent]
    commit.author, commit.committer = author.line(), committer.line()
    commit.author_time = commit.commit_time = now
    commit.author_timezone = commit.commit_timezone = 0
    commit.message = (message.replace("\0", "").rstrip("\n") + "\n").encode("utf-8", "replace")
    return commit
