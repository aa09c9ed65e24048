"""What a settings file says to one command. Loaded late: many a start has no such file.

What must not live here: how files are read and judged (`operate.settings_file`).
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from oakroot.operate.config import Table
from oakroot.operate.options import ConfigError, Option
from oakroot.operate.settings_file import EXPOSED, check_settings, check_tables, read_settings_file
from oakroot.zones.diagnostics import Finding, render


def usable_table(
    path: Path, command: str, options: Collection[Option], tables: Collection[str]
) -> tuple[Table, list[str]]:
    """The settings of a command with these options, and what its user should know of them.

    ConfigError: something in the file is wrong that concerns the command. `tables`: those that it may have.
    """
    file = read_settings_file(path)
    if isinstance(file, Finding):
        raise ConfigError(render(file, "text"))
    findings = [*check_tables(file, tables), *check_settings(file, command, options)]
    wrong = [finding for finding in findings if finding.code != EXPOSED]
    if wrong:
        raise ConfigError("\n".join(render(finding, "text") for finding in wrong))
    return file.table(command), [f"{finding.brief}; {finding.hint}" for finding in findings]
