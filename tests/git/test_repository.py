"""Fetch, read, commit and push, the same over every transport, judged by the real git."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from dulwich.objects import Blob, ShaFile
from dulwich.pack import UnpackedObject

from oakroot.git.deltas import Delta, packed
from oakroot.git.errors import BranchMissing, PathRefused, PushRefused, RemoteMoved, RepositoryMissing
from oakroot.git.remote import Branch, Transport
from oakroot.git.repository import RemoteRepository
from tests.git.conftest import NOW, Opener, Place, push
from tests.peers.git_servers import git, wait_until

ZONE = b"$TTL 1h\n@ SOA ns1 hostmaster 1 1d 2h 2w 1h\n"


def on_branch(place: Place, branch: str) -> Place:
    return dataclasses.replace(place, remote=dataclasses.replace(place.remote, branch=Branch(branch)))


def test_a_fetch_gives_the_branchs_tip(place: Place, open_copy: Opener) -> None:
    commit = place.repository.commit({"example.org": ZONE}, message="first\n\nbody")
    head = open_copy(place).fetch()
    assert (head.commit, head.branch, head.previous, head.rewritten) == (commit, "main", None, False)
    assert (head.author, head.subject) == ("Operator <op@example.org>", "first")
    assert head.tree == git("rev-parse", f"{commit}^{{tree}}", cwd=place.repository.path)


def test_files_are_listed_and_read(place: Place, open_copy: Opener) -> None:
    place.repository.commit({"example.org": ZONE, "example.net": b"other", "sub/part": b"deep"})
    copy = open_copy(place)
    files = copy.files(copy.fetch())
    assert set(files) == {"example.org", "example.net"}
    assert copy.blob(files["example.org"]) == ZONE
    assert copy.blob(files["sub/part"]) == b"deep"


def test_a_second_fetch_brings_what_is_new(place: Place, open_copy: Opener) -> None:
    first = place.repository.commit({"example.org": ZONE, "example.net": b"same"})
    copy = open_copy(place)
    before = copy.fetch()
    second = place.repository.commit({"example.org": ZONE + b"www A 192.0.2.1\n"})
    after = copy.fetch()
    assert (after.commit, after.previous, after.rewritten, after.moved) == (second, first, False, True)
    assert copy.changed(before, after) == {"example.org"}
    assert copy.read(after, "example.org").endswith(b"www A 192.0.2.1\n")


def test_a_fetch_with_nothing_new_says_so(place: Place, open_copy: Opener) -> None:
    place.repository.commit({"example.org": ZONE})
    copy = open_copy(place)
    first = copy.fetch()
    again = copy.fetch()
    assert again.commit == first.commit
    assert not again.moved
    assert not again.rewritten


def test_a_named_branch_is_fetched(place: Place, open_copy: Opener) -> None:
    place.repository.commit({"example.org": b"main"})
    place.repository.commit({"example.org": b"staging"}, branch="feature/staging")
    copy = open_copy(on_branch(place, "feature/staging"))
    head = copy.fetch()
    assert head.branch == "feature/staging"
    assert copy.read(head, "example.org") == b"staging"
    push(copy, head, {"example.org": b"pushed"})
    assert place.repository.show("example.org", "feature/staging") == "pushed"
    assert place.repository.show("example.org") == "main"


def test_a_missing_branch_is_reported_with_those_there(place: Place, open_copy: Opener) -> None:
    place.repository.commit({"example.org": ZONE})
    place.repository.commit({"example.org": ZONE}, branch="staging")
    with pytest.raises(BranchMissing, match=r"no branch production; it has main, staging"):
        open_copy(on_branch(place, "production")).fetch()


def test_an_empty_repository_is_reported(place: Place, open_copy: Opener) -> None:
    with pytest.raises(BranchMissing, match="no commit yet"):
        open_copy(place).fetch()


def test_a_repository_that_was_empty_is_fetched_later(place: Place, open_copy: Opener) -> None:
    copy = open_copy(place)
    with pytest.raises(BranchMissing):
        copy.fetch()
    commit = place.repository.commit({"example.org": ZONE})
    assert copy.fetch().commit == commit


def test_a_missing_repository_is_reported(place: Place, open_copy: Opener) -> None:
    gone = dataclasses.replace(place.remote, path=place.remote.path + "-not-there")
    with pytest.raises(RepositoryMissing) as caught:
        open_copy(dataclasses.replace(place, remote=gone)).fetch()
    assert "-not-there" in str(caught.value)


def test_a_force_push_is_followed_and_told(place: Place, open_copy: Opener) -> None:
    place.repository.commit({"example.org": b"old"})
    place.repository.commit({"example.org": b"older"})
    copy = open_copy(place)
    before = copy.fetch()
    rewritten = place.repository.commit({"example.org": b"new"}, orphan=True)
    after = copy.fetch()
    assert (after.commit, after.previous, after.rewritten) == (rewritten, before.commit, True)
    assert copy.read(after, "example.org") == b"new"
    assert copy.read(before, "example.org") == b"older"


def test_a_branch_set_back_is_followed_and_told(place: Place, open_copy: Opener) -> None:
    first = place.repository.commit({"example.org": b"first"})
    place.repository.commit({"example.org": b"second"})
    copy = open_copy(place)
    copy.fetch()
    git("update-ref", "refs/heads/main", first, cwd=place.repository.path)
    head = copy.fetch()
    assert (head.commit, head.rewritten) == (first, True)


def test_a_commit_is_pushed(place: Place, open_copy: Opener) -> None:
    repository = place.repository
    repository.commit({"example.org": ZONE, "keep": b"kept", "sub/part": b"deep"})
    copy = open_copy(place)
    head = copy.fetch()
    made = push(copy, head, {"example.org": b"new\n", "sub/part": b"deeper\n"}, "example.org: add www")
    assert repository.tip() == made.commit
    assert repository.show("example.org") == "new"
    assert repository.show("sub/part") == "deeper"
    assert repository.show("keep") == "kept"
    shown = git("log", "-1", "--format=%an|%ae|%at|%cn|%ce|%P|%s", repository.tip(), cwd=repository.path)
    assert shown == (
        f"personal._update.example.org|key@example.org|{NOW}|Oakroot|oakroot@ns1.example.org|"
        f"{head.commit}|example.org: add www"
    )
    repository.fsck()


def test_after_a_push_the_copy_stands_where_the_remote_does(place: Place, open_copy: Opener) -> None:
    place.repository.commit({"example.org": ZONE})
    copy = open_copy(place)
    head = copy.fetch()
    made = push(copy, head, {"example.org": b"new\n"})
    assert (made.previous, made.rewritten) == (head.commit, False)
    assert copy.read(made, "example.org") == b"new\n"
    assert not copy.fetch().moved
    again = push(copy, made, {"example.org": b"newer\n"})
    assert place.repository.tip() == again.commit


@pytest.mark.parametrize("takes_deltas", [True, False])
def test_of_a_long_file_servers_are_sent_what_changed_if_they_take_that(
    place: Place, open_copy: Opener, monkeypatch: pytest.MonkeyPatch, *, takes_deltas: bool
) -> None:
    if place.remote.transport is Transport.PATH:
        pytest.skip("nothing is sent to a folder")
    sent: list[Delta | None] = []

    def noted(item: ShaFile, delta: Delta | None) -> UnpackedObject:
        if isinstance(item, Blob):
            sent.append(delta)
        return packed(item, delta)

    monkeypatch.setattr("oakroot.git.smart.packed", noted)
    if not takes_deltas:
        monkeypatch.setattr("oakroot.git.reports.NO_DELTAS", b"report-status")
    lines = [b"host%d A 192.0.2.1\n" % number for number in range(5000)]
    place.repository.commit({"example.org": b"".join(lines), "other": b"short"})
    copy = open_copy(place)
    lines[2500] = b"another AAAA 2001:db8::1\n"
    push(copy, copy.fetch(), {"example.org": b"".join(lines), "other": b"short too"})
    assert place.repository.show("example.org").encode() == b"".join(lines).strip()
    place.repository.fsck()
    deltas = [delta for delta in sent if delta is not None]
    assert len(deltas) == takes_deltas
    assert all(len(delta.octets) < 100 for delta in deltas)


def test_a_push_that_changes_nothing_makes_no_commit(place: Place, open_copy: Opener) -> None:
    place.repository.commit({"example.org": ZONE})
    copy = open_copy(place)
    head = copy.fetch()
    assert push(copy, head, {"example.org": ZONE}) == head
    assert place.repository.tip() == head.commit


def test_a_push_after_somebody_elses_is_refused(place: Place, open_copy: Opener) -> None:
    place.repository.commit({"example.org": ZONE})
    copy = open_copy(place)
    head = copy.fetch()
    theirs = place.repository.commit({"example.net": b"theirs"})
    with pytest.raises(RemoteMoved, match="fetch and make the change again"):
        push(copy, head, {"example.org": b"ours"})
    assert place.repository.tip() == theirs
    after = copy.fetch()
    assert after.previous == head.commit
    push(copy, after, {"example.org": b"ours"})
    assert place.repository.show("example.net") == "theirs"
    assert place.repository.show("example.org") == "ours"


def test_a_branch_deleted_meanwhile_counts_as_moved(place: Place, open_copy: Opener) -> None:
    place.repository.commit({"example.org": ZONE})
    place.repository.commit({"example.org": ZONE}, branch="staging")
    copy = open_copy(on_branch(place, "staging"))
    head = copy.fetch()
    git("update-ref", "-d", "refs/heads/staging", cwd=place.repository.path)
    with pytest.raises(RemoteMoved):
        push(copy, head, {"example.org": b"ours"})


def test_a_push_overtaken_on_the_server_itself_is_refused(place: Place, open_copy: Opener) -> None:
    """Between the server's advertisement and its lock: the last moment at which somebody can be faster."""
    first = place.repository.commit({"example.org": ZONE})
    theirs = place.repository.commit({"example.net": b"theirs"}, branch="waiting")
    copy = open_copy(place)
    head = copy.fetch()
    assert head.commit == first
    place.repository.hook("update", f"git update-ref refs/heads/main {theirs}")
    with pytest.raises(RemoteMoved):
        push(copy, head, {"example.org": b"ours"})
    assert place.repository.tip() == theirs


@pytest.mark.parametrize("hook", ["pre-receive", "update"])
def test_a_hook_that_declines_is_quoted(place: Place, open_copy: Opener, hook: str) -> None:
    place.repository.commit({"example.org": ZONE})
    place.repository.hook(hook, "echo 'zone example.org is frozen' >&2\nexit 1")
    copy = open_copy(place)
    head = copy.fetch()
    with pytest.raises(PushRefused, match=r"zone example\.org is frozen") as caught:
        push(copy, head, {"example.org": b"ours"})
    assert "declined" in caught.value.reason
    assert place.repository.tip() == head.commit
    assert not copy.fetch().moved


def test_a_post_receive_hook_does_not_hold_up_the_push(
    place: Place, open_copy: Opener, tmp_path: Path
) -> None:
    """Such a hook may be a NOTIFY to the very server that is pushing."""
    place.repository.commit({"example.org": ZONE})
    go, done = tmp_path / "go", tmp_path / "done"
    place.repository.hook(
        "post-receive", f"for i in $(seq 500); do test -e {go} && break; sleep 0.02; done; cat > {done}"
    )
    copy = open_copy(place)
    head = copy.fetch()
    made = push(copy, head, {"example.org": b"ours"})
    assert not done.exists()
    go.touch()
    wait_until("the hook's end", lambda: done.exists() and done.read_text().endswith("\n"))
    assert done.read_text() == f"{head.commit} {made.commit} refs/heads/main\n"


def test_a_detached_head_is_served_but_not_pushed_to(place: Place, open_copy: Opener) -> None:
    first = place.repository.commit({"example.org": ZONE})
    place.repository.commit({"example.org": b"second"})
    git("update-ref", "--no-deref", "HEAD", first, cwd=place.repository.path)
    copy = open_copy(place)
    head = copy.fetch()
    assert (head.commit, head.branch) == (first, None)
    with pytest.raises(PushRefused, match="#branch"):
        push(copy, head, {"example.org": b"ours"})


def test_a_head_that_points_nowhere_leaves_master(place: Place, open_copy: Opener) -> None:
    commit = place.repository.commit({"example.org": ZONE}, branch="master")
    place.repository.commit({"example.org": b"x"}, branch="other")
    head = open_copy(place).fetch()
    assert (head.commit, head.branch) == (commit, "master")


def test_an_include_cannot_leave_the_commit(place: Place, open_copy: Opener) -> None:
    place.repository.commit({"example.org": ZONE})
    copy = open_copy(place)
    head = copy.fetch()
    with pytest.raises(PathRefused, match="leaves the repository"):
        copy.read(head, "../../etc/passwd")


def test_what_was_fetched_is_read_after_the_remote_is_gone(
    make_place: Callable[[str], Place], open_copy: Opener
) -> None:
    place = make_place("git")
    place.repository.commit({"example.org": ZONE})
    copy = open_copy(place)
    head = copy.fetch()
    place.repository.path.rename(place.repository.path.with_suffix(".gone"))
    with pytest.raises(RepositoryMissing):
        copy.fetch()
    assert copy.read(head, "example.org") == ZONE


def test_a_kept_copy_goes_on_after_a_restart(make_place: Callable[[str], Place], tmp_path: Path) -> None:
    place = make_place("git")
    first = place.repository.commit({"example.org": ZONE})
    with RemoteRepository(place.remote, place.credentials, directory=tmp_path / "copy") as copy:
        copy.fetch()
    second = place.repository.commit({"example.org": b"second"})
    with RemoteRepository(place.remote, place.credentials, directory=tmp_path / "copy") as copy:
        head = copy.fetch()
    assert (head.commit, head.previous, head.rewritten) == (second, first, False)


def test_a_shallow_copy_is_fetched_into_and_pushed_from(
    make_place: Callable[[str], Place], transport: str
) -> None:
    place = make_place(transport)
    for number in range(5):
        place.repository.commit({"example.org": b"%d" % number})
    with RemoteRepository(place.remote, place.credentials, depth=1) as copy:
        first = copy.fetch()
        place.repository.commit({"example.org": b"five"})
        place.repository.commit({"example.org": b"six"})
        second = copy.fetch()
        assert (second.previous, second.rewritten) == (first.commit, False)
        made = push(copy, second, {"example.org": b"ours"})
        assert place.repository.tip() == made.commit
        place.repository.commit({"example.org": b"new"}, orphan=True)
        assert copy.fetch().rewritten
    place.repository.fsck()
