"""`oakroot completion`: prints a script by which a shell completes commands, options and files.

The script is made of the commands' own parsers, once, and knows all by itself: pressing the tabulator starts
no Python. What must not live here: what any shell's script looks like, which is shtab's business.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import shtab

from oakroot.cli import Exit, Subparsers
from oakroot.cli.commands import COMMANDS
from oakroot.cli.main import frame, load
from oakroot.operate.options import actions_of, sub_parsers_of

SHELLS = ("bash", "zsh", "fish")

_DESCRIPTION = """\
Prints a script for your shell, which then completes the commands of oakroot, their options and what
these take, when you press the tabulator. It stands alone: make it anew after an upgrade."""

_EPILOG = """\
exit code: 0 here it is, 2 wrong usage.

  oakroot completion bash > ~/.local/share/bash-completion/completions/oakroot
  oakroot completion zsh > ~/.zfunc/_oakroot      # where ~/.zfunc is in $fpath, before compinit
  oakroot completion fish > ~/.config/fish/completions/oakroot.fish"""

# A key is written as @FILE. Bash takes @ for the beginning of a word of its own, unless it is told not to.
_KEY = {
    "bash": "_oakroot_key",
    "zsh": "_oakroot_key",
    "fish": "(_oakroot_key)",
    "preamble": {
        "bash": """\
COMP_WORDBREAKS=${COMP_WORDBREAKS//@/}
_oakroot_key() { compgen -P @ -f -- "${1#@}"; }
""",
        "zsh": """\
_oakroot_key() { if compset -P '@'; then _files; else compadd -S '' -- '@'; fi }
""",
        "fish": """\
function _oakroot_key
  set -l word (commandline -ct)
  if string match -q '@*' -- $word
    __fish_complete_path (string sub -s 2 -- $word) | string replace -r '^' '@'
  else
    echo @
  end
end
""",
    },
}
_COMPLETERS = {
    "KEY": _KEY,
    "FILE": shtab.FILE,
    "FILE|DIR": shtab.FILE,
    "BASE": shtab.FILE,
    "OURS": shtab.FILE,
    "THEIRS": shtab.FILE,
    "PATH": shtab.FILE,
    "ZONE": shtab.FILE,  # in a zone repository the files have the names of the zones
    "URL[#BRANCH]": shtab.FILE,
    "DIR": shtab.DIRECTORY,
    "FOLDER": shtab.DIRECTORY,
}


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "completion",
        help=COMMANDS["completion"].summary,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))


def run(arguments: argparse.Namespace) -> int:
    """Prints the script."""
    print(script(arguments.shell))
    return Exit.FINE


def script(shell: str) -> str:
    """What the shell is to read."""
    made = shtab.complete(_whole_parser(), shell)
    return re.sub(r"^# Usage:\n(#.*\n)+", "", made, count=1, flags=re.MULTILINE)


def _whole_parser() -> argparse.ArgumentParser:
    """The parser with all commands in it, which otherwise are loaded when they are called."""
    whole, subparsers = frame()
    for name, command in COMMANDS.items():
        load(name, subparsers)
        subparsers.choices[name].description = command.summary
        for parser in _family(subparsers.choices[name]):
            _prepare(parser)
    return whole


def _family(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for _, children in sub_parsers_of(parser):
        for child in children.values():
            yield from _family(child)


def _prepare(parser: argparse.ArgumentParser) -> None:
    """Has each option say in brief what it is, and what files may be its value."""
    parser.description = _brief((parser.description or "").partition("\n")[0])
    for action in actions_of(parser):
        action.help = _brief(action.help or "")
        takes_file = action.type is Path and action.choices is None
        completer = _COMPLETERS.get(str(action.metavar), shtab.FILE if takes_file else None)
        if completer is not None:
            action.complete = completer  # type: ignore[attr-defined]  # where shtab looks for it


def _brief(text: str) -> str:
    """A help text up to where it begins to explain."""
    return re.split(r"[.:;] |\.$| \((?:default|needs)|, in ", text, maxsplit=1)[0]
