"""Which branch is meant, whatever a server says of its refs."""

from __future__ import annotations

import dataclasses

import pytest
from dulwich.objects import ObjectID
from dulwich.refs import Ref

from oakroot.git.errors import BranchMissing, RepositoryBroken
from oakroot.git.refs import choose_tip
from oakroot.git.remote import Branch, parse_remote

REMOTE = parse_remote("git://git.example.org/zones")
A, B, C = (ObjectID(letter * 40) for letter in (b"a", b"b", b"c"))


def refs(**branches: bytes) -> dict[Ref, ObjectID]:
    head = branches.pop("HEAD", None)
    found = {Ref(b"refs/heads/" + name.encode()): ObjectID(commit) for name, commit in branches.items()}
    return found if head is None else {Ref(b"HEAD"): ObjectID(head), **found}


def test_the_named_branch_is_taken() -> None:
    remote = dataclasses.replace(REMOTE, branch=Branch("staging"))
    tip = choose_tip(remote, refs(HEAD=A, main=A, staging=B))
    assert (tip.ref, tip.commit) == (b"refs/heads/staging", B)


def test_a_tag_is_no_branch() -> None:
    remote = dataclasses.replace(REMOTE, branch=Branch("v1"))
    with pytest.raises(BranchMissing):
        choose_tip(remote, {Ref(b"refs/tags/v1"): A, **refs(main=A)})


def test_the_servers_word_on_head_counts() -> None:
    tip = choose_tip(REMOTE, refs(HEAD=A, main=A, other=A), {Ref(b"HEAD"): Ref(b"refs/heads/other")})
    assert tip.ref == b"refs/heads/other"


@pytest.mark.parametrize(
    ("branches", "expected"),
    [
        ({"HEAD": A, "main": B, "trunk": A}, b"refs/heads/trunk"),
        ({"HEAD": A, "master": A, "trunk": A}, b"refs/heads/master"),
        ({"HEAD": A, "x": A, "y": A}, None),
        ({"HEAD": C, "main": A}, None),
    ],
)
def test_a_silent_servers_head_is_guessed_where_it_is_certain(
    branches: dict[str, bytes], expected: bytes | None
) -> None:
    tip = choose_tip(REMOTE, refs(**branches))
    assert (tip.ref, tip.commit) == (expected, branches["HEAD"])


@pytest.mark.parametrize(
    ("branches", "expected"),
    [({"main": A, "master": B}, A), ({"master": B, "x": C}, B), ({"x": C}, C)],
)
def test_without_a_head_the_usual_name_is_taken(branches: dict[str, bytes], expected: bytes) -> None:
    assert choose_tip(REMOTE, refs(**branches)).commit == expected


def test_a_choice_that_would_be_arbitrary_is_not_made() -> None:
    with pytest.raises(BranchMissing, match=r"no default branch; it has x, y: name one"):
        choose_tip(REMOTE, refs(x=A, y=B))


def test_a_long_list_of_branches_is_cut() -> None:
    remote = dataclasses.replace(REMOTE, branch=Branch("none"))
    with pytest.raises(BranchMissing, match=r"\.\.\.") as caught:
        choose_tip(remote, refs(**{f"b{number:03}": A for number in range(500)}))
    assert len(str(caught.value)) < 300


def test_a_branch_name_cannot_write_into_the_log() -> None:
    remote = dataclasses.replace(REMOTE, branch=Branch("none"))
    with pytest.raises(BranchMissing) as caught:
        choose_tip(remote, {Ref(b"refs/heads/\x1b[2J\nevil"): A})
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("commit", "reason"), [(b"a" * 64, "SHA-256"), (b"../../x", "no object id"), (b"", "id")]
)
def test_ids_we_cannot_use_are_refused(commit: bytes, reason: str) -> None:
    with pytest.raises(RepositoryBroken, match=reason):
        choose_tip(REMOTE, refs(HEAD=commit, main=commit))
