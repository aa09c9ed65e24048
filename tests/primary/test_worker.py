"""What the primary does with git, on real repositories, told in events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from oakroot.git.credentials import Credentials
from oakroot.git.errors import RemoteRefused, RemoteUnreachable, RepositoryBroken
from oakroot.git.remote import parse_remote
from oakroot.git.repository import Archive, RemoteRepository
from oakroot.git.trees import Files
from oakroot.primary import events
from oakroot.primary.events import Event, Fetch, Push, Recall
from oakroot.primary.worker import AUTHOR, GitWorker
from oakroot.zones.guard import Guard
from oakroot.zones.loaded import Loaded, Loading
from tests.peers.git_servers import BareRepository, git
from tests.zones.repositories import BROKEN, NOON, zone_text

WWW = "www A 192.0.2.2"


@pytest.fixture
def remote(tmp_path: Path) -> BareRepository:
    remote = BareRepository(tmp_path / "zones.git")
    remote.commit({"mirage": zone_text(7), "README.md": b"ours"})
    return remote


@pytest.fixture
def worker(remote: BareRepository) -> Iterator[GitWorker]:
    with RemoteRepository(parse_remote(str(remote.path)), Credentials()) as repository:
        yield GitWorker(repository, "increment", lambda: NOON)


def loading_of(event: Event) -> Loading:
    assert isinstance(event, events.Fetched | events.Pushed), event
    return event.loading


def raised(worker: GitWorker, remote: BareRepository) -> Push:
    """A push of a raised serial, ready to be carried out."""
    known = loading_of(worker.fetch(Fetch(Loaded.nothing()))).loaded
    remote.commit({"mirage": zone_text(7, WWW)})
    loading = loading_of(worker.fetch(Fetch(known)))
    return Push(loading.edits, "mirage: raise serial 7 to 8", loading.loaded)


def test_a_fetch_loads_the_newest_commit(worker: GitWorker, remote: BareRepository) -> None:
    loaded = loading_of(worker.fetch(Fetch(Loaded.nothing()))).loaded
    assert loaded.commit == remote.tip()
    assert {apex: zone.zone.serial for apex, zone in loaded.zones.items() if zone.zone} == {"mirage.": 7}


def test_a_fetch_without_news_loads_nothing(worker: GitWorker) -> None:
    known = loading_of(worker.fetch(Fetch(Loaded.nothing()))).loaded
    assert worker.fetch(Fetch(known)) == events.NothingNewFetched()


def test_a_fetch_looks_only_at_what_changed(
    worker: GitWorker, remote: BareRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.commit({f"zone{number}": zone_text(1) for number in range(9)})
    loaded = loading_of(worker.fetch(Fetch(Loaded.nothing()))).loaded
    remote.commit({"zone3": zone_text(2)})
    monkeypatch.setattr(Files, "__iter__", None)
    loading = loading_of(worker.fetch(Fetch(loaded)))
    assert [change.apex for change in loading.changes] == ["zone3."]
    assert loading.loaded.zones.keys() == loaded.zones.keys()


@pytest.mark.parametrize("forced", [False, True])
def test_a_restart_holds_back_what_was_held_before(
    worker: GitWorker,
    remote: BareRepository,
    forced: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    worker.guard = Guard()
    remote.commit({"mirage": zone_text(8, *(f"host{number} A 192.0.2.1" for number in range(17)))})
    remote.commit({"mirage": zone_text(9)}, message="Clear" + "\n\nOakroot-Force: yes" * forced)
    # A serial that the primary raised meanwhile, or an update, is no push of somebody else.
    head = worker.repository.fetch()
    whose = {"author": AUTHOR, "committer": AUTHOR}
    worker.repository.commit_and_push(head, {"other": zone_text(1)}, **whose, message="other", now=int(NOON))
    loaded = loading_of(worker.fetch(Fetch(Loaded.nothing()))).loaded
    assert loaded.serials == {"mirage.": 9 if forced else 8, "other.": 1}


def test_a_mass_deletion_is_held_back_until_a_commit_says_that_it_is_meant(
    worker: GitWorker, remote: BareRepository
) -> None:
    worker.guard = Guard()
    remote.commit({"mirage": zone_text(8, *(f"host{number} A 192.0.2.1" for number in range(17)))})
    known = loading_of(worker.fetch(Fetch(Loaded.nothing()))).loaded
    remote.commit({"mirage": zone_text(9)})
    held = loading_of(worker.fetch(Fetch(known))).loaded
    assert held.serials["mirage."] == 8
    assert not held.zones["mirage."].is_current
    remote.commit({"README.md": b"sure"}, message="Clear out\n\nOakroot-Force: yes")
    meant = loading_of(worker.fetch(Fetch(held))).loaded
    assert meant.zones["mirage."].is_current


def test_included_files_come_from_folders_of_the_same_commit(
    worker: GitWorker, remote: BareRepository
) -> None:
    remote.commit({"mirage": zone_text(8, "$INCLUDE parts/web"), "parts/web": b"www 60 IN A 192.0.2.2\n"})
    known = loading_of(worker.fetch(Fetch(Loaded.nothing()))).loaded
    assert known.zones["mirage."].is_current
    remote.commit({"parts/web": b"www 60 IN A 192.0.2.3\n"})
    loading = loading_of(worker.fetch(Fetch(known)))
    assert [change.apex for change in loading.changes] == ["mirage."]


def test_an_included_link_is_not_followed(worker: GitWorker, remote: BareRepository) -> None:
    remote.commit(
        {"mirage": zone_text(8, "$INCLUDE parts/web"), "parts/web": b"/etc/passwd"},
        modes={"parts/web": "120000"},
    )
    loading = loading_of(worker.fetch(Fetch(Loaded.nothing())))
    assert not loading.loaded.zones["mirage."].is_current


def test_a_zone_that_is_a_link_is_told_of(worker: GitWorker, remote: BareRepository) -> None:
    remote.commit({"example.org": b"mirage"}, modes={"example.org": "120000"})
    loading = loading_of(worker.fetch(Fetch(Loaded.nothing())))
    assert [(finding.code, finding.file) for finding in loading.findings] == [("ignored-file", "example.org")]


def test_a_push_commits_the_edit_on_top_of_what_was_fetched(
    worker: GitWorker, remote: BareRepository
) -> None:
    loading = loading_of(worker.push(raised(worker, remote)))
    assert remote.show("mirage").splitlines()[1].split()[4] == "8"
    assert remote.show("README.md") == "ours"
    assert loading.loaded.commit == remote.tip()
    assert not loading.edits
    assert not loading.changes
    remote.fsck()


def test_after_a_push_there_is_nothing_new(worker: GitWorker, remote: BareRepository) -> None:
    loading = loading_of(worker.push(raised(worker, remote)))
    assert worker.fetch(Fetch(loading.loaded)) == events.NothingNewFetched()


def test_a_push_after_somebody_elses_is_overtaken(worker: GitWorker, remote: BareRepository) -> None:
    push = raised(worker, remote)
    theirs = remote.commit({"mirage": zone_text(9, WWW)})
    assert worker.push(push) == events.PushOvertaken()
    assert remote.tip() == theirs


def test_a_push_that_a_hook_declines_is_refused_with_its_words(
    worker: GitWorker, remote: BareRepository
) -> None:
    push = raised(worker, remote)
    remote.hook("pre-receive", "echo 'zones are frozen' >&2; exit 1")
    event = worker.push(push)
    assert isinstance(event, events.PushRefused)
    assert "zones are frozen" in event.reason


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (RemoteRefused("the token may not write"), events.PushRefused("the token may not write")),
        (RemoteUnreachable("connection reset"), events.PushFailed("connection reset")),
        (ZeroDivisionError(), events.PushFailed("a bug in Oakroot (ZeroDivisionError); its log says more")),
    ],
)
def test_what_goes_wrong_with_a_push_is_told_apart(
    worker: GitWorker,
    remote: BareRepository,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    event: Event,
) -> None:
    push = raised(worker, remote)

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(worker.repository, "commit_and_push", fail)
    assert worker.push(push) == event


def test_a_rewritten_history_is_followed_and_marked(worker: GitWorker, remote: BareRepository) -> None:
    known = loading_of(worker.fetch(Fetch(Loaded.nothing()))).loaded
    remote.commit({"mirage": zone_text(9)}, orphan=True)
    event = worker.fetch(Fetch(known))
    assert isinstance(event, events.Fetched)
    assert event.rewritten
    assert event.loading.loaded.catalogue.zone("mirage.") is not None


def test_a_missing_repository_fails_with_its_address(tmp_path: Path) -> None:
    remote = parse_remote(str(tmp_path / "absent.git"))
    with RemoteRepository(remote, Credentials()) as repository:
        event = GitWorker(repository, "increment", lambda: NOON).fetch(Fetch(Loaded.nothing()))
    assert isinstance(event, events.FetchFailed)
    assert "absent.git" in event.reason


def test_a_bug_fails_the_fetch_and_not_the_server(
    worker: GitWorker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("holds a secret")

    monkeypatch.setattr(worker.repository, "fetch", broken)
    event = worker.fetch(Fetch(Loaded.nothing()))
    assert event == events.FetchFailed("a bug in Oakroot (ZeroDivisionError); its log says more")
    assert "this is a bug" in caplog.text


def recalled(worker: GitWorker) -> dict[str, list[int]]:
    """The serials of the versions that history has."""
    known = loading_of(worker.fetch(Fetch(Loaded.nothing()))).loaded
    event = worker.recall(Recall(known))
    assert isinstance(event, events.Recalled)
    assert event.trouble is None
    return {apex: [zone.serial for zone in zones] for apex, zones in event.versions.items()}


def test_history_has_the_versions_of_zones_that_changed(worker: GitWorker, remote: BareRepository) -> None:
    remote.commit({"example.org": zone_text(1)})
    remote.commit({"mirage": zone_text(8, WWW), "example.net": zone_text(5)})
    remote.commit({"mirage": zone_text(9)})
    assert recalled(worker) == {"mirage.": [7, 8]}


def test_broken_and_removed_versions_are_none(worker: GitWorker, remote: BareRepository) -> None:
    remote.commit({"mirage": BROKEN, "example.org": zone_text(1)})
    remote.commit({"mirage": zone_text(8, WWW), "example.org": None})
    remote.commit({"example.org": zone_text(2)})
    assert recalled(worker) == {"mirage.": [7]}


def test_versions_that_changed_by_an_included_file_are_found(
    worker: GitWorker, remote: BareRepository
) -> None:
    for serial in (8, 9, 10):
        files = {
            "example.org": b"$INCLUDE parts/all",
            "parts/all": zone_text(serial, f"www A 192.0.2.{serial}"),
        }
        remote.commit(files)
    remote.commit({"parts/other": b"of no interest"})
    assert recalled(worker)["example.org."] == [8, 9]


def test_texts_with_other_includes_than_now_are_not_told_apart(
    worker: GitWorker, remote: BareRepository
) -> None:
    remote.commit({"example.org": b"$INCLUDE one", "one": zone_text(1)})
    remote.commit({"one": zone_text(2)})
    remote.commit({"example.org": zone_text(3)})
    assert recalled(worker) == {}


def test_both_sides_of_a_merge_are_looked_at(worker: GitWorker, remote: BareRepository) -> None:
    base = remote.tip()
    remote.commit({"mirage": zone_text(8, WWW)})
    git("update-ref", "refs/heads/side", base, cwd=remote.path)
    remote.commit({"mirage": zone_text(8, "ftp A 192.0.2.3")}, branch="side")
    remote.commit({"mirage": zone_text(9, WWW, "ftp A 192.0.2.3")}, merges="side")
    # Serial 8 stood for two contents.
    assert recalled(worker) == {"mirage.": [7]}


def test_a_history_that_was_cut_off_gives_what_it_has(tmp_path: Path, remote: BareRepository) -> None:
    for serial in range(8, 12):
        remote.commit({"mirage": zone_text(serial, f"www A 192.0.2.{serial}")})
    shallow = tmp_path / "shallow.git"
    git("clone", "--quiet", "--bare", "--depth=3", f"file://{remote.path}", str(shallow))
    with RemoteRepository(parse_remote(str(shallow)), Credentials()) as repository:
        # What the oldest one came from is not there.
        assert recalled(GitWorker(repository, "increment", lambda: NOON)) == {"mirage.": [10]}


@pytest.mark.parametrize("limit", ["WALK_SECONDS", "READ_SECONDS"])
def test_history_takes_no_longer_than_it_may(
    worker: GitWorker, remote: BareRepository, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    remote.commit({"mirage": zone_text(8, WWW)})
    assert recalled(worker) == {"mirage.": [7]}
    monkeypatch.setattr(f"oakroot.primary.recall.{limit}", -1.0)
    assert recalled(worker) == {}


def test_history_is_left_aside_when_the_service_ends(worker: GitWorker, remote: BareRepository) -> None:
    remote.commit({"mirage": zone_text(8, WWW)})
    worker.hurry()
    assert recalled(worker) == {}


def test_history_goes_no_further_than_it_may(
    worker: GitWorker, remote: BareRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for serial in range(8, 30):
        remote.commit({"mirage": zone_text(serial, f"www A 192.0.2.{serial}")})
    assert recalled(worker) == {"mirage.": list(range(13, 29))}
    monkeypatch.setattr("oakroot.primary.recall.COMMITS_LIMIT", 3)
    assert recalled(worker) == {"mirage.": [27, 28]}


def test_a_history_that_cannot_be_read_is_told(worker: GitWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    known = loading_of(worker.fetch(Fetch(Loaded.nothing()))).loaded

    def fail(*_: object) -> None:
        raise RepositoryBroken("object 1234 is missing")

    monkeypatch.setattr(Archive, "recent", fail)
    assert worker.recall(Recall(known)) == events.Recalled({}, 0, "object 1234 is missing")
