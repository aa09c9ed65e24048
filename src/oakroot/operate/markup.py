"""HTML that cannot be broken by what is in it: text is escaped unless it was made here."""

from __future__ import annotations

import html
from collections.abc import Iterable


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Content = str | Markup | Iterable["Content"] | None


def element(name: str, *content: Content, **attributes: str | bool | None) -> Markup:
    """An element; of its attributes those that are None or False are left out, `_` in a name means `-`.

    A final `_` keeps a name from being a word of Python's (`class_`, `for_`).
    """
    shown = "".join(
        f" {attribute.rstrip('_').replace('_', '-')}"
        + ("" if value is True else f'="{html.escape(str(value))}"')
        for attribute, value in attributes.items()
        if value is not None and value is not False
    )
    return Markup(f"<{name}{shown}>{join(content)}</{name}>")


def join(content: Content) -> Markup:
    """All of it, one after the other."""
    if content is None:
        return Markup()
    if isinstance(content, Markup):
        return content
    if isinstance(content, str):
        return Markup(html.escape(_printable(content)))
    return Markup("".join(map(join, content)))


def _printable(text: str) -> str:
    """Characters that steer a reader's eye (RFC 8264's controls, and those of direction) are made visible."""
    return "".join(
        character if character in "\n\t" or character.isprintable() else f"\\u{ord(character):04x}"
        for character in text
    )
