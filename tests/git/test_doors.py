"""What importing costs: commands that need no git must not pay for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from oakroot.late import Part

HEAVY = {"asyncssh", "cryptography", "dulwich", "urllib3"}


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


def test_a_repository_in_a_folder_needs_no_library_for_networks(project_root: Path) -> None:
    assert imported_by("oakroot.cli.primary", project_root) & HEAVY == {"dulwich"}


@pytest.mark.parametrize(
    ("part", "library"),
    [
        (Part.LOGIN_KEY, "cryptography"),
        (Part.SSH, "asyncssh"),
        (Part.HTTPS, "urllib3"),
        (Part.CERTIFICATE_FACTS, "cryptography"),
    ],
)
def test_what_is_loaded_late_brings_its_library(part: Part, library: str, project_root: Path) -> None:
    """Else the tests above would prove nothing."""
    assert library in imported_by(part, project_root)
