"""The documents say what the code does."""

from __future__ import annotations

from pathlib import Path

from scripts.command_reference import reference


def test_the_command_reference_is_current(project_root: Path) -> None:
    assert (project_root / "docs" / "cli.md").read_text() == reference(), "run `make docs`"
