"""The state directory: old file or new file, never half of one; what is broken is named."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from oakroot._engine import Zone
from oakroot.secondary import storage
from oakroot.secondary.directory import Keeper, StateDirectory
from oakroot.secondary.events import ForgetZone, StoreCheck, StoredZone, StoreZone
from tests.secondary.authority import ZONE, hosts, make_zone


def load(path: Path) -> list[StoredZone]:
    return list(StateDirectory(path).load())


def kept(path: Path) -> dict[str, tuple[int, float]]:
    return {stored.zone.apex: (stored.zone.serial, stored.checked) for stored in load(path)}


def files(path: Path) -> list[str]:
    """But the one that is there to be locked."""
    return sorted(file.name for file in path.iterdir() if file.name != ".lock")


def test_zones_are_kept(tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path / "state" / "deep")
    directory.do(StoreZone(make_zone(7), 100.0))
    directory.do(StoreZone(make_zone(1, apex="."), 200.0))
    assert kept(tmp_path / "state" / "deep") == {ZONE: (7, 100.0), ".": (1, 200.0)}


def test_a_newer_version_takes_the_place_of_the_older(tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path)
    directory.do(StoreZone(make_zone(7), 100.0))
    directory.do(StoreZone(make_zone(8), 150.0))
    assert kept(tmp_path) == {ZONE: (8, 150.0)}
    assert files(tmp_path) == ["example.org.zone"]


def test_a_check_is_kept_without_writing_the_zone_again(tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path)
    directory.do(StoreZone(make_zone(7), 100.0))
    before = (tmp_path / "example.org.zone").stat().st_ino
    directory.do(StoreCheck(ZONE, 7, 300.0))
    assert (tmp_path / "example.org.zone").stat().st_ino == before
    assert kept(tmp_path) == {ZONE: (7, 300.0)}


def test_a_check_of_another_version_does_not_count(tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path)
    directory.do(StoreZone(make_zone(7), 100.0))
    directory.do(StoreCheck(ZONE, 7, 300.0))
    directory.do(StoreZone(make_zone(8), 200.0))
    assert kept(tmp_path) == {ZONE: (8, 200.0)}


def test_a_forgotten_zone_leaves_nothing(tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path)
    directory.do(StoreZone(make_zone(7), 100.0))
    directory.do(StoreCheck(ZONE, 7, 300.0))
    directory.do(ForgetZone(ZONE))
    directory.do(ForgetZone(ZONE))
    assert files(tmp_path) == []


def test_a_broken_file_is_refused_by_name_and_others_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory = StateDirectory(tmp_path)
    directory.do(StoreZone(make_zone(7), 100.0))
    directory.do(StoreZone(make_zone(1, apex="mirage."), 100.0))
    broken = tmp_path / "mirage.zone"
    broken.write_bytes(broken.read_bytes()[:-40])
    assert kept(tmp_path) == {ZONE: (7, 100.0)}
    assert f"{broken}: refused, its zone is fetched anew: the checksum is wrong" in caplog.text


def test_a_broken_check_leaves_the_time_of_the_transfer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory = StateDirectory(tmp_path)
    directory.do(StoreZone(make_zone(7), 100.0))
    (tmp_path / "example.org.checked").write_bytes(b"")
    assert kept(tmp_path) == {ZONE: (7, 100.0)}
    assert "example.org.checked: refused" in caplog.text


def test_what_a_crash_left_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "example.org.zone.new").write_bytes(b"half")
    assert load(tmp_path) == []
    assert files(tmp_path) == []


@contextmanager
def writing(path: Path, zone: Zone, checked: float, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another process of ours is in the middle of writing a zone, and ends it afterwards."""
    entered, go_on = threading.Event(), threading.Event()
    whole = storage.write_zone

    def slowly(zone: Zone, checked: float) -> Iterator[bytes]:
        head, *pieces = whole(zone, checked)
        yield head
        entered.set()
        assert go_on.wait(20)
        yield from pieces

    monkeypatch.setattr(storage, "write_zone", slowly)
    keeper = Keeper(StateDirectory(path))
    keeper.put(StoreZone(zone, checked))
    assert entered.wait(20)
    monkeypatch.setattr(storage, "write_zone", whole)
    try:
        yield
    finally:
        go_on.set()
        assert keeper.close(20)


def test_what_a_living_process_writes_is_not_cleared_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with writing(tmp_path, make_zone(7), 100.0, monkeypatch):
        assert load(tmp_path) == []
    assert kept(tmp_path) == {ZONE: (7, 100.0)}
    assert caplog.text == ""


def test_two_processes_write_one_zone_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with writing(tmp_path, make_zone(7, *hosts(50)), 100.0, monkeypatch):
        successor = Keeper(StateDirectory(tmp_path))
        successor.put(StoreZone(make_zone(8), 150.0))
        assert not successor.close(0.05)
    assert successor.close(20)
    assert kept(tmp_path) == {ZONE: (8, 150.0)}
    assert caplog.text == ""
    assert files(tmp_path) == ["example.org.zone"]


def test_what_an_elder_process_knows_does_not_replace_what_is_newer(tmp_path: Path) -> None:
    elder, successor = StateDirectory(tmp_path), StateDirectory(tmp_path)
    successor.do(StoreZone(make_zone(8), 150.0))
    successor.do(StoreCheck(ZONE, 8, 170.0))
    elder.do(StoreZone(make_zone(7), 149.0))
    elder.do(StoreCheck(ZONE, 7, 160.0))
    assert kept(tmp_path) == {ZONE: (8, 170.0)}


def test_a_zone_of_a_clock_that_was_wrong_is_replaced(tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path)
    directory.do(StoreZone(make_zone(7), time.time() + 1e6))
    directory.do(StoreZone(make_zone(8), 100.0))
    assert kept(tmp_path) == {ZONE: (8, 100.0)}


def test_a_failing_disk_leaves_the_old_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = StateDirectory(tmp_path)
    directory.do(StoreZone(make_zone(7), 100.0))

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        directory.do(StoreZone(make_zone(8), 200.0))
    assert kept(tmp_path) == {ZONE: (7, 100.0)}
    assert files(tmp_path) == ["example.org.zone"]


def test_a_place_that_cannot_be_a_directory_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        StateDirectory(tmp_path / "file")


class SlowDirectory(StateDirectory):
    """Waits in its first task until it is told to go on, and remembers all tasks."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.tasks: list[StoreZone | StoreCheck | ForgetZone] = []
        self.entered = threading.Event()
        self.go_on = threading.Event()

    def do(self, task: StoreZone | StoreCheck | ForgetZone) -> None:
        self.tasks.append(task)
        self.entered.set()
        assert self.go_on.wait(20)
        super().do(task)


def test_of_several_tasks_for_one_zone_the_last_is_done(tmp_path: Path) -> None:
    directory = SlowDirectory(tmp_path)
    keeper = Keeper(directory)
    keeper.put(StoreZone(make_zone(1), 1.0))
    assert directory.entered.wait(20)
    for serial in range(2, 6):
        keeper.put(StoreZone(make_zone(serial, *hosts(3)), float(serial)))
    keeper.put(StoreCheck(ZONE, 5, 9.0))
    directory.go_on.set()
    assert keeper.close(20)
    assert len(directory.tasks) == 2
    assert kept(tmp_path) == {ZONE: (5, 9.0)}


def test_all_that_was_put_is_done_before_the_end(tmp_path: Path) -> None:
    keeper = Keeper(StateDirectory(tmp_path))
    apexes = [f"zone{number}.example." for number in range(30)]
    for apex in apexes:
        keeper.put(StoreZone(make_zone(1, apex=apex), 1.0))
    assert keeper.close(20)
    assert sorted(kept(tmp_path)) == sorted(apexes)


def test_a_disk_that_hangs_does_not_keep_the_end_from_coming(tmp_path: Path) -> None:
    directory = SlowDirectory(tmp_path)
    keeper = Keeper(directory)
    keeper.put(StoreZone(make_zone(1), 1.0))
    assert directory.entered.wait(20)
    assert not keeper.close(0.0)
    directory.go_on.set()
    assert keeper.close(20)


def test_a_failing_disk_is_told_and_does_not_end_the_thread(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(StateDirectory):
        def do(self, task: StoreZone | StoreCheck | ForgetZone) -> None:
            if isinstance(task, StoreZone) and task.zone.serial == 1:
                raise OSError(28, "No space left on device", "example.org.zone.new")
            super().do(task)

    keeper = Keeper(Failing(tmp_path))
    with caplog.at_level(logging.ERROR):
        keeper.put(StoreZone(make_zone(1), 1.0))
        keeper.put(StoreZone(make_zone(2, apex="mirage."), 1.0))
        assert keeper.close(20)
    assert "could not be kept on disk: example.org.zone.new: No space left on device" in caplog.text
    assert kept(tmp_path) == {"mirage.": (2, 1.0)}
