"""What the log and the commits say about loads and pushes, in words. Nothing is decided here."""

from __future__ import annotations

from typing import Literal

from oakroot.roles.events import Log
from oakroot.zones.diagnostics import Finding, render
from oakroot.zones.loaded import Edit, Loaded, Loading, ZoneChange

# A commit may change all of ten thousand zones; the log names this many and counts the rest.
LINES_LIMIT = 50


def describe_loading(loading: Loading, before: Loaded) -> tuple[Log, ...]:
    """What a load brought, and every finding about the files that were read for it."""
    news: list[Finding | ZoneChange] = [*loading.findings]
    if before.commit is not None:
        news += loading.changes
    return (*_limited(news), Log("info", summary(loading.loaded)))


def describe_push(edits: tuple[Edit, ...]) -> tuple[Log, ...]:
    """What our commit did."""
    text = "serial {0.old_serial} in the repository raised to {0.new_serial}, in a commit of ours"
    logs = [Log("info", text.format(edit), edit.apex) for edit in edits[:LINES_LIMIT]]
    return (*logs, *_rest(len(edits)))


def commit_message(edits: tuple[Edit, ...]) -> str:
    """The message of the commit that writes raised serials back."""
    changes = [f"{_shown(edit.apex)}: raise serial {edit.old_serial} to {edit.new_serial}" for edit in edits]
    why = "Content had changed while the serial had not moved forward (RFC 1982)."
    if len(changes) == 1:
        return f"{changes[0]}\n\n{why}\n"
    return "\n".join((f"Raise the serials of {len(changes)} zones", "", why, "", *changes, ""))


def summary(loaded: Loaded) -> str:
    """What is served, in a line. Costs as much as there are zones that are not current."""
    exceptions = [loaded.zones[apex] for apex in loaded.exceptions]
    unserved = sum(1 for zone in exceptions if zone.zone is None)
    outdated = sum(1 for zone in exceptions if not zone.is_current) - unserved
    parts = [f"zones served: {len(loaded.zones) - unserved}", f"keys: {len(loaded.keyring)}"]
    if outdated:
        parts.append(f"last good versions among them: {outdated}")
    if unserved:
        parts.append(f"zones that cannot be served: {unserved}")
    return f"commit {(loaded.commit or '')[:12]}; {', '.join(parts)}"


def _level(news: Finding | ZoneChange) -> Literal["error", "warning", "info"]:
    if isinstance(news, Finding):
        return news.severity
    return "warning" if news.after is None else "info"


def _log(news: Finding | ZoneChange) -> Log:
    if isinstance(news, Finding):
        return Log(_level(news), render(news, "text"))
    if news.after is None:
        return Log(_level(news), "removed: its file is gone from the repository", news.apex)
    records = f"serial {news.after.serial}, {news.after.record_count} records"
    if news.before is None:
        return Log(_level(news), f"new: {records}", news.apex)
    return Log(_level(news), f"changed: {records}, the serial was {news.before.serial}", news.apex)


def _limited(news: list[Finding | ZoneChange]) -> tuple[Log, ...]:
    """Only what is logged is put into words: a commit may bring millions of findings."""
    if len(news) > LINES_LIMIT:
        # Errors are what the log is read for.
        worst_first = ("error", "warning", "info")
        news = sorted(news, key=lambda item: worst_first.index(_level(item)))
    return (*map(_log, news[:LINES_LIMIT]), *_rest(len(news)))


def _rest(count: int) -> tuple[Log, ...]:
    if count <= LINES_LIMIT:
        return ()
    return (Log("warning", f"and {count - LINES_LIMIT} more messages about this commit"),)


def _shown(apex: str) -> str:
    return apex if apex == "." else apex.removesuffix(".")
