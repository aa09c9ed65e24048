"""The operator's own git program, for what is theirs: their name, hooks, signature and credentials.

Tools at an operator's keyboard use it. What serves has all it needs of git in process; it only asks git to
tidy up in a folder of this machine, and does without where there is none.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from oakroot.git.errors import GitError, printable

_PATIENCE = 300.0
"""Seconds: a push may ask its user for a passphrase, and hooks may take their time."""


class CommandFailed(GitError):  # noqa: N818 - as in `errors`: the name says what happened
    """git would not do it; the message holds its own words."""


def run_git(folder: Path, arguments: Sequence[str]) -> str:
    """Runs git in a folder and gives what it printed; raises CommandFailed."""
    verb = arguments[2] if arguments[0] == "-c" else arguments[0]
    try:
        done = subprocess.run(  # noqa: S603 - a list of words, no shell; paths follow `--`
            ["git", *arguments],  # noqa: S607 - the git that the operator's PATH means
            cwd=folder,
            capture_output=True,
            check=False,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
        )
    except FileNotFoundError:
        raise CommandFailed("this takes the git program, and there is none in PATH") from None
    except subprocess.TimeoutExpired:
        raise CommandFailed(f"git {verb} did not end within {_PATIENCE:.0f} s") from None
    if done.returncode != 0:
        reason = printable(done.stderr.strip() or done.stdout.strip()) or f"exit code {done.returncode}"
        raise CommandFailed(f"git {verb}: {reason}")
    return done.stdout
