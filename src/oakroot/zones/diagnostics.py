"""Findings: what is wrong with a file, where, and how to mend it; and their three printed forms.

Every message about repository content passes through `Finding`, so that one place decides what is printed. A
finding about a key file carries no source line, and its message never holds a secret; whoever makes one keeps
that promise.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Literal

from oakroot.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oakroot._engine import Diagnostic

Severity = Literal["error", "warning"]
Format = Literal["text", "json", "github"]

_RED, _MAGENTA, _GREEN, _BOLD, _PLAIN = "\x1b[31m", "\x1b[35m", "\x1b[32m", "\x1b[1m", "\x1b[0m"
# The longest source line worth showing; beyond it a window around the column is shown.
_WINDOW = 160


@frozen
class Finding:
    """One finding. `line` and `column` count from 1; both are 0 where the finding is about the whole file."""

    severity: Severity
    code: str
    message: str
    file: str
    line: int = 0
    column: int = 0
    end_column: int = 0
    hint: str | None = None
    source_line: str | None = None
    source_start: int = 0
    """How many characters of the line stand before `source_line`, which of a long line is only a part."""

    @classmethod
    def of_engine(cls, diagnostic: Diagnostic) -> Finding:
        """The engine's finding about zone text; a line that holds a TSIG secret by mistake is not quoted."""
        line = diagnostic.source_line
        return cls(
            severity=diagnostic.severity,
            code=diagnostic.code,
            message=diagnostic.message,
            file=diagnostic.file,
            line=diagnostic.line,
            column=diagnostic.column,
            end_column=diagnostic.end_column,
            hint=diagnostic.hint,
            source_line=None if line is None or _SECRET_RECORD.search(line.encode()) else line,
            source_start=diagnostic.source_start,
        )

    @property
    def place(self) -> str:
        """`FILE:LINE:COL`, or only `FILE`; control characters made visible."""
        file = visible(self.file)
        return f"{file}:{self.line}:{self.column}" if self.line else file

    @property
    def brief(self) -> str:
        """Place and message in one line, for logs and for EDE text."""
        return f"{self.place}: {visible(self.message)}"


# A key record in a zone file: `NAME._update.ZONE DNSKEY 0 3 163 SECRET`. Its findings must not repeat it.
_SECRET_RECORD = re.compile(rb"(?i)\bDNSKEY[ \t]+0[ \t]+3[ \t]+(?:157|16[1-5])\b")


def unreadable(path: str, error: ValueError) -> Finding:
    """The error for a file that the repository has and will not hand out."""
    return Finding("error", "unreadable", f"this file is not read: {error}", path)


def errors(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Only the errors, in order."""
    return tuple(finding for finding in findings if finding.severity == "error")


def visible(text: str) -> str:
    """The text with control characters as escapes, so that a file cannot steer the reader's terminal."""
    return "".join(
        character if character.isprintable() else repr(character)[1:-1]
        for character in text.replace("\t", " ")
    )


def render(finding: Finding, form: Format, *, colour: bool = False) -> str:
    """One finding in the wanted form, without a final newline."""
    if form == "json":
        return json.dumps(as_json(finding), ensure_ascii=False)
    if form == "github":
        return _render_github(finding)
    return _render_text(finding, colour=colour)


def as_json(finding: Finding) -> dict[str, str | int | None]:
    """The finding as a JSON object; the source line is left out, the reader has the file."""
    return {
        "severity": finding.severity,
        "code": finding.code,
        "message": finding.message,
        "hint": finding.hint,
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "end_column": finding.end_column,
    }


def _render_text(finding: Finding, *, colour: bool) -> str:
    tint = _RED if finding.severity == "error" else _MAGENTA
    bold, tint, green, plain = (_BOLD, tint, _GREEN, _PLAIN) if colour else ("", "", "", "")
    message = visible(finding.message)
    parts = [f"{bold}{finding.place}:{plain} {tint}{finding.severity}:{plain} {message}"]
    if finding.source_line is not None and finding.line:
        source, start, length = _window(finding)
        parts.append(f"{finding.line:>6} | {source}")
        parts.append(f"       | {' ' * start}{green}^{'~' * (length - 1)}{plain}")
    if finding.hint:
        parts.append(f"       = hint: {visible(finding.hint)}")
    return "\n".join(parts)


def _window(finding: Finding) -> tuple[str, int, int]:
    """(what to print of the line, how far the caret stands in, how long the mark is)."""
    text = finding.source_line or ""
    start = min(max(finding.column - 1 - finding.source_start, 0), len(text))
    end = max(finding.end_column - 1 - finding.source_start, start + 1)
    first = 0 if len(text) <= _WINDOW else max(0, start - _WINDOW // 2)
    last = min(first + _WINDOW, len(text))
    # Only the window is made visible: a line may be megabytes long.
    line = visible_columns(text[first:last])
    start, end = start - first, min(end, last) - first
    return "".join(line), sum(map(len, line[:start])), sum(map(len, line[start:end])) or 1


def visible_columns(line: str) -> list[str]:
    """What is printed for each character of the line."""
    return [visible(character) for character in line]


def _render_github(finding: Finding) -> str:
    properties = [f"file={_github_property(finding.file)}"]
    if finding.line:
        properties += [f"line={finding.line}", f"col={finding.column}"]
        if finding.end_column > finding.column:
            properties.append(f"endColumn={finding.end_column}")
    message = finding.message if finding.hint is None else f"{finding.message} (hint: {finding.hint})"
    return f"::{finding.severity} {','.join(properties)}::{_github_data(message)}"


def _github_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_property(text: str) -> str:
    return _github_data(text).replace(":", "%3A").replace(",", "%2C")
