"""A connection over ssh serves several pushes, and one that broke meanwhile does no harm."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oakroot.git.spares import Spares
from tests.git.conftest import SSH_PUBLIC, Opener, Place, Servers, push
from tests.peers.git_servers import PATIENCE, Daemon, sshd
from tests.peers.nameservers import descendants


@pytest.fixture
def server(require: Callable[[str], str], servers: Servers, tmp_path: Path) -> Iterator[Daemon]:
    with sshd(require("sshd"), tmp_path, servers.host_keys.make("ed25519"), SSH_PUBLIC) as daemon:
        yield daemon


@pytest.fixture
def place(make_place: Callable[[str], Place], server: Daemon) -> Place:
    place = make_place("ssh")
    place.repository.commit({"example.org": b"zone"})
    return dataclasses.replace(place, remote=dataclasses.replace(place.remote, port=server.port))


def logins(server: Daemon) -> int:
    return server.log.count("Accepted publickey")


def test_one_login_serves_many_pushes(place: Place, open_copy: Opener, server: Daemon) -> None:
    copy = open_copy(place)
    head = copy.fetch()
    for number in range(5):
        head = push(copy, head, {"example.org": b"new %d" % number})
    assert place.repository.show("example.org") == "new 4"
    # A push is over for us when the server has said so, and its connection is free a little later.
    assert logins(server) <= 2


def test_a_spare_connection_that_broke_is_replaced(place: Place, open_copy: Opener, server: Daemon) -> None:
    copy = open_copy(place)
    head = copy.fetch()
    for number in range(3):
        for child in descendants(server.process_id)[1:]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        head = push(copy, head, {"example.org": b"new %d" % number})
    assert place.repository.show("example.org") == "new 2"


def test_credentials_are_taken_by_an_event_loop_while_a_connection_is_spare(
    place: Place, open_copy: Opener, server: Daemon
) -> None:
    """As at SIGHUP: to close the connection took a loop of its own, and the new settings were lost."""

    async def choose() -> None:
        copy.use(place.credentials)

    copy = open_copy(place)
    head = copy.fetch()
    asyncio.run(choose())
    push(copy, head, {"example.org": b"new"})
    assert place.repository.show("example.org") == "new"
    assert logins(server) == 2


class Connection:
    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


def test_the_connection_used_last_is_taken_first() -> None:
    spares, first, second = Spares[Connection](), Connection(), Connection()
    spares.give(first)
    spares.give(second)
    assert [spares.take(), spares.take(), spares.take()] == [second, first, None]
    spares.close()


def test_what_nobody_takes_is_closed_after_a_while() -> None:
    spares, one, another = Spares[Connection](0.05), Connection(), Connection()
    spares.give(one)
    assert one.closed.wait(PATIENCE)
    spares.give(another)
    assert another.closed.wait(PATIENCE)
    assert spares.take() is None
    spares.close()


def test_nothing_is_kept_once_all_is_closed() -> None:
    spares, one, late = Spares[Connection](), Connection(), Connection()
    spares.give(one)
    spares.close()
    spares.give(late)
    assert one.closed.is_set()
    assert late.closed.is_set()
    assert spares.take() is None
