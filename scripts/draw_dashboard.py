"""Draws a Grafana dashboard from its JSON and a running Prometheus, as a page of SVG.

`draw_dashboard JSON URL [SECONDS]`, of five minutes that ended so many seconds ago.

For the picture in docs/operate/metrics.md, where there is no Grafana: rows, panels and queries are those of
the file, so what it shows is what Grafana asks for. Prints HTML; a headless browser makes the picture:
`chromium --headless --screenshot=d.png --window-size=1368,1780 d.html`.
"""

from __future__ import annotations

import html
import json
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

UNIT = 56
"""Pixels of a column of the grid; a row of it has half as many."""
ROW = 26
GAP = 8
COLOURS = ("#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#f2495c", "#b877d9", "#8ab8ff", "#ffa6b0", "#96d98d")
POINTS = 120
SPAN = 300.0
PALETTE = {"green": "#73bf69", "orange": "#ff9830", "red": "#f2495c"}

Series = tuple[str, list[tuple[float, float]]]


def ask(url: str, path: str, **arguments: object) -> list[dict[str, Any]]:
    """What Prometheus answers to a query."""
    query = urllib.parse.urlencode({name: str(value) for name, value in arguments.items()})
    with urllib.request.urlopen(f"{url}/api/v1/{path}?{query}", timeout=30) as reply:  # noqa: S310 - as given
        result: list[dict[str, Any]] = json.load(reply)["data"]["result"]
    return result


def resolved(expression: str) -> str:
    """A query with the dashboard's variables filled in."""
    return expression.replace("$__rate_interval", "30s").replace("$instance", ".*")


def legend(pattern: str, labels: dict[str, str]) -> str:
    """What a series is called."""
    for name, value in labels.items():
        pattern = pattern.replace("{{" + name + "}}", value)
    return pattern or ", ".join(value for name, value in labels.items() if name != "__name__")


def measured(panel: dict[str, Any], url: str, now: float) -> Iterator[Series]:
    """The series of a panel's queries."""
    for target in panel["targets"]:
        step = SPAN / POINTS
        found = ask(url, "query_range", query=resolved(target["expr"]), start=now - SPAN, end=now, step=step)
        for series in found:
            points = [(float(moment), float(value)) for moment, value in series["values"]]
            yield (
                legend(target["legendFormat"], series["metric"]),
                [(moment, value) for moment, value in points if value == value],  # noqa: PLR0124 - not NaN
            )


def shown(value: float, unit: str) -> str:
    """A number as a person reads it."""
    if unit == "s" and value >= 60:  # noqa: PLR2004 - seconds of a minute
        steps = ((86400, "d"), (3600, "h"), (60, "min"))
        size, name = next((size, name) for size, name in steps if value >= size)
        return f"{value / size:.1f} {name}"
    if unit == "s":
        return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"
    if unit == "bytes":
        return f"{value / 2**20:.0f} MiB"
    if unit == "percentunit":
        return f"{value * 100:.1f} %"
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"  # noqa: PLR2004 - digits


def graph(series: list[Series], unit: str, width: int, height: int, now: float) -> str:
    """Lines over time with their legend."""
    legend_height = 18 * min(3, (len(series) + 2) // 3)
    left, bottom = 62, height - 22 - legend_height
    top = max((value for _, points in series for _, value in points), default=0.0) or 1.0
    parts = []
    for part in range(5):
        y = bottom - (bottom - 6) * part / 4
        label = shown(top * part / 4, unit)
        parts.append(f'<line x1="{left}" x2="{width}" y1="{y:.0f}" y2="{y:.0f}" class="grid"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.0f}" class="axis" text-anchor="end">{label}</text>')
    for number, (name, points) in enumerate(series):
        colour = COLOURS[number % len(COLOURS)]
        places = (
            (left + (width - left) * (1 - (now - moment) / SPAN), bottom - (bottom - 6) * value / top)
            for moment, value in points
        )
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{path}" style="stroke:{colour}"/>')
        x, y = 4 + number % 3 * width // 3, height - legend_height + number // 3 * 18
        if number < 9:  # noqa: PLR2004 - three rows of three
            parts.append(f'<rect x="{x}" y="{y - 3}" width="12" height="3" style="fill:{colour}"/>')
            parts.append(f'<text x="{x + 17}" y="{y + 2}" class="axis">{html.escape(name[:34])}</text>')
    return f'<svg width="{width}" height="{height}">{"".join(parts)}</svg>'


def stat(panel: dict[str, Any], series: list[Series], unit: str) -> str:
    """The newest number, large."""
    if not series or not series[0][1]:
        return '<p class="stat" style="color:#888">no data</p>'
    value = series[0][1][-1][1]
    defaults = panel["fieldConfig"]["defaults"]
    steps = defaults.get("thresholds", {}).get("steps", [])
    colour = [step["color"] for step in steps if step["value"] is None or value >= step["value"]][-1]
    mappings = defaults.get("mappings", [])
    text = mappings[0]["options"][f"{value:.0f}"]["text"] if mappings else shown(value, unit)
    return f'<p class="stat" style="color:{PALETTE[colour]}">{text}</p>'


def table(panel: dict[str, Any], url: str) -> str:
    """The newest values with their labels."""
    found = ask(url, "query", query=resolved(panel["targets"][0]["expr"]))
    if not found:
        return '<p class="none">none</p>'
    names = sorted({name for row in found for name in row["metric"]}, reverse=True)
    rows = [
        "".join(
            f"<td>{html.escape(text)}</td>"
            for text in [*(row["metric"].get(n, "") for n in names), row["value"][1]]
        )
        for row in found
    ]
    head = "".join(f"<th>{name}</th>" for name in [*names, "value"])
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows[:9])}</table>"


def drawn(panel: dict[str, Any], url: str, now: float) -> str:
    """A panel at its place."""
    grid = panel["gridPos"]
    place = (
        f"left:{grid['x'] * UNIT}px;top:{grid['y'] * ROW}px;"
        f"width:{grid['w'] * UNIT - GAP}px;height:{grid['h'] * ROW - GAP}px"
    )
    title = html.escape(panel["title"])
    if panel["type"] == "row":
        return f'<h2 style="{place}">{title}</h2>'
    unit = panel["fieldConfig"]["defaults"]["unit"]
    if panel["type"] == "table":
        body = table(panel, url)
    else:
        series = list(measured(panel, url, now))
        width, height = grid["w"] * UNIT - GAP - 24, grid["h"] * ROW - GAP - 40
        body = (
            stat(panel, series, unit) if panel["type"] == "stat" else graph(series, unit, width, height, now)
        )
    return f'<section style="{place}"><h3>{title}</h3>{body}</section>'


STYLE = """
body { background: #111217; color: #ccccdc; font: 13px Inter, "DejaVu Sans", sans-serif; margin: 12px; }
main { position: relative; } section, h2 { position: absolute; box-sizing: border-box; margin: 0; }
section { background: #181b1f; border: 1px solid #2c3235; border-radius: 3px; padding: 6px 11px; }
section { overflow: hidden; }
h2 { font-size: 14px; font-weight: 600; padding-top: 4px }
h3 { font-size: 13px; font-weight: 500; margin: 0 0 6px; }
.stat { font-size: 30px; text-align: center; margin: 6px 0; } .none { color: #888; }
.axis { fill: #9fa7b3; font-size: 11px; } .grid { stroke: #2c3235; }
polyline { fill: none; stroke-width: 1.6; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: 2px 6px; }
th { color: #6e9fff; font-weight: 500; border-bottom: 1px solid #2c3235; }
"""


def main() -> None:
    """Prints the page."""
    dashboard, url = json.loads(Path(sys.argv[1]).read_text()), sys.argv[2]
    now = time.time() - (float(sys.argv[3]) if len(sys.argv) > 3 else 0)  # noqa: PLR2004 - the third word
    panels = "".join(drawn(panel, url, now) for panel in dashboard["panels"])
    print(f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><main>{panels}</main>")


if __name__ == "__main__":
    main()
