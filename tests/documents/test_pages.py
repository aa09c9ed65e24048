"""Every command of the tutorial and of the guides does what its page says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.documents.page import blocks_of
from tests.documents.stage import Stage, may_use_the_dns_port
from tests.documents.worlds import WORLDS
from tests.peers.loaded import LoadedCommands


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadedCommands]:
    with LoadedCommands(tmp_path_factory.mktemp("commands")) as loaded:
        yield loaded


@pytest.mark.parametrize("page", WORLDS)
def test_the_commands_of_a_page_do_what_it_says(
    page: str, tmp_path: Path, project_root: Path, require: Callable[[str], str], commands: LoadedCommands
) -> None:
    if not may_use_the_dns_port():
        pytest.skip("only root may serve on port 53, as the pages do")
    with Stage(tmp_path, page, commands.command) as stage, WORLDS[page](stage, require):
        for block in blocks_of(project_root / page):
            if block.not_run is None:
                stage.play(block)
