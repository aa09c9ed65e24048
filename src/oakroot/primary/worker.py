"""What the primary does with git and how it ends, as events. Blocking: meant for a thread of its own."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from oakroot._engine import give_back_memory
from oakroot.distribution.versions import versions_limit
from oakroot.frozen import frozen
from oakroot.git.commits import Head, Person
from oakroot.git.credentials import Credentials
from oakroot.git.errors import (
    FileTooLarge,
    GitError,
    PathRefused,
    PushRefused,
    PushUncertain,
    RemoteMoved,
    RemoteRefused,
)
from oakroot.git.repository import RemoteRepository
from oakroot.git.trees import BlobId, Files, normalised
from oakroot.operate.changes import Change
from oakroot.primary import events
from oakroot.primary import recall as history
from oakroot.primary.events import Event, Fetch, GitAction, Push, Recall, Write
from oakroot.primary.raised import RaisedSerials
from oakroot.primary.recent_changes import recent_changes
from oakroot.primary.texts import Texts
from oakroot.primary.words import Written, address, authors, commit_message
from oakroot.primary.writing import Draft, Outcome, Submission, write_group
from oakroot.zones.edited import take_edited
from oakroot.zones.edits import ZoneText
from oakroot.zones.guard import Guard, is_meant
from oakroot.zones.load import SerialRules, load
from oakroot.zones.loaded import Loaded, LoadedZone, Loading
from oakroot.zones.serials import SerialPolicy
from oakroot.zones.starting import load_first
from oakroot.zones.tree import Since, Tree

_log = logging.getLogger(__name__)

AUTHOR = Person("Oakroot", "oakroot@localhost")


@frozen
class Listing:
    """The files of a commit that was loaded, to tell the next ones by what differs."""

    commit: str
    files: Files
    edited: frozenset[str] = frozenset()
    """Names in the root of what our own commits have changed since."""

    def after(self, commit: str, paths: Iterable[str]) -> Listing:
        """The same once a commit of ours changed these files."""
        names = (normalised(path)[0] for path in paths)
        return Listing(commit, self.files, self.edited.union(names))


@dataclass(slots=True)
class GitWorker:
    """Carries out `Fetch`, `Push` and `Write`, one at a time, and `Recall` beside them.

    `clock` gives the seconds since 1970.
    """

    repository: RemoteRepository
    policy: SerialPolicy
    clock: Callable[[], float]
    guard: Guard | None = None
    """How much a push may delete; None: any share."""
    head: Head | None = None
    texts: Texts = field(default_factory=Texts)
    _changes: tuple[str | None, tuple[Change, ...]] = (None, ())
    listing: Listing | None = None
    raised: RaisedSerials | None = None
    """Where raised serials are kept over restarts; None: nowhere."""
    is_late: bool = False

    def choose(self, policy: SerialPolicy, guard: Guard | None, credentials: Credentials) -> None:
        """What the operator has decided anew, from the next action on. May be called at any time."""
        self.policy = policy
        self.guard = guard
        self.repository.use(credentials)

    def fetch(self, action: Fetch) -> Event:
        """Fetches, and loads what is new."""
        try:
            head = self.repository.fetch()
            if action.known.commit == head.commit:
                self.head = head
                return events.NothingNewFetched()
            loading = self._load(head, action.known)
            landed = self._landed(head, action) if action.attempts else None
        except GitError as error:
            return events.FetchFailed(str(error))
        except Exception as error:  # noqa: BLE001 - reported by _bug, and the server goes on
            return events.FetchFailed(_bug(error))
        self.head = head
        self.texts.somebody_pushed()
        return events.Fetched(loading, rewritten=head.rewritten, landed=landed)

    def changes(self) -> tuple[Change, ...]:
        """The newest commits and what they changed; for a thread beside the others."""
        head = self.head
        if head is None or self._changes[0] == head.commit:
            return self._changes[1]
        try:
            with self.repository.archive() as archive:
                self._changes = head.commit, recent_changes(archive, head)
        except GitError as error:
            _log.warning("the newest commits cannot be shown: %s", error)
        return self._changes[1]

    def recall(self, action: Recall) -> Event:
        """Looks for earlier versions in the history of what was fetched last; has a thread of its own."""
        if self.head is None:
            raise AssertionError("history is of what was fetched")
        try:
            with self.repository.archive() as archive:
                look = history.Recall(archive, self.head, self._clock_of_history, versions_limit)
                return events.Recalled(look.versions(action.known), look.commits)
        except Exception as error:  # noqa: BLE001 - reported by _reason, and the server goes on
            return events.Recalled({}, 0, _reason(error))

    def hurry(self) -> None:
        """Leaves the rest of history aside: the service is about to end."""
        self.is_late = True

    def _clock_of_history(self) -> float:
        return math.inf if self.is_late else time.monotonic()

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
        except (RemoteRefused, PathRefused, FileTooLarge) as error:
            return events.PushRefused(str(error))
        except GitError as error:
            return events.PushFailed(str(error))
        except Exception as error:  # noqa: BLE001 - reported by _bug, and the server goes on
            return events.PushFailed(_bug(error))
        self.head = head
        return events.Pushed(loading)

    def write(self, action: Write) -> Event:
        """Judges updates on top of what was fetched last, commits what they change, and pushes."""
        if self.head is None:
            raise AssertionError("a commit follows a fetch")
        outcomes: tuple[Outcome, ...] = ()
        try:
            draft = self._draft(action, self.head)
            outcomes = draft.outcomes
            if not draft.contents:
                return events.Written(outcomes, None)
            head = self._commit(draft, action, self.head)
        except Exception as error:  # noqa: BLE001 - reported by _failed_write, and the server goes on
            return _failed_write(error, outcomes)
        return self._taken(draft, action, head)

    def _landed(self, head: Head, action: Fetch) -> str | None:
        # They were made on top of what is loaded, or of something older, and then they came too late.
        return self.repository.landed(head, action.attempts, since=action.known.commit)

    def _draft(self, action: Write, head: Head) -> Draft:
        def read_text(zone: LoadedZone) -> ZoneText:
            return self.texts.read(zone, action.known, lambda: self._tree(head, self.repository.files(head)))

        rules = SerialRules(self.policy, self.clock())
        return write_group(action.submissions, action.known, read_text, rules)

    def _commit(self, draft: Draft, action: Write, head: Head) -> Head:
        written = tuple(_written(action.submissions, draft.outcomes))
        serials = {apex: version.zone.serial for apex, version in draft.edited.items()}
        author = authors(written)[0]
        return self.repository.commit_and_push(
            head,
            draft.contents,
            author=Person(author, address(author)),
            committer=AUTHOR,
            message=commit_message(written, serials),
            now=int(self.clock()),
        )

    def _taken(self, draft: Draft, action: Write, head: Head) -> Event:
        """The remote has the commit. Whatever goes wrong now, a fetch will find it there."""
        try:
            if self.texts.are_shared(draft.contents, action.known):
                # Other zones changed with these: the SOA of several may be one.
                loading = self._load(head, action.known)
            else:
                blobs = {path: self.repository.find(head, path) for path in draft.contents}
                loading = take_edited(action.known, head.commit, draft.edited, blobs, action.edits)
                self.texts.keep(draft.edited, loading.loaded)
        except Exception as error:  # noqa: BLE001 - reported by _bug, and the server goes on
            return events.WriteFailed(_reason(error), head.commit, draft.outcomes)
        self.head = head
        if self.listing is not None and self.listing.commit == action.known.commit:
            self.listing = self.listing.after(head.commit, draft.contents)
        return events.Written(draft.outcomes, loading)

    def _load(self, head: Head, known: Loaded) -> Loading:
        try:
            guard = None if is_meant(head.message) else self.guard
            files, since = self._files(head, known)
            rules = SerialRules(self.policy, self.clock())
            tree = self._tree(head, files, since)
            if known.commit is None:
                # Of a policy that leaves serials to the operator there are none, or none that still hold.
                kept = self.raised.read() if self.raised and self.policy != "manual" else {}
                loading = load_first(tree, self._before_push(head, guard), rules, guard, kept)
            else:
                loading = load(tree, known, rules, guard)
        finally:
            self.repository.rest()
        self.listing = Listing(head.commit, files)
        if self.raised is not None:
            self.raised.keep(loading.loaded)
        # All at the start; later ones leave little, and this takes a while.
        if not known.zones:
            give_back_memory()
        return loading

    def _before_push(self, head: Head, guard: Guard | None) -> Tree | None:
        """The files before the newest commit that is not ours, unless that one deletes what it means to."""
        if guard is None:
            return None
        pushed, older = self.repository.last_push(head, AUTHOR)
        if older is None or is_meant(pushed.message):
            return None
        return self._tree(older, self.repository.files(older))

    def _files(self, head: Head, known: Loaded) -> tuple[Files, Since | None]:
        """The files of a commit, and how they differ from those of what is loaded."""
        listing = self.listing
        if listing is None or listing.commit != known.commit:
            return self.repository.files(head), None
        files = self.repository.files(head, listing.files)
        changed = files.changed
        return files, None if changed is None else Since(listing.commit, changed | listing.edited)

    def _tree(self, head: Head, files: Files, since: Since | None = None) -> Tree:
        return Tree(
            commit=head.commit,
            files=files,
            read=lambda blob: self.repository.blob(BlobId(blob)),
            left_out=files.left_out,
            since=since,
        )


def _failed_write(error: Exception, outcomes: tuple[Outcome, ...]) -> Event:
    """How a commit of updates ended that did not come to be, as far as is known."""
    match error:
        case RemoteMoved():
            return events.WriteOvertaken()
        case PushUncertain():
            return events.WriteFailed(str(error), error.commit, outcomes)
        case PushRefused():
            return events.WriteRefused(outcomes, error.reason)
        case RemoteRefused() | PathRefused() | FileTooLarge():
            return events.WriteRefused(outcomes, str(error))
        case _:
            return events.WriteFailed(_reason(error))


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, GitError) else _bug(error)


def _written(submissions: Sequence[Submission], outcomes: Sequence[Outcome]) -> Iterator[Written]:
    """What the updates that changed something did, for the words of the commit."""
    for submission, outcome in zip(submissions, outcomes, strict=True):
        if outcome.words and outcome.apex is not None:
            yield Written(outcome.apex, outcome.words, submission.signer.key.text, submission.client)


def broken_off(action: GitAction, error: BaseException) -> Event:
    """How an action ends that raised what it does not handle itself; to be called by the handler."""
    reason = _bug(error)
    match action:
        case Fetch():
            return events.FetchFailed(reason)
        case Push():
            return events.PushFailed(reason)
        case Write():
            return events.WriteFailed(reason)
        case Recall():
            return events.Recalled({}, 0, reason)


def _bug(error: BaseException) -> str:
    """The server goes on with what it has; the log keeps what is needed to mend it."""
    _log.exception("this is a bug in Oakroot, please report it")
    return f"a bug in Oakroot ({type(error).__name__}); its log says more"
