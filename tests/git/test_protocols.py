"""What depends on how a server speaks, on size, and on others who push at the same time."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from oakroot.git.credentials import Credentials
from oakroot.git.errors import GitError, RemoteMoved
from oakroot.git.remote import parse_remote
from oakroot.git.repository import RemoteRepository
from tests.git.conftest import SSH_PUBLIC, Place, Servers, push
from tests.peers.broken_git import BadLine
from tests.peers.git_https import HttpGit, HttpRules
from tests.peers.git_servers import git, sshd
from tests.peers.ports import LOOPBACK

ZONES = 10_000


@pytest.fixture(params=["https", "ssh"])
def old_place(
    request: pytest.FixtureRequest,
    make_place: Callable[[str], Place],
    servers: Servers,
    require: Callable[[str], str],
    tmp_path: Path,
) -> Iterator[Place]:
    """A repository behind a server that knows only the first version of git's protocol."""
    place = make_place(request.param)
    with ExitStack() as stack:
        if request.param == "ssh":
            keys = servers.host_keys.make("ed25519")
            daemon = sshd(require("sshd"), tmp_path, keys, SSH_PUBLIC, accepted_variable="NONE")
            port = stack.enter_context(daemon).port
        else:
            certificate = servers.authority.issue(LOOPBACK)
            rules = HttpRules(old_protocol=True)
            port = stack.enter_context(HttpGit(servers.base, certificate, rules)).port
        yield dataclasses.replace(place, remote=dataclasses.replace(place.remote, port=port))


@pytest.mark.parametrize("depth", [None, 1])
def test_the_first_protocol_serves_as_well(
    old_place: Place, depth: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    repository = old_place.repository
    for number in range(30):
        repository.commit({"example.org": b"%d" % number, f"zone{number}": b"more"})
    with RemoteRepository(old_place.remote, old_place.credentials, depth=depth) as copy:
        with caplog.at_level("DEBUG", "dulwich"):
            first = copy.fetch()
        assert "version 2" not in caplog.text
        assert len(copy.files(first)) == 31
        repository.commit({"example.org": b"changed"})
        second = copy.fetch()
        assert copy.changed(first, second) == {"example.org"}
        assert not second.rewritten
        made = push(copy, second, {"example.org": b"ours"})
        assert repository.tip() == made.commit
        repository.commit({"example.org": b"rewritten"}, orphan=True)
        assert copy.fetch().rewritten


@pytest.mark.parametrize("depth", [None, 1])
def test_one_change_among_ten_thousand_files_travels_alone(
    make_place: Callable[[str], Place], servers: Servers, depth: int | None
) -> None:
    place = make_place("git")
    place.repository.commit({f"zone{number}.example": b"zone %d\n" % number for number in range(ZONES)})
    with BadLine(servers.daemon.port) as line:
        remote = dataclasses.replace(place.remote, port=line.port)
        with RemoteRepository(remote, Credentials(), depth=depth) as copy:
            first = copy.fetch()
            assert len(copy.files(first)) == ZONES
            whole = line.passed
            place.repository.commit({"zone7.example": b"changed\n"})
            second = copy.fetch()
            assert line.passed < whole / 50
            assert copy.changed(first, second) == {"zone7.example"}
            made = push(copy, second, {"zone9.example": b"ours\n"})
            assert place.repository.tip() == made.commit
            assert copy.changed(second, made) == {"zone9.example"}


def test_only_one_branch_of_many_is_brought(make_place: Callable[[str], Place], servers: Servers) -> None:
    place = make_place("git")
    place.repository.commit({"example.org": b"zone"})
    for number in range(20):
        place.repository.commit({"big": b"%d" % number * 20_000}, branch=f"other{number}")
    with BadLine(servers.daemon.port) as line:
        remote = dataclasses.replace(place.remote, port=line.port)
        with RemoteRepository(remote, Credentials()) as copy:
            copy.fetch()
            assert line.passed < 10_000


def test_a_merge_is_no_rewritten_history(make_place: Callable[[str], Place]) -> None:
    place = make_place("git")
    repository = place.repository
    repository.commit({"example.org": b"zone"})
    git("branch", "topic", "main", cwd=repository.path)
    repository.commit({"example.net": b"topic"}, branch="topic")
    with RemoteRepository(place.remote, Credentials()) as copy:
        before = copy.fetch()
        repository.commit({"example.com": b"main"})
        tree = git("merge-tree", "--write-tree", "main", "topic", cwd=repository.path)
        who = ["-c", "user.name=Operator", "-c", "user.email=op@example.org"]
        parents = ["-p", repository.tip("topic"), "-p", repository.tip()]
        merged = git(*who, "commit-tree", tree, *parents, "-m", "merge", cwd=repository.path)
        git("update-ref", "refs/heads/main", merged, cwd=repository.path)
        after = copy.fetch()
        assert (after.commit, after.rewritten) == (merged, False)
        assert copy.changed(before, after) == {"example.net", "example.com"}


@pytest.mark.parametrize("transport", ["path", "git"])
def test_of_several_who_push_at_once_nobodys_work_is_lost(
    make_place: Callable[[str], Place], transport: str
) -> None:
    place = make_place(transport)
    place.repository.commit({"example.org": b""})
    failures: list[GitError] = []

    def work(name: str) -> None:
        with RemoteRepository(place.remote, place.credentials) as copy:
            head = copy.fetch()
            for number in range(5):
                while True:
                    lines = copy.read(head, "example.org")
                    try:
                        head = push(copy, head, {"example.org": lines + f"{name}{number}\n".encode()})
                        break
                    except RemoteMoved:
                        head = copy.fetch()
                    except GitError as error:
                        failures.append(error)
                        head = copy.fetch()

    workers = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    lines = place.repository.show("example.org").splitlines()
    assert sorted(lines) == [f"{name}{number}" for name in "abc" for number in range(5)]
    assert git("rev-list", "--count", "main", cwd=place.repository.path) == "16"
    assert all("lock" in str(error) for error in failures)
    place.repository.fsck()


def test_a_home_folder_in_the_path_is_ours(
    make_place: Callable[[str], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make_place("path")
    place.repository.commit({"example.org": b"zone"})
    monkeypatch.setenv("HOME", str(place.repository.path.parent))
    with RemoteRepository(parse_remote(f"~/{place.repository.path.name}"), Credentials()) as copy:
        assert copy.fetch().subject == "change"
