"""A ledger of builds in git: who agrees, who does not, and what does not count."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import struct
import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from oakroot.git.errors import FileTooLarge, RepositoryBroken
from oakroot.git.signatures import read_signers, sign
from oakroot.images.ledger import (
    Ledger,
    camps,
    disagreements,
    files_of_record,
    keys_of,
    read_ledger,
    words_of,
)
from oakroot.images.lock import Lock
from oakroot.images.record import Record
from oakroot.images.rejected import ImageError
from oakroot.images.statement import NAMESPACE, read_statement, write_statement
from tests.images.ledgers import NOON, TOOLS, Builder, Place, builder, new_ledger, record, tampered

ALICE, BOB = builder("alice"), builder("bob")
OTHER = "f" * 64
LONG = b" " * (4 * 1024 * 1024 + 1)


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


@pytest.mark.parametrize("kept", [["statement.json"], ["statement.json", "statement.json.sig"]])
def test_half_a_record_keeps_no_builder_out(
    tmp_path: Path, place: Place, made: Record, kept: list[str]
) -> None:
    def put(work: Path) -> None:
        for path, octets in written(made, BOB).items():
            if path.rpartition("/")[2] in {*kept, "lock.json"}:
                (work / path).parent.mkdir(parents=True, exist_ok=True)
                (work / path).write_bytes(octets)

    rewrite(place, tmp_path / "work", put)
    assert place.add(made, BOB)
    assert [each.builder for each in place.read().builds[0].attestations] == ["bob"]


def test_a_record_by_an_unknown_key_keeps_no_builder_out(place: Place, made: Record) -> None:
    place.add(made, Builder("bob", builder("mallory").key))
    place.add(made, ALICE)
    with place.opened() as repository:
        seen = repository.read(None)[1].commit
    assert place.add(made, BOB)
    assert [each.builder for each in place.read(since=seen).builds[0].attestations] == ["alice", "bob"]


def test_a_record_with_an_older_key_that_counts_is_not_replaced(tmp_path: Path, made: Record) -> None:
    older = Builder("bob", builder("older").key)
    place = new_ledger(tmp_path / "builds.git", older, BOB)
    place.add(made, older)
    with pytest.raises(ImageError, match=r"bob has recorded primary .* with another key: SHA256:"):
        place.add(made, BOB)
    assert place.read().builds[0].attestations[0].key == older.key.fingerprint


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
        ("lock.json", b'{"format": 1, "commit": "", "epoch": 1e400, "inputs": []}', "lock file:"),
        ("lock.json", LONG, "lock.json has 4194305 octets"),
        ("alice/statement.json", LONG, "statement.json has 4194305 octets"),
        ("alice/contents.txt", LONG, "contents.txt has 4194305 octets"),
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


def in_memory(files: Mapping[str, bytes], *builders: Builder) -> Ledger:
    """The ledger of these files."""
    return read_ledger(files, lambda path: files[path], read_signers("".join(each.line for each in builders)))


def written(made: Record, who: Builder) -> dict[str, bytes]:
    """What Oakroot records of an image."""
    statement = write_statement(made, who.name, TOOLS, NOON)
    return files_of_record(made, statement, sign(statement, who.key, NAMESPACE), who.name)


def by_hand(
    made: Record, lock: Lock, contents: bytes = b"", finished: str = "2025-06-15T15:06:40Z", tool: str = "1"
) -> dict[str, bytes]:
    """What bob signs, who may, but does not write it with Oakroot."""
    folder, text = f"builds/primary/{lock.fingerprint('primary')}", lock.text().encode()
    value = json.loads(write_statement(made, "bob", {"oakroot": tool}, NOON))
    value["predicate"]["buildDefinition"]["externalParameters"]["build"] = lock.fingerprint("primary")
    value["predicate"]["runDetails"]["metadata"]["finishedOn"] = finished
    value["subject"] = [
        {"name": name, "digest": {"sha256": hashlib.sha256(octets).hexdigest()}}
        for name, octets in (("lock.json", text), ("contents.txt", contents))
    ]
    statement = json.dumps(value).encode()
    return {
        f"{folder}/lock.json": text,
        f"{folder}/bob/statement.json": statement,
        f"{folder}/bob/statement.json.sig": sign(statement, BOB.key, NAMESPACE),
        f"{folder}/bob/contents.txt": contents,
    }


def test_what_is_signed_by_hand_counts_if_it_can_be_compared(made: Record) -> None:
    ledger = in_memory(written(made, ALICE) | by_hand(made, made.lock), ALICE, BOB)
    assert [each.builder for each in ledger.builds[0].attestations] == ["alice", "bob"]
    assert not ledger.troubles


@pytest.mark.parametrize("contents", [b"garbage", b"\xff", f"{OTHER} 12 \n".encode()])
def test_a_signed_list_of_files_that_is_none_does_not_count(made: Record, contents: bytes) -> None:
    ledger = in_memory(written(made, ALICE) | by_hand(made, made.lock, contents), ALICE, BOB)
    assert [each.builder for each in ledger.builds[0].attestations] == ["alice"]
    assert [each.reason for each in ledger.troubles] == ["contents.txt: line 1 is no hash, size and path"]


@pytest.mark.parametrize(
    "finished",
    [
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "1969-12-31T23:59:59Z",
        "2106-02-07T06:28:16Z",
        "2025-06-15T12:00:00",
    ],
)
def test_a_signed_statement_of_an_impossible_time_does_not_count(made: Record, finished: str) -> None:
    ledger = in_memory(written(made, ALICE) | by_hand(made, made.lock, finished=finished), ALICE, BOB)
    assert [each.builder for each in ledger.builds[0].attestations] == ["alice"]
    assert len(ledger.troubles) == 1


def test_a_signed_record_of_too_few_inputs_does_not_count(made: Record) -> None:
    ledger = in_memory(written(made, ALICE) | by_hand(made, Lock("", NOON, ())), ALICE, BOB)
    assert [each.name for each in ledger.builds] == [made.name]
    assert len(ledger.troubles) == 1
    assert "0 kernels (linux-image-…) where one" in ledger.troubles[0].reason


def test_text_that_no_file_can_hold_does_not_count(made: Record) -> None:
    first, *others = made.lock.inputs
    half = replace(made.lock, inputs=(replace(first, version="\ud800"), *others))
    spoilt = by_hand(made, half) | by_hand(made, made.lock, tool="\ud800")
    ledger = in_memory(written(made, ALICE) | spoilt, ALICE, BOB)
    assert [each.builder for build in ledger.builds for each in build.attestations] == ["alice"]
    assert len(ledger.troubles) == 3


def test_a_signature_by_an_impossible_key_does_not_count(made: Record) -> None:
    def string(octets: bytes) -> bytes:
        return struct.pack(">I", len(octets)) + octets

    negative = string(b"ssh-rsa") + string(b"\x03") + string(b"\xff" * 32)
    end = string(b"") + string(b"sha512") + string(string(b"rsa-sha2-512") + string(b""))
    octets = b"SSHSIG\0\0\0\1" + string(negative) + string(NAMESPACE.encode()) + end
    armoured = b"-----BEGIN SSH SIGNATURE-----\n%s\n-----END SSH SIGNATURE-----\n"
    spoilt = {f"builds/primary/{made.name}/bob/statement.json.sig": armoured % base64.b64encode(octets)}
    ledger = in_memory(written(made, ALICE) | by_hand(made, made.lock) | spoilt, ALICE, BOB)
    assert [each.builder for each in ledger.builds[0].attestations] == ["alice"]
    assert len(ledger.troubles) == 1


@pytest.mark.parametrize("problem", [FileTooLarge("too large"), RepositoryBroken("damaged")])
def test_a_lock_file_that_git_cannot_give_is_named(made: Record, problem: Exception) -> None:
    files = written(made, ALICE)
    other = f"builds/primary/{OTHER}/lock.json"

    def read(path: str) -> bytes:
        if path == other:
            raise problem
        return files[path]

    ledger = read_ledger([*files, other], read, read_signers(ALICE.line))
    assert [str(each) for each in ledger.troubles] == [f"{other}: {problem}"]
    assert ledger.builds


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
