"""What SIGHUP makes of the settings: taken over, told, or refused with those before left in force."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping
from pathlib import Path

import pytest

from oakroot.cli import CommandError
from oakroot.cli.commands import COMMANDS
from oakroot.cli.main import build_parser
from oakroot.cli.primary import _LIVE as PRIMARY_LIVE
from oakroot.cli.reading_again import reader
from oakroot.cli.secondary import _LIVE as SECONDARY_LIVE
from oakroot.operate import logs
from oakroot.operate.options import ConfigError, Options
from tests.peers.commands import Primary

SYSLOG = ("192.0.2.1", 514)
BEFORE = {
    "poll": 60.0,
    "listen": ["::1"],
    "log_level": "info",
    "log_format": "text",
    "syslog": SYSLOG,
    "warnings": [],
}


@pytest.fixture(autouse=True)
def no_log_of_its_own(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    logged: list[tuple[str, object]] = []
    monkeypatch.setattr(logs, "set_up", lambda level, *_, syslog, **__: logged.append((level, syslog)))
    return logged


def read(after: Mapping[str, object] | Exception) -> object:
    def read_again() -> argparse.Namespace:
        if isinstance(after, Exception):
            raise after
        return argparse.Namespace(**{**BEFORE, **after})

    arguments = argparse.Namespace(**BEFORE, read_again=read_again)
    return reader(arguments, lambda again: again.poll, ("poll",))()


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno > logging.INFO]


def test_what_the_settings_say_now_is_given(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert read({"poll": 5.0}) == 5.0
    assert [record.message for record in caplog.records] == ["settings read again"]


def test_what_counts_from_the_next_start_on_is_told(caplog: pytest.LogCaptureFixture) -> None:
    assert read({"listen": ["127.0.0.1"]}) == 60.0
    assert complaints(caplog) == ["--listen counts from the next start on"]


def test_the_log_follows_at_once_and_goes_to_syslog_as_before(
    no_log_of_its_own: list[tuple[str, object]], caplog: pytest.LogCaptureFixture
) -> None:
    read({"log_level": "debug"})
    assert no_log_of_its_own == [("debug", SYSLOG)]
    assert complaints(caplog) == []


@pytest.mark.parametrize(
    "problem", [ConfigError("x.toml:1:1: error"), CommandError("no key"), PermissionError(13, "x", "y")]
)
def test_settings_that_cannot_be_used_leave_those_before(
    problem: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    assert read(problem) is None
    (complaint,) = complaints(caplog)
    assert "those before stay" in complaint


def test_a_log_that_cannot_be_set_up_is_told_with_the_options_that_say_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(logs, "set_up", fail)
    assert read({"log_format": "journald"}) is None
    (complaint,) = complaints(caplog)
    assert complaint.endswith("where --log-format and --syslog say: No such file or directory")


@pytest.mark.parametrize(("command", "live"), [("primary", PRIMARY_LIVE), ("secondary", SECONDARY_LIVE)])
def test_what_is_taken_over_are_options(command: str, live: tuple[str, ...]) -> None:
    assert command in COMMANDS
    assert set(live) <= {option.action.dest for option in Options(build_parser(command)[0]).all()}


def test_a_running_primary_takes_over_a_changed_file_and_survives_a_broken_one(tmp_path: Path) -> None:
    settings = tmp_path / "oakroot.toml"
    settings.write_text("[primary]\nrate-limit = 100\n")
    with Primary(["--config", settings], tmp_path / "log") as primary:
        primary.said("zones served")
        settings.write_text("[primary]\nrate-limit = 50\nlog-format = 'json'\ncatalog = ['cat.invalid']\n")
        primary.hang_up()
        primary.said("--rate-limit counts from the next start on")
        primary.said("catalog zone, serial")
        settings.write_text("[primary]\nlissen = 1\n")
        primary.hang_up()
        primary.said("[primary] has no key lissen")
        assert not primary.is_gone
    assert primary.code == 0
