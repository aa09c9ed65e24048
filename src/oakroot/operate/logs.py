"""The log: one line per event on standard error, for a person, for journald or for a machine.

Modules log through `logging.getLogger(__name__)`; a message about a zone says so by
`extra={"zone": "example.org."}`, and likewise `peer`, `key` (its name) and `reason`. What must not live here:
any decision about what is worth a line. Secrets never come here at all.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TextIO

from oakroot.operate.log_targets import SEVERITY, Journal, Syslog, subjects

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json", "journald")

# The text of a message names the rest of `log_targets.SUBJECTS` itself.
SHOWN_SUBJECTS = ("zone", "peer")

# A peer chooses some of the text we log, and must not be able to end a line or to steer a terminal with it.
CONTROL_CHARACTER = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


class TextFormatter(logging.Formatter):
    """`2026-01-02T03:04:05.678Z info: [example.org.] message`; for journald a priority instead of time."""

    def __init__(self, *, for_journal: bool) -> None:
        super().__init__()
        self._for_journal = for_journal

    def format(self, record: logging.LogRecord) -> str:
        """The line; further lines of a message (a quoted zone file, a traceback) are indented."""
        subjects = [str(getattr(record, name)) for name in SHOWN_SUBJECTS if hasattr(record, name)]
        message = "".join(f"[{subject}] " for subject in subjects) + _message_and_traceback(self, record)
        head, *rest = CONTROL_CHARACTER.sub(_escape, message).split("\n")
        lines = [f"{record.levelname.lower()}: {head}", *(f"  {line}" for line in rest)]
        if self._for_journal:
            # A line is a journal entry of its own, so each carries the priority (sd-daemon(3)).
            return "\n".join(f"<{SEVERITY.get(record.levelno, 5)}>{line}" for line in lines)
        return f"{_moment(record)} " + "\n".join(lines)


class PlainFormatter(logging.Formatter):
    """The message and nothing else, for those who get the rest in fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The text."""
        return CONTROL_CHARACTER.sub(_escape, _message_and_traceback(self, record))


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, the subjects, further `facts` if it has any, message."""

    def format(self, record: logging.LogRecord) -> str:
        """The object; JSON itself escapes what could end the line."""
        entry: dict[str, object] = {
            "time": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        entry.update(subjects(record))
        entry.update(getattr(record, "facts", {}))
        entry["message"] = _message_and_traceback(self, record)
        return json.dumps(entry)


def set_up(
    level: str,
    layout: str,
    *,
    stream: TextIO | None = None,
    environment: Mapping[str, str],
    syslog: tuple[str, int] | None = None,
) -> None:
    """Sends the log of this process to the stream (stderr), at one of LEVELS and in one of FORMATS.

    The format `journald` sends it to journald instead, and `syslog` to a server besides; OSError if that is
    not there, and then all stays as it was. A server that has the log already is not looked for again.
    """
    root = logging.getLogger()
    handlers = [_handler(layout, sys.stderr if stream is None else stream, environment)]
    if syslog is not None:
        handlers.append(_to_syslog(syslog, root.handlers))
    root.handlers = handlers
    root.setLevel(level.upper())
    logging.captureWarnings(capture=True)
    # asyncssh tells of every connection and channel; that is news only to somebody who debugs it.
    logging.getLogger("asyncssh").setLevel(logging.DEBUG if level == "debug" else logging.WARNING)


def _handler(layout: str, stream: TextIO, environment: Mapping[str, str]) -> logging.Handler:
    if layout == "journald":
        journal = Journal()
        journal.setFormatter(PlainFormatter())
        return journal
    handler = logging.StreamHandler(stream)
    text = TextFormatter(for_journal=is_journal(stream, environment))
    handler.setFormatter(JsonFormatter() if layout == "json" else text)
    return handler


def _to_syslog(target: tuple[str, int], before: Iterable[logging.Handler]) -> logging.Handler:
    """The one of those before that goes there: at SIGHUP a resolver that is silent would keep the server."""
    for handler in before:
        if isinstance(handler, Syslog) and handler.target == target:
            return handler
    handler = Syslog(*target)
    handler.setFormatter(PlainFormatter())
    return handler


def is_journal(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether the stream goes to journald, which keeps time itself (systemd.exec(5), $JOURNAL_STREAM)."""
    wanted = environment.get("JOURNAL_STREAM")
    if not wanted:
        return False
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False  # a stream without a file is no journal
    return wanted == f"{status.st_dev}:{status.st_ino}"


def _moment(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message_and_traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    message = record.getMessage()
    if record.exc_info:
        message += "\n" + formatter.formatException(record.exc_info)
    return message


def _escape(match: re.Match[str]) -> str:
    return f"\\x{ord(match[0]):02x}"
