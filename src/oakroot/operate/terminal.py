"""Colour, where somebody looks: on a terminal that has not asked for none. What to colour, others decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TextIO


class Style(Enum):
    """What a piece of text is, as an SGR parameter (ECMA-48, 8.3.117)."""

    ERROR = "1;31"
    WARNING = "1;33"
    GOOD = "32"
    HINT = "36"
    STRONG = "1"


def wants_colour(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether text on this stream may be coloured (no-color.org: any value but the empty one means no)."""
    if environment.get("NO_COLOR") or environment.get("TERM") == "dumb":
        return False
    return stream.isatty()


def painter(stream: TextIO, environment: Mapping[str, str]) -> Callable[[str, Style], str]:
    """A function that colours text for this stream, or leaves it as it is."""
    if not wants_colour(stream, environment):
        return lambda text, _style: text
    return lambda text, style: f"\x1b[{style.value}m{text}\x1b[0m"
