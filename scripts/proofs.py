"""Prints docs/imports.md or docs/clients.md: what is proved of import sources and of clients, by which tests.

A test says itself what it proves, by `@pytest.mark.proves(PAGE, OF_WHAT, WHAT)`, once for each row. The marks
are read off the files of the tests, so that a page does not depend on which of them were run.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent

_NOTE = "<!-- Written by `make docs` of the marks `proves` at the tests. -->"
PAGES = {
    "imports": f"""\
# What can be imported

{_NOTE}

`oakroot import` takes over the set-up of other servers ([from BIND](howto/from-bind.md),
[from Knot DNS, NSD or PowerDNS](howto/from-knot.md), [from OctoDNS or DNSControl](howto/from-octodns.md)).
What is proved of each, by the test behind the link:

| source | proved |
|---|---|
""",
    "clients": f"""\
# Keys for clients

{_NOTE}

`oakroot keygen tsig NAME --for CLIENT` writes a key down as its user wants it. What is proved of each, by the
test behind the link. [Clients that update](update-clients.md) has more of those that change records, and
[who transfers zones with whom](interoperability.md) of servers.

| client | proved |
|---|---|
""",
}


@dataclass(frozen=True)
class Proof:
    """What one test proves of something."""

    page: str
    subject: str
    what: str
    file: str
    test: str


def proofs() -> Iterator[Proof]:
    """All marks, by file and line."""
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        text = file.read_text()
        if "mark.proves(" in text:
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef):
                    yield from _proofs_of(node, file.relative_to(ROOT).as_posix())


def _proofs_of(test: ast.FunctionDef, file: str) -> Iterator[Proof]:
    for mark in test.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.proves":
            page, subject, what = (ast.literal_eval(argument) for argument in mark.args)
            yield Proof(page, subject, what, file, test.name)


def page(name: str) -> str:
    """The whole page."""
    rows: dict[str, list[str]] = {}
    for proof in proofs():
        if proof.page == name:
            link = f'[{proof.what}](../{proof.file} "{proof.test}")'
            rows.setdefault(proof.subject, []).append(link)
    lines = [f"| {subject} | {'; '.join(dict.fromkeys(links))} |" for subject, links in sorted(rows.items())]
    return PAGES[name] + "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(sys.argv[1]), end="")
