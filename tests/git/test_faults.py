"""Servers and lines that fail: a clear error of the right kind, in time, and everything stays as it was."""

from __future__ import annotations

import dataclasses
import random
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from oakroot.git.connections import Timeouts
from oakroot.git.errors import GitError, RemoteUnreachable
from oakroot.git.repository import RemoteRepository
from tests.git.conftest import Opener, Place, Servers, push
from tests.peers.broken_git import BadLine, silent
from tests.peers.ports import LOOPBACK

# Only for servers that are to be given up: a good one may be slow on a busy machine.
IMPATIENT = Timeouts(connect=0.5, stall=0.5)
# Does not compress, so that it is many packets long over every transport.
LARGE = random.Random(1).randbytes(300_000)


@pytest.fixture(params=["git", "https", "ssh"])
def transport(request: pytest.FixtureRequest) -> str:
    """Only the transports over which something can break off."""
    return str(request.param)


def over(place: Place, port: int) -> Place:
    return dataclasses.replace(place, remote=dataclasses.replace(place.remote, port=port))


def port_of(servers: Servers, transport: str) -> int:
    return {"git": servers.daemon.port, "https": servers.https.port, "ssh": servers.sshd.port}[transport]


def test_nobody_listening_is_reported_with_the_place(place: Place, open_copy: Opener) -> None:
    with socket.create_server((LOOPBACK, 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(RemoteUnreachable, match="Connection refused") as caught:
        open_copy(over(place, port)).fetch()
    assert str(port) in str(caught.value)


@pytest.mark.parametrize("host", ["git.invalid", "x" * 70 + ".example.org"])
def test_a_host_without_an_address_is_reported(place: Place, open_copy: Opener, host: str) -> None:
    nowhere = dataclasses.replace(place.remote, host=host)
    with pytest.raises(RemoteUnreachable) as caught:
        open_copy(dataclasses.replace(place, remote=nowhere)).fetch()
    assert host in str(caught.value)


def test_a_server_that_never_speaks_is_given_up(place: Place) -> None:
    started = time.monotonic()
    with silent() as server:
        remote = over(place, server.port).remote
        with (
            RemoteRepository(remote, place.credentials, timeouts=IMPATIENT) as copy,
            pytest.raises(RemoteUnreachable, match=r"stalled|did not answer"),
        ):
            copy.fetch()
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(("mishap", "share"), [("cut", 0.02), ("cut", 0.99), ("stall", 0.5), ("garble", 0.5)])
def test_an_interrupted_fetch_leaves_everything_as_it_was(
    place: Place, servers: Servers, transport: str, mishap: str, share: float, tmp_path: Path
) -> None:
    first = place.repository.commit({"example.org": b"zone"})
    with BadLine(port_of(servers, transport)) as line:
        remote = over(place, line.port).remote
        with RemoteRepository(remote, place.credentials, directory=tmp_path) as copy:
            before = copy.fetch()
        second = place.repository.commit({"example.org": LARGE})
        line.spoil(mishap, limit=int(share * len(LARGE)))
        with RemoteRepository(remote, place.credentials, directory=tmp_path, timeouts=IMPATIENT) as copy:
            with pytest.raises(GitError):
                copy.fetch()
            assert copy.read(before, "example.org") == b"zone"
        line.mend()
        with RemoteRepository(remote, place.credentials, directory=tmp_path) as copy:
            after = copy.fetch()
            assert (after.commit, after.previous) == (second, first)
            assert copy.read(after, "example.org") == LARGE


def test_an_interrupted_fetch_leaves_no_rubbish(
    make_place: Callable[[str], Place], servers: Servers, tmp_path: Path
) -> None:
    place = make_place("git")
    place.repository.commit({f"zone{number}": b"%d" % number for number in range(300)} | {"large": LARGE})
    line = BadLine(servers.daemon.port)
    remote = over(place, line.port).remote
    with line, RemoteRepository(remote, place.credentials, directory=tmp_path) as copy:
        before = sorted(tmp_path.rglob("*"))
        line.spoil("cut", limit=len(LARGE) // 2)
        with pytest.raises(GitError):
            copy.fetch()
        assert sorted(tmp_path.rglob("*")) == before


def test_a_push_whose_answer_was_lost_is_found_to_have_landed(
    place: Place, servers: Servers, transport: str
) -> None:
    """The line breaks after the server took the commit and before it could say so."""
    place.repository.commit({"example.org": b"zone"})
    with BadLine(port_of(servers, transport)) as line:
        remote = over(place, line.port).remote
        with RemoteRepository(remote, place.credentials) as copy:
            rehearsal = push(copy, copy.fetch(), {"example.org": b"first"})
            # Over https the server's refs come over a connection of their own.
            spared = 1 if transport == "https" else 0
            line.spoil("cut", limit=line.passed - 20, spared=spared, times=1)
            made = push(copy, rehearsal, {"example.org": b"other"})
            assert place.repository.tip() == made.commit
            assert not copy.fetch().moved


def test_a_push_that_did_not_arrive_changes_nothing(place: Place, servers: Servers, transport: str) -> None:
    place.repository.commit({"example.org": b"zone"})
    line = BadLine(port_of(servers, transport))
    with line, RemoteRepository(over(place, line.port).remote, place.credentials) as copy:
        head = copy.fetch()
        line.spoil("cut", limit=10)
        with pytest.raises(RemoteUnreachable):
            push(copy, head, {"example.org": b"ours"})
        assert place.repository.tip() == head.commit
        line.mend()
        assert not copy.fetch().moved
        push(copy, head, {"example.org": b"ours"})
        assert place.repository.show("example.org") == "ours"


def test_a_server_that_cannot_keep_the_objects_is_quoted(place: Place, open_copy: Opener) -> None:
    place.repository.commit({"example.org": b"zone"})
    copy = open_copy(place)
    head = copy.fetch()
    (place.repository.path / "objects").rename(place.repository.path / "objects.away")
    try:
        with pytest.raises(GitError):
            push(copy, head, {"example.org": b"ours"})
    finally:
        (place.repository.path / "objects.away").rename(place.repository.path / "objects")
    assert place.repository.tip() == head.commit
