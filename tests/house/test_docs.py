"""The documents say what the code does."""

from __future__ import annotations

from pathlib import Path

from oakroot.cli.config import settings_schema
from scripts.command_reference import reference


def test_the_command_reference_is_current(project_root: Path) -> None:
    assert (project_root / "docs" / "cli.md").read_text() == reference(), "run `make docs`"


def test_the_schema_of_settings_is_current(project_root: Path) -> None:
    assert (project_root / "docs" / "oakroot.schema.json").read_text() == settings_schema() + "\n", (
        "run `make docs`"
    )
