"""The options of an argparse parser as values, so that settings can fill what the command line left open.

The parser stays the one place that knows options, types and defaults: they are read off its actions. What
must not live here: where settings come from (`config`). An error never quotes a value: it may be a secret.
"""

from __future__ import annotations

import argparse
import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

SWITCH_WORDS = {
    "yes": True,
    "true": True,
    "on": True,
    "1": True,
    "no": False,
    "false": False,
    "off": False,
    "0": False,
}


class ConfigError(Exception):
    """A setting that cannot be used; the message names its place and how to mend it, never its value."""


class BadValueError(Exception):
    """A value that an option cannot take; `item` counts the values of a repeatable one from 0."""

    def __init__(self, message: str, item: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.item = item


Kind = Literal["switch", "integer", "number", "text"]
"""What a settings file has as the value of an option, or as one of its values."""

_NUMBERS: Mapping[object, Kind] = {int: "integer", float: "number", "int": "integer", "float": "number"}
_SECRETS = re.compile(r"\b(?:KEY|SECRET|TOKEN)\b")


@dataclass(frozen=True)
class Setting:
    """A value found outside of the command line, and the place to name when it is wrong."""

    place: str
    value: object


@dataclass(frozen=True)
class Option:
    """One option of a parser, with what the parser would have done without it."""

    action: argparse.Action
    default: object
    required: bool

    @functools.cached_property
    def name(self) -> str:
        """The long flag without its dashes."""
        flags = self.action.option_strings
        return next((flag for flag in flags if flag.startswith("--")), flags[0]).lstrip("-")

    @functools.cached_property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "OAKROOT_" + self.name.upper().replace("-", "_")

    @property
    def is_repeatable(self) -> bool:
        """Whether it takes several values."""
        return isinstance(self.action, argparse._AppendAction) or self.action.nargs in ("+", "*")  # noqa: SLF001

    @property
    def kind(self) -> Kind:
        """Told by what reads its values: a type, or a function that says what it returns."""
        if self.action.nargs == 0:
            return "switch"
        reads: Any = self.action.type
        reads = getattr(reads, "__wrapped__", reads)
        told = reads if isinstance(reads, type) else getattr(reads, "__annotations__", {}).get("return")
        return _NUMBERS.get(told, "text")

    @property
    def metavar(self) -> str:
        """What its value is called in its help."""
        return _described(self.action)

    @property
    def holds_secrets(self) -> bool:
        """Whether a value may be a secret: what a value is called says so."""
        return _SECRETS.search(self.metavar) is not None

    def read(self, value: object) -> list[Any]:
        """The values as the parser would have converted and checked them; BadValueError."""
        given = value if isinstance(value, list) else [value]
        if len(given) > 1 and not self.is_repeatable:
            raise BadValueError(f"takes one value, not {len(given)}")
        if self.kind == "switch":
            return [_switch(each) for each in given]
        return [_converted(self.action, each, item) for item, each in enumerate(given)]


def actions_of(parser: argparse.ArgumentParser) -> Sequence[argparse.Action]:
    """Options and positional arguments. argparse has no public name for them; all here rests on this one."""
    return parser._actions  # noqa: SLF001


def sub_parsers_of(
    parser: argparse.ArgumentParser,
) -> Iterator[tuple[str, dict[str, argparse.ArgumentParser]]]:
    """(where the choice is kept, name -> sub-parser) for each choice of sub-parsers."""
    for action in actions_of(parser):
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            yield action.dest, action.choices


class Options:
    """The options of a parser and of its sub-parsers.

    Making one takes the defaults out of the parser, so that what it parses is what the command line says and
    no more; `fill` puts settings and defaults in their place.
    """

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parser = parser
        self._options = {
            id(each): [_take(action) for action in _configurable(each)] for each in _family(parser)
        }

    def all(self) -> list[Option]:
        """Every option, those of sub-parsers that were not chosen included."""
        return [option for options in self._options.values() for option in options]

    def fill(
        self,
        namespace: argparse.Namespace,
        find: Callable[[Option], Setting | None],
        *,
        requires: bool = True,
    ) -> Mapping[str, str]:
        """Completes what the parser made of the command line; ConfigError if a setting cannot be used.

        Gives the places that settings came from, by option. `requires`: whether it is wrong usage that a
        required option is missing.
        """
        places: dict[str, str] = {}
        for parser in _chosen(self._parser, namespace):
            options = self._options[id(parser)]
            for option in options:
                setting = None if hasattr(namespace, option.action.dest) else find(option)
                if setting is not None:
                    _apply(option, setting, parser, namespace)
                    places[option.name] = setting.place
            absent = [option for option in options if not hasattr(namespace, option.action.dest)]
            missing = [
                f"{option.action.option_strings[-1]} (or ${option.variable})"
                for option in absent
                if option.required
            ]
            if missing and requires:
                parser.error(f"the following arguments are required: {', '.join(missing)}")
            for option in absent:
                setattr(namespace, option.action.dest, default_value(option))
        return places


def _family(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for _, children in sub_parsers_of(parser):
        for child in children.values():
            yield from _family(child)


def _chosen(
    parser: argparse.ArgumentParser, namespace: argparse.Namespace
) -> Iterator[argparse.ArgumentParser]:
    """The parser and those of its sub-parsers that took part, by the names they left in the namespace."""
    yield parser
    for kept_in, children in sub_parsers_of(parser):
        choice = getattr(namespace, kept_in, None)
        if choice is not None:
            yield from _chosen(children[choice], namespace)


def _configurable(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Options with a value of their own: neither positional arguments nor --help and --version."""
    return (
        action
        for action in actions_of(parser)
        if action.option_strings and action.default is not argparse.SUPPRESS
    )


def _take(action: argparse.Action) -> Option:
    option = Option(action, action.default, action.required)
    if callable(action.type):
        action.type = _discreet(action.type, _described(action))
    if action.help and action.help is not argparse.SUPPRESS:
        action.help = f"{action.help.replace('%(default)s', str(action.default))} [${option.variable}]"
    action.default = argparse.SUPPRESS
    action.required = False
    return option


def _discreet(convert: Callable[[str], Any], described: str) -> Callable[[str], Any]:
    """The conversion, with an error of ours where argparse would quote the value and name the function."""

    @functools.wraps(convert)
    def converted(text: str) -> Any:  # noqa: ANN401 - the option's own type
        try:
            return convert(text)
        except (TypeError, ValueError):
            raise argparse.ArgumentTypeError(f"not a valid {described}") from None

    return converted


def _described(action: argparse.Action) -> str:
    """What the option's value is called in its help."""
    return action.metavar if isinstance(action.metavar, str) else action.dest.upper().replace("_", "-")


def _apply(
    option: Option, setting: Setting, parser: argparse.ArgumentParser, namespace: argparse.Namespace
) -> None:
    """Lets the option's own action store the value, as if it had stood on the command line."""
    action = option.action
    try:
        values = option.read(setting.value)
    except BadValueError as problem:
        raise ConfigError(f"{setting.place}: {problem.message}") from None
    if action.nargs == 0:
        flag = _switch_flag(action, wanted=values[0])
        if flag is not None:
            action(parser, namespace, [], flag)
    elif action.nargs in ("+", "*"):
        action(parser, namespace, values, action.option_strings[-1])
    else:
        for value in values:
            action(parser, namespace, value, action.option_strings[-1])


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in SWITCH_WORDS:
        return SWITCH_WORDS[value.lower()]
    raise BadValueError("a switch takes yes or no")


def _switch_flag(action: argparse.Action, *, wanted: bool) -> str | None:
    """The flag that says so; None where to say nothing says so."""
    for flag in action.option_strings:
        refuses = isinstance(action, argparse.BooleanOptionalAction) and flag.startswith("--no-")
        if refuses != wanted:
            return flag
    return None


def _converted(action: argparse.Action, value: object, item: int = 0) -> Any:  # noqa: ANN401 - the option's own type
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise BadValueError("expected text or a number", item)
    convert: Callable[[str], Any] = action.type if callable(action.type) else str
    try:
        converted = convert(str(value))
    except argparse.ArgumentTypeError as problem:
        raise BadValueError(str(problem), item) from None
    if action.choices is not None and converted not in action.choices:
        raise BadValueError(f"choose from {', '.join(map(str, action.choices))}", item)
    return converted


def default_value(option: Option) -> object:
    """The default; one written as text is converted like a value, which is what argparse does."""
    return _converted(option.action, option.default) if isinstance(option.default, str) else option.default
