"""The shape of a log line, and what text chosen by a peer cannot do to it."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from oakroot.operate import logs
from oakroot.operate.log_targets import Datagrams


@pytest.fixture(autouse=True)
def root_logger_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    for handler in root.handlers:
        if isinstance(handler, Datagrams):
            handler.close()
    root.handlers, root.level = handlers, level
    logging.captureWarnings(capture=False)


def logged(message: str, *arguments: object, layout: str = "text", level: str = "info", **extra: str) -> str:
    stream = io.StringIO()
    logs.set_up(level, layout, stream=stream, environment={})
    logging.getLogger("oakroot.test").info(message, *arguments, extra=extra)
    return stream.getvalue()


def without_time(text: str) -> str:
    return re.sub(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ", "", text)


def test_a_line_says_level_and_message() -> None:
    assert without_time(logged("serving %d zones", 3)) == "info: serving 3 zones\n"


def test_the_zone_stands_in_brackets() -> None:
    assert without_time(logged("loaded", zone="example.org.")) == "info: [example.org.] loaded\n"


def test_what_is_below_the_level_is_not_written() -> None:
    assert logged("loaded", level="warning") == ""


def test_further_lines_of_a_message_are_indented() -> None:
    assert without_time(logged("one\ntwo")) == "info: one\n  two\n"


def test_control_characters_are_escaped() -> None:
    assert without_time(logged("name %s", "\x1b[2J\r\x07")) == "info: name \\x1b[2J\\x0d\\x07\n"


def test_json_holds_the_same_facts() -> None:
    entry = json.loads(logged("loaded\n%s", "x", layout="json", zone="example.org."))
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "level": "info",
        "logger": "oakroot.test",
        "zone": "example.org.",
        "message": "loaded\nx",
    }


def test_json_is_one_line() -> None:
    assert logged("one\ntwo", layout="json").count("\n") == 1


def test_an_exception_brings_its_traceback() -> None:
    stream = io.StringIO()
    logs.set_up("info", "text", stream=stream, environment={})
    try:
        int("three")
    except ValueError:
        logging.getLogger("oakroot.test").exception("unexpected")
    assert "\n  ValueError: invalid literal" in stream.getvalue()


def test_for_the_journal_each_line_has_a_priority_and_no_time(tmp_path: Path) -> None:
    with (tmp_path / "journal").open("w+") as stream:
        status = os.fstat(stream.fileno())
        environment = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        logs.set_up("info", "text", stream=stream, environment=environment)
        logging.getLogger("oakroot.test").warning("one\ntwo")
        stream.seek(0)
        assert stream.read() == "<4>warning: one\n<4>  two\n"


def test_a_stream_that_is_not_the_journal_keeps_its_time(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as stream:
        assert not logs.is_journal(stream, {"JOURNAL_STREAM": "0:0"})


def test_a_stream_without_a_file_is_not_the_journal() -> None:
    assert not logs.is_journal(io.StringIO(), {"JOURNAL_STREAM": "0:0"})


def test_the_log_that_is_set_up_again_goes_to_the_same_server_without_asking_for_its_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(20)
        target = ("localhost", listening.getsockname()[1])
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, 2, 17, "", ("127.0.0.1", target[1]))]
        )
        logs.set_up("info", "text", stream=io.StringIO(), environment={}, syslog=target)

        def is_dead(*_: object, **__: object) -> None:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

        monkeypatch.setattr(socket, "getaddrinfo", is_dead)
        logs.set_up("debug", "json", stream=io.StringIO(), environment={}, syslog=target)
        logging.getLogger("oakroot.test").debug("read again")
        assert listening.recv(65536).endswith(b"read again")
        with pytest.raises(OSError, match="name resolution"):
            logs.set_up("info", "text", stream=io.StringIO(), environment={}, syslog=("log.example", 514))
