"""HTML that cannot be broken by what is in it: text is escaped unless it was made here."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Content = str | Markup | Iterable["Content"] | None
Row = Sequence[Content]


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


def section(name: str, title: str, body: Content) -> Markup:
    """A part of a page, which links reach by its name."""
    head = element("h2", title, id=f"{name}-title")
    return element("section", head, body, id=name, aria_labelledby=f"{name}-title")


def table(name: str, titles: Sequence[str], rows: Iterable[Row]) -> Markup | None:
    """A table that scrolls by itself where it is too wide, and becomes a list of cards on a phone."""
    made = [
        element(
            "tr", *(element("td", cell, data_label=title) for title, cell in zip(titles, row, strict=True))
        )
        for row in rows
    ]
    if not made:
        return None
    head = element("thead", element("tr", *(element("th", title, scope="col") for title in titles)))
    whole = element("table", head, element("tbody", *made), class_="stack")
    return element("div", whole, class_="scroll", tabindex="0", role="region", aria_label=name)


def _printable(text: str) -> str:
    """Characters that steer a reader's eye (RFC 8264's controls, and those of direction) are made visible."""
    return "".join(
        character if character in "\n\t" or character.isprintable() else f"\\u{ord(character):04x}"
        for character in text
    )
