"""What the primary does with git and how it ends, as events. Blocking: meant for a thread of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from oakroot.git.commits import Head, Person
from oakroot.git.errors import GitError, PathRefused, PushRefused, RemoteMoved, RemoteRefused
from oakroot.git.repository import RemoteRepository
from oakroot.git.trees import BlobId
from oakroot.primary import events
from oakroot.primary.events import Event, Fetch, Push
from oakroot.zones.load import SerialRules, load
from oakroot.zones.loaded import Loaded, Loading
from oakroot.zones.serials import SerialPolicy
from oakroot.zones.tree import Tree

_log = logging.getLogger(__name__)

AUTHOR = Person("Oakroot", "oakroot@localhost")


@dataclass(slots=True)
class GitWorker:
    """Carries out `Fetch` and `Push`, one at a time. `clock` gives the seconds since 1970."""

    repository: RemoteRepository
    policy: SerialPolicy
    clock: Callable[[], float]
    head: Head | None = None

    def fetch(self, action: Fetch) -> Event:
        """Fetches, and loads what is new."""
        try:
            head = self.repository.fetch()
            if action.known.commit == head.commit:
                self.head = head
                return events.NothingNewFetched()
            loading = self._load(head, action.known)
        except GitError as error:
            return events.FetchFailed(str(error))
        except Exception as error:  # noqa: BLE001 - reported by _bug, and the server goes on
            return events.FetchFailed(_bug(error))
        self.head = head
        return events.Fetched(loading, rewritten=head.rewritten)

    def push(self, action: Push) -> Event:
        """Commits on top of what was fetched last, pushes, and loads the result."""
        if self.head is None:
            raise AssertionError("a push follows a fetch")
        try:
            head = self.repository.commit_and_push(
                self.head,
                {edit.path: edit.content for edit in action.edits},
                author=AUTHOR,
                committer=AUTHOR,
                message=action.message,
                now=int(self.clock()),
            )
            loading = self._load(head, action.known)
        except RemoteMoved:
            return events.PushOvertaken()
        except PushRefused as error:
            return events.PushRefused(error.reason)
        except (RemoteRefused, PathRefused) as error:
            return events.PushRefused(str(error))
        except GitError as error:
            return events.PushFailed(str(error))
        except Exception as error:  # noqa: BLE001 - reported by _bug, and the server goes on
            return events.PushFailed(_bug(error))
        self.head = head
        return events.Pushed(loading)

    def _load(self, head: Head, known: Loaded) -> Loading:
        files = self.repository.files(head)
        tree = Tree(
            commit=head.commit,
            files=files,
            read=lambda blob: self.repository.blob(BlobId(blob)),
            left_out=files.left_out,
        )
        return load(tree, known, SerialRules(self.policy, self.clock()))


def _bug(error: Exception) -> str:
    """The server goes on with what it has; the log keeps what is needed to mend it."""
    _log.exception("this is a bug in Oakroot, please report it")
    return f"a bug in Oakroot ({type(error).__name__}); its log says more"
