"""Every command of the README, the tutorial, the guides and docs/operate does what its page says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import peers_are_required
from tests.documents.operating import OPERATING
from tests.documents.page import agrees, blocks_of
from tests.documents.stage import Stage, may_use_the_dns_port
from tests.documents.worlds import WORLDS as OTHERS
from tests.peers.loaded import LoadedCommands

WORLDS = OTHERS | OPERATING


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadedCommands]:
    with LoadedCommands(tmp_path_factory.mktemp("commands")) as loaded:
        yield loaded


@pytest.mark.parametrize("page", WORLDS)
def test_the_commands_of_a_page_do_what_it_says(
    page: str, tmp_path: Path, project_root: Path, require: Callable[[str], str], commands: LoadedCommands
) -> None:
    if not may_use_the_dns_port():
        assert not peers_are_required(), "pages are played on port 53, which needs root"
        pytest.skip("only root may serve on port 53, as the pages do")
    with Stage(tmp_path, page, commands.command) as stage, WORLDS[page](stage, require):
        for block in blocks_of(project_root / page):
            if block.not_run is None:
                stage.play(block)


def test_every_page_with_commands_is_played(project_root: Path) -> None:
    folders = (project_root / "docs", project_root / "docs/howto", project_root / "docs/operate")
    files = [project_root / "README.md", *(file for folder in folders for file in folder.glob("*.md"))]
    pages = [
        file.relative_to(project_root).as_posix()
        for file in files
        if any(block.not_run is None for block in blocks_of(file))
    ]
    assert sorted(WORLDS) == sorted(pages)


@pytest.mark.parametrize("page", WORLDS)
def test_no_block_of_commands_is_overlooked(page: str, project_root: Path) -> None:
    text = (project_root / page).read_text()
    assert len(list(blocks_of(project_root / page))) == text.count("```console")


def test_few_commands_are_not_run_and_each_has_its_reason(project_root: Path) -> None:
    reasons = [block.not_run for page in WORLDS for block in blocks_of(project_root / page) if block.not_run]
    assert len(reasons) <= 9, reasons
    assert all(len(reason.split()) > 5 for reason in reasons)


@pytest.mark.parametrize(
    ("said", "printed", "same"),
    [
        (["a"], ["a"], True),
        (["a"], ["b"], False),
        (["a"], ["a", "b"], False),
        (["a", "..."], ["a", "b", "c"], True),
        (["...", "c"], ["a", "b"], False),
        (["serial ... of a"], ["serial 12 of a"], True),
        (["serial ... of a"], ["serial 12 of b"], False),
    ],
)
def test_what_is_printed_is_compared(said: list[str], printed: list[str], same: bool) -> None:  # noqa: FBT001 - a column of the table
    assert agrees(said, printed) is same
