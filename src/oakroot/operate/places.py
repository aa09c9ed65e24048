"""Where in a TOML text each table, key and value stands, for messages that show the line.

Python's TOML parser keeps no places, so this walks a text that the parser has accepted; what the text means
is the parser's to say. What must not live here: any judgement of settings.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping

from oakroot.frozen import frozen

Path = tuple[str, ...]
"""A table's name and a key's, one part each."""

_BLANK = re.compile(r"[ \t]*")
_BLANK_LINES = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY_PART = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*'|[A-Za-z0-9_-]+")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_STRING = re.compile(
    r"""
    \"{3} (?:\\.|[^\\])*? \"{3,5} | '{3} .*? '{3,5}  # up to two quotes may stand before the last three
    | \" (?:\\.|[^\"\\\n])* \" | ' [^'\n]* '
    """,
    re.DOTALL | re.VERBOSE,
)
_PLAIN = re.compile(r"[^\s,\[\]{}#'\"]+")


@frozen
class Place:
    """A piece of one line. Lines and columns count from 1; `end_column` is behind the piece."""

    line: int
    column: int
    end_column: int


@frozen
class Entry:
    """Where a setting stands: its key, its value, and the items where the value is an array."""

    key: Place
    value: Place
    items: tuple[Place, ...] = ()


def find_places(text: str) -> Mapping[Path, Entry]:
    """The entries of a TOML text that is without errors: of tables by name, of settings by table and key."""
    return _Walk(text).entries()


class _Walk:
    """One way through a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def entries(self) -> Mapping[Path, Entry]:
        entries: dict[Path, Entry] = {}
        table: Path = ()
        self._skip(_BLANK_LINES)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table, place = self._header()
                entries.setdefault(table, Entry(place, place))
            else:
                names, key = self._key()
                self._skip(_BLANK)
                self._at += 1  # the equals sign
                value, items = self._value()
                path = (*table, *names)
                for length in range(1, len(path)):
                    entries.setdefault(path[:length], Entry(key, key))
                entries[path] = Entry(key, value, items)
            self._skip(_BLANK_LINES)
        return entries

    def _header(self) -> tuple[Path, Place]:
        start = self._at
        while self._text[self._at] == "[":
            self._at += 1
        self._skip(_BLANK)
        names, _ = self._key()
        self._skip(_BLANK)
        while self._at < len(self._text) and self._text[self._at] == "]":
            self._at += 1
        return names, self._place(start, self._at)

    def _key(self) -> tuple[Path, Place]:
        start, names = self._at, []
        while True:
            part = self._skip(_KEY_PART)
            names.append(_unquoted(part))
            end = self._at
            if not self._skip(_DOT):
                return tuple(names), self._place(start, end)

    def _value(self) -> tuple[Place, tuple[Place, ...]]:
        """Goes behind a value, however deep it is nested."""
        self._skip(_BLANK)
        first = end = self._at
        depth, items, before = 0, [], ""
        while self._at < len(self._text):
            self._skip(_BLANK_LINES if depth else _BLANK)
            start, character = self._at, self._text[self._at : self._at + 1]
            if depth == 0 and (not character or character in "\r\n#"):
                break
            if not (self._skip(_STRING) or self._skip(_PLAIN)):
                self._at += 1
                depth += (character in "[{") - (character in "]}")
            elif depth == 1 and before in "[,":
                items.append(self._place(start, self._at))
            before, end = character, self._at
        return self._place(first, end), tuple(items)

    def _skip(self, what: re.Pattern[str]) -> str:
        """Goes behind this, and gives it; an empty text where it is not there."""
        found = what.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _place(self, start: int, end: int) -> Place:
        line = bisect_right(self._starts, start)
        first = self._starts[line - 1]
        line_end = self._text.find("\n", start)
        end = end if line_end == -1 else min(end, line_end)
        return Place(line, start - first + 1, max(end, start + 1) - first + 1)


def _unquoted(part: str) -> str:
    return next(iter(tomllib.loads(f"{part} = 0")))
