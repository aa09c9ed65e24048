"""Git servers of every kind, and primaries on them that take updates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.sites import Site
from tests.git.conftest import Servers, make_place, no_proxies_and_no_tokens, servers

__all__ = ["make_place", "no_proxies_and_no_tokens", "servers"]


@pytest.fixture(params=["path", "https", "ssh"])
def site(
    request: pytest.FixtureRequest, servers: Servers, make_place: Callable[..., object], tmp_path: Path
) -> Site:
    """A repository with a zone and a key, behind each kind of remote in turn."""
    return Site.on(str(request.param), servers, make_place, tmp_path)


@pytest.fixture
def local_site(servers: Servers, make_place: Callable[..., object], tmp_path: Path) -> Site:
    """The same, in a folder of this machine."""
    return Site.on("path", servers, make_place, tmp_path)
