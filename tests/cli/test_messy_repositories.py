"""Repositories as years leave them: every command tells what it can, and breaks nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from oakroot.cli import main as command
from tests.cli.operator_repository import OperatorRepository
from tests.zones.repositories import KEY_LINE, zone_text

JUNK = bytes(range(256)) * 40
OLD, NEW = "www A 192.0.2.1", "www A 192.0.2.2"


def merged(place: OperatorRepository) -> None:
    """Two branches with a change each, and a merge that changes something itself."""
    place.git("switch", "--quiet", "--create", "side")
    place.commit("Add mail", {"mirage": zone_text(2, OLD, "mail A 192.0.2.25")})
    place.git("switch", "--quiet", "main")
    place.commit("Add a folder", {"notes/readme": "hello\n"})
    place.git("merge", "--quiet", "--no-ff", "--no-commit", "side")
    place.commit("Merge side", {"mirage": zone_text(3, NEW, "mail A 192.0.2.25")})


def octopus(place: OperatorRepository) -> None:
    """A merge of three."""
    for side in ("one", "two"):
        place.git("switch", "--quiet", "--create", side, "main")
        place.commit(f"Add {side}", {f"{side}.example": zone_text(1)})
    place.git("switch", "--quiet", "main")
    place.git("merge", "--quiet", "--message=All", "one", "two")
    place.commit("Move www", {"mirage": zone_text(2, NEW)})


def renamed(place: OperatorRepository) -> None:
    """The zone's file is renamed within its name, what it includes moves, and it is touched on the way."""
    place.commit("Include", {"parts/web": f"{OLD}\n", "mirage": zone_text(2, "$INCLUDE parts/web")})
    place.commit("Shout", {"mirage": None, "MIRAGE": zone_text(2, "$INCLUDE parts/web")})
    moved = {"parts/web": None, "shared/web": f"{NEW}\n", "MIRAGE": zone_text(3, "$INCLUDE shared/web")}
    place.commit("Move the part", dict(moved))


def rewritten(place: OperatorRepository) -> None:
    """The branch that is followed was pushed by force: it and ours have nothing in common."""
    place.git("clone", "--quiet", "--bare", ".", "../remote.git")
    place.git("remote", "add", "origin", "../remote.git")
    place.git("switch", "--quiet", "--orphan", "other")
    place.commit("Begin anew", {"mirage": zone_text(9, NEW)})
    place.git("push", "--quiet", "--force", "origin", "other:main")
    place.git("switch", "--quiet", "main")
    place.git("fetch", "--quiet", "origin")
    place.git("branch", "--quiet", "--set-upstream-to=origin/main", "main")
    place.commit("Move www", {"mirage": zone_text(2, NEW)})


def junk(place: OperatorRepository) -> None:
    """Octets of all kinds where zones and keys are expected, in history and now; words that are no UTF-8."""
    place.commit("Break it", {"mirage": JUNK, "mirage._keys": JUNK, "picture.png": JUNK})
    place.commit("Mend it", {"mirage": zone_text(2, NEW), "mirage._keys": KEY_LINE.format(zone="mirage.")})
    (place.folder / "message").write_bytes(b"Gr\xfc\xdfe \x1b[31m\xff\n")
    place.git("commit", "--quiet", "--allow-empty", "--file=message", "--cleanup=verbatim")
    (place.folder / "message").unlink()
    place.commit("Leave junk", {"other.example": JUNK, "link": "x"})
    (place.folder / "link").unlink()
    (place.folder / "link").symlink_to("/etc/passwd")
    place.git("add", "--all")
    place.git("commit", "--quiet", "--message=Link")


MESSES: dict[str, Callable[[OperatorRepository], None]] = {
    each.__name__: each for each in (merged, octopus, renamed, rewritten, junk)
}
COMMANDS = {
    "plan": ("plan",),
    "plan of the last commit": ("plan", "--against", "HEAD~1", "--rev", "HEAD"),
    "plan of all": ("plan", "--against", "0" * 40, "--rev", "HEAD"),
    "log of the zone": ("log", "mirage"),
    "log of a name": ("log", "www.mirage", "A"),
    "blame": ("blame", "mirage"),
    "show": ("show", "www.mirage", "A"),
    "show of before": ("show", "www.mirage", "A", "--at", "HEAD~1"),
    "show of a serial": ("show", "www.mirage", "A", "--at", "1"),
    "keys": ("keys",),
    "check": ("check", "."),
    "revert of nothing": ("revert", "1234567"),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OperatorRepository:
    repository = OperatorRepository.make(tmp_path / "zones")
    repository.commit("Begin", {"mirage": zone_text(1, OLD)})
    monkeypatch.chdir(repository.folder)
    return repository


def run(*arguments: str) -> int:
    try:
        return command.main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)


@pytest.mark.parametrize("mess", MESSES)
def test_every_command_has_clear_words_and_writes_nothing(
    mess: str, place: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    MESSES[mess](place)
    before = place.git("status", "--porcelain"), place.git("rev-parse", "HEAD")
    for name, arguments in COMMANDS.items():
        code = run(*arguments)
        printed = capsys.readouterr()
        assert code in {0, 1, 2}, name
        assert "bug" not in printed.err, name
        assert "\x1b" not in printed.out + printed.err, name
        assert code == 0 or printed.out + printed.err, name
    assert (place.git("status", "--porcelain"), place.git("rev-parse", "HEAD")) == before


@pytest.mark.parametrize("mess", ["merged", "octopus", "renamed", "rewritten", "junk"])
def test_what_www_is_now_is_told_and_who_made_it_so(
    mess: str, place: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    MESSES[mess](place)
    assert run("show", "www.mirage", "A") == 0
    assert "192.0.2.2" in capsys.readouterr().out
    assert run("log", "www.mirage", "A") == 0
    assert "+ www 3600 A 192.0.2.2" in capsys.readouterr().out


@pytest.mark.parametrize("mess", ["octopus", "rewritten"])
def test_the_newest_change_is_undone_on_top_of_all_that(mess: str, place: OperatorRepository) -> None:
    MESSES[mess](place)
    assert run("revert", "HEAD") == 0
    assert "www A 192.0.2.1" in " ".join((place.folder / "mirage").read_text().split())


def test_against_a_branch_that_was_rewritten_the_plan_is_that_of_a_push_by_force(
    place: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    rewritten(place)
    assert run("plan") == 2
    assert "mirage: serial 9 stays" in capsys.readouterr().out


def test_a_merge_can_be_planned_from_either_side(
    place: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    merged(place)
    assert run("plan", "--against", "HEAD^2", "--rev", "HEAD") == 2
    told = capsys.readouterr().out
    assert "- www 3600 A 192.0.2.1" in told
    assert "mail" not in told


def test_junk_in_place_of_a_zone_is_an_error_of_the_plan(
    place: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    place.write({"mirage": JUNK})
    assert run("plan") == 1
    assert "mirage:1:" in capsys.readouterr().out
