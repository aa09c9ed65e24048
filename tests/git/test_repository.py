"""Fetch, read, commit and push, the same over every transport, judged by the real git."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from oakroot.git.commits import Head
from oakroot.git.errors import BranchMissing, PathRefused, PushRefused, RemoteMoved, RepositoryMissing
from oakroot.git.remote import parse_remote
from oakroot.git.repository import RemoteRepository
from tests.git.conftest import NOW, PRIMARY, UPDATER, Place
from tests.peers.git_servers import git

Opener = Callable[[Place], RemoteRepository]
ZONE = b"$TTL 1h\n@ SOA ns1 hostmaster 1 1d 2h 2w 1h\n"


def push(copy: RemoteRepository, head: Head, changes: dict[str, bytes], message: str = "change") -> Head:
    return copy.commit_and_push(head, changes, author=UPDATER, committer=PRIMARY, message=message, now=NOW)


def test_a_fetch_gives_the_branchs_tip(place: Place, open_copy: Opener) -> None:
    commit = place.repository.commit({"example.org": ZONE}, message="first\n\nbody")
    head = open_copy(place).fetch()
    assert (head.commit, head.branch, head.previous, head.rewritten) == (commit, "main", None, False)
    assert (head.author, head.subject) == ("Operator <op@example.org>", "first")
    assert head.tree == git("rev-parse", f"{commit}^{{tree}}", cwd=place.repository.path)


def test_files_of_the_root_are_listed_and_read(place: Place, open_copy: Opener) -> None:
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


def test_a_commit_is_pushed(place: Place, open_copy: Opener) -> None:
    place.repository.commit({"example.org": ZONE, "keep": b"kept", "sub/part": b"deep"})
    copy = open_copy(place)
    head = copy.fetch()
    made = push(
        copy, head, {"example.org": b"new\n", "sub/part": b"deeper\n"}, "example.org: add www A 192.0.2.1"
    )
    repository = place.repository
    assert repository.tip() == made.commit
    assert repository.show("example.org") == "new"
    assert repository.show("sub/part") == "deeper"
    assert repository.show("keep") == "kept"
    shown = git("log", "-1", "--format=%an|%ae|%at|%cn|%ce|%P|%s", repository.tip(), cwd=repository.path)
    assert shown == (
        f"personal._update.example.org|key@example.org|{NOW}|Oakroot|oakroot@ns1.example.org|"
        f"{head.commit}|example.org: add www A 192.0.2.1"
    )
    repository.fsck()
