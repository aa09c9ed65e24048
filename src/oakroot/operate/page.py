"""The status page: what an overview says, as HTML for a person, on a phone as on a desk. Pure.

It works without JavaScript but for the plots' going on, asks nothing of anybody else, and has nothing to
click that would change anything. Every text in it may have been chosen by somebody: `markup` escapes all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field

from oakroot.frozen import frozen
from oakroot.operate.agreement import Standing
from oakroot.operate.changes import Change
from oakroot.operate.history import Point
from oakroot.operate.markup import Content, Markup, Row, element, join, section, table
from oakroot.operate.overview import Condition, Overview, Zone
from oakroot.operate.plots import PLOTS, figure
from oakroot.operate.samples import Scene
from oakroot.operate.spoken import ago, amount, moment_of, span


@frozen
class Shown:
    """What the page is made of."""

    scene: Scene
    points: Sequence[Point] = ()
    changes: Sequence[Change] = ()
    title: str = "Oakroot"


@frozen
class _Section:
    name: str
    title: str
    body: Content = field(repr=False)


def page(shown: Shown) -> str:
    """The whole document."""
    overview = shown.scene.overview
    sections = [each for each in _sections(shown) if each.body]
    head = element(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", f"{overview.role} · {shown.title}"),
        Markup('<link rel="stylesheet" href="status.css">'),
    )
    body = element(
        "body",
        element("a", "Skip to the zones", class_="skip", href="#zones"),
        _header(shown, sections),
        element("main", *(section(each.name, each.title, each.body) for each in sections)),
        _footer(overview),
        Markup('<script src="status.js" defer></script>'),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _header(shown: Shown, sections: Iterable[_Section]) -> Markup:
    overview = shown.scene.overview
    obstacles = overview.obstacles
    state = (
        element("span", "not ready", class_="bad") if obstacles else element("span", "ready", class_="good")
    )
    links = (element("li", element("a", each.title, href=f"#{each.name}")) for each in sections)
    return element(
        "header",
        element("h1", f"{overview.role} {shown.title}"),
        element("p", state, f", up for {span(overview.moment - overview.started)}", class_="quiet"),
        *(element("p", obstacle, class_="bad") for obstacle in obstacles),
        element("nav", element("ul", *links), aria_label="On this page"),
        _cards(shown),
    )


def _cards(shown: Shown) -> Markup:
    overview = shown.scene.overview
    degraded = sum(1 for zone in overview.zones if zone.condition is not Condition.CURRENT)
    cards: list[tuple[str, Content, str | None]] = [
        ("Zones", amount(len(overview.zones)), None),
        ("Not current", amount(degraded), "warn" if degraded else "good"),
        ("Queries", amount(_queries(overview)), None),
    ]
    if overview.updates is not None:
        cards.append(("Updates", amount(sum(overview.updates.answers.values())), None))
    if overview.git is not None and overview.git.committed is not None:
        cards.append(("Head committed", ago(overview.git.committed, overview.moment), None))
    if overview.git is not None and overview.git.last_pull is not None:
        last = overview.git.last_pull
        is_good = last.outcome in {"ok", "unchanged"}
        cards.append(("Last pull", ago(last.ended, overview.moment), "good" if is_good else "bad"))
    return element(
        "dl",
        *(
            element("div", element("dt", title), element("dd", value, class_=style))
            for title, value, style in cards
        ),
        class_="cards",
    )


def _queries(overview: Overview) -> int:
    return overview.engine.get("udp_queries", 0) + overview.engine.get("tcp_queries", 0)


def _sections(shown: Shown) -> Iterable[_Section]:
    overview = shown.scene.overview
    yield _Section("now", "Now", _plots(shown))
    yield _Section("zones", "Zones", _zones(shown.scene))
    yield _Section("changes", "Recent changes", join(_change(change, overview) for change in shown.changes))
    yield _Section("git", "Repository", _git(overview))
    yield _Section("secondaries", "Secondaries", _secondaries(overview))
    yield _Section("primaries", "Primaries", _primaries(overview))
    yield _Section("nameservers", "Name servers", _nameservers(shown.scene))
    yield _Section("certificates", "Certificates", _certificates(overview))
    yield _Section("keys", "Keys", _keys(overview))
    yield _Section("queues", "Queues", _queues(overview))


def _plots(shown: Shown) -> Markup:
    overview = shown.scene.overview
    figures = [
        figure(plot, shown.points, overview.moment)
        for plot in PLOTS
        if plot.name != "updates" or overview.updates is not None
    ]
    return join(
        [element("div", *figures, class_="plots"), element("p", id="live", class_="quiet", role="status")]
    )


def _zones(scene: Scene) -> Content:
    overview = scene.overview
    order = sorted(overview.zones, key=lambda zone: (zone.condition is Condition.CURRENT, zone.apex))
    shown = order[: scene.zones_limit or None]
    listed = table(
        "Zones",
        ("Zone", "Serial", "Records", "Condition", "Since", "Why"),
        (_zone(zone, overview.moment) for zone in shown),
    )
    left = len(order) - len(shown)
    return [listed, element("p", f"and {left} more", class_="quiet")] if left else listed


def _zone(zone: Zone, now: float) -> Row:
    style = "good" if zone.condition is Condition.CURRENT else "warn" if zone.is_served else "bad"
    return (
        element("strong", zone.apex),
        "none" if zone.serial is None else str(zone.serial),
        amount(zone.records),
        element("span", zone.condition.value, class_=style),
        "" if zone.since is None else ago(zone.since, now),
        zone.reason or "",
    )


def _change(change: Change, overview: Overview) -> Markup:
    """A commit, with its differences where a reader asks for them."""
    summary = element(
        "summary",
        element("strong", change.subject),
        " ",
        element(
            "span",
            f"{change.author}, {ago(change.moment, overview.moment)}, {change.commit[:12]}",
            class_="quiet",
        ),
    )
    parts = [
        join((element("h3", file.path), element("pre", *(_line(line) for line in file.lines), tabindex="0")))
        for file in change.files
    ]
    return element("details", summary, *parts)


def _line(line: str) -> Markup:
    style = "added" if line.startswith("+") else "removed" if line.startswith("-") else None
    return element("span", line, class_=style)


def _git(overview: Overview) -> Content:
    git = overview.git
    if git is None:
        return None
    rows: list[Row] = [("Remote", git.remote)]
    if git.commit is not None:
        rows.append(("Head", f"{git.commit[:12]} {git.subject or ''} ({git.author or ''})"))
    for name, attempt in (("Last pull", git.last_pull), ("Last push", git.last_push)):
        if attempt is not None:
            text = f"{attempt.outcome}, {moment_of(attempt.ended)}, took {span(attempt.seconds)}"
            rows.append((name, f"{text}: {attempt.reason}" if attempt.reason else text))
    if git.unpushed:
        rows.append(("Not pushed", f"{git.unpushed} raised serials"))
    return table("Repository", ("What", "State"), rows)


def _secondaries(overview: Overview) -> Content:
    return table(
        "Secondaries",
        ("Secondary", "Zones", "Behind", "Last transfer", "NOTIFYs waiting"),
        (
            (
                element("strong", each.name),
                ", ".join(f"{copy.zone} {copy.serial}" for copy in each.copies[:10])
                + (f" and {len(each.copies) - 10} more" if len(each.copies) > 10 else ""),  # noqa: PLR2004 - a line's worth
                element("span", str(each.zones_behind), class_="warn" if each.zones_behind else None),
                "none yet" if each.last_copy is None else ago(each.last_copy, overview.moment),
                str(each.unacknowledged),
            )
            for each in overview.secondaries
        ),
    )


def _primaries(overview: Overview) -> Content:
    return table(
        "Primaries",
        ("Primary", "Connected", "Trouble"),
        (
            (element("strong", each.address), "yes" if each.is_connected else "no", each.trouble or "")
            for each in overview.primaries
        ),
    )


def _nameservers(scene: Scene) -> Content:
    return table(
        "Name servers",
        ("Zone", "Name server", "Standing"),
        (
            (
                apex,
                server,
                element("span", standing.value, class_=None if standing is Standing.AGREES else "warn"),
            )
            for apex, verdict in list(scene.agreement.items())[: scene.zones_limit or None]
            for server, standing in verdict.standings
        ),
    )


def _certificates(overview: Overview) -> Content:
    return table(
        "Certificates",
        ("Host", "State", "Valid until", "Next step", "Why"),
        (
            (
                element("strong", each.host),
                element("span", each.state, class_="good" if each.state == "valid" else "warn"),
                "" if each.not_after is None else moment_of(each.not_after),
                "" if each.next_step is None else moment_of(each.next_step),
                each.reason or "",
            )
            for each in overview.certificates
        ),
    )


def _keys(overview: Overview) -> Content:
    return table(
        "Keys",
        ("Key", "May", "Last use", "Uses", "Refused"),
        (
            (
                element("strong", key.name),
                f"{key.operation} {key.zone}",
                "never" if key.last_use is None else ago(key.last_use, overview.moment),
                amount(key.uses),
                ", ".join(f"{error} {count}" for error, count in key.failures.items()),
            )
            for key in overview.keys
        ),
    )


def _queues(overview: Overview) -> Content:
    return table(
        "Queues",
        ("Queue", "Length", "Limit"),
        (
            (queue.name, str(queue.length), "" if queue.limit is None else str(queue.limit))
            for queue in overview.queues
        ),
    )


def _footer(overview: Overview) -> Markup:
    listening = ", ".join(overview.addresses) or "nowhere"
    text = f"Oakroot {overview.version}, listening on {listening}, as of {moment_of(overview.moment)}."
    return element("footer", element("p", text))
