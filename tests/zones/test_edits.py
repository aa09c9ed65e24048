"""Edits of files as people write them: `edits/*.edit` holds zones, changes, and the diffs they make.

A case file begins with a sentence. `== zone APEX` is followed by the zone file (`dos`: lines end as in DOS,
`open`: the last one does not end, `marked`: a byte order mark comes first), `== file NAME` by an included one
(`shared`: other zones include it too), each `== change WHAT` by records to remove and to add, and `== diff`
by what comes of them. Names are relative to the apex; the serial rises by one, and `soa` gives the SOA's
other fields. With ACCEPT_EDITS set, the diffs are written anew, for somebody to read.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from oakroot._engine import read_zone
from oakroot.zones.edits import EditError, TextRecord, ZoneText, read_zone_text
from oakroot.zones.tree import Tree
from tests.zones.linediff import line_diff

FOLDER = Path(__file__).parent / "edits"
SECTION = re.compile(r"== (\w+) ?(.*)\n")


@dataclass
class Case:
    """One zone in files, and the changes to try on it."""

    apex: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)
    changes: dict[str, str] = field(default_factory=dict)
    diffs: dict[str, str] = field(default_factory=dict)

    def tree(self) -> Tree:
        return Tree("commit", {name: name for name in self.files}, self.files.__getitem__)


def read_case(path: Path) -> Case:
    case = Case()
    change = ""
    _, *parts = SECTION.split(path.read_text())
    for kind, title, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        if kind == "change":
            change = title
            case.changes[change] = text
            continue
        if kind == "diff":
            case.diffs[change] = text
            continue
        name, *flags = title.split()
        if kind == "zone":
            case.apex, name = name, "zone"
        if "shared" in flags:
            case.elsewhere.append(name)
        text_as_stored = text.removesuffix("\n") if "open" in flags else text
        encoding = "utf-8-sig" if "marked" in flags else "utf-8"
        case.files[name] = text_as_stored.replace("\n", "\r\n" if "dos" in flags else "\n").encode(encoding)
    return case


def absolute(owner: str, apex: str) -> str:
    return apex if owner == "@" else f"{owner}.{apex}"


def read_change(case: Case, text: str, soa: TextRecord) -> tuple[list[TextRecord], list[TextRecord]]:
    """(records to remove, records to add)."""
    old = soa[3].split()
    words = [*old[:2], str((int(old[2]) + 1) % 2**32), *old[3:]]
    change: dict[str, list[TextRecord]] = {"-": [], "+": []}
    for line in text.splitlines():
        sign, rest = line.split(" ", 1)
        if sign == "soa":
            words = [*rest.split()[:2], words[2], *rest.split()[2:]]
            continue
        owner, seconds, kind, rdata = rest.split(" ", 3)
        change[sign].append((absolute(owner, case.apex), int(seconds), kind, rdata))
    return [soa, *change["-"]], [(*soa[:3], " ".join(words)), *change["+"]]


CASES = {path.stem: read_case(path) for path in sorted(FOLDER.glob("*.edit"))}


def outcome(case: Case, text: str) -> str:
    """The diff, or the error."""
    before = read_zone_text(case.tree(), "zone", case.apex, case.elsewhere)
    zone, findings = read_zone(case.files["zone"], case.apex, "zone", case.files.__getitem__)
    assert zone is not None, findings
    remove, add = read_change(case, text, zone.records()[0])
    wanted = zone.changed(remove, add)
    try:
        after = before.changed(remove, add)
    except EditError as error:
        return "error " + " ".join(error.args) + "\n"
    contents = dict(after.contents_since(before))
    files = {**case.files, **contents}
    found, findings = read_zone(files["zone"], case.apex, "zone", files.__getitem__)
    assert found is not None, findings
    assert wanted.difference(found) == ([], [])
    return shown_diff(case, after, contents)


def shown_diff(case: Case, after: ZoneText, contents: dict[str, bytes]) -> str:
    lines = []
    for path in after.paths:
        if path in contents:
            lines += [] if path == "zone" else [f"@ {path}"]
            lines += line_diff(case.files[path].decode(), contents.pop(path).decode())
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    ("name", "change"), [(name, change) for name, case in CASES.items() for change in case.changes]
)
def test_the_diff_is_what_a_person_would_have_typed(name: str, change: str) -> None:
    case = CASES[name]
    found = outcome(case, case.changes[change])
    if os.environ.get("ACCEPT_EDITS"):
        accept(FOLDER / f"{name}.edit", change, found)
    else:
        assert found == case.diffs[change]


def accept(path: Path, change: str, diff: str) -> None:
    text = path.read_text()
    start = text.index(f"== change {change}\n")
    end = text.find("\n== change ", start) + 1 or len(text)
    asked = text[start:end].partition("== diff\n")[0]
    path.write_text(text[:start] + asked + "== diff\n" + diff + text[end:])
