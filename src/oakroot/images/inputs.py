"""The folder of inputs: files that are read only if their hash is the one that the lock has."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Protocol

from oakroot.images.lock import LOCK_NAME, Input, Lock, read_lock
from oakroot.images.rejected import ImageError


class Inputs(Protocol):
    """Where a build gets its inputs."""

    def read(self, wanted: Input) -> bytes:
        """The file; ImageError if it is not there or is another one."""


class InputFolder:
    """Inputs in a folder of this machine."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def lock(self) -> Lock:
        """The lock file beside the inputs."""
        file = self.directory / LOCK_NAME
        try:
            return read_lock(file.read_text())
        except FileNotFoundError:
            hint = f"`oakroot image fetch --inputs {self.directory}` gathers the inputs"
            raise ImageError(f"{file} does not exist", hint) from None

    def read(self, wanted: Input) -> bytes:
        """The file; ImageError if it is not there or is another one."""
        file = self.directory / wanted.file
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            hint = f"`oakroot image fetch --inputs {self.directory}` brings what is missing"
            raise ImageError(f"input {file} does not exist", hint) from None
        found = hashlib.sha256(content).hexdigest()
        if found != wanted.sha256:
            raise ImageError(
                f"input {file} is not the one in the lock file: its SHA-256 is {found}, "
                f"the lock has {wanted.sha256}",
                "remove it and run `oakroot image fetch` again, or `fetch --renew` for a new lock file",
            )
        return content
