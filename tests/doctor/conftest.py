"""The small Internet that all tests of the doctor look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.doctor.world import Ports, World


@pytest.fixture(scope="session")
def ports(require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    """The ports of all its servers."""
    for program in ("named", "nsd", "knotd"):
        require(program)
    with World().running(tmp_path_factory.mktemp("world")) as ports:
        yield ports


@pytest.fixture
def port(ports: Ports) -> int:
    """Where all servers speak plain DNS."""
    return ports.dns
