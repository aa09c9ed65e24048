"""`oakroot check` as its user meets it: arguments, output, exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oakroot.cli import main as command
from tests.zones.repositories import BROKEN, KEY_LINE, zone_text


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(*arguments: str) -> int:
    try:
        return command.main(["check", *arguments])
    except SystemExit as ended:
        return int(ended.code or 0)


def test_a_good_zone_passes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "mirage").write_bytes(zone_text())
    assert check("mirage") == 0
    assert capsys.readouterr().out == "1 zone checked: no errors\n"


def test_an_error_is_shown_with_its_place_line_and_caret(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mirage").write_bytes(BROKEN)
    assert check("mirage") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("mirage:5:")
    assert "error: " in lines[0]
    assert "www\tA\t192.0.2.256".replace("\t", " ") in lines[1]
    assert "^" in lines[2]
    assert lines[-1] == "1 zone checked: 1 error"


def test_a_folder_is_checked_as_a_repository(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    zones = folder / "zones"
    (zones / "parts").mkdir(parents=True)
    (zones / "mirage").write_bytes(zone_text(1, "$INCLUDE parts/web"))
    (zones / "parts" / "web").write_text("www 60 IN A 192.0.2.2\n")
    (zones / "example.org").write_bytes(BROKEN)
    (zones / "mirage._keys").write_text(KEY_LINE.format(zone="mirage."))
    (zones / "README.md").write_text("no zone")
    assert check("zones") == 1
    output = capsys.readouterr().out
    assert output.startswith("zones/example.org:5:")
    assert output.endswith("2 zones and 1 key file checked: 1 error\n")


def test_all_paths_are_checked_not_only_the_first_bad_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "one").write_bytes(BROKEN)
    (folder / "two").write_bytes(BROKEN)
    assert check("one", "two") == 1
    assert "two:5:" in capsys.readouterr().out


def test_the_zone_may_be_named_beside_the_file(folder: Path) -> None:
    (folder / "new-version").write_bytes(zone_text(1, "www.example.org. A 192.0.2.2"))
    assert check("--zone", "example.org", "new-version") == 0
    assert check("new-version") == 1


def test_the_name_beside_the_file_may_be_that_of_a_key_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "staged").write_text(KEY_LINE.format(zone="mirage."))
    assert check("--zone", "mirage._keys", "staged") == 0
    assert capsys.readouterr().out == "1 key file checked: no errors\n"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (zone_text(1), zone_text(2, "www A 192.0.2.2"), 0),
        (zone_text(1), zone_text(1, "www A 192.0.2.2"), 1),
        (zone_text(2), zone_text(1, "www A 192.0.2.2"), 1),
        (zone_text(2**32 - 1), zone_text(0, "www A 192.0.2.2"), 0),
        (zone_text(1), zone_text(1, "; only words"), 0),
        (zone_text(2), zone_text(1), 1),
        (b"", zone_text(1), 0),
        (zone_text(1), b"\n", 0),
        (zone_text(5, "www A 192.0.2.256"), zone_text(5, "www A 192.0.2.2"), 1),
        (zone_text(5, "www A 192.0.2.256"), zone_text(6, "www A 192.0.2.2"), 0),
        (b"no zone at all", zone_text(6), 1),
    ],
)
def test_a_lawful_successor_moves_its_serial_forward(folder: Path, old: bytes, new: bytes, code: int) -> None:
    (folder / "old").write_bytes(old)
    (folder / "mirage").write_bytes(new)
    assert check("--old", "old", "mirage") == code


def test_a_serial_that_did_not_move_is_shown_where_it_stands(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "old").write_bytes(zone_text(7))
    (folder / "mirage").write_bytes(zone_text(7, "www A 192.0.2.2"))
    assert check("--old", "old", "mirage") == 1
    assert capsys.readouterr().out.startswith("mirage:2:22: error: ")


def test_an_empty_file_is_no_zone_unless_it_removes_one(folder: Path) -> None:
    (folder / "mirage").write_bytes(b"")
    assert check("mirage") == 1


def test_json_is_one_document(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "mirage").write_bytes(BROKEN)
    assert check("--format", "json", "mirage") == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["zones"], document["errors"], document["warnings"]) == (1, 1, 0)
    assert (document["findings"][0]["file"], document["findings"][0]["line"]) == ("mirage", 5)


def test_github_gets_annotations(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "mirage").write_bytes(BROKEN)
    assert check("--format", "github", "mirage") == 1
    assert capsys.readouterr().out.startswith("::error file=mirage,line=5,")


def test_files_that_are_no_zones_are_left_aside(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "README.md").write_text("words")
    assert check("README.md") == 0
    assert capsys.readouterr().out == "nothing checked: no errors\n"


def test_a_copy_of_a_key_file_is_a_warning_that_strict_takes_for_an_error(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "_keys.old").write_text(KEY_LINE.format(zone="mirage."))
    assert check("_keys.old") == 0
    assert check("--strict", "_keys.old") == 1
    assert "kJJqip" not in capsys.readouterr().out


def test_an_include_over_a_link_does_not_leave_the_folder(folder: Path) -> None:
    zones = folder / "zones"
    zones.mkdir()
    (folder / "outside").write_text("www 60 IN A 192.0.2.2\n")
    (zones / "link").symlink_to(folder / "outside")
    (zones / "mirage").write_bytes(zone_text(1, "$INCLUDE link"))
    assert check("zones/mirage") == 1


def test_a_given_file_may_be_a_link(folder: Path) -> None:
    (folder / "current").symlink_to(folder / "mirage-2026")
    (folder / "mirage-2026").write_bytes(zone_text())
    assert check("--zone", "mirage", "current") == 0


def test_a_bare_repository_is_told_from_a_folder_without_zones(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("objects", "refs"):
        (folder / "zones.git" / name).mkdir(parents=True)
    (folder / "zones.git" / "HEAD").write_text("ref: refs/heads/main")
    assert check("zones.git") == 2
    assert "bare git repository" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("absent",),
        ("--zone", "mirage", "one", "two"),
        ("--zone", "mirage", "."),
        ("--old", "one", "."),
        ("--old", "absent", "one"),
        ("--zone", "a..b", "one"),
        ("--format", "xml", "one"),
        (),
    ],
)
def test_wrong_usage_is_exit_code_2(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    (folder / "one").write_bytes(zone_text())
    assert check(*arguments) == 2
    assert capsys.readouterr().err
