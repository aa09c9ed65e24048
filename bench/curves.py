"""Draws curves as SVG, in panels side by side, readable on light and on dark ground.

What must not live here: what is drawn.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 330, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 34, 40
LEGEND = 30
LETTER = 7
"""About the width of one."""
FEW = 60
"""Of more points the line alone is drawn."""
# Told apart also by those who see no red or green, and on either ground.
COLOURS = ("#d97706", "#2563eb", "#0d9488", "#9333ea", "#64748b", "#dc2626")
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2937 }
.grid { stroke: #9ca3af; stroke-opacity: .35 }
.axis { stroke: #6b7280 }
.title { font-weight: 600 }
@media (prefers-color-scheme: dark) { text { fill: #e5e7eb } .axis { stroke: #9ca3af } }
"""

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """One picture: for each name its points, the first number on a logarithmic scale or a linear one."""

    title: str
    across: str
    curves: Mapping[str, Points]
    linear: bool = False


def draw(panels: Sequence[Panel]) -> str:
    """An SVG document with the panels in a row and one legend for all."""
    names = list(dict.fromkeys(name for panel in panels for name in panel.curves))
    colours = {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(names)}
    width, height = WIDTH * len(panels), HEIGHT + LEGEND
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">',
        f"<style>{STYLE}</style>",
        f"<title>{html.escape('; '.join(panel.title for panel in panels))}</title>",
    ]
    for number, panel in enumerate(panels):
        parts.append(f'<g transform="translate({WIDTH * number} 0)">{"".join(_panel(panel, colours))}</g>')
    at = LEFT
    for name in names:
        parts.append(f'<circle cx="{at}" cy="{HEIGHT + 12}" r="5" fill="{colours[name]}"/>')
        parts.append(f'<text x="{at + 10}" y="{HEIGHT + 16}">{html.escape(name)}</text>')
        at += 30 + LETTER * len(name)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(panel: Panel, colours: Mapping[str, str]) -> Iterable[str]:
    points = [point for curve in panel.curves.values() for point in curve]
    yield f'<text class="title" x="{LEFT}" y="18">{html.escape(panel.title)}</text>'
    if not points:
        return
    scale = float if panel.linear else math.log10
    low, high = (scale(edge(across for across, _ in points)) for edge in (min, max))
    top = _round_up(max(up for _, up in points))

    def place(across: float, up: float) -> tuple[float, float]:
        share = (scale(across) - low) / (high - low) if high > low else 0.5
        return LEFT + share * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up / top * (HEIGHT - TOP - BOTTOM)

    for step in range(5):
        value = top * step / 4
        y = place(low if panel.linear else 10**low, value)[1]
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
    for number in _marks(low, high, linear=panel.linear):
        x, y = place(number, 0)
        yield f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{y:.1f}" y2="{y + 4:.1f}"/>'
        yield f'<text x="{x:.1f}" y="{y + 17:.1f}" text-anchor="middle">{_size(number)}</text>'
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{panel.across}</text>'
    for name, curve in panel.curves.items():
        places = [place(*point) for point in sorted(curve)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        yield f'<polyline points="{line}" fill="none" stroke="{colours[name]}" stroke-width="2"/>'
        if len(places) <= FEW:
            yield from (
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colours[name]}"/>' for x, y in places
            )


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 6, 8 times a power of ten, so that quarters of it are short numbers."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * factor for factor in (1, 2, 4, 6, 8, 10) if power * factor >= value)


def _marks(low: float, high: float, *, linear: bool) -> list[float]:
    """What is written below the axis."""
    if not linear:
        return [10.0**power for power in range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)]
    step = _round_up(max(high - low, 1e-9) / 5)
    return [step * number for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _size(number: float) -> str:
    for divisor, name in ((10**6, "M"), (10**3, "k")):
        if number >= divisor:
            return f"{number / divisor:.0f}{name}"
    return f"{number:g}"
