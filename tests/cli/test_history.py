"""`oakroot log`, `blame` and `show` as their user meets them: who changed which record, when, and why."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from oakroot.cli import main as command
from tests.cli.operator_repository import OperatorRepository
from tests.zones.repositories import BROKEN, zone_text


@pytest.fixture(autouse=True)
def zones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OperatorRepository:
    repository = OperatorRepository.make(tmp_path / "zones")
    monkeypatch.chdir(repository.folder)
    repository.commit("Begin", {"mirage": zone_text(1, "www A 192.0.2.1"), "README.md": "hello\n"})
    repository.commit("Move www", {"mirage": zone_text(2, "www A 192.0.2.2")})
    repository.commit("Add mail", {"mirage": zone_text(3, "www A 192.0.2.2", "mail A 192.0.2.25")})
    return repository


def run(*arguments: str) -> int:
    try:
        return command.main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)


def subjects(output: str) -> list[str]:
    """Of what `log` printed: subjects are set in by four blanks, below the line with the commit."""
    lines = output.splitlines()
    return [below.strip() for line, below in pairwise(lines) if "2026-11-22" in line]


def test_the_log_of_a_zone_tells_every_change(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("log", "mirage") == 0
    output = capsys.readouterr().out
    assert subjects(output) == ["Add mail", "Move www", "Begin"]
    assert "2026-11-22 12:01  Operator <operator@example.org>" in output
    assert "    - www 3600 A 192.0.2.1\n    + www 3600 A 192.0.2.2\n" in output


def test_the_log_of_a_name_leaves_out_what_is_not_about_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("log", "www.mirage", "A") == 0
    output = capsys.readouterr().out
    assert subjects(output) == ["Move www", "Begin"]
    assert "ns1" not in output


def test_the_log_stops_where_it_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    run("log", "mirage", "-n", "1")
    assert subjects(capsys.readouterr().out) == ["Add mail"]


def test_the_log_for_programs_is_a_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    run("log", "mail.mirage", "--format", "json")
    (line,) = capsys.readouterr().out.splitlines()
    event = json.loads(line)
    assert event["message"] == "Add mail\n"
    assert event["changes"][0]["after"] == {"ttl": 3600, "rdata": ["192.0.2.25"]}


@pytest.mark.parametrize("number", ["0", "-1", "few"])
def test_the_log_shows_at_least_one_commit(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("log", "mirage", f"--number={number}") == 2
    assert "--number" in capsys.readouterr().err


def test_a_name_that_never_was_has_no_log(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("log", "ftp.mirage") == 1
    assert capsys.readouterr().err == "oakroot: no commit ever changed ftp.mirage.\n"


def test_a_zone_that_is_gone_keeps_its_log(
    zones: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    zones.commit("Give mirage up", {"mirage": None})
    assert run("log", "mirage", "-n", "2") == 0
    assert subjects(capsys.readouterr().out) == ["Give mirage up", "Add mail"]


def test_a_commit_that_broke_the_zone_is_told_as_such(
    zones: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    zones.commit("Slip", {"mirage": BROKEN})
    zones.commit("Mend", {"mirage": zone_text(4)})
    run("log", "mirage", "-n", "2")
    assert "was gone, or had errors" in capsys.readouterr().out


def test_a_change_in_an_included_file_is_a_change_of_the_zone(
    zones: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    zones.commit("Split", {"mirage": zone_text(4, "$INCLUDE parts/web"), "parts/web": "www A 192.0.2.2\n"})
    zones.commit("Move the web", {"parts/web": "www A 192.0.2.9\n"})
    run("log", "www.mirage", "-n", "1")
    assert subjects(capsys.readouterr().out) == ["Move the web"]


def test_branches_that_were_merged_are_told_and_the_merge_is_not(
    zones: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    zones.git("checkout", "--quiet", "-b", "side", "HEAD~1")
    zones.commit("Add ftp aside", {"mirage": zone_text(4, "www A 192.0.2.2", "ftp A 192.0.2.7")})
    zones.git("checkout", "--quiet", "main")
    zones.git("merge", "--quiet", "--no-commit", "--strategy=ours", "side")
    both = ("www A 192.0.2.2", "mail A 192.0.2.25", "ftp A 192.0.2.7")
    zones.commit("Merge side", {"mirage": zone_text(5, *both)})
    run("log", "ftp.mirage")
    assert subjects(capsys.readouterr().out) == ["Add ftp aside"]
    run("blame", "mail.mirage")
    assert zones.git("rev-parse", "main^1")[:12] in capsys.readouterr().out


def test_blame_names_the_commit_of_each_record(
    zones: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("blame", "mirage") == 0
    blamed = {line.split()[-1]: line.split()[0] for line in capsys.readouterr().out.splitlines()}
    commits = {name: zones.git("rev-parse", name)[:12] for name in ("HEAD", "HEAD~1", "HEAD~2")}
    assert blamed["192.0.2.25"] == commits["HEAD"]
    assert blamed["192.0.2.2"] == commits["HEAD~1"]
    assert blamed["192.0.2.1"] == commits["HEAD~2"]  # ns1
    assert blamed["3600"] == commits["HEAD"]  # the SOA, by its serial


def test_blame_does_not_blame_who_only_sorted(
    zones: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    mail = zones.git("rev-parse", "HEAD")[:12]
    zones.commit("Sort", {"mirage": zone_text(3, "mail A 192.0.2.25", "www A 192.0.2.2")})
    run("blame", "mail.mirage")
    assert capsys.readouterr().out.startswith(mail)


def test_blame_of_a_value_that_came_back_names_who_brought_it_back(
    zones: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    back = zones.commit("Move www back", {"mirage": zone_text(4, "www A 192.0.2.1")})
    run("blame", "www.mirage", "A")
    assert capsys.readouterr().out.startswith(back[:12])


def test_a_shallow_clone_says_that_the_commit_is_older(
    zones: OperatorRepository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    zones.git("clone", "--quiet", "--depth=1", f"file://{zones.folder}", str(tmp_path / "shallow"))
    assert run("blame", "www.mirage", "--repository", str(tmp_path / "shallow")) == 0
    assert capsys.readouterr().out.startswith("older ")


@pytest.mark.parametrize(
    ("when", "address"),
    [
        ("HEAD~2", "192.0.2.1"),
        ("1", "192.0.2.1"),
        ("2", "192.0.2.2"),
        ("2026-11-22T12:00", "192.0.2.1"),
        ("2026-11-22T12:01:30", "192.0.2.2"),
    ],
)
def test_show_tells_what_a_name_was(when: str, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", "www.mirage", "A", "--at", when) == 0
    assert capsys.readouterr().out == f"www.mirage. 3600 IN A {address}\n"


def test_show_counts_an_age_from_now(zones: OperatorRepository, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", "www.mirage", "--at", "5200w") == 1
    assert "no commit as old as 5200w" in capsys.readouterr().err


def test_show_says_what_there_is_instead(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", "www.mirage", "AAAA") == 1
    assert "hint: it has A" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [("show", "www.mirage", "--at", "soon"), ("show", "www.mirage", "NOTYPE"), ("log", "a..b")],
)
def test_what_cannot_be_meant_is_wrong_usage(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
