"""The commands as those who describe them need them: names, options, texts, read off the parsers themselves.

argparse's own help is not used, since its layout changes with the version of Python. What must not live
here: the form of any page.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

from oakroot.cli.commands import COMMANDS
from oakroot.cli.main import build_parser
from oakroot.operate.options import Option, Options, actions_of, sub_parsers_of

_REPEATED = ("+", "*", argparse.REMAINDER)
_OPTIONAL = ("?", "*", argparse.REMAINDER)


@dataclass(frozen=True)
class Entry:
    """An option, or an argument, which has no `flags`. `variable` is empty where nothing else sets it."""

    flags: tuple[str, ...]
    value: str
    variable: str
    text: str


@dataclass(frozen=True)
class Outline:
    """A command, or a sub-command such as `keygen tsig`."""

    words: str
    summary: str
    description: str
    arguments: tuple[str, ...]
    """As a synopsis has them: what may be left out in brackets, dots behind what may be repeated."""
    entries: tuple[Entry, ...]
    epilog: str
    children: tuple[Outline, ...]

    @property
    def synopsis(self) -> str:
        """How it is called."""
        return " ".join((self.words, "[OPTION]...", *self.arguments))

    def family(self) -> Iterator[Outline]:
        """It and its sub-commands."""
        yield self
        for child in self.children:
            yield from child.family()


def outlines() -> Iterator[Outline]:
    """Every command, in the order of `oakroot --help`."""
    for name, command in COMMANDS.items():
        parser, _ = build_parser(name)
        options = {id(option.action): option for option in Options(parser).all()}
        _, children = next(sub_parsers_of(parser))
        yield _outline(f"oakroot {name}", command.summary, children[name], options)


def _outline(
    words: str, summary: str, parser: argparse.ArgumentParser, options: dict[int, Option]
) -> Outline:
    return Outline(
        words,
        summary,
        parser.description or f"{summary[:1].upper()}{summary[1:]}.",
        tuple(_arguments(parser)),
        tuple(_entries(parser, options)),
        parser.epilog or "",
        tuple(
            _outline(f"{words} {name}", _summary(child) or name, child, options)
            for _, children in sub_parsers_of(parser)
            for name, child in children.items()
        ),
    )


def _summary(parser: argparse.ArgumentParser) -> str:
    """The first sentence of a description."""
    return " ".join((parser.description or "").split()).partition(". ")[0].rstrip(".")


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in actions_of(parser):
        if not action.option_strings:
            word = _placeholder(action) + ("..." if action.nargs in _REPEATED else "")
            yield f"[{word}]" if action.nargs in _OPTIONAL else word


def _entries(parser: argparse.ArgumentParser, options: dict[int, Option]) -> Iterator[Entry]:
    choices = {kept_in for kept_in, _ in sub_parsers_of(parser)}
    for action in actions_of(parser):
        if action.dest in choices or action.dest in ("help", "config"):
            continue  # sub-commands are outlines of their own; --help and --config are the same everywhere
        option = options.get(id(action))
        variable = "" if option is None else option.variable
        text = (action.help or "").removesuffix(f" [${variable}]").replace("%%", "%")
        value = "" if action.nargs == 0 else _placeholder(action)
        yield Entry(tuple(action.option_strings), value, variable, text)


def _placeholder(action: argparse.Action) -> str:
    """What stands for the value: the metavar, the choices, or the name in capitals."""
    if isinstance(action.metavar, str):
        return action.metavar
    if action.choices is not None:
        return "{" + ",".join(map(str, action.choices)) + "}"
    return action.dest.upper().replace("_", "-")
