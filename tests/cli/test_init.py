"""`oakroot init` as its user meets it: what it makes is good, and nothing is written over."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from oakroot.cli import main as command


def init(*arguments: str | Path) -> int:
    try:
        return command.main(["init", *map(str, arguments)])
    except SystemExit as ended:
        return int(ended.code or 0)


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_what_it_makes_passes_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert init(tmp_path / "zones", "--zone", "mirage", "--address", "10.0.42.2") == 0
    assert command.main(["check", "--strict", str(tmp_path / "zones")]) == 0
    assert "1 zone and 1 key file checked: no errors" in capsys.readouterr().out
    assert "ns1     A     10.0.42.2" in (tmp_path / "zones" / "mirage").read_text()


def test_everything_is_staged_for_the_first_commit(tmp_path: Path) -> None:
    init(tmp_path)
    staged = git(tmp_path, "diff", "--cached", "--name-only").splitlines()
    assert "example.org" in staged
    assert git(tmp_path, "status", "--porcelain").count("A  ") == len(staged)
    assert git(tmp_path, "symbolic-ref", "HEAD") == "refs/heads/main"


def test_only_its_owner_reads_the_key(tmp_path: Path) -> None:
    init(tmp_path)
    assert stat.S_IMODE((tmp_path / "example.org._keys").stat().st_mode) == 0o600


def test_no_two_repositories_have_one_key(tmp_path: Path) -> None:
    init(tmp_path / "one")
    init(tmp_path / "two")
    keys = {(tmp_path / name / "example.org._keys").read_text() for name in ("one", "two")}
    assert len(keys) == 2


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "example.org").write_text("mine\n")
    assert init(tmp_path) == 0
    assert (tmp_path / "example.org").read_text() == "mine\n"
    key = (tmp_path / "example.org._keys").read_text()
    init(tmp_path)
    assert (tmp_path / "example.org._keys").read_text() == key


def test_a_second_time_it_says_that_all_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    init(tmp_path)
    assert capsys.readouterr().out.endswith("and `oakroot primary --remote .`\n")
    assert init(tmp_path) == 0
    assert capsys.readouterr().out == f"{tmp_path} has all of it already: nothing was written\n"


@pytest.mark.parametrize(
    ("ci", "path"),
    [
        ("github", ".github/workflows/zones.yml"),
        ("gitlab", ".gitlab-ci.yml"),
        ("forgejo", ".forgejo/workflows/zones.yml"),
    ],
)
def test_the_workflow_is_for_the_ci_one_has(ci: str, path: str, tmp_path: Path) -> None:
    init(tmp_path, "--ci", ci)
    assert (tmp_path / path).is_file()


def test_a_zone_whose_name_no_file_can_have_is_escaped(tmp_path: Path) -> None:
    assert init(tmp_path, "--zone", "0/25.2.0.192.in-addr.arpa") == 0
    assert (tmp_path / "0\\04725.2.0.192.in-addr.arpa").is_file()


@pytest.mark.parametrize(
    "arguments", [("--zone", "."), ("--zone", "a..b"), ("--address", "here"), ("--ci", "x")]
)
def test_what_cannot_be_meant_is_wrong_usage(arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert init(tmp_path / "zones", *arguments) == 2


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert init(tmp_path / "file") == 1
    assert str(tmp_path / "file") in capsys.readouterr().err
