"""Our own copy: whose it is, what it costs over the years, and what happens when it is damaged."""

from __future__ import annotations

import dataclasses
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest
from dulwich.objects import Blob, ObjectID

from oakroot.git.copy import HAVES, SINGLE_OBJECTS_LIMIT, Copy, RecentCommits
from oakroot.git.credentials import Credentials
from oakroot.git.errors import InvalidSetting, RepositoryBroken, StorageFailed
from oakroot.git.repository import RemoteRepository
from tests.git.conftest import Opener, Place

COMMIT = ObjectID(b"1" * 40)
DAMAGED_PACK = b"PACK" + (2).to_bytes(4) + (1).to_bytes(4) + b"no object"


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.fixture
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_copy_is_ours_alone_and_goes_with_us(
    make_place: Callable[[str], Place], temporary_folder: Path
) -> None:
    place = make_place("git")
    place.repository.commit({"_keys": b"secret"})
    with RemoteRepository(place.remote, place.credentials) as copy:
        copy.fetch()
        [folder] = temporary_folder.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_kept_copy_is_ours_alone_and_stays(tmp_path: Path) -> None:
    Copy(tmp_path / "below" / "copy").close()
    assert stat.S_IMODE((tmp_path / "below" / "copy").stat().st_mode) == 0o700
    Copy(tmp_path / "below" / "copy").close()


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear")
    with pytest.raises(InvalidSetting, match="empty folder"):
        Copy(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["letter"]


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageFailed, match="file"):
        Copy(tmp_path / "file" / "copy")


def test_a_lock_of_a_dead_process_is_in_nobodys_way(tmp_path: Path) -> None:
    Copy(tmp_path).close()
    (tmp_path / "shallow.lock").touch()
    with closing(Copy(tmp_path)) as copy:
        assert not (tmp_path / "shallow.lock").exists()
        (tmp_path / "shallow.lock").touch()
        copy.update_shallow({COMMIT}, None)
        assert copy.shallow == {COMMIT}


def test_a_lock_of_a_living_process_is_respected(tmp_path: Path) -> None:
    with closing(Copy(tmp_path)), closing(Copy(tmp_path)):
        (tmp_path / "shallow.lock").touch()
        with closing(Copy(tmp_path)) as successor:
            assert (tmp_path / "shallow.lock").exists()
            with pytest.raises(StorageFailed, match=r"another process is writing .*shallow"):
                successor.update_shallow({COMMIT}, None)


def test_what_a_living_process_receives_is_not_swept_away(tmp_path: Path) -> None:
    with closing(Copy(tmp_path)) as elder:
        received = Path(elder.objects.path) / "tmp_pack_elder"
        received.touch()
        with closing(Copy(tmp_path)) as successor:
            with pytest.raises(Exception, match=r"."):
                successor.take_pack(BytesIO(DAMAGED_PACK))
            assert received.exists()
        with pytest.raises(Exception, match=r"."):
            elder.take_pack(BytesIO(DAMAGED_PACK))
        assert not received.exists()


def test_small_fetches_cost_no_file_descriptors(make_place: Callable[[str], Place], tmp_path: Path) -> None:
    place = make_place("git")
    place.repository.commit({"example.org": b"0"})
    with RemoteRepository(place.remote, Credentials(), directory=tmp_path / "copy") as copy:
        copy.fetch()
        before = open_files()
        for number in range(1, 15):
            place.repository.commit({"example.org": b"%d" % number})
            head = copy.fetch()
            assert copy.read(head, "example.org") == b"%d" % number
        assert open_files() <= before
        assert list((tmp_path / "copy" / "objects" / "pack").iterdir()) == []


def test_many_single_objects_become_one_pack(tmp_path: Path) -> None:
    blobs = [Blob.from_string(b"%d" % number) for number in range(SINGLE_OBJECTS_LIMIT + 1)]
    copy = Copy(tmp_path)
    copy.add(blobs)
    assert len(list(tmp_path.glob("objects/pack/*.pack"))) == 1
    assert copy.objects.count_loose_objects() == 0
    assert copy.blob(blobs[7].id) == b"7"
    copy.close()


def test_a_damaged_object_is_reported(make_place: Callable[[str], Place], tmp_path: Path) -> None:
    place = make_place("git")
    place.repository.commit({"example.org": b"zone"})
    with RemoteRepository(place.remote, place.credentials, directory=tmp_path) as copy:
        head = copy.fetch()
        blob = copy.files(head)["example.org"]
        file = tmp_path / "objects" / blob[:2] / blob[2:]
        file.chmod(0o600)
        file.write_bytes(b"rubbish")
        with pytest.raises(RepositoryBroken, match=blob):
            copy.blob(blob)
        file.unlink()
        with pytest.raises(RepositoryBroken, match="missing"):
            copy.blob(blob)


def test_a_copy_that_lost_its_head_fetches_again(make_place: Callable[[str], Place], tmp_path: Path) -> None:
    place = make_place("git")
    commit = place.repository.commit({"example.org": b"zone"})
    with RemoteRepository(place.remote, place.credentials, directory=tmp_path) as copy:
        copy.fetch()
        (tmp_path / "objects" / commit[:2] / commit[2:]).unlink()
        head = copy.fetch()
        assert (head.commit, head.previous) == (commit, None)
        assert copy.read(head, "example.org") == b"zone"


def test_files_that_are_no_text_come_through(place: Place, open_copy: Opener) -> None:
    junk = bytes(range(256)) * 300
    commit = place.repository.commit(
        {"junk": junk, "latin\udce4": b"name", "link": b"/etc/passwd", "module": b"1" * 40},
        modes={"link": "120000", "module": "160000"},
    )
    copy = open_copy(place)
    head = copy.fetch()
    assert head.commit == commit
    files = copy.files(head)
    assert dict(files) == {"junk": files["junk"]}
    assert set(files.left_out) == {r"latin\xe4", "link", "module"}
    assert copy.blob(files["junk"]) == junk


def test_what_is_told_to_a_server_is_bounded_and_stops_at_common_ground() -> None:
    chain = {ObjectID(b"%040x" % number): [ObjectID(b"%040x" % (number + 1))] for number in range(1000)}
    walker = RecentCommits(next(iter(chain)), set(), chain.__getitem__)
    told = list(iter(walker.__next__, None))
    assert told == list(chain)[:HAVES]
    walker = RecentCommits(next(iter(chain)), set(), chain.__getitem__)
    walker.__next__()
    walker.ack(next(iter(chain)))
    assert walker.__next__() is None
    assert RecentCommits(None, set(), chain.__getitem__).__next__() is None


def test_clocks_that_go_wrong_do_not_look_like_a_rewritten_history(
    make_place: Callable[[str], Place], open_copy: Opener
) -> None:
    place = make_place("git")
    place.repository.commit({"example.org": b"0"}, at=1_795_300_000)
    copy = open_copy(place)
    copy.fetch()
    for moment in (1_700_000_000, 1_600_000_000, 1_795_400_000):
        place.repository.commit({"example.org": b"%d" % moment}, at=moment)
    assert not copy.fetch().rewritten


def test_two_remotes_do_not_share_a_copy_unnoticed(
    make_place: Callable[[str], Place], tmp_path: Path
) -> None:
    first, second = make_place("git"), make_place("git")
    first.repository.commit({"example.org": b"first"})
    second.repository.commit({"example.org": b"second"}, at=1)
    with RemoteRepository(first.remote, Credentials(), directory=tmp_path) as copy:
        copy.fetch()
    other = dataclasses.replace(first, remote=second.remote)
    with RemoteRepository(other.remote, Credentials(), directory=tmp_path) as copy:
        head = copy.fetch()
        assert head.rewritten
        assert copy.read(head, "example.org") == b"second"
