"""journald's own protocol and syslog: what a datagram holds, read by fakes on this machine."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from oakroot.operate.log_targets import SYSLOG_LIMIT, Datagrams, Journal, Syslog
from oakroot.operate.logs import PlainFormatter


def record(text: str, level: int = logging.WARNING, **subjects: str) -> logging.LogRecord:
    made = logging.LogRecord("oakroot.primary", level, "", 0, text, (), None)
    made.__dict__.update(subjects)
    return made


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[tuple[Journal, socket.socket]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "socket"))
        handler = Journal(str(tmp_path / "socket"))
        handler.setFormatter(PlainFormatter())
        yield handler, listening
        handler.close()


@pytest.fixture
def syslog() -> Iterator[tuple[Syslog, socket.socket]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(10)
        handler = Syslog("127.0.0.1", listening.getsockname()[1])
        handler.setFormatter(PlainFormatter())
        yield handler, listening
        handler.close()


def fields(datagram: bytes) -> dict[str, str]:
    """Reads journald's protocol."""
    found, rest = {}, datagram
    while rest:
        line, _, rest = rest.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            length = int.from_bytes(rest[:8], "little")
            value, rest = rest[8 : 8 + length], rest[9 + length :]
        found[name.decode()] = value.decode()
    return found


def test_journald_gets_the_subjects_as_fields(journal: tuple[Journal, socket.socket]) -> None:
    handler, listening = journal
    handler.handle(record("refused", zone="example.org.", peer="192.0.2.1", key="k", reason="no right"))
    found = fields(listening.recv(65536))
    assert found == {
        "MESSAGE": "refused",
        "PRIORITY": "4",
        "SYSLOG_IDENTIFIER": "oakroot",
        "OAKROOT_LOGGER": "oakroot.primary",
        "OAKROOT_ZONE": "example.org.",
        "OAKROOT_PEER": "192.0.2.1",
        "OAKROOT_KEY": "k",
        "OAKROOT_REASON": "no right",
    }


def test_no_text_can_add_a_field(journal: tuple[Journal, socket.socket]) -> None:
    handler, listening = journal
    handler.handle(record("one\nPRIORITY=0", zone="a\nOAKROOT_KEY=x"))
    found = fields(listening.recv(65536))
    assert found["MESSAGE"] == "one\nPRIORITY=0"
    assert found["PRIORITY"] == "4"
    assert "OAKROOT_KEY" not in found


def test_a_syslog_line_is_one_of_rfc_5424(syslog: tuple[Syslog, socket.socket]) -> None:
    handler, listening = syslog
    handler.handle(record("two\nlines", level=logging.ERROR, zone='a"]\\', key="k"))
    line = listening.recv(65536).decode()
    assert re.fullmatch(
        r"<27>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00 \S+ oakroot \d+ - "
        r'\[oakroot@32473 zone="a\\"\\\]\\\\" key="k"\] two \| lines',
        line,
    )


def test_what_is_too_long_for_a_datagram_is_cut(syslog: tuple[Syslog, socket.socket]) -> None:
    handler, listening = syslog
    handler.handle(record("x" * 100_000))
    assert len(listening.recv(65536)) == SYSLOG_LIMIT


def test_a_target_that_is_gone_costs_a_count_and_nothing_else(
    journal: tuple[Journal, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Datagrams, "dropped", 0)
    handler, listening = journal
    listening.close()
    handler.handle(record("nobody reads this"))
    assert Datagrams.dropped == 1
