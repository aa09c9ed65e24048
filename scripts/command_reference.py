"""Prints docs/cli.md: every command and option, as `outline` has them."""

from __future__ import annotations

from collections.abc import Iterator

from scripts.outline import Entry, Outline, outlines

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
    return "\n".join([INTRODUCTION, *(_section(part) for whole in outlines() for part in whole.family())])


def _section(outline: Outline) -> str:
    paragraphs = [f"## {outline.words}", outline.description, f"    {outline.synopsis}"]
    rows = list(_rows(outline))
    if rows:
        paragraphs.append("\n".join(["| | environment | |", "|---|---|---|", *rows]))
    if outline.epilog:
        paragraphs.append(f"```text\n{outline.epilog}\n```" if "\n" in outline.epilog else outline.epilog)
    return "\n\n".join(paragraphs) + "\n"


def _rows(outline: Outline) -> Iterator[str]:
    for entry in outline.entries:
        variable = f"`{entry.variable}`" if entry.variable else ""
        yield f"| `{_cell(_shown(entry))}` | {variable} | {_cell(entry.text)} |".replace("|  |", "| |")


def _shown(entry: Entry) -> str:
    return f"{', '.join(entry.flags)} {entry.value}".strip()


def _cell(text: str) -> str:
    """Text that does not end its cell of a table."""
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(reference(), end="")
