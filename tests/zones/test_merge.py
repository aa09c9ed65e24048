"""Merges of files as people and machines change them: `merges/*.merge` hold versions and what comes of them.

A case file begins with a sentence. `== base PATH` is followed by the common ancestor, each `== ours WHAT` by
one side, `== theirs` by the other, `== merged` by the merge, and `== conflicts` by what a person is told, if
anything. With ACCEPT_MERGES set, the last two are written anew, for somebody to read.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from oakroot.cli.merge import GitLines
from oakroot.zones.merge import Merged, Texts, merge
from oakroot.zones.serials import next_serial

FOLDER = Path(__file__).parent / "merges"
SECTION = re.compile(r"^== (\w+) ?(.*)\n", re.MULTILINE)


@dataclass
class Case:
    """One merge."""

    title: str
    path: str
    parts: dict[str, str] = field(default_factory=dict)

    def merge(self, *, turned: bool = False) -> Merged:
        ours, theirs = self.parts["ours"].encode(), self.parts["theirs"].encode()
        if turned:
            ours, theirs = theirs, ours
        texts = Texts(self.parts["base"].encode(), ours, theirs)
        return merge(self.path, texts, GitLines(7), lambda serial: next_serial("increment", serial, 0))


def read_cases(file: Path) -> list[Case]:
    cases: list[Case] = []
    path = base = ""
    _, *parts = SECTION.split(file.read_text())
    for kind, title, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        if kind == "base":
            path, base = title, text
            continue
        if kind == "ours":
            cases.append(Case(title, path, {"base": base}))
        cases[-1].parts[kind] = text
    return cases


def accept(file: Path) -> None:
    sentence, *_ = SECTION.split(file.read_text())
    written = [sentence]
    base = None
    for case in read_cases(file):
        if (case.path, case.parts["base"]) != base:
            base = case.path, case.parts["base"]
            written.append(f"== base {case.path}\n{case.parts['base']}")
        merged = case.merge()
        written.append(f"== ours {case.title}\n{case.parts['ours']}== theirs\n{case.parts['theirs']}")
        written.append(f"== merged\n{merged.content.decode()}")
        if merged.conflicts:
            written.append("== conflicts\n" + "".join(f"{each}\n" for each in merged.conflicts))
    file.write_text("".join(written))


def all_cases() -> list[Case]:
    files = sorted(FOLDER.glob("*.merge"))
    if os.environ.get("ACCEPT_MERGES"):
        for file in files:
            accept(file)
    return [case for file in files for case in read_cases(file)]


CASES = all_cases()
EACH = pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])


@EACH
def test_what_comes_of_a_merge(case: Case) -> None:
    merged = case.merge()
    assert merged.content.decode() == case.parts["merged"]
    assert "".join(f"{each}\n" for each in merged.conflicts) == case.parts.get("conflicts", "")


@EACH
def test_the_other_side_comes_to_the_same_verdict(case: Case) -> None:
    assert bool(case.merge(turned=True).conflicts) == bool(case.merge().conflicts)
