"""The parser of a command line, and of each command in it.

argparse wants all words of a command to stand together if their number is open (`nargs`): those behind the
next option it calls unknown. A command whose words may stand between its options says so where it makes its
parser.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar

from oakroot.operate.options import ConfigError, actions_of, sub_parsers_of

_Namespace = TypeVar("_Namespace")


class Parser(argparse.ArgumentParser):
    """Where `words_between_options` is true, it takes them in any order; never abbreviations of options."""

    def __init__(self, *, words_between_options: bool = False, **settings: Any) -> None:  # noqa: ANN401 - argparse's own
        super().__init__(**{**settings, "allow_abbrev": False})
        self._sorts = words_between_options
        self._raises = False

    def raise_errors(self) -> None:
        """Has wrong usage told to the program from now on, not to the terminal: a service goes on."""
        self._raises = True
        for _, children in sub_parsers_of(self):
            for child in children.values():
                if isinstance(child, Parser):
                    child.raise_errors()

    def error(self, message: str) -> NoReturn:
        """Tells of wrong usage and ends the program, or raises ConfigError."""
        if self._raises:
            raise ConfigError(message)
        super().error(message)

    def parse_known_args(  # type: ignore[override]  # argparse's overloads say the same in three ways
        self, args: Sequence[str], namespace: _Namespace
    ) -> tuple[_Namespace, list[str]]:
        """As argparse does, which calls this for the parser of each command."""
        return super().parse_known_args(_options_first(self, args) if self._sorts else args, namespace)


def _options_first(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> Sequence[str]:
    """The arguments with the words last."""
    takes_value = {
        flag: action.nargs is None for action in actions_of(parser) for flag in action.option_strings
    }
    options, words, rest = [], [], list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            words += rest
            break
        if not argument.startswith("-") or argument == "-":
            words.append(argument)
            continue
        options.append(argument)
        if takes_value.get(argument) and rest:
            options.append(rest.pop(0))
    return [*options, *(["--"] if any(word.startswith("-") for word in words) else []), *words]
