"""A zone repository as an operator has it, made with git itself; commits are a minute apart from noon."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.zones.repositories import NOON

IDENTITY = {
    "GIT_AUTHOR_NAME": "Operator",
    "GIT_AUTHOR_EMAIL": "operator@example.org",
    "GIT_COMMITTER_NAME": "Operator",
    "GIT_COMMITTER_EMAIL": "operator@example.org",
}


@dataclass
class OperatorRepository:
    """A folder with a repository in it."""

    folder: Path
    commits: int = 0

    @classmethod
    def make(cls, folder: Path) -> OperatorRepository:
        folder.mkdir()
        repository = cls(folder)
        repository.git("init", "--quiet", "--initial-branch=main")
        for name, value in (("user.name", "Operator"), ("user.email", "operator@example.org")):
            repository.git("config", name, value)
        return repository

    def git(self, *arguments: str) -> str:
        moment = f"{int(NOON) + 60 * self.commits} +0000"
        times = {"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
        environment = {**os.environ, **IDENTITY, **times}
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, message: str, files: dict[str, bytes | str | None]) -> str:
        """Writes or (None) removes files, commits them, and gives the commit's id."""
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.commits += 1
        return self.git("rev-parse", "HEAD")

    def write(self, files: dict[str, bytes | str | None]) -> None:
        for path, content in files.items():
            place = self.folder / path
            if content is None:
                place.unlink()
                continue
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(content.encode() if isinstance(content, str) else content)
