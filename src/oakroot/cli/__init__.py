"""The command line: one file per command, which says how it is called (`configure`) and does it (`run`).

`main` chooses the command, fills its options from environment and settings file, and turns the outcome into
an exit code. A command prints what it found out on standard output, and what went wrong on standard error.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from enum import IntEnum
from typing import Protocol


class Exit(IntEnum):
    """What a command tells the shell."""

    FINE = 0
    NOT_SO = 1
    USAGE = 2


class CommandError(Exception):
    """Ends a command with one line for its user, and a hint how to mend it. It never holds a secret."""

    def __init__(self, message: str, *, hint: str | None = None, exit_code: Exit = Exit.NOT_SO) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code


class Subparsers(Protocol):
    """What `configure` is given to add its command to (argparse has no public name for it)."""

    @property
    def choices(self) -> Mapping[str, argparse.ArgumentParser]:
        """The parsers that were added, by their commands."""

    def add_parser(
        self,
        name: str,
        *,
        help: str | None = ...,  # noqa: A002 - argparse's own word
        description: str | None = ...,
        epilog: str | None = ...,
        formatter_class: type[argparse.HelpFormatter] = ...,
        words_between_options: bool = ...,
    ) -> argparse.ArgumentParser:
        """A parser for the command of this name.

        `words_between_options`: whether its words may stand before, between and behind its options although
        their number is open.
        """
