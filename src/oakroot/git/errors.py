"""What can go wrong with the remote, as few types, told apart by who is at fault and what helps.

Every message can be shown to an operator as it is: it names the cause and how to mend it, and no secret.
No exception of dulwich, asyncssh, urllib3 or ssl leaves this room; anything else that does is a bug.
"""

# ruff: noqa: N818 - the names say what happened, as events do; that they are errors is said by GitError

from __future__ import annotations

from collections.abc import Sequence

PEER_TEXT_LIMIT = 1000


class GitError(Exception):
    """Anything this room reports."""


class InvalidSetting(GitError, ValueError):
    """The operator gave an address or a credential that cannot be meant."""


class RemoteUnreachable(GitError):
    """The network or the server failed before the work was done; trying again later may help."""


class RemoteUntrusted(GitError):
    """The remote could not prove who it is: unknown or wrong host key, or a bad certificate.

    `expected` and `presented` hold fingerprints of ssh host keys; for https they are empty.
    """

    def __init__(self, message: str, *, expected: Sequence[str] = (), presented: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.expected = tuple(expected)
        self.presented = tuple(presented)


class RemoteRefused(GitError):
    """The remote did not accept our credentials, or they do not allow reading."""


class RepositoryMissing(GitError):
    """There is no repository at this address (some servers say so, too, when credentials are missing)."""


class BranchMissing(GitError):
    """The repository has no such branch, or no commit at all."""


class RemoteMoved(GitError):
    """Somebody else pushed first: fetch, do the work again on what is there, push again."""


class PushUncertain(RemoteUnreachable):
    """The push broke off, or its end could not be kept: the remote may have `commit` or not.

    The next fetch tells, by `RemoteRepository.landed`.
    """

    def __init__(self, message: str, *, commit: str) -> None:
        super().__init__(message)
        self.commit = commit


class PushRefused(GitError):
    """The remote was reached and would not take the commit: no right to write, a hook, a protected branch.

    `reason` is what the server said, made printable.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class RepositoryBroken(GitError):
    """What the remote sent, or what lies in our copy, is no sound git data."""


class StorageFailed(GitError):
    """This machine could not keep the copy: disk full, no permission."""


class FileTooLarge(GitError, ValueError):
    """A file in the repository has more octets than are read."""


class PathRefused(GitError, ValueError):
    """A path inside a commit cannot be read: it leaves the tree, is missing, or is no regular file."""


def printable(text: str | bytes, limit: int = PEER_TEXT_LIMIT) -> str:
    """What a peer said, fit for a log line: one line, no control characters, bounded."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    text = text[: limit * 2]
    if not text.isprintable():
        text = "".join(char if char.isprintable() else " " for char in text)
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 3] + "..."
