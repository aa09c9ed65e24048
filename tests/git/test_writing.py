"""What is written into a repository's folder, beside locks of the living and of the dead."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from dulwich.file import FileLocked
from dulwich.objects import Blob, ObjectID
from dulwich.refs import Ref
from dulwich.repo import Repo

from oakroot.git.deflating import Deflater
from oakroot.git.writing import OWN_PREFIX, move_ref, write_object
from tests.peers.git_servers import BareRepository, git

MAIN = Ref(b"refs/heads/main")


@pytest.fixture
def remote(tmp_path: Path) -> BareRepository:
    return BareRepository(tmp_path / "zones.git")


@pytest.fixture
def repo(remote: BareRepository) -> Iterator[Repo]:
    remote.commit({"mirage": b"one"})
    with Repo(str(remote.path)) as repo:
        yield repo


@pytest.fixture
def tips(remote: BareRepository, repo: Repo) -> tuple[ObjectID, ObjectID]:
    """The tip, and a commit on top of it, which is not the tip."""
    old = remote.tip()
    new = remote.commit({"mirage": b"two"})
    git("update-ref", "refs/heads/main", old, cwd=remote.path)
    return ObjectID(old.encode()), ObjectID(new.encode())


def lock_of(remote: BareRepository) -> Path:
    return remote.path / "refs" / "heads" / "main.lock"


def own_lock(remote: BareRepository) -> Path:
    """A lock as a process of ours has it; gives its other name."""
    own = remote.path / f"{OWN_PREFIX}test"
    own.write_text("whatever\n")
    os.link(own, lock_of(remote))
    return own


def test_a_ref_moves_from_where_it_is_expected(
    remote: BareRepository, repo: Repo, tips: tuple[ObjectID, ObjectID]
) -> None:
    old, new = tips
    assert not move_ref(repo, MAIN, new, old)
    assert remote.tip() == old.decode()
    assert move_ref(repo, MAIN, old, new)
    assert remote.tip() == new.decode()
    assert not lock_of(remote).exists()
    assert not list(remote.path.glob(f"{OWN_PREFIX}*"))
    remote.fsck()


def test_a_packed_ref_moves_too(remote: BareRepository, repo: Repo, tips: tuple[ObjectID, ObjectID]) -> None:
    git("pack-refs", "--all", cwd=remote.path)
    assert not (remote.path / "refs" / "heads" / "main").exists()
    assert move_ref(repo, MAIN, *tips)
    assert remote.tip() == tips[1].decode()


def test_a_lock_of_gits_is_respected(
    remote: BareRepository, repo: Repo, tips: tuple[ObjectID, ObjectID]
) -> None:
    lock_of(remote).touch()
    with pytest.raises(FileLocked):
        move_ref(repo, MAIN, *tips)
    assert lock_of(remote).exists()
    assert remote.tip() == tips[0].decode()


def test_a_lock_of_a_living_process_of_ours_is_respected(
    remote: BareRepository, repo: Repo, tips: tuple[ObjectID, ObjectID]
) -> None:
    with own_lock(remote).open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(FileLocked):
            move_ref(repo, MAIN, *tips)
    assert lock_of(remote).exists()


def test_a_lock_of_a_dead_process_of_ours_is_in_nobodys_way(
    remote: BareRepository, repo: Repo, tips: tuple[ObjectID, ObjectID]
) -> None:
    own = own_lock(remote)
    assert move_ref(repo, MAIN, *tips)
    assert remote.tip() == tips[1].decode()
    assert not own.exists()


def test_an_object_is_readable_by_git_and_written_once(remote: BareRepository, repo: Repo) -> None:
    blob = Blob.from_string(b"zone" * 1000)
    write_object(repo.object_store, blob, Deflater())
    write_object(repo.object_store, blob, Deflater())
    assert git("cat-file", "-p", blob.id.decode(), cwd=remote.path) == "zone" * 1000
    (file,) = remote.path.glob(f"objects/{blob.id[:2].decode()}/*")
    assert file.stat().st_mode & 0o777 == 0o444


def test_an_object_is_written_though_git_sweeps_its_empty_folder(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob = Blob.from_string(b"a zone")
    folder = Path(os.fsdecode(repo.object_store.path)) / blob.id.decode()[:2]
    make = tempfile.mkstemp

    def sweep_first(prefix: str, dir: Path) -> tuple[int, str]:  # noqa: A002 - its name there
        monkeypatch.undo()
        folder.rmdir()
        return make(prefix=prefix, dir=dir)

    monkeypatch.setattr(tempfile, "mkstemp", sweep_first)
    write_object(repo.object_store, blob, Deflater())
    assert repo.object_store[blob.id] == blob
