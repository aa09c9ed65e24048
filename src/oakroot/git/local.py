"""A remote that is a folder of this machine: nothing is copied, and pushing promises what a server does."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

from dulwich.errors import NotGitRepository
from dulwich.file import FileLocked
from dulwich.objects import ObjectID
from dulwich.refs import Ref, parse_symref_value
from dulwich.repo import Repo

from oakroot.git.command import CommandFailed, run_git
from oakroot.git.copy import Copy
from oakroot.git.credentials import Credentials
from oakroot.git.deflating import Deflater
from oakroot.git.deltas import NewObjects
from oakroot.git.errors import (
    PushRefused,
    RemoteRefused,
    RemoteUnreachable,
    RepositoryBroken,
    RepositoryMissing,
    printable,
)
from oakroot.git.glance import Glance
from oakroot.git.hooks import Hooks, RefUpdate, find_folder, find_hooks
from oakroot.git.refs import BRANCHES, HEAD, Tip, choose_tip
from oakroot.git.remote import Remote
from oakroot.git.translation import HOOK_PATIENCE, moved, translated
from oakroot.git.writing import move_ref, write_object

_log = logging.getLogger(__name__)

SHA1_NAME = "sha1"
# A push leaves three objects or more, each in a file of its own, and git finds 6,700 too many. A server asks
# it after every push; this is often enough.
PUSHES_BETWEEN_PACKINGS = 200


class LocalRemote:
    """One repository, bare or with a working folder. Raises only GitError."""

    lends_objects = True

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._path = Path(remote.path).expanduser()
        self._pushes = 0
        self._deflater = Deflater()
        self._at_work: list[Thread] = []
        self._hooks_found: tuple[int, Path] | None = None
        self._glance: Glance | None = None

    def fetch(self, copy: Copy, depth: int | None) -> Tip:  # noqa: ARG002 - nothing is copied, so nothing is cut
        """Lets the copy read the repository's own objects; gives the branch's tip."""
        tip = None if self._glance is None else self._glance.tip(self._remote.branch)
        if tip is not None:
            return tip
        with translated(self._remote), self._opened() as repo:
            glance = Glance(self._path, repo)
            tip = self._choose_tip(repo)
            copy.borrow(Path(repo.object_store.path).absolute())
            copy.update_shallow(repo.get_shallow(), None)
        # Only now: a glance is enough for a repository whose objects the copy can read.
        self._glance = glance
        return tip

    def push(
        self,
        ref: Ref,
        old: ObjectID,
        new: ObjectID,
        made: NewObjects,
    ) -> None:
        """Moves `ref` from `old` to `new` as git-receive-pack(1) would.

        Raises:
            RemoteMoved: the ref is not at `old`.
            PushRefused: a hook or git's rules forbid it.
        """
        update = RefUpdate(ref, old, new)
        with translated(self._remote), self._opened() as repo:
            self._check_not_checked_out(repo, ref)
            hooks = find_hooks(repo, self._hooks_folder(repo))
            try:
                if repo.refs[ref] != old:
                    raise moved(self._remote)
                # Unreferenced until the ref moves: if a hook declines, they are garbage for `git gc`.
                for item in made.objects:
                    write_object(repo.object_store, item, self._deflater, made.formers.get(item.id))
                hooks.ask(update)
                if not move_ref(repo, ref, old, new):
                    raise moved(self._remote)
            except KeyError:
                raise moved(self._remote) from None
            except PermissionError as error:
                reason = f"this process may not write {error.filename or self._path}"
                raise PushRefused(f"{self._remote}: {reason}", reason=reason) from None
            except FileLocked:
                raise RemoteUnreachable(
                    f"{self._remote} is locked by another process; if none is at work there, remove the lock"
                ) from None
        self._pushes += 1
        is_time_to_pack = self._pushes % PUSHES_BETWEEN_PACKINGS == 0
        if hooks.tell_any or is_time_to_pack:
            self._follow(hooks, update, is_time_to_pack=is_time_to_pack)

    def use(self, _credentials: Credentials) -> None:
        """Folders of this machine ask for none."""

    def close(self) -> None:
        """Waits a moment for what follows the last push."""
        for thread in self._at_work:
            thread.join(HOOK_PATIENCE)

    def _follow(self, hooks: Hooks, update: RefUpdate, *, is_time_to_pack: bool) -> None:
        """In a thread of its own: a post-receive hook may be `oakroot notify`, which waits for us."""

        def work() -> None:
            hooks.tell(update)
            if is_time_to_pack:
                self._pack()

        thread = Thread(target=work, name="git hooks", daemon=True)
        self._at_work = [earlier for earlier in self._at_work if earlier.is_alive()] + [thread]
        thread.start()

    def _pack(self) -> None:
        """Has git pack the objects if it finds them many, as it does behind a push (receive.autogc).

        The refs stay as they are: while git packs them, they are locked, and the next push would fail.
        """
        try:
            run_git(self._path, ["-c", "gc.packRefs=false", "gc", "--auto", "--quiet"])
        except CommandFailed as error:
            _log.info("the objects of %s are not packed: %s", self._remote, error)

    def _hooks_folder(self, repo: Repo) -> Path:
        """Found anew when the repository's settings have changed: reading all of them takes milliseconds."""
        settings = (Path(repo.commondir()) / "config").stat().st_mtime_ns
        if self._hooks_found is None or self._hooks_found[0] != settings:
            self._hooks_found = (settings, find_folder(repo))
        return self._hooks_found[1]

    def _choose_tip(self, repo: Repo) -> Tip:
        head = _branch_of_head(repo)
        branch = self._remote.branch
        ref = head if branch is None else Ref(BRANCHES + branch.encode())
        # A power failure may leave it so. Without this, what git once packed of it would be served.
        if ref is not None and _is_empty(Path(repo.commondir()) / os.fsdecode(ref)):
            raise RepositoryBroken(
                f"{self._remote}: the file of the ref {printable(ref)} is empty; remove it, and make the ref "
                "anew there: `git update-ref REF COMMIT` (its last commit may stand in the reflog)"
            )
        return choose_tip(self._remote, repo.get_refs(), {} if head is None else {HEAD: head})

    def _check_not_checked_out(self, repo: Repo, ref: Ref) -> None:
        """As receive.denyCurrentBranch has it: else the working folder would seem to undo the commit."""
        if repo.bare or _branch_of_head(repo) != ref:
            return
        try:
            allowed = repo.get_config_stack().get((b"receive",), b"denyCurrentBranch").lower()
        except KeyError:
            allowed = b"refuse"
        if allowed not in {b"ignore", b"warn", b"false"}:
            reason = "the branch is checked out in the repository's working folder"
            raise PushRefused(
                f"{self._remote}: {reason}, and git refuses pushes to it; make the remote a bare repository, "
                "or set receive.denyCurrentBranch to ignore there",
                reason=reason,
            )

    @contextmanager
    def _opened(self) -> Iterator[Repo]:
        try:
            repo = Repo(str(self._path))
        except NotGitRepository:
            raise RepositoryMissing(
                f"there is no git repository at {self._remote.path}; `git init --bare` makes one"
            ) from None
        except PermissionError:
            raise RemoteRefused(
                f"the repository {self._remote.path} may not be read by this process; "
                "change its permissions, or the user we run as"
            ) from None
        except OSError as error:
            raise RemoteUnreachable(
                f"the repository {self._remote.path} cannot be opened: {error.strerror}"
            ) from None
        with closing(repo):
            yield repo


def _branch_of_head(repo: Repo) -> Ref | None:
    """What HEAD stands for; None where it is detached."""
    try:
        return Ref(parse_symref_value(repo.refs.read_ref(HEAD) or b""))
    except ValueError:
        return None


def _is_empty(file: Path) -> bool:
    return file.is_file() and not file.stat().st_size
