"""The ledger's shell: its git repository, wherever that lies. It is read whole, and only added to."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from oakroot.git.commits import Head, Person
from oakroot.git.create import create_repository
from oakroot.git.credentials import Credentials, LoginKey
from oakroot.git.errors import PathRefused, PushUncertain, RemoteMoved
from oakroot.git.remote import Remote
from oakroot.git.repository import RemoteRepository
from oakroot.git.signatures import read_signers, sign
from oakroot.images.ledger import SIGNERS, Ledger, files_of_record, read_ledger
from oakroot.images.record import Record
from oakroot.images.rejected import ImageError
from oakroot.images.statement import NAMESPACE, write_statement

_COMMIT = re.compile(r"[0-9a-f]{40}\Z")
_ROUNDS = 20
"""How often others may be faster. Each time one of them has succeeded."""
_PAUSE = 0.2

_README = """\
# A ledger of builds

Each folder below `builds/ROLE/BUILD` holds one builder's signed word on what came of the inputs in
`lock.json`: an in-toto statement with SLSA provenance. To check one without Oakroot:

    ssh-keygen -Y verify -f allowed_signers -I BUILDER -n oakroot-build \\
        -s BUILDER/statement.json.sig < BUILDER/statement.json

No record that counts is ever changed or removed.
"""


def begin(directory: Path, signers: str, now: int) -> None:
    """Makes a new ledger, a bare repository on this machine; InvalidSetting if the signers are none."""
    read_signers(signers)
    files = {SIGNERS: signers.encode(), "README.md": _README.encode()}
    person = Person("oakroot", "")
    try:
        create_repository(directory, files, author=person, message="Begin a ledger of builds", now=now)
    except FileExistsError:
        raise ImageError(f"{directory} is there already", "a new ledger wants a new folder") from None
    except OSError as problem:
        raise ImageError(f"{directory} cannot be made: {problem.strerror}") from None


class LedgerRepository:
    """One ledger. Raises GitError where git fails, ImageError where its files do."""

    def __init__(self, remote: Remote, credentials: Credentials) -> None:
        self._repository = RemoteRepository(remote, credentials)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._repository.close()

    def read(self, signers: str | None, since: str | None = None) -> tuple[Ledger, Head]:
        """All that is in it. `signers` are the reader's own, None for those that the ledger names.

        `since`: a commit that was seen before; ImageError if a record that counted there is not as it was.
        """
        head = self._repository.fetch()
        if since is not None:
            self._check_only_grown(since, head, signers)
        return self._ledger(head, signers), head

    def append(
        self,
        record: Record,
        builder: str,
        key: LoginKey,
        tools: Mapping[str, str],
        now: Callable[[], float],
    ) -> bool:
        """Adds a signed record, on top of whatever others add meanwhile; False if it is there already.

        ImageError if this builder has recorded another result of the same build, or the same with another
        key: a record stays as it is. What lies in its place and does not count is none, and is written over.
        """
        moment = int(now())
        statement = write_statement(record, builder, tools, moment)
        files = files_of_record(record, statement, sign(statement, key, NAMESPACE), builder)
        person = Person(builder, "")
        for attempt in range(_ROUNDS):
            head = self._repository.fetch()
            if self._is_recorded(head, record, builder, key, files):
                return attempt > 0  # what was not there at first is ours, though we were not told
            try:
                self._repository.commit_and_push(
                    head,
                    files,
                    author=person,
                    committer=person,
                    message=f"{record.role} {record.name[:12]}: built by {builder}",
                    now=moment,
                )
            except RemoteMoved:
                continue
            except PushUncertain:  # the next look tells, and a lock of somebody else's is gone by then
                if attempt == _ROUNDS - 1:
                    raise
                time.sleep(_PAUSE)
                continue
            return True
        raise ImageError("others write to the ledger all the time; try again later")

    def _is_recorded(
        self, head: Head, record: Record, builder: str, key: LoginKey, paths: Iterable[str]
    ) -> bool:
        signers = f"{self._own_signers(head)}\n{builder} {key.public_line}"
        found = self._ledger(head, signers, paths).builds
        if not found:
            return False
        (before,) = found[0].attestations
        if before.key != key.fingerprint:
            raise ImageError(
                f"{builder} has recorded {found[0].label} with another key: {before.key}",
                "a record is never replaced; the new key needs a name of its own to say the same again",
            )
        if before.record.outputs == record.outputs:
            return True
        old = before.record.outputs
        names = sorted(name for name, digest in record.outputs.items() if old.get(name) != digest)
        raise ImageError(
            f"{builder} has recorded another result of {found[0].label}: {', '.join(names)}",
            "a record is never replaced; find out why the two differ: `oakroot image diff` compares images",
        )

    def _ledger(self, head: Head, signers: str | None, paths: Iterable[str] | None = None) -> Ledger:
        """What these files say, or all of them."""
        known = read_signers(self._own_signers(head) if signers is None else signers)
        if paths is None:
            paths = self._repository.changed(None, head)
        return read_ledger(paths, lambda path: self._repository.read(head, path), known)

    def _own_signers(self, head: Head) -> str:
        try:
            return self._repository.read(head, SIGNERS).decode(errors="replace")
        except PathRefused:
            raise ImageError(
                f"this repository is no ledger: it has no {SIGNERS}",
                "`oakroot image ledger init` makes one; --signers names a list of your own",
            ) from None

    def _check_only_grown(self, since: str, head: Head, signers: str | None) -> None:
        before = self._repository.earlier(head, since) if _COMMIT.match(since) else None
        hint = "ask who may push there; a copy of yours from before still has what is gone"
        if before is None:
            raise ImageError(f"commit {since} is not in the ledger's history, or not any more", hint)
        # Others' files do not count: who may push could put them in a builder's way, to be written over.
        counted = {
            path
            for build in self._ledger(before, signers).builds
            for each in build.attestations
            for path in files_of_record(each.record, b"", b"", each.builder)
        }
        lost = sorted(counted & self._repository.changed(before, head))
        if lost:
            raise ImageError(f"since commit {since} the ledger has lost what was recorded: {lost[0]}", hint)
