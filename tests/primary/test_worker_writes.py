"""Updates as git has them afterwards: commits on real repositories, told in events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from oakroot.git.credentials import Credentials
from oakroot.git.errors import PushUncertain, RemoteUnreachable
from oakroot.git.remote import parse_remote
from oakroot.git.repository import RemoteRepository
from oakroot.primary import events
from oakroot.primary.events import Event, Fetch, Write
from oakroot.primary.worker import GitWorker
from oakroot.primary.writing import Submission
from oakroot.zones.loaded import Loaded
from tests.peers.git_servers import BareRepository, git
from tests.primary.group import Build, build_update, signer_of
from tests.zones.repositories import KEY_LINE, NOON, zone_text

KEY = "personal._update.mirage."
INCLUDING = zone_text(1, "$INCLUDE parts/web")


@pytest.fixture
def remote(tmp_path: Path) -> BareRepository:
    remote = BareRepository(tmp_path / "zones.git")
    remote.commit({"mirage": zone_text(7), "mirage._keys": KEY_LINE.format(zone="mirage.").encode()})
    return remote


@pytest.fixture
def worker(remote: BareRepository) -> Iterator[GitWorker]:
    with RemoteRepository(parse_remote(str(remote.path)), Credentials()) as repository:
        yield GitWorker(repository, "increment", lambda: NOON)


def fetched(worker: GitWorker, known: Loaded | None = None, *attempts: str) -> events.Fetched:
    event = worker.fetch(Fetch(known or Loaded.nothing(), attempts))
    assert isinstance(event, events.Fetched), event
    return event


def write(worker: GitWorker, known: Loaded, *builds: Build) -> Event:
    signer = signer_of(known, KEY)
    updates = [
        Submission(at, build_update("mirage", build), signer, "192.0.2.7") for at, build in enumerate(builds)
    ]
    return worker.write(Write(tuple(updates), known))


def taken(event: Event) -> Loaded:
    assert isinstance(event, events.Written), event
    assert event.loading is not None
    return event.loading.loaded


def test_the_commit_is_the_keys_and_says_what_it_did(worker: GitWorker, remote: BareRepository) -> None:
    loaded = taken(write(worker, fetched(worker).loading.loaded, lambda m: m.add("a", 60, "A", "192.0.2.1")))
    assert loaded.commit == remote.tip()
    shown = git("log", "-1", "--format=%an|%ae|%cn|%s|%(trailers:key=DNS-Serial,valueonly)", cwd=remote.path)
    assert shown == (
        "personal._update.mirage|personal._update.mirage@localhost|Oakroot|mirage: add a A 192.0.2.1|8"
    )
    remote.fsck()


def test_after_a_commit_of_ours_there_is_nothing_new(worker: GitWorker) -> None:
    loaded = taken(write(worker, fetched(worker).loading.loaded, lambda m: m.add("a", 60, "A", "192.0.2.1")))
    assert worker.fetch(Fetch(loaded)) == events.NothingNewFetched()


def test_one_commit_follows_another_without_a_file_being_read(
    worker: GitWorker, remote: BareRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = taken(write(worker, fetched(worker).loading.loaded, lambda m: m.add("a", 60, "A", "192.0.2.1")))

    def read(*_: object) -> None:
        raise AssertionError("a file was read")

    monkeypatch.setattr(worker.repository, "blob", read)
    taken(write(worker, loaded, lambda m: m.add("b", 60, "A", "192.0.2.1")))
    assert "b\t60\tA" in remote.show("mirage")


def test_a_push_that_undoes_a_commit_of_ours_is_followed(worker: GitWorker, remote: BareRepository) -> None:
    before = fetched(worker).loading.loaded
    loaded = taken(write(worker, before, lambda m: m.add("a", 60, "A", "192.0.2.1")))
    # To the octet what was fetched at first, so git sees no difference to that.
    remote.commit({"mirage": zone_text(7)})
    [change] = fetched(worker, loaded).loading.changes
    assert change.after is not None
    assert change.after.types_of("a.mirage.") == []


def test_what_changes_nothing_is_no_commit(worker: GitWorker, remote: BareRepository) -> None:
    before = remote.tip()
    event = write(worker, fetched(worker).loading.loaded, lambda m: m.delete("nope"))
    assert isinstance(event, events.Written)
    assert event.loading is None
    assert remote.tip() == before


def test_somebody_elses_commit_comes_first(worker: GitWorker, remote: BareRepository) -> None:
    known = fetched(worker).loading.loaded
    theirs = remote.commit({"mirage": zone_text(9)})
    assert write(worker, known, lambda m: m.add("a", 60, "A", "192.0.2.1")) == events.WriteOvertaken()
    assert remote.tip() == theirs


def test_a_file_that_would_become_too_long_to_be_read_is_refused(
    worker: GitWorker, remote: BareRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, before = fetched(worker).loading.loaded, remote.tip()
    monkeypatch.setattr("oakroot.git.repository.LARGEST_FILE", len(zone_text(7)) + 10)
    event = write(worker, known, lambda m: m.add("long", 60, "A", "192.0.2.1"))
    assert isinstance(event, events.WriteRefused)
    assert "octets" in event.reason
    assert remote.tip() == before


def test_a_hook_that_declines_is_quoted(worker: GitWorker, remote: BareRepository) -> None:
    remote.hook("pre-receive", "echo 'zones are frozen' >&2; exit 1")
    event = write(worker, fetched(worker).loading.loaded, lambda m: m.add("a", 60, "A", "192.0.2.1"))
    assert isinstance(event, events.WriteRefused)
    assert "zones are frozen" in event.reason


def test_a_commit_of_unknown_outcome_is_found_by_the_next_fetch(
    worker: GitWorker, remote: BareRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = fetched(worker).loading.loaded
    push = worker.repository.commit_and_push

    def lose_the_answer(*arguments: object, **more: object) -> None:
        head = push(*arguments, **more)  # type: ignore[arg-type]
        raise PushUncertain("the line broke", commit=head.commit)

    monkeypatch.setattr(worker.repository, "commit_and_push", lose_the_answer)
    event = write(worker, known, lambda m: m.add("a", 60, "A", "192.0.2.1"))
    assert isinstance(event, events.WriteFailed)
    assert event.attempt == remote.tip()
    remote.commit({"README.md": b"theirs, on top"})
    assert fetched(worker, known, "0" * 40, event.attempt).landed == event.attempt


def test_a_commit_that_did_not_arrive_is_not_found(worker: GitWorker, remote: BareRepository) -> None:
    known = fetched(worker).loading.loaded
    remote.commit({"README.md": b"theirs"})
    assert fetched(worker, known, "0" * 40).landed is None


def test_a_remote_that_is_down_fails_the_write(worker: GitWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    known = fetched(worker).loading.loaded

    def fail(*_: object, **__: object) -> None:
        raise RemoteUnreachable("no route")

    monkeypatch.setattr(worker.repository, "commit_and_push", fail)
    event = write(worker, known, lambda m: m.add("a", 60, "A", "192.0.2.1"))
    assert event == events.WriteFailed("no route")


def test_zones_that_share_the_file_of_their_serial_are_all_read_again(
    worker: GitWorker, remote: BareRepository
) -> None:
    soa = b"@ 60 IN SOA ns1.example.org. h.example.org. 1 2 3 4 5\n@ 60 IN NS ns1.example.org.\n"
    text = b"$TTL 60\n$INCLUDE parts/soa\n"
    remote.commit({"mirage": text, "other": text, "parts/soa": soa})
    known = fetched(worker).loading.loaded
    loaded = taken(write(worker, known, lambda m: m.add("a", 60, "A", "192.0.2.1")))
    serials = {apex: zone.zone.serial for apex, zone in loaded.zones.items() if zone.zone}
    assert serials == {"mirage.": 2, "other.": 2}
