"""How options that the command line left open are filled, for every command alike.

What must not live here: what a command makes of its options. All errors are the user's: `ConfigError`.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from oakroot.late import Part, part
from oakroot.operate import config
from oakroot.operate.options import Option, Options, Setting


class Command(Protocol):
    """What counts of a command here."""

    @property
    def serves(self) -> bool:
        """Whether it runs on, for others than its user."""

    @property
    def is_set_by_files(self) -> bool:
        """Whether it has a table in the settings file."""


def complete(
    namespace: argparse.Namespace,
    options: Options,
    chosen: str,
    commands: Mapping[str, Command],
    environment: Mapping[str, str],
    *,
    requires: bool = True,
) -> Mapping[str, str]:
    """Fills what the command line left open from the environment, the settings file and the defaults.

    `requires`: whether it is wrong usage that a required option is missing.
    Gives the place of each setting that came from the environment or the file. The namespace gets the path
    of the settings file as `config`, and what its user should know of it as `warnings`.
    """
    variables = config.Environment(dict(environment))  # os.environ encodes what is looked up, each time
    path = _path(namespace, commands[chosen], environment)
    namespace.config = path
    namespace.warnings = []
    table = config.Table({}, {})
    if path is not None:
        table, namespace.warnings = part(Part.SETTINGS_FILE).usable_table(
            path, chosen, options.all(), tables(commands)
        )

    def find(option: Option) -> Setting | None:
        return variables.find(option) or table.find(option)

    return options.fill(namespace, find, requires=requires)


def tables(commands: Mapping[str, Command]) -> list[str]:
    """The tables that a settings file may have."""
    return [name for name, command in commands.items() if command.is_set_by_files]


def _path(namespace: argparse.Namespace, command: Command, environment: Mapping[str, str]) -> Path | None:
    if not command.is_set_by_files:
        return None
    named = getattr(namespace, "config", None) or environment.get("OAKROOT_CONFIG")
    if named is not None:
        return Path(named)
    return config.DEFAULT_FILE if _has_default_file(command) else None


def _has_default_file(command: Command) -> bool:
    """A server must not run without settings meant for it; a tool used beside it by somebody else may."""
    return config.DEFAULT_FILE.exists() and (command.serves or os.access(config.DEFAULT_FILE, os.R_OK))
