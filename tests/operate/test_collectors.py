"""Where frames go: files that are begun anew, and collectors that are away, stall, die or speak otherwise."""

from __future__ import annotations

import errno
import logging
import os
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import pytest

from oakroot.operate import collectors
from oakroot.operate.collectors import Collector, Count, Destination, FrameFile, LineFile
from oakroot.operate.framestream import Control, control, data
from tests.operate.collector import agree, collecting, take_all
from tests.peers.git_servers import wait_until

START, STOP = control(Control.START), control(Control.STOP)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "collector"


@contextmanager
def collector(path: Path) -> Iterator[tuple[Collector, Count]]:
    count = Count()
    made = Collector(Destination("unix", path), count)
    yield made, count
    made.close()


def turn_until(made: Collector, what: str, condition: Callable[[], bool]) -> None:
    def turned() -> bool:
        made.turn()
        return condition()

    wait_until(what, turned)


def test_a_file_has_its_frames_between_start_and_stop(tmp_path: Path) -> None:
    path, count = tmp_path / "tap", Count()
    file = FrameFile(path, count)
    file.put([b"one", b"two"])
    file.put([b"three"])
    file.close()
    assert path.read_bytes() == START + data(b"one") + data(b"two") + data(b"three") + STOP
    assert count == Count(written=3)


def test_what_was_written_before_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "tap"
    for content in (b"eldest", b"elder"):
        path.write_bytes(content)
        os.utime(path, (1_795_305_600, 1_795_305_600))
        FrameFile(path, Count()).close()
        assert path.read_bytes() == START + STOP
        path.unlink()
    assert (tmp_path / "tap.20261122T000000Z").read_bytes() == b"eldest"
    assert (tmp_path / "tap.20261122T000000Z.1").read_bytes() == b"elder"


def test_a_file_that_was_rotated_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "tap"
    file = FrameFile(path, Count())
    file.put([b"one"])
    path.rename(tmp_path / "tap.1")
    file.reopen()
    file.put([b"two"])
    file.close()
    assert (tmp_path / "tap.1").read_bytes() == START + data(b"one") + STOP
    assert path.read_bytes() == START + data(b"two") + STOP


def make_folder(path: Path) -> None:
    path.mkdir()


def make_link(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))
    path.with_name("elsewhere").write_bytes(b"precious")


@pytest.mark.parametrize("make", [make_folder, make_link, os.mkfifo])
def test_what_is_no_regular_file_is_left_alone(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "tap"
    make(path)
    before = path.lstat(), sorted(tmp_path.iterdir())
    assert "no regular file" in (FrameFile(path, Count()).trouble or "")
    assert (path.lstat(), sorted(tmp_path.iterdir())) == before


def test_an_empty_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "tap"
    path.touch()
    path.chmod(0o604)
    FrameFile(path, Count()).close()
    assert path.read_bytes() == START + STOP
    assert path.stat().st_mode & 0o777 == 0o604


@pytest.mark.parametrize("kind", [FrameFile, LineFile])
def test_a_new_file_is_not_for_everybody(tmp_path: Path, kind: type[FrameFile | LineFile]) -> None:
    umask = os.umask(0)
    try:
        kind(tmp_path / "tap", Count()).close()
    finally:
        os.umask(umask)
    assert (tmp_path / "tap").stat().st_mode & 0o777 == 0o640


def test_a_file_without_room_for_its_first_word_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: FileIO, _octets: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(collectors, "_write", full)
    assert FrameFile(tmp_path / "tap", Count()).trouble == "No space left on device"


def test_a_fifo_that_nobody_reads_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    os.mkfifo(path)
    assert LineFile(path, Count()).trouble == "No such device or address"


def test_a_fifo_that_is_read_slowly_loses_lines(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, count = tmp_path / "lines", Count()
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    lines = LineFile(path, count)
    lines.put(["first"])
    lines.put(["x" * (1 << 20)])
    assert os.read(reader, 6) == b"first\n"
    lines.close()
    os.close(reader)
    assert count == Count(written=1, dropped=1)
    assert "not read as fast as it is written" in caplog.text


def test_a_full_disk_is_told_once_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, count = tmp_path / "lines", Count()
    path.symlink_to("/dev/full")
    lines = LineFile(path, count)
    for _ in range(2):
        lines.put(["line"])
    assert count == Count(dropped=2)
    path.unlink()
    lines.put(["line"])
    lines.close()
    assert path.read_text() == "line\n"
    levels = [record.levelno for record in caplog.records if record.levelno > logging.INFO]
    assert levels == [logging.WARNING]
    assert "No space left on device" in caplog.text


def test_a_collector_gets_all_frames_and_says_so(place: Path) -> None:
    with collecting(place, take_all) as listening:
        with collector(place) as (made, count):
            made.put([b"one", b"two"])
            turn_until(made, "frames to be sent", lambda: count.written == 2)
        wait_until("the end of the stream", lambda: bool(listening.streams))
    assert listening.streams == [data(b"one") + data(b"two") + STOP]


def test_a_collector_that_comes_late_gets_what_waits(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    with collector(place) as (made, count):
        made.put([b"early"])
        made.turn()
        made.turn()
        assert caplog.text.count("cannot be written to") == 1
        with collecting(place, take_all):
            made.reopen()
            turn_until(made, "frames to be sent", lambda: count.written == 1)
            made.close()


def test_tries_come_less_and_less_often(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, tries = [0.0], []
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def connect(_self: Collector) -> None:
        tries.append(now[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(Collector, "_connect", connect)
    made = Collector(Destination("unix", place), Count())
    for second in range(200):
        now[0] = float(second)
        made.turn()
    assert tries == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0, 123.0, 183.0]


def test_a_collector_that_dies_costs_what_was_under_way(place: Path) -> None:
    def die(connection: socket.socket, _taken: bytearray) -> None:
        agree(connection)

    with collector(place) as (made, count):
        with collecting(place, die) as listening:
            turn_until(made, "the collector to die", lambda: bool(listening.streams))
        turn_until(made, "that to be noticed", lambda: made._socket is None)  # noqa: SLF001 - nothing is sent
        with collecting(place, take_all) as again:
            made.put([b"whole"])
            made.reopen()
            turn_until(made, "frames to be sent", lambda: count.written == 1)
            made.close()
            wait_until("the end of the stream", lambda: bool(again.streams))
    assert again.streams == [data(b"whole") + STOP]
    assert count == Count(written=1)


def test_a_collector_that_stalls_holds_no_more_than_is_allowed(
    place: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(collectors, "WAITING_LIMIT", 1 << 20)
    ends: list[socket.socket] = []

    def stall(connection: socket.socket, _taken: bytearray) -> None:
        agree(connection)
        ends.append(connection.dup())

    with collecting(place, stall), collector(place) as (made, count):
        turn_until(made, "the collector to agree", lambda: bool(ends))
        for _ in range(100):
            made.put([bytes(1 << 16)])
            made.turn()
        assert count.dropped > 50
        assert count.written * (1 << 16) + made._waiting_octets <= 3 << 20  # noqa: SLF001 - that is the bound
        now[0] += collectors.PATIENCE + 1
        made.turn()
        assert "does not take what is sent" in caplog.text
    for end in ends:
        end.close()


def test_of_many_frames_at_once_those_wait_that_find_room(place: Path) -> None:
    with collector(place) as (made, count):
        made.put([bytes(1 << 10)] * (2 * collectors.WAITING_LIMIT >> 10))
        waiting = made._waiting_octets  # noqa: SLF001 - nobody has taken any yet
        assert collectors.WAITING_LIMIT - (1 << 16) < waiting <= collectors.WAITING_LIMIT
        assert count.written == 0
        assert collectors.WAITING_LIMIT >> 10 <= count.dropped < collectors.WAITING_LIMIT >> 9


def test_an_end_waits_for_the_collectors_word(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silent, turns = threading.Event(), [0]
    monkeypatch.setattr(collectors, "PARTING", 0.3)

    def be_silent(_connection: socket.socket, _taken: bytearray) -> None:
        silent.wait(20)

    with collecting(place, be_silent):
        with collector(place) as (made, count):
            made.put([b"frame"])
            made.turn()
            turn = made.turn

            def counted() -> None:
                turns[0] += 1
                turn()

            monkeypatch.setattr(made, "turn", counted)
        silent.set()
    assert count == Count(dropped=1)
    assert turns[0] < 20


@contextmanager
def many_descriptors(number: int) -> Iterator[None]:
    """So many are taken while the block runs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, number + 100), hard))
    taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(number)]
    try:
        yield
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_an_end_is_told_though_there_are_many_connections(place: Path) -> None:
    with many_descriptors(1024), collecting(place, take_all) as listening:
        with collector(place) as (made, count):
            made.put([b"frame"])
            made.turn()
        wait_until("the end of the stream", lambda: bool(listening.streams))
    assert listening.streams == [data(b"frame") + STOP]
    assert count == Count(written=1)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak Frame Streams"),
        (b"", "it has closed the connection"),
        (control(Control.FINISH), "it said FINISH where that means nothing"),
    ],
)
def test_who_speaks_otherwise_is_named(
    place: Path, answer: bytes, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    def speak(connection: socket.socket, _taken: bytearray) -> None:
        connection.recv(4096)
        connection.sendall(answer)

    with collecting(place, speak), collector(place) as (made, _):
        turn_until(made, "a complaint", lambda: bool(caplog.records))
    assert reason in caplog.text
