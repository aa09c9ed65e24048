"""Reads the commands of a page of the documentation, with what the page says they print.

A command stands in a block of the kind `console`, behind `$ `; the lines below it are its output, in which
`...` stands for anything. `(exit code 1)` as the last line is part of the page for its readers, too. A
command goes on in the next line behind a backslash, and within a here-document up to its end.

Two comments above a block are for the tests alone: `<!-- not run: REASON -->`, and `<!-- run: COMMAND -->`
for what a reader does elsewhere, say in the web pages of a git host. What must not live here: running
anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_BLOCK = re.compile(
    r"(?P<remarks>(?:^<!-- (?:not )?run: .*? -->\n)*)^```console\n(?P<body>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
_REMARK = re.compile(r"<!-- (?P<kind>not run|run): (?P<text>.*?) -->")
_EXIT_CODE = re.compile(r"\(exit code (?P<code>[0-9]+)\)")
_HERE_DOCUMENT = re.compile(r"<<\s*'?(?P<end>\w+)'?")
_PROMPT = "$ "


@dataclass(frozen=True)
class Step:
    """A command, where it stands, and what it is said to do."""

    line: int
    command: str
    output: tuple[str, ...] = ()
    code: int = 0


@dataclass(frozen=True)
class Block:
    """Commands that stand together."""

    line: int
    steps: tuple[Step, ...]
    not_run: str | None = None
    before: tuple[str, ...] = field(default=())


def blocks_of(path: Path) -> Iterator[Block]:
    """The blocks of a page, in order."""
    text = path.read_text()
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start("body")) + 1
        remarks = [(remark["kind"], remark["text"]) for remark in _REMARK.finditer(found["remarks"])]
        yield Block(
            line,
            tuple(_steps(found["body"].splitlines(), line)),
            next((reason for kind, reason in remarks if kind == "not run"), None),
            tuple(command for kind, command in remarks if kind == "run"),
        )


def _steps(lines: Sequence[str], first: int) -> Iterator[Step]:
    at = 0
    while at < len(lines):
        begin = at
        assert lines[at].startswith(_PROMPT), f"line {first + at}: output of no command: {lines[at]!r}"
        at = _end_of_command(lines, begin)
        command = "\n".join(lines[begin:at]).removeprefix(_PROMPT)
        output = []
        while at < len(lines) and not lines[at].startswith(_PROMPT):
            output.append(lines[at])
            at += 1
        ended = _EXIT_CODE.fullmatch(output[-1]) if output else None
        if ended is not None:
            output.pop()
        yield Step(first + begin, command, tuple(output), 0 if ended is None else int(ended["code"]))


def _end_of_command(lines: Sequence[str], begin: int) -> int:
    here = _HERE_DOCUMENT.search(lines[begin])
    if here is not None:
        return lines.index(here["end"], begin) + 1
    at = begin
    while lines[at].endswith("\\"):
        at += 1
    return at + 1


def agrees(said: Sequence[str], printed: Sequence[str]) -> bool:
    """Whether what a command printed is what its page says; `...` is anything, and so is a line of it.

    Columns of a table may stand elsewhere, since addresses and times differ in width; but not in a line that
    is quoted behind a bar.
    """
    pattern = ""
    for line in said:
        if line.strip() == "...":
            pattern += r"(?:.*\n)*"
        else:
            words = ".*".join(map(re.escape, line.rstrip().split("...")))
            if " | " not in line:
                words = re.sub(r"(?:\\ ){2,}", " +", words)
            pattern += words + r"[ \t]*\n"
    return re.fullmatch(pattern, "".join(f"{line.rstrip()}\n" for line in printed)) is not None
