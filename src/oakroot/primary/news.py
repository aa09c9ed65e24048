"""What the log and the commits say about loads and pushes, in words. Nothing is decided here."""

from __future__ import annotations

from oakroot.roles.events import Log
from oakroot.zones.diagnostics import Finding, render
from oakroot.zones.loaded import Edit, Loaded, Loading, ZoneChange

# A commit may change all of ten thousand zones; the log names this many and counts the rest.
LINES_LIMIT = 50


def describe_loading(loading: Loading, before: Loaded) -> tuple[Log, ...]:
    """What a load brought, and every finding about the files that were read for it."""
    loaded = loading.loaded
    lines = [_log_of_finding(finding) for finding in loading.findings]
    if before.commit is not None:
        lines += [_log_of_change(change) for change in loading.changes]
    return (*_limited(lines, LINES_LIMIT), Log("info", _summary(loaded)))


def describe_push(edits: tuple[Edit, ...]) -> tuple[Log, ...]:
    """What our commit did."""
    text = "serial {0.old_serial} in the repository raised to {0.new_serial}, in a commit of ours"
    return _limited([Log("info", text.format(edit), edit.apex) for edit in edits], LINES_LIMIT)


def commit_message(edits: tuple[Edit, ...]) -> str:
    """The message of the commit that writes raised serials back."""
    changes = [f"{_shown(edit.apex)}: raise serial {edit.old_serial} to {edit.new_serial}" for edit in edits]
    why = "Content had changed while the serial had not moved forward (RFC 1982)."
    if len(changes) == 1:
        return f"{changes[0]}\n\n{why}\n"
    return "\n".join((f"Raise the serials of {len(changes)} zones", "", why, "", *changes, ""))


def _summary(loaded: Loaded) -> str:
    unserved = sum(1 for zone in loaded.zones.values() if zone.zone is None)
    outdated = sum(1 for zone in loaded.zones.values() if not zone.is_current) - unserved
    parts = [f"zones served: {len(loaded.zones) - unserved}", f"keys: {len(loaded.keyring)}"]
    if outdated:
        parts.append(f"last good versions among them: {outdated}")
    if unserved:
        parts.append(f"zones that cannot be served: {unserved}")
    return f"commit {(loaded.commit or '')[:12]}; {', '.join(parts)}"


def _log_of_finding(finding: Finding) -> Log:
    return Log(finding.severity, render(finding, "text"))


def _log_of_change(change: ZoneChange) -> Log:
    if change.after is None:
        return Log("warning", "removed: its file is gone from the repository", change.apex)
    records = f"serial {change.after.serial}, {change.after.record_count} records"
    if change.before is None:
        return Log("info", f"new: {records}", change.apex)
    return Log("info", f"changed: {records}, the serial was {change.before.serial}", change.apex)


def _limited(lines: list[Log], limit: int) -> tuple[Log, ...]:
    if len(lines) <= limit:
        return tuple(lines)
    # Errors are what the log is read for.
    lines = sorted(lines, key=lambda line: ("error", "warning", "info", "debug").index(line.level))
    return (*lines[:limit], Log("warning", f"and {len(lines) - limit} more messages about this commit"))


def _shown(apex: str) -> str:
    return apex if apex == "." else apex.removesuffix(".")
