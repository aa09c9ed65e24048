"""An overview as tables for a person. What a server of another version does not tell is left out.

Pure: the overview as JSON in, lines out. Names in it were chosen by others and are made visible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import dns.exception
import dns.rcode

from oakroot.operate.terminal import Style
from oakroot.zones.diagnostics import visible

Part = Mapping[str, Any]
Paint = Callable[[str, Style], str]

_COPIES_SHOWN = 3
_DROPPED = {
    "rate_limited_dropped": "by the rate limit",
    "handover_dropped": "of a full queue",
    "malformed_silent": "malformed",
    "tcp_refused": "connections too many",
    "udp_receive_errors": "errors of the network",
}
_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))
_STYLES = {
    "current": Style.GOOD,
    "last-good": Style.WARNING,
    "held-back": Style.WARNING,
    "stale": Style.WARNING,
    "expired": Style.ERROR,
    "unavailable": Style.ERROR,
}


def status_lines(overview: Part, paint: Paint) -> Iterator[str]:
    """All of it, a heading before each table."""
    now = float(overview.get("moment", 0))
    yield paint(_headline(overview, now), Style.STRONG)
    yield from _traffic(overview)
    yield from _git(overview.get("git"), now)
    yield from _zones(overview, now, paint)
    yield from _primaries(overview.get("primaries", ()))
    yield from _secondaries(overview, now)
    yield from _keys(overview, now)
    yield from _certificates(overview.get("certificates", ()), now)
    yield from _queues(overview.get("queues", ()))
    yield from _taps(overview)


def _headline(overview: Part, now: float) -> str:
    where = ", ".join(map(str, overview.get("addresses", ()))) or "no address"
    since = _span(now - float(overview.get("started", now)))
    return f"oakroot {overview.get('role')} {overview.get('version')}, on {where}, for {since}"


def _traffic(overview: Part) -> Iterator[str]:
    """What came and what became of it, since the start."""
    engine = overview.get("engine") or {}
    by_way = {way: engine.get(f"{way.lower()}_queries", 0) for way in ("UDP", "TCP", "TLS")}
    if engine:
        yield ""
        yield f"queries      {sum(by_way.values())}: {_counted(by_way) or 'none yet'}"
    codes = {_rcode(name): count for name, count in engine.items() if name.startswith("code_")}
    if any(codes.values()):
        yield f"answers      {_counted(codes)}"
    if dropped := _counted({text: engine.get(name, 0) for name, text in _DROPPED.items()}):
        yield f"dropped      {dropped}"
    answers = (overview.get("updates") or {}).get("answers") or {}
    if answers:
        yield f"updates      {_counted(answers)}"


def _rcode(counter: str) -> str:
    code = counter.removeprefix("code_")
    try:
        return dns.rcode.to_text(dns.rcode.from_text(code))
    except (dns.exception.DNSException, ValueError):
        return f"{code} codes"


def _counted(counts: Mapping[str, int]) -> str:
    """Those that are more than none, the largest first; whichever was counted first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {visible(name)}" for name, count in ordered if count)


def _git(git: Part | None, now: float) -> Iterator[str]:
    if not git:
        return
    yield ""
    branch = f"#{git['branch']}" if git.get("branch") else ""
    yield f"repository   {visible(str(git.get('remote')))}{branch}"
    if git.get("commit"):
        told = f"{git['commit'][:12]} {git.get('subject') or ''}".rstrip()
        by = f", by {git['author']}" if git.get("author") else ""
        yield f"commit       {visible(told + by)}, {_ago(git.get('committed'), now)}"
    yield f"last pull    {_attempt(git.get('last_pull'), git.get('last_good_pull'), now)}"
    if git.get("last_push"):
        yield f"last push    {_attempt(git.get('last_push'), git.get('last_good_push'), now)}"
    if git.get("unpushed"):
        yield f"not pushed   {git['unpushed']} raised serials"
    if git.get("busy_with"):
        yield f"busy with    {git['busy_with']}"


def _attempt(attempt: Part | None, last_good: float | None, now: float) -> str:
    if not attempt:
        return "none yet"
    told = f"{_ago(attempt.get('ended'), now)}: {attempt.get('outcome')}"
    if attempt.get("reason"):
        told += f": {visible(str(attempt['reason']))}; the last good one was {_ago(last_good, now)}"
    return told


def _zones(overview: Part, now: float, paint: Paint) -> Iterator[str]:
    def order(zone: Part) -> tuple[bool, str]:
        """As on the status page: first those that somebody should look at."""
        return zone.get("condition") == "current", str(zone.get("apex"))

    zones = sorted(overview.get("zones", ()), key=order)
    is_copy = overview.get("role") != "primary"
    yield ""
    rows = [("ZONE", "SERIAL", "RECORDS", "SINCE", *(("CHECKED", "EXPIRES") if is_copy else ()), "CONDITION")]
    for zone in zones:
        serial = "-" if zone.get("serial") is None else str(zone["serial"])
        if zone.get("written_serial") not in {None, zone.get("serial")}:
            serial += f" (git: {zone['written_serial']})"
        times = [_ago(zone.get("since"), now) if zone.get("since") else "-"]
        if is_copy:
            times += [_ago(zone.get("confirmed"), now), _ahead(zone.get("expires"), now)]
        apex = visible(str(zone.get("apex")))
        rows.append((apex, serial, str(zone.get("records", 0)), *times, str(zone.get("condition"))))
    lines = _table(rows)
    yield paint(next(lines), Style.STRONG)
    for zone, line in zip(zones, lines, strict=True):
        condition = str(zone.get("condition"))
        yield line.removesuffix(condition) + paint(condition, _STYLES.get(condition, Style.WARNING))
        if zone.get("reason"):
            yield f"    {visible(str(zone['reason']))}"


def _primaries(primaries: Sequence[Part]) -> Iterator[str]:
    rows = [("PRIMARY", "CONNECTION")]
    for each in primaries:
        connection = "open" if each.get("is_connected") else "none"
        if each.get("trouble"):
            connection += f": {visible(str(each['trouble']))}"
        rows.append((str(each.get("address")), connection))
    yield from _titled(rows)


def _secondaries(overview: Part, now: float) -> Iterator[str]:
    serials = {zone.get("apex"): zone.get("serial") for zone in overview.get("zones", ())}
    rows = [("SECONDARY", "LAST COPY", "BEHIND", "UNACKNOWLEDGED", "HAS")]
    for each in overview.get("secondaries", ()):
        copies: Sequence[Part] = each.get("copies", ())
        # What is behind matters most.
        ordered = sorted(copies, key=lambda copy: serials.get(copy.get("zone")) == copy.get("serial"))
        has = ", ".join(f"{copy.get('zone')} {copy.get('serial')}" for copy in ordered[:_COPIES_SHOWN])
        more = f" and {len(copies) - _COPIES_SHOWN} more" if len(copies) > _COPIES_SHOWN else ""
        rows.append(
            (
                visible(str(each.get("name"))),
                _ago(each.get("last_copy"), now),
                str(each.get("zones_behind", 0)),
                str(each.get("unacknowledged", 0)),
                visible(has + more) or "nothing that we know of",
            )
        )
    yield from _titled(rows)


def _keys(overview: Part, now: float) -> Iterator[str]:
    rows = [("KEY", "MAY", "AT", "USES", "LAST USE", "REFUSED")]
    for each in overview.get("keys", ()):
        failures = each.get("failures") or {}
        refused = ", ".join(f"{count} {error}" for error, count in failures.items())
        if refused:
            refused += f", {_ago(each.get('last_failure'), now)}"
        zone = "all zones" if each.get("zone") == "." else str(each.get("zone"))
        rows.append(
            (
                visible(str(each.get("name"))),
                str(each.get("operation")),
                visible(zone),
                str(each.get("uses", 0)),
                _ago(each.get("last_use"), now),
                refused or "-",
            )
        )
    yield from _titled(rows)
    if overview.get("unknown_keys"):
        yield f"{overview['unknown_keys']} requests were signed by keys that are not known here"


def _certificates(certificates: Sequence[Part], now: float) -> Iterator[str]:
    rows = [
        (
            visible(str(each.get("host"))),
            str(each.get("state")),
            _ahead(each.get("not_after"), now),
            _ahead(each.get("next_step"), now),
            visible(str(each.get("reason") or "-")),
        )
        for each in certificates
    ]
    yield from _titled([("HOST", "STATE", "VALID FOR", "NEXT STEP", "REASON"), *rows])


def _queues(queues: Sequence[Part]) -> Iterator[str]:
    rows = [("QUEUE", "WAITING", "LIMIT")]
    for each in queues:
        limit = "-" if each.get("limit") is None else str(each["limit"])
        rows.append((str(each.get("name")), str(each.get("length", 0)), limit))
    yield from _titled(rows)


def _taps(overview: Part) -> Iterator[str]:
    """Who sees queries one by one."""
    taps: Sequence[Part] | None = overview.get("taps")
    if taps is None:
        return
    if not taps:
        yield ""
        yield "dnstap and the query log are off"
        return
    rows = [("QUERIES", "TO", "SAMPLE", "WRITTEN", "DROPPED", "TROUBLE")]
    for each in taps:
        every = int(each.get("every", 1))
        rows.append(
            (
                str(each.get("name")),
                visible(str(each.get("place"))),
                "all" if every == 1 else f"1 of {every}",
                str(each.get("written", 0)),
                str(each.get("dropped", 0)),
                visible(str(each.get("trouble") or "-")),
            )
        )
    yield from _titled(rows)
    if unseen := (overview.get("engine") or {}).get("tap_dropped"):
        yield f"{unseen} queries and answers found no room, and were not seen"


def _titled(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """A table behind an empty line; nothing where it would have but its headline."""
    if len(rows) > 1:
        yield ""
        yield from _table(rows)


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _ago(moment: float | None, now: float) -> str:
    return "never" if moment is None else f"{_span(max(now - moment, 0))} ago"


def _ahead(moment: float | None, now: float) -> str:
    if moment is None:
        return "-"
    return f"in {_span(moment - now)}" if moment > now else "now"


def _span(seconds: float) -> str:
    """A duration in its largest unit, and no more exact than anybody needs."""
    for length, unit in _UNITS:
        if seconds >= length * (2 if unit == "d" else 1):
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
