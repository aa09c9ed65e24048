"""The two plots of the status page: drawn here once as SVG, and gone on with by the page's script."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from oakroot.frozen import frozen
from oakroot.operate.history import PULSE_SECONDS, PULSES, Point
from oakroot.operate.markup import Markup, element
from oakroot.operate.spoken import span

WIDTH, HEIGHT = 600, 120
SPAN = PULSE_SECONDS * PULSES


@frozen
class Plot:
    """What is plotted, and how its newest value is said."""

    name: str
    title: str
    value: Callable[[Point], float | None]
    say: Callable[[float], str]


PLOTS = (
    Plot("queries", "Queries a second", lambda point: point.queries, lambda value: f"{value:.0f}/s"),
    Plot("updates", "Update latency", lambda point: point.update_latency, span),
)


def values(plot: Plot, points: Sequence[Point]) -> list[tuple[float, float]]:
    """Moment and value of each point that has one."""
    return [(point.moment, value) for point in points if (value := plot.value(point)) is not None]


def newest(plot: Plot, points: Sequence[Point]) -> str:
    """The last value in words."""
    found = values(plot, points)
    return plot.say(found[-1][1]) if found else "none yet"


def figure(plot: Plot, points: Sequence[Point], now: float) -> Markup:
    """The plot as HTML."""
    found = values(plot, points)
    top = max((value for _, value in found), default=0.0) or 1.0
    line = " ".join(
        f"{WIDTH * (1 - (now - moment) / SPAN):.1f},{HEIGHT * (1 - value / top):.1f}"
        for moment, value in found
    )
    caption = element("figcaption", plot.title, " ", element("output", newest(plot, points)))
    drawing = element(
        "svg",
        element("polyline", points=line),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        preserveAspectRatio="none",
        role="img",
        aria_label=f"{plot.title} in the last {span(SPAN)}",
    )
    return element("figure", caption, drawing, id=plot.name)
