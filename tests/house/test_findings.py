"""The page about findings has every finding, and says of each what is said."""

from __future__ import annotations

import re
from pathlib import Path

from scripts.findings_reference import page

_IN_THE_ENGINE = re.compile(
    r'(?:error|warning|new)\(\s*"(?P<call>[a-z]+(?:-[a-z]+)+)"|code(?::| =) "(?P<field>[a-z-]+)"'
)
_IN_PYTHON = re.compile(
    r'(?:Finding\(\s*"(?:error|warning)",|KeyRejectedError\(|_warning\(\s*granted,|code=)\s*"(?P<code>[a-z-]+)"'
)


def codes(root: Path) -> set[str]:
    """The codes that the sources give to findings."""
    found = set()
    for room in ("zonefile", "zone"):
        for file in (root / "engine/src" / room).glob("*.rs"):
            found |= {match["call"] or match["field"] for match in _IN_THE_ENGINE.finditer(file.read_text())}
    for room in ("zones", "keys"):
        for file in (root / "src/oakroot" / room).glob("*.py"):
            found |= {match["code"] for match in _IN_PYTHON.finditer(file.read_text())}
    found -= {code for code in found if code.startswith("ssh-")}  # of options, which `check` does not have
    return found


def test_the_page_about_findings_is_current(project_root: Path) -> None:
    assert (project_root / "docs/reference/findings.md").read_text() == page(), "run `make docs`"


def test_no_finding_is_missing_on_the_page(project_root: Path) -> None:
    known = codes(project_root)
    assert len(known) > 60
    text = page()
    assert [code for code in sorted(known) if not re.search(rf"(?:### |`){code}\b", text)] == []
