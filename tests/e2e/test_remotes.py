"""A primary on each kind of remote, as its flags and the environment describe it, and on failing ones."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.peers.authority import Authority
from tests.peers.commands import Primary, oakroot
from tests.peers.git_https import HttpGit, HttpRules
from tests.peers.git_servers import BareRepository, git_daemon
from tests.peers.ports import LOOPBACK
from tests.zones.repositories import BROKEN, KEY_LINE, zone_text

TOKEN = "token-for-tests"
KEY = KEY_LINE.format(zone="mirage.")


@pytest.fixture
def repository(tmp_path: Path, require: Callable[[str], str]) -> BareRepository:
    require("git")
    repository = BareRepository(tmp_path / "zones.git")
    repository.commit({"mirage": zone_text(1), "mirage._keys": KEY.encode()})
    return repository


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "notify.key"
    file.write_text(KEY)
    return file


@pytest.fixture
def https(tmp_path: Path) -> Iterator[tuple[HttpGit, Authority]]:
    authority = Authority(tmp_path)
    rules = HttpRules(user="oauth2", password=TOKEN)
    with HttpGit(tmp_path, authority.issue(LOOPBACK), rules) as server:
        yield server, authority


def test_an_https_remote_with_a_private_authority_and_a_token(
    repository: BareRepository, https: tuple[HttpGit, Authority], tmp_path: Path, key_file: Path
) -> None:
    server, authority = https
    remote = f"https://{LOOPBACK}:{server.port}/zones.git"
    arguments = ["--remote", remote, "--git-ca", str(authority.file)]
    with Primary(arguments, tmp_path / "log", {"OAKROOT_GIT_TOKEN": TOKEN}) as primary:
        primary.said("zones served: 1")
        repository.commit({"mirage": zone_text(1, "www A 192.0.2.2")})
        assert oakroot("notify", primary.server, "mirage", "--key", f"@{key_file}").code == 0
        primary.said("raised to 2")
    assert "hostmaster\t2\t" in repository.show("mirage")
    assert TOKEN not in primary.log


def test_an_https_remote_without_its_authority_is_not_trusted(
    repository: BareRepository, https: tuple[HttpGit, Authority], tmp_path: Path
) -> None:
    server, _ = https
    remote = f"https://{LOOPBACK}:{server.port}/{repository.path.name}"
    with Primary(["--remote", remote], tmp_path / "log", {"OAKROOT_GIT_TOKEN": TOKEN}) as primary:
        primary.said("nothing is served yet")
    assert "certificate" in primary.log
    assert "Traceback" not in primary.log


def test_a_git_remote_and_a_branch(repository: BareRepository, tmp_path: Path) -> None:
    repository.commit({"mirage": zone_text(42)}, branch="staging")
    with git_daemon(tmp_path) as daemon:
        remote = f"git://{LOOPBACK}:{daemon.port}/zones.git#staging"
        with Primary(["--remote", remote], tmp_path / "log") as primary:
            primary.said("zones served: 1")
            told = dig(primary, "mirage", "SOA", "+short")
    assert " 42 " in told


def test_a_missing_branch_is_named(repository: BareRepository, tmp_path: Path) -> None:
    with Primary(["--remote", f"{repository.path}#absent"], tmp_path / "log") as primary:
        primary.said("nothing is served yet")
    assert "absent" in primary.log


def test_zones_stay_served_while_the_remote_is_gone(
    repository: BareRepository, tmp_path: Path, key_file: Path
) -> None:
    with Primary(["--remote", repository.path], tmp_path / "log") as primary:
        primary.said("zones served: 1")
        repository.path.rename(tmp_path / "elsewhere")
        told = oakroot("notify", primary.server, "mirage", "--key", f"@{key_file}")
        assert told.code == 1
        assert "the pull failed" in told.errors
        assert " 1 86400 " in dig(primary, "mirage", "SOA", "+short")


def test_a_zone_that_is_broken_from_the_start_is_servfail(repository: BareRepository, tmp_path: Path) -> None:
    repository.commit({"example.org": BROKEN})
    with Primary(["--remote", repository.path], tmp_path / "log") as primary:
        primary.said("zones that cannot be served: 1")
        assert "status: SERVFAIL" in dig(primary, "example.org", "SOA")
        assert "status: NOERROR" in dig(primary, "mirage", "SOA")
        assert "example.org:5:7: error: " in primary.log


def test_a_hangup_pulls(repository: BareRepository, tmp_path: Path) -> None:
    with Primary(["--remote", repository.path], tmp_path / "log") as primary:
        primary.said("zones served: 1")
        repository.commit({"example.net": zone_text(1)})
        os.kill(primary.process_id, signal.SIGHUP)
        primary.said("zones served: 2")


def test_the_copy_in_the_cache_folder_survives(repository: BareRepository, tmp_path: Path) -> None:
    arguments = ["--remote", f"file://{repository.path}", "--cache", str(tmp_path / "cache")]
    for _ in range(2):
        with Primary(arguments, tmp_path / "log") as primary:
            primary.said("zones served: 1")
    assert (tmp_path / "cache").is_dir()


def dig(primary: Primary, *arguments: str) -> str:
    """What dig prints."""
    command = ["dig", f"@{LOOPBACK}", "-p", str(primary.port), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
