"""Hooks of a repository on this machine, run as githooks(5) describes: what they refuse is not pushed."""

from __future__ import annotations

import logging
import os
import subprocess
from contextlib import suppress
from pathlib import Path

from dulwich.objects import ObjectID
from dulwich.refs import Ref
from dulwich.repo import Repo

from oakroot.frozen import frozen
from oakroot.git.errors import PushRefused, printable

_log = logging.getLogger(__name__)

# A hook that hangs must not hold up the primary for ever.
ASKED_SECONDS = 60
TOLD_SECONDS = 600
TOLD = ("post-receive", "post-update")


@frozen
class RefUpdate:
    """One ref about to move."""

    ref: Ref
    old: ObjectID
    new: ObjectID

    @property
    def line(self) -> bytes:
        """As pre-receive and post-receive read it."""
        return b"%s %s %s\n" % (self.old, self.new, self.ref)

    @property
    def arguments(self) -> tuple[str, ...]:
        """As update gets it."""
        return os.fsdecode(self.ref), self.old.decode("ascii"), self.new.decode("ascii")


@frozen
class Hooks:
    """The executable hooks of one repository, by name."""

    git_folder: Path
    programs: dict[str, Path]

    @property
    def tell_any(self) -> bool:
        """Whether one wants to hear of what was pushed."""
        return not self.programs.keys().isdisjoint(TOLD)

    def ask(self, update: RefUpdate) -> None:
        """Runs pre-receive and update; PushRefused, with the hook's own words, if one says no."""
        for name in ("pre-receive", "update"):
            code, said = self._run(name, update, ASKED_SECONDS)
            if code != 0:
                reason = f"{name} hook declined" + (f": {said}" if said else "")
                raise PushRefused(f"{self.git_folder} refuses the commit: {reason}", reason=reason)

    def tell(self, update: RefUpdate) -> None:
        """Runs post-receive and post-update. The commit is in; what goes wrong here is only logged."""
        for name in TOLD:
            code, said = self._run(name, update, TOLD_SECONDS)
            if code != 0:
                _log.warning("the %s hook of %s failed (%d): %s", name, self.git_folder, code, said)

    def _run(self, name: str, update: RefUpdate, seconds: int) -> tuple[int, str]:
        program = self.programs.get(name)
        if program is None:
            return 0, ""
        arguments = {"update": update.arguments, "post-update": update.arguments[:1]}.get(name, ())
        try:
            done = subprocess.run(  # noqa: S603 - a hook is there to be run; see find_hooks for whose it may be
                [program, *arguments],
                input=update.line if name.endswith("-receive") else b"",
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self.git_folder,
                env={**os.environ, "GIT_DIR": str(self.git_folder)},
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return 1, f"it did not end within {seconds} s"
        except OSError as error:
            return 1, f"it cannot be run: {error.strerror}"
        return done.returncode, printable(done.stdout)


def find_folder(repo: Repo) -> Path:
    """Where the hooks of this repository are, by its own settings, the user's and the system's."""
    folder = Path(repo.controldir()).absolute() / "hooks"
    with suppress(KeyError):  # not configured
        folder = Path(repo.path) / Path(os.fsdecode(repo.get_config_stack().get((b"core",), b"hooksPath")))
    return folder.absolute()


def find_hooks(repo: Repo, folder: Path) -> Hooks:
    """The hooks that a push to this repository has to run; they are in `folder`.

    Raises:
        PushRefused: there are some, and the repository belongs to a stranger, whose programs we do not run.
    """
    git_folder = Path(repo.controldir()).absolute()
    names = ("pre-receive", "update", *TOLD)
    programs = {name: folder / name for name in names if os.access(folder / name, os.X_OK)}
    owner = git_folder.stat().st_uid
    if programs and owner not in {0, os.geteuid()}:
        reason = f"the repository has hooks and belongs to another user (id {owner})"
        raise PushRefused(
            f"{git_folder}: {reason}, so nothing is pushed, as git itself would do; "
            "push through ssh, or run as that user",
            reason=reason,
        )
    return Hooks(git_folder, programs)
