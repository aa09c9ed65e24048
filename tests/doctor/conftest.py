"""The small Internet that all tests of the doctor look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.doctor.world import World


@pytest.fixture(scope="session")
def port(require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of all its servers."""
    for program in ("named", "nsd", "knotd"):
        require(program)
    with World().running(tmp_path_factory.mktemp("world")) as port:
        yield port
