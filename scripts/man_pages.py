"""Writes the manual pages, oakroot(1) and one for each command, of the same outlines as docs/cli.md.

They are in mdoc(7), which mandoc and groff both read, and are kept in the tree (packaging/data), so that a
wheel has them without a step that builds them.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from oakroot import __version__
from scripts.outline import Entry, Outline, outlines

FOLDER = Path(__file__).parent.parent / "packaging/data/share/man/man1"
_DATE = "November 29, 2026"

_INTRODUCTION = """\
Serves DNS zones from a git repository. Each file in the root of the repository is the zone of its name, a
file whose name ends in _keys holds keys, and the name of a key says what it may do."""

_SETTINGS = """\
Every option can also be set in the environment, under the name given with it; NAME_FILE is the path of a
file that holds the value, and a systemd credential named oakroot.OPTION does the same. Next comes the
settings file, a TOML file with a table for each command. What comes first counts: command line, environment,
file."""

# mdoc knows where a sentence ends by the end of the line.
_SENTENCE_END = re.compile(r"(?<=[a-z0-9)*]\.) (?=[A-Z])")

_STATUS = "0 if all is fine, 1 if the thing asked for is not so, 2 if it was called wrongly."


def pages() -> dict[str, str]:
    """The text of each page, by the name of its file."""
    commands = list(outlines())
    made = {"oakroot.1": _overview(commands)}
    for command in commands:
        made[f"{_name(command)}.1"] = _page(command)
    return made


def _overview(commands: list[Outline]) -> str:
    lines = [
        *_head("oakroot", "authoritative DNS from a git repository"),
        ".Sh SYNOPSIS",
        ".Nm",
        ".Ar command",
        ".Op Ar option ...",
        ".Sh DESCRIPTION",
        *_text(_INTRODUCTION),
        ".Pp",
        "The commands are:",
        ".Bl -tag -width certifier",
    ]
    for command in commands:
        lines += [f".It Cm {_quoted(command.words.removeprefix('oakroot '))}"]
        lines += [
            *_text(f"{command.summary[:1].upper()}{command.summary[1:]}."),
            f"See {_reference(command)}",
        ]
    lines += [".El", *_environment(), *_files(), ".Sh EXIT STATUS", *_text(_STATUS)]
    return "\n".join(_with_references(lines)) + "\n"


def _page(command: Outline) -> str:
    lines = [*_head(_name(command), command.summary), ".Sh SYNOPSIS"]
    for part in command.family():
        if not part.children:
            lines += [
                f".Nm {part.words}",
                ".Op Ar option ...",
                *map(_argument, part.arguments),
            ]
    lines += [".Sh DESCRIPTION", *_text(command.description), *_options(command)]
    for child in command.children:
        lines += [f".Ss {child.words}", *_text(child.description), *_options(child)]
    status, examples = _epilog(command)
    lines += _environment()
    lines += [*_files(), ".Sh EXIT STATUS", *_text(status or _STATUS)]
    for child in command.children:
        examples += _epilog(child)[1]
    if examples:
        lines += [".Sh EXAMPLES", ".Bd -literal", *map(_escaped, examples), ".Ed"]
    lines += [".Sh SEE ALSO", ".Xr oakroot 1"]
    return "\n".join(_with_references(lines)) + "\n"


def _head(name: str, summary: str) -> list[str]:
    title = [f".Dd {_DATE}", f".Dt {name.upper()} 1", f".Os Oakroot {__version__}"]
    return [*title, ".Sh NAME", f".Nm {name}", f".Nd {_escaped(summary)}"]


def _options(part: Outline) -> list[str]:
    if not part.entries:
        return []
    lines = [".Bl -tag -width Ds"]
    for entry in part.entries:
        lines += [_item(entry), *_text(entry.text)]
        if entry.variable:
            lines.append(f".Pq Ev {entry.variable}")
    return [*lines, ".El"]


def _item(entry: Entry) -> str:
    flags = " , ".join(f"Fl {_quoted(flag.removeprefix('-'))}" for flag in entry.flags)
    value = f"Ar {_quoted(entry.value)}" if entry.value else ""
    return f".It {flags} {value}".replace("  ", " ").rstrip()


def _argument(word: str) -> str:
    if word.startswith("["):
        return f".Op Ar {_quoted(word[1:-1])}"
    return f".Ar {_quoted(word)}"


def _environment() -> list[str]:
    return [".Sh ENVIRONMENT", *_text(_SETTINGS)]


def _files() -> list[str]:
    return [
        ".Sh FILES",
        ".Bl -tag -width Ds",
        ".It Pa /etc/oakroot/oakroot.toml",
        "The settings file, unless",
        ".Fl -config",
        "or",
        ".Ev OAKROOT_CONFIG",
        "names another.",
        ".El",
    ]


def _epilog(command: Outline) -> tuple[str, list[str]]:
    """What the exit codes mean, and the examples behind."""
    first, _, rest = command.epilog.partition("\n\n")
    if first.startswith("exit code: "):
        return first.removeprefix("exit code: "), rest.splitlines()
    return "", command.epilog.splitlines()


def _text(text: str) -> Iterator[str]:
    """Running text; mdoc wants each paragraph begun, and no line to begin like a request."""
    for number, paragraph in enumerate(text.split("\n\n")):
        if number:
            yield ".Pp"
        for sentence in _SENTENCE_END.split(" ".join(paragraph.split())):
            yield from map(_escaped, textwrap.wrap(sentence, 76, break_long_words=False))


def _escaped(line: str) -> str:
    line = line.replace("\\", "\\e").replace("-", "\\-").replace("`", "").rstrip()
    return f"\\&{line}" if line.startswith((".", "'")) else line


def _quoted(word: str) -> str:
    """A word that no macro takes for another one."""
    return '"' + word.replace("\\", "\\e").replace("-", "\\-").replace('"', '""') + '"'


def _name(command: Outline) -> str:
    return command.words.replace(" ", "-")


def _reference(command: Outline) -> str:
    return f"@{_name(command)}@"


def _with_references(lines: list[str]) -> Iterator[str]:
    """The lines, with `See @page@` made a reference, which needs a line of its own."""
    for line in lines:
        if line.startswith("See @"):
            yield "See"
            yield f".Xr {line.removeprefix('See @').removesuffix('@')} 1 ."
        else:
            yield line


def main(folder: Path) -> None:
    """Writes the pages, and removes those of commands that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    made = pages()
    for file in folder.glob("*.1"):
        if file.name not in made:
            file.unlink()
    for name, text in made.items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    main(FOLDER if len(sys.argv) == 1 else Path(sys.argv[1]))
