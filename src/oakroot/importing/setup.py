"""A name server's set-up as values: zones, keys, who may do what, and what cannot be carried over."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field

import dns.exception
import dns.name

from oakroot.frozen import frozen
from oakroot.keys.grant import Operation
from oakroot.keys.key import Key
from oakroot.keys.limits import NO_LIMITS, Limits

_LIKE_SECRET = re.compile(r"[A-Za-z0-9+/=]{14,}")
_QUOTED = 80

ReadFile = Callable[[str], bytes]
"""The content of a file by its path; raises OSError."""


@frozen
class Place:
    """Where something is written."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@frozen
class Note:
    """One thing that the operator has to know: left behind, or different from before."""

    text: str
    place: Place | None = None

    def __str__(self) -> str:
        return self.text if self.place is None else f"{self.place}: {self.text}"


@frozen
class Permission:
    """A key of the old server, by its name there, and what it may do at `zone` and below."""

    key: str
    operation: Operation
    zone: str
    """With its final dot; the root for all zones."""
    limits: Limits = NO_LIMITS
    """Of an update."""
    apex: str | None = None
    """The zone in whose settings it stands, and beyond which it says nothing; None: that is `zone`."""
    view: str | None = None


@frozen
class SourceZone:
    """A zone that the old server is the primary of."""

    apex: str
    file: str
    """The path of its master file."""
    directory: str
    """What relative paths of `$INCLUDE` are relative to."""
    place: Place
    view: str | None = None


@frozen
class Setup:
    """All of it."""

    zones: tuple[SourceZone, ...] = ()
    keys: Mapping[str, Key | None] = field(default_factory=dict)
    """By name, in lower case and without final dot; None for one that a note says is left out."""
    permissions: tuple[Permission, ...] = ()
    notes: tuple[Note, ...] = ()
    view_keys: Mapping[str, Mapping[str, Key | None]] = field(default_factory=dict)
    """Keys that are defined in a view, by its name."""

    def keys_of(self, view: str | None) -> dict[str, Key | None]:
        """The keys that a view knows; its own hide others of their names."""
        own = {} if view is None else self.view_keys.get(view, {})
        return {**self.keys, **own}


class ConfigurationError(Exception):
    """The configuration cannot be read: its place and what is wrong."""

    def __init__(self, text: str, place: Place) -> None:
        super().__init__(f"{place}: {text}")


def quoted(text: str) -> str:
    """Text of a configuration as a message may show it.

    Where a file is broken, a secret stands where none belongs: what may be one, or a part of it, is left out.
    """
    return _LIKE_SECRET.sub("…", text[:_QUOTED])


def read_name(text: str) -> dns.name.Name | None:
    """A domain name; None for what is none."""
    try:
        return dns.name.from_text(text)
    except (dns.exception.DNSException, ValueError):
        return None


def plain(name: str) -> str:
    """A name of a key or zone as it is compared."""
    return name.lower().removesuffix(".")


def absolute(name: str) -> str:
    """A zone's name with its final dot."""
    return f"{plain(name)}." if plain(name) else "."
