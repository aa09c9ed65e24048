"""A folder of broken zone files: each finding on the right line and column, marked, with a hint."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from oakroot._engine import read_zone
from oakroot.cli.folder import Folder
from oakroot.zones.check import check_zone
from oakroot.zones.diagnostics import Finding, render

FOLDER = Path(__file__).parent / "broken"
EXPECTED = (Path(__file__).parent / "broken.txt").read_text().splitlines()
SHOWN = 40


def findings(path: Path) -> tuple[Finding, ...]:
    return check_zone(Folder(FOLDER, given=path).tree(), path.name, "example.org.").findings


def expected(path: Path) -> Iterator[list[str]]:
    """(place, severity, code, marked text) of each finding about this file."""
    for line in EXPECTED:
        if line.startswith(f"{path.name}:"):
            yield [*line.split(maxsplit=3), ""][:4]


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_every_finding_is_on_its_line_and_column_with_a_hint(path: Path) -> None:
    found = findings(path)
    seen = [
        [finding.place, finding.severity, finding.code, marked(finding)[:SHOWN].strip()] for finding in found
    ]
    assert seen == list(expected(path))
    assert seen
    assert all(finding.hint for finding in found)


def marked(finding: Finding) -> str:
    """What the caret stands under in the printed form."""
    lines = render(finding, "text").splitlines()
    if finding.source_line is None:
        return ""
    start, length = lines[2].index("^"), len(lines[2].strip(" |"))
    return lines[1][start : start + length]


def test_the_folder_is_worth_its_name() -> None:
    assert len(list(FOLDER.iterdir())) >= 40


def test_more_soa_records_than_a_message_holds_are_one_finding() -> None:
    """The engine keeps the SOA composed for negative answers before it knows that there must be only one."""
    soas = "".join(f"@ SOA ns host {number} 2 3 4 5\n" for number in range(1000))
    signature = base64.b64encode(bytes(60_000)).decode()
    signed = f"@ RRSIG SOA 13 1 300 20300101000000 20200101000000 1 example. {signature}\n"
    text = f"$TTL 300\n@ NS ns\nns A 192.0.2.1\n{soas}{signed}"
    zone, found = read_zone(text.encode(), "example.", "example", lambda _path: b"")
    assert zone is None
    assert [finding.code for finding in found] == ["multiple-soa"]
