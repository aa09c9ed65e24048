"""A plan as text for a terminal, as Markdown for a pull request, and as JSON for programs.

Here stands how it looks; what is in it was decided by `zones.planning`. What comes from zone files is made
visible before it is printed, so that a file cannot steer a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from oakroot.operate.terminal import Style
from oakroot.zones.consequences import consequences
from oakroot.zones.diagnostics import as_json, errors, render, visible
from oakroot.zones.plan import KeyChange, Plan, RRset, RRsetChange, Serial, ZonePlan

Paint = Callable[[str, Style], str]

LINES_LIMIT = 200
"""Lines of records shown of one zone; the rest is counted."""
_RDATA_LIMIT = 160
_COMMENT_LIMIT = 60_000
"""Hosters take 65,536 characters for a comment."""
_FATES = {
    "raised": "the serial was not raised: the primary will serve {0.served}, and commit that back",
    "refused": "refused: the zone changes, but its serial {0.written} is not forward of {0.before}",
}
_MARKER = "<!-- oakroot plan -->"


def as_text(plan: Plan, beyond: list[str], paint: Paint) -> str:
    """For a terminal; without final newline."""
    if plan.is_empty:
        return "no changes"
    blocks = [*(_zone_block(zone, paint) for zone in plan.zones), *_key_blocks(plan, paint)]
    held = [paint(f"too much at once: {line}", Style.ERROR) for line in beyond]
    return "\n\n".join([*blocks, "\n".join([*held, summary(plan)])])


def as_markdown(plan: Plan, beyond: list[str]) -> str:
    """For a comment on a pull request; by the marker it begins with, the next run finds and replaces it."""
    parts = [_MARKER, f"### DNS plan: {summary(plan)}"]
    parts += [f"> [!CAUTION]\n> Too much at once: {line}" for line in beyond]
    for zone in plan.zones:
        parts.append(f"#### `{_name(zone.apex)}`: {_headline(zone)}")
        parts += _fenced("diff", [text for text, _ in record_lines(zone.changes, zone.apex)])
        parts += _fenced("text", [render(finding, "text") for finding in zone.findings])
        if notes := [f"- {text}" for text in _notes(zone)]:
            parts.append("\n".join(notes))
    if plan.keys:
        parts.append("\n".join(("#### Keys", *(f"- {_key_text(change)}" for change in plan.keys))))
    parts += _fenced("text", [render(finding, "text") for finding in plan.key_findings])
    text = "\n\n".join(parts)
    if len(text) > _COMMENT_LIMIT:
        text = text[:_COMMENT_LIMIT].rpartition("\n")[0] + "\n```\n\n… the rest is too long for a comment"
    return text


def as_object(plan: Plan, beyond: list[str]) -> dict[str, object]:
    """For programs: what `--format json` prints."""
    return {
        "summary": summary(plan),
        "zones": [_zone_object(zone) for zone in plan.zones],
        "keys": [
            {
                "name": key.name,
                "change": key.kind,
                "file": key.path,
                "operation": key.operation,
                "zone": key.zone,
                "limits": key.limits or None,
            }
            for key in plan.keys
        ],
        "key_findings": [as_json(finding) for finding in plan.key_findings],
        "too_much_at_once": beyond,
    }


def _fenced(language: str, lines: list[str]) -> list[str]:
    """A block of code, if there is anything to put in it; what is in it cannot end it."""
    if not lines:
        return []
    return ["\n".join((f"```{language}", *(line.replace("```", "'''") for line in lines), "```"))]


def summary(plan: Plan) -> str:
    """All of it in one line."""
    if plan.is_empty:
        return "no changes"
    broken = sum(1 for zone in plan.zones if zone.is_broken)
    good = [zone for zone in plan.zones if not zone.is_broken]
    parts = []
    for noun, number in (
        ("zone added", sum(1 for zone in good if zone.before is None)),
        ("zone removed", sum(1 for zone in good if zone.after is None)),
        ("zone changed", sum(1 for zone in good if zone.before is not None and zone.after is not None)),
        ("zone not served as written", broken),
        ("key changed", len(plan.keys)),
    ):
        if number:
            parts.append(f"{number} {noun if number == 1 else noun.replace(' ', 's ', 1)}")
    added = sum(len(change.added) for zone in good for change in zone.changes)
    removed = sum(len(change.removed) for zone in good for change in zone.changes)
    if added or removed:
        parts.append(f"records +{added} -{removed}")
    return ", ".join(parts) or "errors in key files"


def _zone_block(zone: ZonePlan, paint: Paint) -> str:
    lines = [paint(f"{_name(zone.apex)}: {_headline(zone)}", Style.STRONG)]
    lines += [f"  {paint(text, style)}" for text, style in record_lines(zone.changes, zone.apex)]
    lines += [f"    {paint(text, Style.HINT)}" for text in _notes(zone)]
    lines += [render(finding, "text", colour=False) for finding in zone.findings]
    return "\n".join(lines)


def _headline(zone: ZonePlan) -> str:
    if errors(zone.findings):
        return (
            "has errors" if zone.before is None else f"has errors; serial {zone.before.serial} stays served"
        )
    if zone.after is None:
        return f"removed, with {zone.present} records"
    if zone.before is None:
        return f"new, with {zone.after.record_count} records, serial {zone.serial.served}"
    serial = zone.serial
    return f"serial {serial.before} stays" if serial.before == serial.served else f"serial {_step(serial)}"


def _step(serial: Serial) -> str:
    return f"{serial.before} -> {serial.served}"


def _notes(zone: ZonePlan) -> Iterator[str]:
    fate = _FATES.get(zone.serial.fate)
    if fate is not None:
        yield fate.format(zone.serial)
    if zone.deleted and zone.after is not None:
        yield f"deletes {zone.deleted} of {zone.present} records ({zone.share_deleted:.1%})"
    for consequence in consequences(zone):
        yield f"{consequence.about}: {consequence.text}"


def record_lines(changes: Iterable[RRsetChange], apex: str) -> Iterator[tuple[str, Style]]:
    """The records that go and come, a line each, with owners as one would write them in the zone's file."""
    lines = [line for change in changes for line in _lines(change, apex)]
    yield from lines[:LINES_LIMIT]
    if len(lines) > LINES_LIMIT:
        yield f"  and {len(lines) - LINES_LIMIT} more lines", Style.HINT


def _lines(change: RRsetChange, apex: str) -> Iterator[tuple[str, Style]]:
    owner = relative_name(change.owner, apex)
    removed, added = change.removed, change.added
    if change.changes_ttl and change.before is not None and change.after is not None:
        # Every record of the set gets the new TTL: shown whole, since that is what is sent.
        removed, added = change.before.rdata, change.after.rdata
    for sign, rrset, rdatas, style in (
        ("-", change.before, removed, Style.ERROR),
        ("+", change.after, added, Style.GOOD),
    ):
        ttl = "" if rrset is None else rrset.ttl
        yield from ((f"{sign} {owner} {ttl} {change.type} {rdata_text(rdata)}", style) for rdata in rdatas)


def rdata_text(text: str) -> str:
    """RDATA for a terminal, cut where it is long."""
    text = visible(text)
    return text if len(text) <= _RDATA_LIMIT else f"{text[: _RDATA_LIMIT - 1]}…"


def relative_name(owner: str, apex: str) -> str:
    """The name as one would write it in the zone's file."""
    if owner == apex:
        return "@"
    end = apex if apex == "." else f".{apex}"
    return visible(owner.removesuffix(end))


def _name(apex: str) -> str:
    return apex if apex == "." else visible(apex.removesuffix("."))


def _key_blocks(plan: Plan, paint: Paint) -> Iterator[str]:
    if plan.keys:
        styles = {"added": Style.GOOD, "removed": Style.ERROR, "renewed": Style.WARNING}
        lines = [f"  {paint(_key_text(change), styles[change.kind])}" for change in plan.keys]
        yield "\n".join((paint("keys", Style.STRONG), *lines))
    for finding in plan.key_findings:
        yield render(finding, "text")


def _key_text(change: KeyChange) -> str:
    where = "all zones" if change.zone == "." else _name(change.zone)
    limits = f" ({change.limits})" if change.limits else ""
    return f"{change.kind}: {visible(change.name)} may {change.operation} at {where}{limits}"


def _zone_object(zone: ZonePlan) -> dict[str, object]:
    return {
        "zone": zone.apex,
        "file": zone.path,
        "serial": {
            "before": zone.serial.before,
            "written": zone.serial.written,
            "served": zone.serial.served,
            "fate": zone.serial.fate,
        },
        "records_before": zone.present,
        "records_after": None if zone.after is None else zone.after.record_count,
        "deleted": zone.deleted,
        "is_broken": zone.is_broken,
        "changes": [
            {
                "owner": change.owner,
                "type": change.type,
                "before": rrset_object(change.before),
                "after": rrset_object(change.after),
            }
            for change in zone.changes
        ],
        "consequences": [{"about": each.about, "text": each.text} for each in consequences(zone)],
        "findings": [as_json(finding) for finding in zone.findings],
    }


def rrset_object(rrset: RRset | None) -> dict[str, object] | None:
    """An RRset for programs."""
    return None if rrset is None else {"ttl": rrset.ttl, "rdata": list(rrset.rdata)}
