"""`oakroot revert` as its user meets it: on real repositories, on top of later changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from oakroot.cli import main as command
from tests.cli.operator_repository import OperatorRepository
from tests.peers.ports import free_port
from tests.zones.repositories import BROKEN, KEY_LINE, zone_text


@pytest.fixture(autouse=True)
def zones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OperatorRepository:
    repository = OperatorRepository.make(tmp_path / "zones")
    monkeypatch.chdir(repository.folder)
    repository.commit("Begin", {"mirage": zone_text(1, "www A 192.0.2.1"), "README.md": "hello\n"})
    return repository


def revert(*arguments: str) -> int:
    try:
        return command.main(["revert", *arguments])
    except SystemExit as ended:
        return int(ended.code or 0)


def test_only_the_lines_of_the_change_go_back(
    zones: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = zones.commit("Move www", {"mirage": zone_text(2, "www A 192.0.2.2")})
    zones.commit("Add mail", {"mirage": zone_text(3, "www A 192.0.2.2", "; by hand", "mail A 192.0.2.25")})
    assert revert(moved) == 0
    assert (zones.folder / "mirage").read_bytes() == zone_text(
        4, "www A 192.0.2.1", "; by hand", "mail A 192.0.2.25"
    )
    assert capsys.readouterr().out.splitlines() == [
        "mirage: serial 3 -> 4",
        "  - www 3600 A 192.0.2.2",
        "  + www 3600 A 192.0.2.1",
    ]


def test_the_commit_is_the_operators_and_says_what_it_undoes(zones: OperatorRepository) -> None:
    moved = zones.commit("Move www", {"mirage": zone_text(2, "www A 192.0.2.2")})
    revert(moved)
    assert zones.git("log", "-1", "--format=%an%n%B").splitlines() == [
        "Operator",
        'Revert "Move www"',
        "",
        f"This undoes commit {moved}.",
        "",
        "mirage: serial 2 -> 3",
    ]
    assert zones.git("status", "--porcelain") == ""


def test_what_a_later_change_builds_on_is_refused_and_nothing_is_written(
    zones: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    first = zones.commit("Move www", {"mirage": zone_text(2, "www A 192.0.2.2")})
    zones.commit("Move www again", {"mirage": zone_text(3, "www A 192.0.2.3")})
    assert revert(first) == 1
    assert "a later change builds on this one: www.mirage. A" in capsys.readouterr().err
    assert zones.git("status", "--porcelain") == ""


def test_a_change_that_is_not_committed_is_not_written_over(
    zones: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = zones.commit("Move www", {"mirage": zone_text(2, "www A 192.0.2.2")})
    unsaved = zone_text(3, "www A 192.0.2.2", "draft A 192.0.2.9")
    zones.write({"mirage": unsaved})
    assert revert(moved) == 1
    assert "mirage has changes that are not committed" in capsys.readouterr().err
    assert (zones.folder / "mirage").read_bytes() == unsaved


def test_a_removed_zone_comes_back_with_a_new_serial(zones: OperatorRepository) -> None:
    gone = zones.commit("Give up", {"mirage": None})
    assert revert(gone) == 0
    assert (zones.folder / "mirage").read_bytes() == zone_text(2, "www A 192.0.2.1")


def test_a_new_zone_goes(zones: OperatorRepository) -> None:
    new = zones.commit("Begin another", {"example.org": zone_text()})
    assert revert(new) == 0
    assert not (zones.folder / "example.org").exists()
    assert zones.git("status", "--porcelain") == ""


def test_a_broken_zone_is_as_it_was(zones: OperatorRepository) -> None:
    slip = zones.commit("Slip", {"mirage": BROKEN})
    assert revert(slip) == 0
    assert (zones.folder / "mirage").read_bytes() == zone_text(1, "www A 192.0.2.1")


def test_keys_go_back_with_the_change_that_brought_them(zones: OperatorRepository) -> None:
    new = zones.commit("Let the laptop in", {"mirage._keys": KEY_LINE.format(zone="mirage.")})
    assert revert(new) == 0
    assert not (zones.folder / "mirage._keys").exists()


def test_of_a_commit_about_several_zones_one_can_be_undone(zones: OperatorRepository) -> None:
    zones.commit("Begin another", {"example.org": zone_text(1)})
    both = zones.commit(
        "Add ftp everywhere",
        {
            "mirage": zone_text(2, "www A 192.0.2.1", "ftp A 192.0.2.7"),
            "example.org": zone_text(2, "ftp A 192.0.2.7"),
        },
    )
    assert revert(both, "--zone", "example.org") == 0
    assert (zones.folder / "example.org").read_bytes() == zone_text(3)
    assert b"ftp" in (zones.folder / "mirage").read_bytes()


def test_a_zone_is_brought_back_to_an_old_serial(zones: OperatorRepository) -> None:
    zones.commit("Move www", {"mirage": zone_text(2, "www A 192.0.2.2")})
    zones.commit("Add mail", {"mirage": zone_text(3, "www A 192.0.2.2", "mail A 192.0.2.25")})
    assert revert("--zone", "mirage", "--to", "1") == 0
    assert (zones.folder / "mirage").read_bytes() == zone_text(4, "www A 192.0.2.1")


def test_an_included_file_is_edited_where_the_records_stand(zones: OperatorRepository) -> None:
    zones.commit("Split", {"mirage": zone_text(2, "$INCLUDE parts/web"), "parts/web": "www A 192.0.2.1\n"})
    moved = zones.commit(
        "Move the web", {"parts/web": "www A 192.0.2.9\n", "mirage": zone_text(3, "$INCLUDE parts/web")}
    )
    assert revert(moved) == 0
    assert (zones.folder / "parts" / "web").read_text() == "www A 192.0.2.1\n"
    assert (zones.folder / "mirage").read_bytes() == zone_text(4, "$INCLUDE parts/web")


def test_without_commit_the_files_are_left_to_look_at(zones: OperatorRepository) -> None:
    moved = zones.commit("Move www", {"mirage": zone_text(2, "www A 192.0.2.2")})
    assert revert(moved, "--no-commit") == 0
    assert zones.git("status", "--porcelain").strip() == "M mirage"


def test_it_pushes_where_git_would(zones: OperatorRepository, tmp_path: Path) -> None:
    zones.git("clone", "--quiet", "--bare", str(zones.folder), str(tmp_path / "remote.git"))
    zones.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    moved = zones.commit("Move www", {"mirage": zone_text(2, "www A 192.0.2.2")})
    zones.git("push", "--quiet", "--set-upstream", "origin", "main")
    assert revert(moved, "--push") == 0
    assert zones.git("rev-parse", "origin/main") == zones.git("rev-parse", "HEAD")


def test_a_push_that_fails_is_told_in_gits_own_words_and_that_the_commit_is_made(
    zones: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = zones.commit("Move www", {"mirage": zone_text(2, "www A 192.0.2.2")})
    assert revert(moved, "--push") == 1
    said = capsys.readouterr().err
    assert "git push: " in said
    assert "the commit is made: go on with `git pull --rebase`" in said
    assert zones.git("log", "-1", "--format=%s") == 'Revert "Move www"'


def test_a_key_that_cannot_be_read_is_told_before_anything_is_written(zones: OperatorRepository) -> None:
    moved = zones.commit("Move www", {"mirage": zone_text(2, "www A 192.0.2.2")})
    assert revert(moved, "--push", "--notify", "127.0.0.1", "--key", "@nowhere") == 2
    assert zones.git("rev-parse", "HEAD") == moved
    assert zones.git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("key", "zone"),
    [
        ("op._update.mirage", "mirage."),
        ("op._update.example.org", "example.org."),
        ("op._notify", "example.org."),
        ("op._only-a._update.mirage", "example.org."),
        ("demo.key", "example.org."),
    ],
)
def test_the_primary_is_told_of_a_zone_that_the_key_may_notify_of(
    key: str, zone: str, zones: OperatorRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    monkeypatch.setattr("oakroot.cli.revert.notify", lambda _where, zone, *_: told.append(zone.to_text()))
    zones.git("clone", "--quiet", "--bare", str(zones.folder), str(tmp_path / "remote.git"))
    zones.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    zones.commit("Begin another", {"example.org": zone_text(1)})
    let_in = zones.commit("Let the laptop in", {"mirage._keys": KEY_LINE.format(zone="mirage.")})
    zones.git("push", "--quiet", "--set-upstream", "origin", "main")
    secret = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
    assert revert(let_in, "--push", "--notify", "127.0.0.1", "--key", f"{key}:SHA256:{secret}") == 0
    assert told == [zone]


def test_a_primary_that_does_not_hear_is_told_with_what_is_left_to_do(
    zones: OperatorRepository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    zones.git("clone", "--quiet", "--bare", str(zones.folder), str(tmp_path / "remote.git"))
    zones.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    moved = zones.commit("Move www", {"mirage": zone_text(2, "www A 192.0.2.2")})
    zones.git("push", "--quiet", "--set-upstream", "origin", "main")
    silent = ("--notify", f"127.0.0.1:{free_port()}", "--timeout", "0.3")
    assert revert(moved, "--push", *silent) == 1
    assert "the commit is pushed: only `oakroot notify` is left to do" in capsys.readouterr().err


def test_what_is_undone_already_is_told(
    zones: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = zones.commit("Move www", {"mirage": zone_text(2, "www A 192.0.2.2")})
    zones.commit("Move www back", {"mirage": zone_text(3, "www A 192.0.2.1")})
    assert revert(moved) == 1
    assert "it is undone already" in capsys.readouterr().err


def test_a_commit_about_neither_zones_nor_keys_is_not_said_to_be_undone(
    zones: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    words = zones.commit("Say more", {"README.md": "hello again\n"})
    assert revert(words) == 1
    assert "changed no records and no keys" in capsys.readouterr().err


def test_a_zone_that_a_commit_did_not_change_is_named(
    zones: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = zones.commit("Move www", {"mirage": zone_text(2, "www A 192.0.2.2")})
    assert revert(moved, "--zone", "nothing.example") == 1
    assert "changed nothing of a zone nothing.example." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("nothing.example", "there is no zone nothing.example., neither now nor then"),
        ("www.mirage", "there is no zone www.mirage., neither now nor then"),
        ("mirage", "mirage. is now what it was then"),
    ],
)
def test_to_where_there_is_nothing_to_bring_back_is_told(
    zone: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert revert("--zone", zone, "--to", "HEAD") == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("HEAD", "--to", "2h"),
        ("--to", "2h"),
        ("HEAD", "--push", "--no-commit"),
        ("HEAD", "--notify", "127.0.0.1"),
        ("nowhere",),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert revert(*arguments) == 2
