"""The documents say what the code does."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from oakroot.cli.config import settings_schema
from oakroot.keys.snippets import CLIENTS
from scripts import metrics_reference
from scripts.command_reference import reference
from scripts.man_pages import pages
from scripts.pictures import pictures
from scripts.proofs import PAGES, page, proofs


def test_the_command_reference_is_current(project_root: Path) -> None:
    assert (project_root / "docs" / "cli.md").read_text() == reference(), "run `make docs`"


def test_the_schema_of_settings_is_current(project_root: Path) -> None:
    assert (project_root / "docs" / "oakroot.schema.json").read_text() == settings_schema() + "\n", (
        "run `make docs`"
    )


def test_the_manual_pages_are_current(project_root: Path) -> None:
    folder = project_root / "packaging/data/share/man/man1"
    assert {file.name: file.read_text() for file in folder.iterdir()} == pages(), "run `make docs`"


def test_pictures_show_what_commands_print(project_root: Path, require: Callable[[str], str]) -> None:
    require("git")
    folder = project_root / "docs" / "images"
    drawn = pictures()
    assert {name: (folder / name).read_text() for name in drawn} == drawn, "run `make docs`"


def test_mandoc_has_nothing_to_say_against_the_manual_pages(
    project_root: Path, require: Callable[[str], str]
) -> None:
    files = sorted((project_root / "packaging/data/share/man/man1").iterdir())
    command = [require("mandoc"), "-T", "lint", "-W", "warning", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_table_of_metrics_is_current() -> None:
    page = metrics_reference.PAGE.read_text()
    assert page == metrics_reference.reference(page), "run `make docs`"


@pytest.mark.parametrize("name", PAGES)
def test_the_tables_of_proofs_are_current(name: str, project_root: Path) -> None:
    assert (project_root / "docs" / f"{name}.md").read_text() == page(name), "run `make docs`"


def test_every_proof_is_on_a_page() -> None:
    assert {proof.page for proof in proofs()} == PAGES.keys()


def test_every_client_that_a_key_is_written_for_has_a_proof() -> None:
    assert {proof.subject for proof in proofs() if proof.page == "clients"} == CLIENTS.keys()
