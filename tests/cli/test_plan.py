"""`oakroot plan` as its user meets it, on real repositories."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from oakroot.cli import main as command
from tests.zones.repositories import BROKEN, KEY_LINE, zone_text


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Operator", "-c", "user.email=operator@example.org"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    zones = tmp_path / "zones"
    zones.mkdir()
    git(zones, "init", "--quiet", "--initial-branch=main")
    (zones / "mirage").write_bytes(zone_text(1, "www A 192.0.2.1"))
    (zones / "README.md").write_text("no zone\n")
    git(zones, "add", ".")
    git(zones, "commit", "--quiet", "--message=Begin")
    monkeypatch.chdir(zones)
    return zones


def plan(*arguments: str) -> int:
    try:
        return command.main(["plan", *arguments])
    except SystemExit as ended:
        return int(ended.code or 0)


def test_without_changes_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert plan() == 0
    assert capsys.readouterr().out == "no changes\n"


def test_what_lies_in_the_folder_is_compared_with_the_last_commit(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mirage").write_bytes(zone_text(2, "www A 192.0.2.2"))
    assert plan() == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["mirage: serial 1 -> 2", "  - www 3600 A 192.0.2.1", "  + www 3600 A 192.0.2.2"]
    assert lines[-1] == "1 zone changed, records +1 -1"


def test_a_branch_that_follows_another_is_compared_with_that(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(folder), "remote.git")
    git(folder, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(folder, "fetch", "--quiet", "origin")
    (folder / "mirage").write_bytes(zone_text(2))
    git(folder, "commit", "--quiet", "--all", "--message=Remove www")
    assert plan() == 2
    assert "  - www 3600 A 192.0.2.1" in capsys.readouterr().out


def test_two_revisions_can_be_compared_in_a_bare_repository(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mirage").write_bytes(zone_text(2))
    git(folder, "commit", "--quiet", "--all", "--message=Remove www")
    git(tmp_path, "clone", "--quiet", "--bare", str(folder), "remote.git")
    assert plan(str(tmp_path / "remote.git"), "--against", "main~1", "--rev", "main") == 2
    assert "1 zone changed" in capsys.readouterr().out


def test_before_the_first_commit_everything_is_new(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "fresh"
    empty.mkdir()
    git(empty, "init", "--quiet")
    (empty / "mirage").write_bytes(zone_text())
    assert plan(str(empty)) == 2
    assert capsys.readouterr().out.startswith("mirage: new, with 3 records, serial 1\n")


def test_a_broken_zone_is_an_error_with_its_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "mirage").write_bytes(BROKEN)
    assert plan() == 1
    output = capsys.readouterr().out
    assert output.startswith("mirage: has errors; serial 1 stays served\nmirage:5:")


def test_too_much_at_once_is_an_error_unless_forced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hosts = [f"host{number} A 192.0.2.1" for number in range(17)]
    (folder / "mirage").write_bytes(zone_text(2, *hosts))
    git(folder, "commit", "--quiet", "--all", "--message=Grow")
    (folder / "mirage").write_bytes(zone_text(3))
    assert plan() == 1
    output = capsys.readouterr()
    assert "too much at once: mirage. loses 17 of 20 records (85%)" in output.out
    assert "`oakroot plan --force`" in output.err
    assert "Oakroot-Force: yes" in output.err
    assert plan("--force") == 2


def test_json_has_everything(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "mirage").write_bytes(zone_text(2, "www A 192.0.2.2"))
    (folder / "mirage._keys").write_text(KEY_LINE.format(zone="mirage."))
    assert plan("--format", "json") == 2
    printed = capsys.readouterr().out
    (zone,) = json.loads(printed)["zones"]
    assert zone["serial"] == {"before": 1, "written": 2, "served": 2, "fate": "forward"}
    assert zone["changes"][0]["after"] == {"ttl": 3600, "rdata": ["192.0.2.2"]}
    assert "kJJq" not in printed


def test_markdown_begins_with_a_marker_and_shows_a_diff(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mirage").write_bytes(zone_text(2, "www TXT ```"))
    assert plan("--format", "markdown") == 2
    output = capsys.readouterr().out
    assert output.startswith("<!-- oakroot plan -->\n\n### DNS plan: 1 zone changed")
    assert output.count("```") == 2


@pytest.mark.parametrize(
    "arguments", [("--against", "nowhere"), ("--rev", "HEAD:mirage"), ("--no-such-flag",)]
)
def test_wrong_usage_does_not_look_like_changes(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan(*arguments) == 1
    assert capsys.readouterr().out == ""


def test_a_folder_in_no_repository_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan(str(tmp_path)) == 1
    assert "git init" in capsys.readouterr().err


def test_control_characters_in_records_do_not_reach_the_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mirage").write_bytes(zone_text(2, 'www TXT "\x1b[31m"'))
    plan()
    assert "\x1b" not in capsys.readouterr().out
