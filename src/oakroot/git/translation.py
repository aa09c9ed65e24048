"""The many exceptions of dulwich turned into this room's few, whichever way the remote is reached."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from dulwich.errors import GitProtocolError, HangupException, NotGitRepository, SendPackError

from oakroot.git.connections import broken_off
from oakroot.git.errors import (
    GitError,
    PushRefused,
    RemoteMoved,
    RemoteRefused,
    RepositoryBroken,
    RepositoryMissing,
    StorageFailed,
    printable,
)
from oakroot.git.remote import Remote

HOOK_PATIENCE = 5.0
"""How long to wait, before the end, for what runs behind a push that was accepted."""

# What git, git daemon and the hosters say of a path with nothing there, or nothing they want to show.
_MISSING = re.compile(
    r"not appear to be a git repo|not exported|not found|does not exist|no such", re.IGNORECASE
)
_DENIED = re.compile(
    r"denied|permission|not allowed|unauthori[sz]ed|forbidden|read.only|dubious", re.IGNORECASE
)
_CORRUPT = re.compile(r"corrupt|bad object|missing (blob|tree)|unable to read", re.IGNORECASE)


@contextmanager
def translated(remote: Remote) -> Iterator[None]:
    """Lets only this room's errors out."""
    try:
        yield
    except GitError:
        raise
    except HangupException as error:
        said = printable(b" ".join(error.stderr_lines or []))
        raise (refusal(remote, said) if said else broken_off(remote)) from None
    except SendPackError as error:
        reason = printable(str(error.args[0]) if error.args else "")
        raise PushRefused(f"{remote} could not take the pack: {reason}", reason=reason) from error
    except NotGitRepository:
        raise RepositoryMissing(f"there is no git repository at {remote}; check the address") from None
    except GitProtocolError as error:
        raise refusal(remote, printable(str(error))) from error
    except OSError as error:
        raise StorageFailed(f"the copy of {remote} cannot be written: {error.strerror or error}") from error
    except Exception as error:
        # dulwich's readers have no common error: what meets them half-way fails as ValueError, KeyError,
        # AssertionError, zlib.error and more. The cause stays attached.
        raise RepositoryBroken(
            f"{remote} sent what is no sound git data; check the repository there with `git fsck` "
            f"({type(error).__name__}: {printable(str(error), 200)})"
        ) from error


def refusal(remote: Remote, said: str) -> GitError:
    """The error for what a server said instead of serving us."""
    if _MISSING.search(said):
        return RepositoryMissing(f"{remote} is no repository we may see, the server says: {said}")
    if _DENIED.search(said):
        return RemoteRefused(f"{remote} refuses us, the server says: {said}")
    if _CORRUPT.search(said):
        return RepositoryBroken(
            f"{remote} is broken, the server says: {said}; check it there with `git fsck`"
        )
    return broken_off(remote, said)


def moved(remote: Remote) -> RemoteMoved:
    """The error for a push that came second."""
    return RemoteMoved(
        f"{remote} has moved since the last fetch; fetch and make the change again on what is there"
    )
