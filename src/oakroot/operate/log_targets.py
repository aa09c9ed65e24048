"""Where log records go but to standard error: journald in its own protocol, and a syslog server over UDP.

Both send one datagram a record and never wait: what cannot be sent at once is dropped and counted. What must
not live here: which records there are, and how they read.
"""

from __future__ import annotations

import logging
import os
import socket
from abc import abstractmethod
from datetime import UTC, datetime

SUBJECTS = ("zone", "peer", "key", "reason")
"""What `extra` may carry of a record, besides its text."""

JOURNAL_SOCKET = "/run/systemd/journal/socket"
JOURNAL_LIMIT = 100_000
"""Octets of one field: longer datagrams are not taken everywhere."""
SYSLOG_PORT = 514
SYSLOG_LIMIT = 1400
"""Octets of a datagram: no path fragments so many, and every server takes them (RFC 5424 §6.1)."""

# syslog(3) and sd-daemon(3) count severities alike.
SEVERITY = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}
_DAEMON = 3


class Datagrams(logging.Handler):
    """Sends each record as one datagram."""

    dropped = 0
    """Records that no socket took, of all handlers of this process."""

    def __init__(self, family: socket.AddressFamily, place: str | tuple[str, int]) -> None:
        """OSError: there is nobody, or no such host."""
        super().__init__()
        self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._socket.connect(place)
        except OSError:
            self._socket.close()
            raise

    def emit(self, record: logging.LogRecord) -> None:
        """Sends it, or counts that it could not be sent."""
        try:
            self._socket.send(self.encode(record))
        except OSError:
            Datagrams.dropped += 1
        except Exception:  # noqa: BLE001 - logging must not end the server; it has a way to say so
            self.handleError(record)

    @abstractmethod
    def encode(self, record: logging.LogRecord) -> bytes:
        """The datagram."""

    def close(self) -> None:
        """Lets go of the socket."""
        self._socket.close()
        super().close()


class Journal(Datagrams):
    """journald, with the subjects of a record as fields: `journalctl OAKROOT_ZONE=example.org.`."""

    def __init__(self, place: str = JOURNAL_SOCKET) -> None:
        super().__init__(socket.AF_UNIX, place)

    def encode(self, record: logging.LogRecord) -> bytes:
        """Systemd's "Native Journal Protocol": fields one after the other."""
        fields = {
            "MESSAGE": self.format(record),
            "PRIORITY": str(SEVERITY.get(record.levelno, 5)),
            "SYSLOG_IDENTIFIER": "oakroot",
            "OAKROOT_LOGGER": record.name,
        }
        for name, value in subjects(record).items():
            fields[f"OAKROOT_{name.upper()}"] = value
        return b"".join(_journal_field(name, value) for name, value in fields.items())


class Syslog(Datagrams):
    """A syslog server (RFC 5424 over UDP, RFC 5426), with the subjects of a record as structured data."""

    def __init__(self, host: str, port: int = SYSLOG_PORT) -> None:
        self.target = (host, port)
        family, *_, place = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        super().__init__(family, (str(place[0]), int(place[1])))
        self._host = _header(socket.gethostname())

    def encode(self, record: logging.LogRecord) -> bytes:
        """One line; what is too long for a datagram is cut."""
        priority = _DAEMON * 8 + SEVERITY.get(record.levelno, 5)
        moment = datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds")
        data = "".join(f' {name}="{_parameter(value)}"' for name, value in subjects(record).items())
        # 32473 is the number that RFC 5612 sets aside for examples and private use.
        structured = f"[oakroot@32473{data}]" if data else "-"
        head = f"<{priority}>1 {moment} {self._host} oakroot {os.getpid()} - {structured} "
        text = self.format(record).replace("\n", " | ")
        return (head + text).encode()[:SYSLOG_LIMIT]


def subjects(record: logging.LogRecord) -> dict[str, str]:
    """What a record is about, besides its text."""
    return {name: str(getattr(record, name)) for name in SUBJECTS if hasattr(record, name)}


def _journal_field(name: str, value: str) -> bytes:
    octets = value.encode("utf-8", "replace")[:JOURNAL_LIMIT]
    if b"\n" not in octets:
        return name.encode() + b"=" + octets + b"\n"
    return name.encode() + b"\n" + len(octets).to_bytes(8, "little") + octets + b"\n"


def _parameter(value: str) -> str:
    """RFC 5424 §6.3.3: quotes, backslashes and closing brackets stand behind a backslash."""
    printable = "".join(character if character.isprintable() else "?" for character in value)
    return printable.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def _header(text: str) -> str:
    """Printable ASCII without blanks (RFC 5424 §6)."""
    return "".join(character if "!" <= character <= "~" else "?" for character in text)[:255] or "-"
