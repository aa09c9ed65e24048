"""The frame of every command: which module is loaded, where options come from, what the shell is told."""

from __future__ import annotations

import argparse
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from oakroot import __version__
from oakroot.cli import CommandError, Exit, main
from oakroot.cli.commands import COMMANDS, Command
from oakroot.operate import config, logs

Run = Callable[[argparse.Namespace], int]
Install = Callable[[Run], None]


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(config, "DEFAULT_FILE", tmp_path / "default.toml")
    monkeypatch.setattr("oakroot.cli.main.logs.set_up", lambda *_, **__: None)
    monkeypatch.delenv("OAKROOT_DEBUG", raising=False)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a command `probe` with one option in the table; it does what it is given to run."""

    def put(run: Run) -> None:
        module = types.ModuleType("oakroot_probe")

        def configure(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
            parser = subparsers.add_parser("probe", description="Looks.")
            parser.add_argument("--size", type=int, default=1, help="how much")

        module.__dict__.update(configure=configure, run=run)
        monkeypatch.setitem(sys.modules, "oakroot_probe", module)
        monkeypatch.setitem(COMMANDS, "probe", Command("oakroot_probe", "look"))

    return put


def raising(problem: BaseException) -> Run:
    def run(_arguments: argparse.Namespace) -> int:
        raise problem

    return run


# --- choosing


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"oakroot {__version__}\n"


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main.main(["--help"])
    assert caught.value.code == 0
    listing = capsys.readouterr().out
    assert all(name in listing and command.summary in listing for name, command in COMMANDS.items())


def test_without_a_command_it_is_a_usage_error() -> None:
    with pytest.raises(SystemExit) as caught:
        main.main([])
    assert caught.value.code == 2


def test_a_misspelt_command_is_met_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main.main(["chek"])
    assert caught.value.code == 2
    assert "there is no command 'chek'; did you mean check?" in capsys.readouterr().err


def test_an_option_is_not_taken_for_another_by_its_beginning(install: Install) -> None:
    install(lambda _arguments: 0)
    with pytest.raises(SystemExit) as caught:
        main.main(["probe", "--si", "3"])
    assert caught.value.code == 2


def test_only_the_chosen_command_is_loaded() -> None:
    program = (
        "import sys; from oakroot.cli.main import build_parser; build_parser('check');"
        "print(*{'asyncssh', 'dulwich', 'asyncio', 'oakroot.cli.primary'} & set(sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout
    assert loaded == "\n"


def test_a_primary_starts_without_what_it_may_never_need() -> None:
    """Each is milliseconds of a start; what needs them is loaded late (`oakroot.late`)."""
    program = "import sys, oakroot.cli.main, oakroot.cli.primary; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout.split()
    assert "oakroot.primary.service" in loaded
    needless = {
        "dns.message",
        "dns.rdataset",
        "dns.renderer",
        "http.client",
        "oakroot.operate.watch",
        "tomllib",
    }
    assert needless & set(loaded) == set()


# --- options


def test_the_command_gets_its_default(install: Install) -> None:
    install(lambda arguments: arguments.size)
    assert main.main(["probe"]) == 1


def test_the_environment_reaches_the_command(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install(lambda arguments: arguments.size)
    monkeypatch.setenv("OAKROOT_SIZE", "5")
    assert main.main(["probe"]) == 5


def test_the_default_settings_file_reaches_the_command(install: Install) -> None:
    install(lambda arguments: arguments.size)
    config.DEFAULT_FILE.write_text("[probe]\nsize = 6\n")
    assert main.main(["probe"]) == 6


def test_a_settings_file_named_is_read_instead_of_the_default(install: Install, tmp_path: Path) -> None:
    install(lambda arguments: arguments.size)
    config.DEFAULT_FILE.write_text("[probe]\nsize = 6\n")
    (tmp_path / "other.toml").write_text("[probe]\nsize = 7\n")
    assert main.main(["probe", "--config", str(tmp_path / "other.toml")]) == 7


def test_a_settings_file_named_in_the_environment_is_read(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(lambda arguments: arguments.size)
    (tmp_path / "other.toml").write_text("[probe]\nsize = 8\n")
    monkeypatch.setenv("OAKROOT_CONFIG", str(tmp_path / "other.toml"))
    assert main.main(["probe"]) == 8


def test_a_wrong_setting_is_a_usage_error(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install(lambda _arguments: 0)
    config.DEFAULT_FILE.write_text("[probe]\nsise = 6\n")
    assert main.main(["probe"]) == 2
    told = capsys.readouterr().err
    assert "default.toml:2:1: error: [probe] has no key sise" in told
    assert "hint: did you mean size?" in told


# --- outcomes


@pytest.mark.parametrize("code", list(Exit))
def test_the_exit_code_is_the_command_s(install: Install, code: Exit) -> None:
    install(lambda _arguments: code)
    assert main.main(["probe"]) == code


def test_a_command_s_error_shows_its_hint(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install(raising(CommandError("no answer", hint="is it running?", exit_code=Exit.NOT_SO)))
    assert main.main(["probe"]) == 1
    assert capsys.readouterr().err == "oakroot: no answer\n  hint: is it running?\n"


def test_an_error_that_quotes_others_does_not_steer_a_terminal(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install(raising(CommandError("lost: \x1b[2Jgone\nand\rmore", hint="\x07")))
    assert main.main(["probe"]) == 1
    assert capsys.readouterr().err == "oakroot: lost: \\x1b[2Jgone\nand\\rmore\n  hint: \\x07\n"


def test_what_the_system_refuses_is_told_without_traceback(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install(raising(PermissionError(13, "Permission denied", "/etc/keys")))
    assert main.main(["probe"]) == 1
    assert capsys.readouterr().err == "oakroot: /etc/keys: Permission denied\n"


def test_an_interrupt_is_quiet(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install(raising(KeyboardInterrupt()))
    assert main.main(["probe"]) == 130
    assert capsys.readouterr().err == ""


def test_a_bug_is_named_by_its_place_and_quotes_nothing(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install(raising(ValueError("s3cret")))
    assert main.main(["probe"]) == 1
    shown = capsys.readouterr().err
    assert "this is a bug in Oakroot: ValueError at test_main.py:" in shown
    assert "Traceback" not in shown
    assert "s3cret" not in shown


def test_a_bug_shows_its_traceback_to_who_asks_for_it(
    install: Install, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(raising(ValueError("boom")))
    monkeypatch.setenv("OAKROOT_DEBUG", "1")
    assert main.main(["probe"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_that_has_enough_ends_the_command_quietly() -> None:
    program = """
import sys, types
from oakroot.cli.commands import COMMANDS, Command
from oakroot.cli.main import main
probe = sys.modules["probe"] = types.ModuleType("probe")
probe.configure = lambda subparsers: subparsers.add_parser("probe")
probe.run = lambda arguments: print("line\\n" * 100_000) or 0
COMMANDS["probe"] = Command("probe", "look")
sys.exit(main(["probe"]))
"""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == 141


# --- what is said twice is the same


def test_the_version_is_the_package_s_and_the_engine_s(project_root: Path) -> None:
    line = f'version = "{__version__}"\n'
    assert line in (project_root / "pyproject.toml").read_text()
    assert line in (project_root / "engine" / "Cargo.toml").read_text()


def test_a_log_that_cannot_be_sent_is_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nobody(*_arguments: object, **_named: object) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(logs, "set_up", nobody)
    assert main.main(["primary", "--log-format", "journald", "--syslog", "192.0.2.1"]) == 2
    told = capsys.readouterr().err
    assert "the log cannot be sent to journald or syslog at 192.0.2.1: No such file" in told
