"""What every test may ask for. Nothing here knows a single room."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says more about the machine than about the code: time is measured in bench/.
settings.register_profile("oakroot", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("oakroot")

# Servers live in sbin, which is not on every user's path.
PEER_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def peers_are_required() -> bool:
    """Whether a missing peer fails the test instead of skipping it: always so in CI."""
    return any(os.environ.get(name) for name in ("OAKROOT_REQUIRE_PEERS", "CI"))


@pytest.fixture(scope="session")
def require() -> Callable[[str], str]:
    """`require("named")` gives the path of a peer's program, or skips the test (in CI: fails it)."""

    def path_of(program: str) -> str:
        found = shutil.which(program, path=PEER_PATH)
        if found is not None:
            return found
        reason = f"{program} is not installed; `make peers` (as root, on Debian) installs what the tests need"
        if peers_are_required():
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)

    return path_of


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The folder that holds pyproject.toml."""
    return Path(__file__).parent.parent
