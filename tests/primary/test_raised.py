"""Serials that could not be pushed, over restarts."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from oakroot.git.credentials import Credentials
from oakroot.git.remote import parse_remote
from oakroot.git.repository import RemoteRepository
from oakroot.primary import events
from oakroot.primary.events import Event, Fetch, Push
from oakroot.primary.raised import FILE_NAME, RaisedSerials
from oakroot.primary.worker import GitWorker
from oakroot.roles.turns import turn
from oakroot.zones.loaded import Loaded, Loading
from oakroot.zones.serials import SerialPolicy
from tests.peers.git_servers import BareRepository
from tests.zones.repositories import NOON, zone_text


@pytest.fixture
def remote(tmp_path: Path) -> BareRepository:
    """Nobody may push there but the operator."""
    remote = BareRepository(tmp_path / "zones.git")
    remote.commit({"mirage": zone_text(7)})
    remote.hook("pre-receive", "exit 1")
    return remote


@contextmanager
def started(remote: BareRepository, folder: Path, policy: SerialPolicy = "increment") -> Iterator[GitWorker]:
    with RemoteRepository(parse_remote(str(remote.path)), Credentials(), directory=folder) as repository:
        yield GitWorker(repository, policy, lambda: NOON, raised=RaisedSerials(folder))


def loading_of(event: Event) -> Loading:
    assert isinstance(event, events.Fetched | events.Pushed), event
    return event.loading


def serial(loading: Loading) -> int:
    zone = loading.loaded.zones["mirage."].zone
    assert zone is not None
    return zone.serial


def raise_serial(remote: BareRepository, folder: Path) -> None:
    """Serves 7, then 8, which the repository does not take."""
    with started(remote, folder) as worker:
        known = loading_of(worker.fetch(Fetch(Loaded.nothing()))).loaded
        remote.commit({"mirage": zone_text(7, "www A 192.0.2.2")})
        loading = loading_of(worker.fetch(Fetch(known)))
        assert serial(loading) == 8
        refused = worker.push(Push(loading.edits, "mirage: raise serial 7 to 8", loading.loaded))
        assert isinstance(refused, events.PushRefused)


def test_after_a_restart_no_serial_goes_back(remote: BareRepository, tmp_path: Path) -> None:
    raise_serial(remote, tmp_path / "cache")
    with started(remote, tmp_path / "cache") as worker:
        assert serial(loading_of(worker.fetch(Fetch(Loaded.nothing())))) > 8


def test_an_elder_process_does_not_put_a_lower_serial_down(remote: BareRepository, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    with started(remote, folder) as elder, started(remote, folder) as successor:
        known = [loading_of(worker.fetch(Fetch(Loaded.nothing()))).loaded for worker in (elder, successor)]
        remote.commit({"mirage": zone_text(7, "www A 192.0.2.2")})
        once = loading_of(successor.fetch(Fetch(known[1]))).loaded
        remote.commit({"mirage": zone_text(7, "www A 192.0.2.3")})
        assert serial(loading_of(successor.fetch(Fetch(once)))) == 9
        assert serial(loading_of(elder.fetch(Fetch(known[0])))) == 8
    assert RaisedSerials(folder).read() == {"mirage.": 9}


def test_two_processes_write_in_turn(remote: BareRepository, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    raise_serial(remote, folder)
    half = folder / "oakroot-serials.new"
    with started(remote, folder) as worker, ThreadPoolExecutor() as threads:
        with turn(folder / "oakroot-serials.turn"):
            half.write_text("half")
            fetching = threads.submit(worker.fetch, Fetch(Loaded.nothing()))
            with pytest.raises(TimeoutError):
                fetching.result(timeout=0.3)
            assert half.read_text() == "half"
        assert serial(loading_of(fetching.result(timeout=20))) > 8


def test_what_the_repository_has_learned_is_forgotten_here(remote: BareRepository, tmp_path: Path) -> None:
    raise_serial(remote, tmp_path / "cache")
    remote.commit({"mirage": zone_text(20)})
    for _ in range(2):
        with started(remote, tmp_path / "cache") as worker:
            assert serial(loading_of(worker.fetch(Fetch(Loaded.nothing())))) == 20
    assert RaisedSerials(tmp_path / "cache").read() == {}


def test_an_operator_who_minds_serials_alone_is_left_to_it(remote: BareRepository, tmp_path: Path) -> None:
    raise_serial(remote, tmp_path / "cache")
    with started(remote, tmp_path / "cache", "manual") as worker:
        assert serial(loading_of(worker.fetch(Fetch(Loaded.nothing())))) == 7


@pytest.mark.parametrize("octets", [b"", b"[]x", b"[1]", b'{"mirage.": "many"}', b'{"mirage.": -1}', b"\xff"])
def test_a_file_that_is_no_good_is_told_of_and_no_more(
    octets: bytes, remote: BareRepository, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    raise_serial(remote, tmp_path / "cache")
    (tmp_path / "cache" / FILE_NAME).write_bytes(octets)
    with started(remote, tmp_path / "cache") as worker:
        assert serial(loading_of(worker.fetch(Fetch(Loaded.nothing())))) == 7
    assert FILE_NAME in caplog.text
