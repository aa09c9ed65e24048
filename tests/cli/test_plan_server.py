"""`oakroot plan --against SERVER`: what a push changes for those who ask a running server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dns.rdatatype
import pytest

from oakroot.cli import main as command
from oakroot.keys.dnskey import write_dnskey
from tests.cli.operator_repository import OperatorRepository
from tests.client.lying_server import LyingServer, now
from tests.secondary.authority import KEY, Authority, make_zone, zone_text

WWW = "www A 192.0.2.80"
ZONES = ("example.org", "example.net")


@pytest.fixture
def authority() -> Authority:
    """It serves what the repository has."""
    authority = Authority(records_per_message=2)
    for zone in ZONES:
        authority.serve(make_zone(7, WWW, apex=f"{zone}."))
    return authority


@pytest.fixture
def server(authority: Authority) -> Iterator[str]:
    with LyingServer(lambda request: authority.replies(request, now())) as running:
        yield str(running.server)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OperatorRepository:
    repository = OperatorRepository.make(tmp_path / "zones")
    repository.commit("Begin", {zone: zone_text(7, WWW) for zone in ZONES})
    monkeypatch.chdir(repository.folder)
    (tmp_path / "key").write_text(write_dnskey(KEY))
    return repository


def plan(server: str, *arguments: str) -> int:
    try:
        return command.main(["plan", "--against", server, "--key", "@../key", *arguments])
    except SystemExit as ended:
        return int(ended.code or 0)


def test_what_is_served_already_is_no_change(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan(server) == 0
    assert capsys.readouterr().out == "no changes\n"


def test_a_change_is_shown_as_against_a_revision(
    server: str, place: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    place.write({"example.org": zone_text(8, "www A 192.0.2.81")})
    assert plan(server) == 2
    against_server = capsys.readouterr().out
    assert against_server.startswith("example.org: serial 7 -> 8\n  - www 3600 A 192.0.2.80\n")
    assert command.main(["plan", "--against", "HEAD"]) == 2
    assert capsys.readouterr().out == against_server


def test_a_zone_that_the_server_does_not_have_is_new(
    server: str, place: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    place.write({"example.com": zone_text(1)})
    assert plan(server) == 2
    assert "example.com: new" in capsys.readouterr().out


def test_one_zone_can_be_asked_for(server: str, authority: Authority, place: OperatorRepository) -> None:
    place.write({"example.org": zone_text(8)})
    assert plan(server, "--zone", "example.net") == 0
    assert {zone for zone, _ in authority.asked} == {"example.net."}
    assert plan(server, "--zone", "example.com") == 1


def test_a_mass_deletion_is_beyond_the_guard(
    server: str, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    authority.serve(
        make_zone(6, *(f"h{number} A 192.0.2.{number}" for number in range(50)), apex="example.org.")
    )
    assert plan(server) == 1
    assert "too much would be deleted at once" in capsys.readouterr().err


def test_a_lie_ends_the_plan_before_anything_is_shown(
    server: str, authority: Authority, place: OperatorRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    place.write({zone: zone_text(8) for zone in ZONES})
    authority.spoil[dns.rdatatype.AXFR] = lambda messages: messages[:-1]
    assert plan(server, "--format", "json") == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert (
        f"the transfer of example.net. from {server} failed: the server closed the connection" in printed.err
    )


@pytest.mark.parametrize("against", ["@nowhere:99999", "@[::1"])
def test_what_names_no_server_is_refused(against: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan(against) == 1
    assert f"--against {against}" in capsys.readouterr().err


@pytest.mark.parametrize("against", ["@", "@{upstream}", "HEAD", "main"])
def test_what_git_knows_is_a_revision(against: str, capsys: pytest.CaptureFixture[str]) -> None:
    plan(against)
    assert "does not answer" not in capsys.readouterr().err


def test_zones_are_chosen_only_of_a_server() -> None:
    assert plan("HEAD", "--zone", "example.org") == 1


def test_a_zone_that_hooks_are_for_does_not_narrow_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAKROOT_ZONE", "example.org")
    assert plan("HEAD") == 0
