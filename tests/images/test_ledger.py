"""A ledger of builds in git: who agrees, who does not, and what does not count."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from oakroot.images.ledger import camps, disagreements, keys_of, words_of
from oakroot.images.record import Record
from oakroot.images.rejected import ImageError
from oakroot.images.statement import read_statement, write_statement
from tests.images.ledgers import NOON, TOOLS, Builder, Place, builder, new_ledger, record, tampered

ALICE, BOB = builder("alice"), builder("bob")
OTHER = "f" * 64


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return record(tmp_path_factory.mktemp("inputs"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return new_ledger(tmp_path / "builds.git", ALICE, BOB)


def rewrite(place: Place, work: Path, change: Callable[[Path], None], *push: str) -> None:
    """Somebody changes the ledger with git itself."""

    def git(*words: str, folder: Path = work) -> None:
        who = ["-c", "user.name=mallory", "-c", "user.email=mallory@example.org"]
        subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)

    git("clone", "--quiet", str(place.directory), str(work), folder=place.directory.parent)
    change(work)
    git("add", "--all")
    git("commit", "--quiet", "--message=Change")
    git("push", "--quiet", *push)


def test_two_who_made_the_same_agree(place: Place, made: Record) -> None:
    place.add(made, ALICE)
    place.add(made, BOB, NOON + 60)
    (build,) = place.read().builds
    assert [each.builder for each in build.attestations] == ["alice", "bob"]
    assert len(camps(build)) == 1
    assert keys_of(build.attestations) == 2


def test_what_was_recorded_is_recorded_once(place: Place, made: Record) -> None:
    assert place.add(made, ALICE)
    assert not place.add(made, ALICE, NOON + 60)


def test_a_record_is_never_replaced_by_another(place: Place, made: Record) -> None:
    place.add(made, ALICE)
    with pytest.raises(ImageError, match=r"alice has recorded another result of primary .*: initramfs"):
        place.add(tampered(made, {"initramfs": OTHER}), ALICE)
    assert place.read().builds[0].attestations[0].record.outputs == made.outputs


def test_who_made_something_else_is_named_with_what_differs(place: Place, made: Record) -> None:
    place.add(made, ALICE)
    place.add(tampered(made, {"initramfs": OTHER, "vmlinuz": OTHER}), BOB)
    (build,) = place.read().builds
    assert list(words_of(build)) == [
        f"{build.label}: alice made the same (1 key)",
        f"{build.label}: bob has another result: changed initramfs",
        f"{build.label}: bob has another result: changed vmlinuz",
    ]


def test_a_file_inside_the_initramfs_is_named_where_builders_differ(place: Place, made: Record) -> None:
    line = next(line for line in made.contents.splitlines() if line.endswith(" init"))
    other = made.contents.replace(line, OTHER + line[64:])
    digest = hashlib.sha256(other.encode()).hexdigest()
    place.add(made, ALICE)
    place.add(replace(tampered(made, {"contents.txt": digest}), contents=other), BOB)
    first, second = place.read().builds[0].attestations
    found = list(disagreements(first.record, [second]))
    assert "bob has another result: initramfs: changed init" in found


def test_one_key_under_two_names_counts_once(tmp_path: Path, made: Record) -> None:
    twin = Builder("carol", ALICE.key)
    place = new_ledger(tmp_path / "builds.git", ALICE, twin)
    place.add(made, ALICE)
    place.add(made, twin)
    assert keys_of(place.read().builds[0].attestations) == 1


def test_the_reader_says_whose_word_counts(place: Place, made: Record) -> None:
    place.add(made, ALICE)
    place.add(made, BOB)
    ledger = place.read(signers=BOB.line)
    assert [each.builder for each in ledger.builds[0].attestations] == ["bob"]
    assert [str(each) for each in ledger.troubles if "none of alice's" in each.reason]


def test_many_who_write_at_once_all_get_in(tmp_path: Path, made: Record) -> None:
    builders = [builder(f"builder-{number}") for number in range(4)]
    place = new_ledger(tmp_path / "builds.git", *builders)
    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(lambda who: place.add(made, who), builders))
    assert len(place.read().builds[0].attestations) == 4


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("alice/statement.json", b"{}", "not of this file"),
        ("alice/statement.json.sig", b"-----BEGIN SSH SIGNATURE-----\nU1NIU0", "signature is broken"),
        ("alice/contents.txt", b"", "contents.txt is not the one that the statement speaks of"),
        ("lock.json", b'{"format": 1', "lock file:"),
        ("lock.json", b"[" * 100_000, "lock file:"),
        ("alice/more.txt", b"", "belongs to no record"),
    ],
)
def test_a_broken_record_is_named_and_takes_no_other_away(
    tmp_path: Path, place: Place, made: Record, file: str, content: bytes, reason: str
) -> None:
    later = record(tmp_path / "later", b"serve(2)\n")
    place.add(made, ALICE)
    place.add(later, BOB, NOON + 60)

    def spoil(work: Path) -> None:
        (work / "builds" / "primary" / made.name / file).write_bytes(content)

    rewrite(place, tmp_path / "work", spoil)
    ledger = place.read()
    assert later.name in [build.name for build in ledger.builds]
    assert any(reason in str(each) for each in ledger.troubles), ledger.troubles


def test_a_record_moved_to_another_build_does_not_count(tmp_path: Path, place: Place, made: Record) -> None:
    later = record(tmp_path / "later", b"serve(2)\n")
    place.add(made, ALICE)
    place.add(later, BOB)

    def move(work: Path) -> None:
        builds = work / "builds" / "primary"
        shutil.copytree(builds / made.name / "alice", builds / later.name / "alice")

    rewrite(place, tmp_path / "work", move)
    assert any("about another build" in each.reason for each in place.read().troubles)


def test_what_is_gone_since_a_commit_is_noticed(tmp_path: Path, place: Place, made: Record) -> None:
    place.add(made, ALICE)
    with place.opened() as repository:
        seen = repository.read(None)[1].commit
    place.add(made, BOB)
    assert place.read(since=seen).builds
    rewrite(
        place,
        tmp_path / "work",
        lambda work: shutil.rmtree(work / "builds" / "primary" / made.name / "alice"),
    )
    with pytest.raises(ImageError, match=r"has lost what was recorded: .*/alice/"):
        place.read(since=seen)


def test_a_rewritten_history_is_noticed(tmp_path: Path, place: Place, made: Record) -> None:
    place.add(made, ALICE)
    with place.opened() as repository:
        seen = repository.read(None)[1].commit
    subprocess.run(
        ["git", "update-ref", "refs/heads/main", "refs/heads/main~1"], cwd=place.directory, check=True
    )
    with pytest.raises(ImageError, match="not in the ledger's history"):
        place.read(since=seen)


def test_a_repository_of_zones_is_no_ledger(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", "--bare", tmp_path / "zones.git"], check=True)
    zones = Place(tmp_path / "zones.git")
    rewrite(zones, tmp_path / "work", lambda work: (work / "mirage").touch())
    with pytest.raises(ImageError, match="is no ledger"):
        zones.read()


def test_a_builder_needs_a_plain_name(place: Place, made: Record) -> None:
    for name in ("", "../alice", "a/b", "Alice", "-x"):
        with pytest.raises(ImageError, match="no name for a builder"):
            place.add(made, Builder(name, ALICE.key))


def test_a_statement_is_in_totos_and_reads_as_it_was_written(made: Record) -> None:
    octets = write_statement(made, "alice", TOOLS, NOON)
    value = json.loads(octets)
    assert value["_type"] == "https://in-toto.io/Statement/v1"
    assert value["predicateType"] == "https://slsa.dev/provenance/v1"
    assert {each["uri"] for each in value["predicate"]["buildDefinition"]["resolvedDependencies"][1:]} == {
        each.purl for each in made.inputs
    }
    said = read_statement(octets)
    assert (said.outputs, said.builder, said.moment, said.tools) == (made.outputs, "alice", NOON, TOOLS)


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "cannot be read"),
        (b"[]", "cannot be read"),
        (b"{}", "lacks '_type'"),
        (b'{"_type": "x", "predicateType": "y"}', "no in-toto statement"),
        (b"[" * 100_000, "cannot be read"),
        (b"\xff", "cannot be read"),
    ],
)
def test_a_statement_that_is_none_says_why(octets: bytes, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        read_statement(octets)
