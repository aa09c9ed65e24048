"""Prints docs/cli.md: every command and option, read off the parsers themselves.

argparse's own help is not used, since its layout changes with the version of Python.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from oakroot.cli.main import COMMANDS, build_parser
from oakroot.operate.options import Option, Options, actions_of, sub_parsers_of

INTRODUCTION = """\
# The command line

<!-- Written by `make docs`; change the parsers in src/oakroot/cli instead. -->

Every command exits with 0 when all is fine, 1 when the thing asked for is not so, and 2 when it was called
wrongly.

Every option can also be set elsewhere. What comes first in this list wins:

1. the option on the command line
2. its environment variable, given below; or the same name with `_FILE` behind it, for the path of a file that
   holds the value; or the systemd credential `oakroot.OPTION`
3. the settings file: `/etc/oakroot/oakroot.toml`, or what `--config` or `$OAKROOT_CONFIG` names
4. the default

The settings file is TOML with a table per command, and keys named like the options; `OPTION-file` works here,
too.

```toml
[primary]
remote = "git@git.example.org:zones.git"
ssh-key-file = "/etc/oakroot/ssh-key"
listen = ["192.0.2.53", "[2001:db8::53]"]
```

An option that may be repeated takes an array in the file, and values separated by white space in its
variable. A switch takes `true` and `false` in the file, `yes` and `no` in its variable. Secrets belong into
files or credentials: command lines can be read by every user of a machine.
"""


def reference() -> str:
    """The whole page."""
    sections = [INTRODUCTION]
    for name, command in COMMANDS.items():
        parser, _ = build_parser(name)
        options = {id(option.action): option for option in Options(parser).all()}
        _, children = next(sub_parsers_of(parser))
        sections.extend(_sections(f"oakroot {name}", command.summary, children[name], options))
    return "\n".join(sections)


def _sections(
    words: str, summary: str, parser: argparse.ArgumentParser, options: dict[int, Option]
) -> Iterator[str]:
    """A section for a command, and one for each of its sub-commands."""
    paragraphs = [
        f"## {words}",
        parser.description or f"{summary[:1].upper()}{summary[1:]}.",
        _synopsis(words, parser),
    ]
    rows = list(_rows(parser, options))
    if rows:
        paragraphs.append("\n".join(["| | environment | |", "|---|---|---|", *rows]))
    if parser.epilog:
        paragraphs.append(f"```text\n{parser.epilog}\n```" if "\n" in parser.epilog else parser.epilog)
    yield "\n\n".join(paragraphs) + "\n"
    for _, children in sub_parsers_of(parser):
        for name, child in children.items():
            yield from _sections(f"{words} {name}", name, child, options)


def _synopsis(words: str, parser: argparse.ArgumentParser) -> str:
    parts = [words, "[OPTION]..."]
    for action in actions_of(parser):
        if not action.option_strings:
            repeated = action.nargs in ("+", "*")
            parts.append(_placeholder(action) + ("..." if repeated else ""))
    return f"    {' '.join(parts)}"


def _rows(parser: argparse.ArgumentParser, options: dict[int, Option]) -> Iterator[str]:
    choices = {kept_in for kept_in, _ in sub_parsers_of(parser)}
    for action in actions_of(parser):
        option = options.get(id(action))
        help_text = _cell(action.help or "")
        if action.dest in choices or action.dest in ("help", "config"):
            continue  # sub-commands have sections of their own; --help and --config are told above
        if option is None and action.option_strings:
            yield f"| `{_cell(action.option_strings[0])} {_cell(_placeholder(action))}` | | {help_text} |"
        elif option is None:
            yield f"| `{_cell(_placeholder(action))}` | | {help_text} |"
        else:
            flags = ", ".join(action.option_strings)
            value = "" if action.nargs == 0 else f" {_placeholder(action)}"
            explained = help_text.removesuffix(f" [${option.variable}]")
            yield f"| `{_cell(flags + value)}` | `{option.variable}` | {explained} |"


def _cell(text: str) -> str:
    """Text that does not end its cell of a table."""
    return text.replace("%%", "%").replace("|", "\\|")


def _placeholder(action: argparse.Action) -> str:
    """What stands for the value: the metavar, the choices, or the name in capitals."""
    if isinstance(action.metavar, str):
        return action.metavar
    if action.choices is not None:
        return "{" + ",".join(map(str, action.choices)) + "}"
    return action.dest.upper().replace("_", "-")


if __name__ == "__main__":
    print(reference(), end="")
