"""The grammar that Knot DNS and NSD share: sections of `name: value` lines. No meaning is known here."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from oakroot.importing.setup import ConfigurationError, Place, ReadFile, quoted

_FIELD = re.compile(r"(?P<item>-\s+)?(?P<name>[A-Za-z][A-Za-z0-9-]*)\s*:(?:\s+(?P<value>.*))?\Z")
_ELEMENT = re.compile(r"-\s+(?P<value>.+)\Z")
_COMMENT = re.compile(r"""((?:[^"'#]|"[^"]*"|'[^']*'|(?<=\S)#)*?)\s*(?:(?:^|(?<=\s))#.*)?\Z""", re.DOTALL)
_INCLUDE_DEPTH = 10


@dataclass(slots=True)
class Item:
    """One stanza: a zone, a key, a template, a server."""

    section: str
    place: Place
    fields: dict[str, list[str]] = field(default_factory=dict)
    """Values by name, in order; a list in brackets, or below its name, gives several."""

    def value(self, name: str) -> str | None:
        """The last value of this name."""
        values = self.fields.get(name)
        return values[-1] if values else None

    def values(self, name: str) -> list[str]:
        """All of them."""
        return self.fields.get(name, [])


def read_stanzas(path: str, read: ReadFile, depth: int = 0) -> Iterator[Item]:
    """The stanzas of a file, those of included files in their places.

    Raises ConfigurationError, and what `read` raises.
    """
    if depth > _INCLUDE_DEPTH:
        raise ConfigurationError("includes are nested too deeply", Place(path, 0))
    stanza = _Stanza()
    for number, raw in enumerate(read(path).decode("utf-8", "replace").splitlines(), start=1):
        line = _without_comment(raw)
        if not line.strip():
            continue
        place = Place(path, number)
        found = _FIELD.match(line.strip())
        if line[0].isspace() or found is None:
            yield from stanza.add(line.strip(), found, place)
        elif found["name"] == "include":
            yield from read_stanzas(_target(path, found["value"] or ""), read, depth + 1)
        else:
            yield from stanza.begin(found["name"], place)
    yield from stanza.end()


class _Stanza:
    """The stanza that is being read; each method gives those that ended by what it was told."""

    def __init__(self) -> None:
        self._item: Item | None = None
        self._last = ""

    def begin(self, section: str, place: Place) -> Iterator[Item]:
        """A section's name, at the left margin."""
        yield from self.end()
        self._item = Item(section, place)

    def add(self, line: str, found: re.Match[str] | None, place: Place) -> Iterator[Item]:
        """A line further in: `name: value`, the same behind a hyphen for the next item, or one more value."""
        item = self._item
        if item is None:
            raise ConfigurationError(f"this stands in no section: {quoted(line)}", place)
        if found is None:
            element = _ELEMENT.match(line)
            if element is None or not self._last:
                raise ConfigurationError(f"this is no `name: value`: {quoted(line)}", place)
            item.fields.setdefault(self._last, []).extend(_values(element["value"]))
            return
        if found["item"] and item.fields:
            yield from self.end()
            item = self._item = Item(item.section, place)
        self._last = found["name"]
        item.fields.setdefault(self._last, []).extend(_values((found["value"] or "").strip()))

    def end(self) -> Iterator[Item]:
        """Nothing more belongs to it."""
        if self._item is not None:
            yield self._item
        self._item, self._last = None, ""


def _without_comment(line: str) -> str:
    found = _COMMENT.match(line)
    return found[1] if found else line


def _values(text: str) -> list[str]:
    """`"a"` is one value, `[a, b]` are two, nothing is none."""
    if text.startswith("[") and text.endswith("]"):
        return [_unquoted(part.strip()) for part in text[1:-1].split(",") if part.strip()]
    return [_unquoted(text)] if text else []


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text


def _target(path: str, value: str) -> str:
    return posixpath.join(posixpath.dirname(path), _unquoted(value))
