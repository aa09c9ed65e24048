"""The remote repository as the other rooms see it: fetch, read, commit and push.

Blocking, for one worker thread at a time. Reading never asks the network; what was fetched stays readable
when the remote is down. History is kept whole by default, although serving needs only the newest commit:
IXFR after a restart, `log` and `blame` live on it, zone text packs well, and a fetch costs only what is new.
`depth` cuts it for those who start often against a huge history.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol, Self, cast

from dulwich.diff_tree import tree_changes
from dulwich.objects import ObjectID, ShaFile
from dulwich.refs import Ref

from oakroot.git.commits import CommitId, Head, Person, TreeId, head_of, make_commit
from oakroot.git.connections import Timeouts
from oakroot.git.copy import Copy
from oakroot.git.credentials import Credentials
from oakroot.git.deltas import SHORTEST_FILE, Delta, NewObjects, make_delta
from oakroot.git.entries import difference
from oakroot.git.errors import (
    GitError,
    PathRefused,
    PushRefused,
    PushUncertain,
    RemoteMoved,
    RemoteRefused,
    RepositoryBroken,
)
from oakroot.git.local import LocalRemote
from oakroot.git.packs import check_size
from oakroot.git.reader import LARGEST_FILE, Reader
from oakroot.git.recent import Passage, recent_passages
from oakroot.git.refs import BRANCHES, Tip
from oakroot.git.remote import Branch, Remote, Transport
from oakroot.git.translation import translated
from oakroot.git.trees import BlobId, Files, find_file, replace_files
from oakroot.late import Part, part


class _Side(Protocol):
    """The other side: a server, or a folder of this machine."""

    lends_objects: bool
    """Whether what was pushed to it can be read there, so that the copy need not have it too."""

    def fetch(self, copy: Copy, depth: int | None) -> Tip: ...

    def push(
        self,
        ref: Ref,
        old: ObjectID,
        new: ObjectID,
        made: NewObjects,
    ) -> None: ...

    def use(self, credentials: Credentials, /) -> None: ...

    def close(self) -> None: ...


class Archive:
    """The history of what was fetched, as it stands in the copy. Used by one thread at a time.

    Every method raises GitError types only; any other exception is a bug.
    """

    def __init__(self, remote: Remote, reader: Reader) -> None:
        self._remote = remote
        self._reader = reader

    def close(self) -> None:
        """Closes all files."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_reason: object) -> None:
        self.close()

    def find_in(self, tree: TreeId, path: str) -> BlobId | None:
        """The id of the regular file at `path` below a commit's root folder; None where there is none."""
        return _find_in(self._reader, tree, path)

    def recent(self, head: Head, limit: int) -> Iterator[Passage]:
        """What the newest `limit` commits changed in the root, each against its parents, newest first."""
        with translated(self._remote):
            yield from recent_passages(self._reader, _id(head.commit), limit)

    def blob(self, blob: BlobId) -> bytes:
        """The content of a file by its id."""
        return self._reader.blob(_id(blob))


class RemoteRepository:
    """One branch of a remote, with a bare copy of it on our disk.

    Every method raises GitError types only; any other exception is a bug.
    """

    def __init__(
        self,
        remote: Remote,
        credentials: Credentials,
        *,
        directory: Path | None = None,
        timeouts: Timeouts | None = None,
        depth: int | None = None,
    ) -> None:
        """Prepares the copy, in `directory` or in a temporary folder; asks the remote nothing yet.

        A `directory` keeps the copy over restarts: the next start fetches only what is new.
        `depth`: how many commits of history the first fetch brings; None for all.
        """
        limits = timeouts or Timeouts()
        self.remote = remote
        self._depth = depth
        self._side: _Side = (
            LocalRemote(remote)
            if remote.transport is Transport.PATH
            else cast("_Side", part(Part.SMART).SmartRemote(remote, credentials, limits))
        )
        self._copy = Copy(directory)

    def close(self) -> None:
        """Ends connections and closes files; a temporary copy is removed."""
        self._side.close()
        self._copy.close()

    def use(self, credentials: Credentials) -> None:
        """Takes these for the next fetch or push; to be called from any thread."""
        self._side.use(credentials)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_reason: object) -> None:
        self.close()

    def fetch(self) -> Head:
        """Brings what is new of the branch. If it fails, everything stays as it was."""
        previous = self._copy.head
        tip = self._side.fetch(self._copy, self._depth)
        with translated(self.remote):
            commit = self._copy.commit(tip.commit)
            self._copy.folder(commit.tree)
            rewritten = previous is not None and not self._copy.descends(tip.commit, previous)
            head = head_of(commit, _branch(tip.ref), previous=previous, rewritten=rewritten)
            self._copy.head = tip.commit
            self._copy.keep_head()
        return head

    def files(self, head: Head, older: Files | None = None) -> Files:
        """The regular files of a commit by path, and what in its root was left out.

        `older`: those of another commit; where little differs, that alone is looked at.
        """
        root = _id(head.tree)
        if older is not None:
            with suppress(RepositoryBroken):  # what was there before may be gone from the repository by now
                before = self._copy.folder(older.root)
                files = older.after(root, difference(before, self._copy.folder(root)))
                if files is not None:
                    return files
        return Files.listed(self._copy.tree, root, self._copy.folder(root).octets)

    def archive(self) -> Archive:
        """What was fetched, to be read by another thread while this one fetches and pushes."""
        return Archive(self.remote, self._copy.reader())

    def last_push(self, head: Head, own: Person) -> tuple[Head, Head | None]:
        """The newest commit that somebody else than `own` made, and its first parent.

        The latter is None where history ends, or was not fetched further, or only has commits of `own`.
        """
        with translated(self.remote):
            commit = self._copy.commit(_id(head.commit))
            while True:
                parents = [parent for parent in commit.parents[:1] if parent in self._copy]
                parent = self._copy.commit(parents[0]) if parents else None
                if parent is None or commit.committer != own.line():
                    older = None if parent is None else head_of(parent, head.branch)
                    return head_of(commit, head.branch), older
                commit = parent

    def blob(self, blob: BlobId) -> bytes:
        """The content of a file by its id."""
        return self._copy.blob(_id(blob))

    def rest(self) -> None:
        """Lets go of memory that only helps while many files are read."""
        self._copy.rest()

    def read(self, head: Head, path: str) -> bytes:
        """The content of the regular file at `path`, counted from the root; never one outside the commit.

        Raises:
            PathRefused: also a ValueError; the message says what is wrong with the path.
        """
        return self._copy.blob(find_file(self._copy.tree, _id(head.tree), path))

    def find(self, head: Head, path: str) -> BlobId:
        """The id of the regular file at `path`; PathRefused as in `read`."""
        return BlobId(find_file(self._copy.tree, _id(head.tree), path).decode("ascii"))

    def changed(self, previous: Head | None, head: Head) -> frozenset[str]:
        """Paths of files added, removed or changed between two heads, by comparing ids; no file is read."""
        before = None if previous is None else _id(previous.tree)
        paths: set[bytes] = set()
        with translated(self.remote):
            for change in tree_changes(self._copy.objects, before, _id(head.tree)):
                paths.update(side.path for side in (change.old, change.new) if side is not None and side.path)
        return frozenset(path.decode("utf-8", "backslashreplace") for path in paths)

    def commit_and_push(
        self,
        head: Head,
        changes: Mapping[str, bytes],
        *,
        author: Person,
        committer: Person,
        message: str,
        now: int,
    ) -> Head:
        """Writes files on top of `head` as one commit and pushes it; returns when the remote has taken it.

        Modes and all other files stay as they are. If the changes change nothing, no commit is made and
        `head` is returned. Where anything fails, neither the remote nor our copy has changed, but for what no
        protocol avoids: after PushUncertain the remote may have it nevertheless; the next fetch tells.

        Raises:
            RemoteMoved: the remote is no longer at `head`.
            PushUncertain: whether the remote has taken the commit is not known.
            PushRefused: it would not take the commit, or `head` has no branch.
            PathRefused: a path leaves the tree, or stands for something else than a regular file.
            FileTooLarge: nobody would read such a file again.
        """
        if head.branch is None:
            reason = "the remote's HEAD is detached, so there is no branch to push to"
            raise PushRefused(f"{self.remote}: {reason}; name one with #branch", reason=reason)
        for content in changes.values():
            check_size(len(content), LARGEST_FILE)
        with translated(self.remote):
            tree, objects, formers = replace_files(self._copy.tree, _id(head.tree), changes)
            if tree == _id(head.tree):
                return head
            commit = make_commit(
                tree=tree,
                parent=_id(head.commit),
                author=author,
                committer=committer,
                message=message,
                now=now,
            )
            objects.append(commit)
            made = head_of(commit, head.branch, previous=_id(head.commit))
            deltas = {} if self._side.lends_objects else dict(self._deltas(objects, formers))
        new = NewObjects(objects, formers, deltas)
        self._push(made, Ref(BRANCHES + head.branch.encode()), _id(head.commit), new)
        return made

    def landed(self, head: Head, commits: Collection[str], since: str | None) -> str | None:
        """Which of these commits of ours is in the history of `head`, not looking beyond `since`."""
        wanted = {ObjectID(commit.encode("ascii")) for commit in commits}
        with translated(self.remote):
            until = None if since is None else ObjectID(since.encode("ascii"))
            found = self._copy.find_ancestor(_id(head.commit), wanted, until)
        return None if found is None else found.decode("ascii")

    def earlier(self, head: Head, commit: str) -> Head | None:
        """The commit of this id in the history of `head`; None where it is not in it, or not any more."""
        if self.landed(head, [commit], None) is None:
            return None
        with translated(self.remote):
            return head_of(self._copy.commit(ObjectID(commit.encode("ascii"))), head.branch)

    def _deltas(
        self, objects: Sequence[ShaFile], formers: Mapping[ObjectID, ObjectID]
    ) -> Iterator[tuple[ObjectID, Delta]]:
        """Long files as changes of those in whose place they are, which the other side has too."""
        for item in objects:
            former = formers.get(item.id)
            if former is None or item.raw_length() < SHORTEST_FILE:
                continue
            octets = make_delta(self._copy.blob(former), item.as_raw_string())
            if octets is not None:
                yield item.id, Delta(former, octets)

    def _push(self, made: Head, ref: Ref, old: ObjectID, new: NewObjects) -> None:
        try:
            self._side.push(ref, old, _id(made.commit), new)
            with translated(self.remote):
                if not self._side.lends_objects:
                    self._copy.add(new.objects, new.formers)
                self._copy.head = _id(made.commit)
        except (RemoteMoved, PushRefused, RemoteRefused):
            raise
        except GitError as error:
            raise PushUncertain(str(error), commit=made.commit) from error


def _id(name: CommitId | TreeId | BlobId) -> ObjectID:
    return ObjectID(name.encode("ascii"))


def _find_in(reader: Reader, tree: TreeId, path: str) -> BlobId | None:
    try:
        return BlobId(find_file(reader.tree, _id(tree), path).decode("ascii"))
    except PathRefused:
        return None


def _branch(ref: Ref | None) -> Branch | None:
    return None if ref is None else Branch(ref.removeprefix(BRANCHES).decode("utf-8", "surrogateescape"))
