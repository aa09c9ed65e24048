"""A name server's set-up as values: zones, keys, who may do what, and what cannot be carried over."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from oakroot.keys.grant import Operation
from oakroot.keys.key import Key
from oakroot.keys.limits import NO_LIMITS, Limits

_LIKE_SECRET = re.compile(r"""(?<![^\s"'`;{}])[A-Za-z0-9+/]{18,}={0,2}(?![^\s"'`;{}])""")
_FIGURE = re.compile(r"[0-9+/=]")
_CONCEALED = "(concealed)"

ReadFile = Callable[[str], bytes]
"""The content of a file by its path; raises OSError."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that the operator has to know: left behind, or different from before."""

    text: str
    place: Place | None = None

    def __str__(self) -> str:
        return conceal(self.text if self.place is None else f"{self.place}: {self.text}")


@dataclass(frozen=True, slots=True)
class Permission:
    """A key of the old server, by its name there, and what it may do at `zone` and below."""

    key: str
    operation: Operation
    zone: str
    """With its final dot; the root for all zones."""
    limits: Limits = NO_LIMITS
    """Of an update."""


@dataclass(frozen=True, slots=True)
class SourceZone:
    """A zone that the old server is the primary of."""

    apex: str
    file: str
    """The path of its master file."""
    directory: str
    """What relative paths of `$INCLUDE` are relative to."""
    place: Place
    view: str | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """All of it."""

    zones: tuple[SourceZone, ...] = ()
    keys: Mapping[str, Key] = field(default_factory=dict)
    """By name, in lower case and without final dot."""
    permissions: tuple[Permission, ...] = ()
    notes: tuple[Note, ...] = ()


class ConfigurationError(Exception):
    """The configuration cannot be read: its place and what is wrong."""

    def __init__(self, text: str, place: Place) -> None:
        super().__init__(conceal(f"{place}: {text}"))


def conceal(text: str) -> str:
    """The text without words that may be secrets: where a file is broken, one stands where none belongs."""
    return _LIKE_SECRET.sub(lambda found: _CONCEALED if _is_mixed(found[0]) else found[0], text)


def _is_mixed(word: str) -> bool:
    """Whether it has letters of both cases and figures, as sixteen random octets have in BASE64."""
    return word not in (word.lower(), word.upper()) and _FIGURE.search(word) is not None


def plain(name: str) -> str:
    """A name of a key or zone as it is compared."""
    return name.lower().removesuffix(".")


def absolute(name: str) -> str:
    """A zone's name with its final dot."""
    return f"{plain(name)}." if plain(name) else "."
