"""What importing costs: commands that need no git must not pay for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"asyncssh", "dulwich", "urllib3"}


def imported_by(module: str, project_root: Path) -> set[str]:
    code = f"import {module}, sys; print('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(project_root / "src")},
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    "module", ["oakroot.git", "oakroot.git.errors", "oakroot.git.remote", "oakroot.git.credentials"]
)
def test_addresses_credentials_and_errors_are_cheap(module: str, project_root: Path) -> None:
    assert not imported_by(module, project_root) & HEAVY


def test_the_repository_brings_its_libraries(project_root: Path) -> None:
    """Else the test above would prove nothing."""
    assert imported_by("oakroot.git.repository", project_root) >= HEAVY
