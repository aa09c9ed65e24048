"""The example repository passes its own checks."""

from __future__ import annotations

from pathlib import Path

from oakroot.cli.folder import Folder
from oakroot.zones.check import check_tree


def test_the_example_zones_have_neither_errors_nor_warnings(project_root: Path) -> None:
    checked = check_tree(Folder(project_root / "examples" / "zones").tree())
    assert checked.findings == ()
    assert checked.zones == 2
