"""Who is told what a service has come to, and who is not."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from oakroot.operate.handed import Handed, pack
from oakroot.operate.handover import Predecessor
from oakroot.operate.lifetime import LEAVING_SECONDS, Lifetime
from oakroot.operate.staying import StayError, has_ended
from oakroot.operate.systemd import Supervisor
from tests.peers.git_servers import PATIENCE, wait_until
from tests.peers.supervisor import has_ended as process_has_ended


class Ear:
    """Hears what is told to systemd."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener

    @property
    def heard(self) -> list[str]:
        """What was told since the last look, a message each."""
        found = []
        self._listener.settimeout(0)
        while True:
            try:
                found.append(self._listener.recv(4096).decode())
            except BlockingIOError:
                return found

    def next(self) -> str:
        """What is told next."""
        self._listener.settimeout(PATIENCE)
        return self._listener.recv(4096).decode()


@pytest.fixture
def address(tmp_path: Path) -> str:
    return str(tmp_path / "notify")


@pytest.fixture
def ear(address: str) -> Iterator[Ear]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        yield Ear(listener)


def test_readiness_and_the_end_of_a_reload_come_with_a_line_of_what_is_served(address: str, ear: Ear) -> None:
    async def live() -> None:
        lines = iter(("one zone", "one zone", "two zones"))
        lifetime = Lifetime(Supervisor(address))
        lifetime.reloading()
        lifetime.reloaded()
        assert ear.heard == []  # what has not begun does nothing again
        async with lifetime.watched(lambda: next(lines)):
            lifetime.progressed(begun=True, complete=False)
            assert ear.heard == ["READY=1\nSTATUS=one zone"]
            lifetime.reloading()
            lifetime.reloading()
            assert [line.partition("=")[0] for line in "\n".join(ear.heard).split("\n")] == [
                "RELOADING",
                "MONOTONIC_USEC",
            ]
            lifetime.reloaded()
            assert ear.heard == ["READY=1"]
            lifetime.reloading()
            lifetime.reloaded()
            assert ear.heard[1:] == ["READY=1\nSTATUS=two zones"]

    asyncio.run(live())


class Observed(Lifetime):
    """Tells when it was looked whom systemd listens to: once before anything is said."""

    def __init__(self, supervisor: Supervisor, predecessor: Predecessor) -> None:
        super().__init__(supervisor, predecessor)
        self._looked = asyncio.Event()

    @property
    def is_silent(self) -> bool:
        self._looked.set()
        return super().is_silent

    async def turn(self) -> None:
        """Until it was the time to say something, and what was to be said was said."""
        for _ in range(2):
            self._looked.clear()
            await asyncio.wait_for(self._looked.wait(), PATIENCE)


def test_systemd_hears_one_process_of_two(address: str, ear: Ear) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    async def live() -> None:
        younger = Observed(Supervisor(address, watchdog_seconds=0.02), Predecessor(theirs))
        async with younger.watched(lambda: "two zones"):
            younger.progressed(begun=True, complete=False)
            younger.reloading()
            await younger.turn()
            assert ear.heard == []
            younger.progressed(begun=True, complete=True)
            elder = Lifetime(Supervisor(address, watchdog_seconds=0.02))
            elder.progressed(begun=True, complete=True)
            elder.gave_place(42)
            elder.reloading()
            assert [said for said in ear.heard if "WATCHDOG" not in said] == ["READY=1", "MAINPID=42"]
            said = await asyncio.to_thread(ear.next)
            assert said == "WATCHDOG=1\nSTATUS=two zones"

    asyncio.run(live())
    theirs.close()
    ours.close()


def test_who_gives_its_place_away_ends_its_start_and_its_reload_for_systemd(address: str, ear: Ear) -> None:
    starting = Lifetime(Supervisor(address))
    starting.gave_place(42)
    starting.progressed(begun=True, complete=True)
    assert ear.heard == ["READY=1\nMAINPID=42"]
    reloading = Lifetime(Supervisor(address))
    reloading.progressed(begun=True, complete=True)
    reloading.reloading()
    reloading.gave_place(42)
    reloading.reloaded()
    assert ear.heard[2:] == ["READY=1\nMAINPID=42"]


def pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def test_who_was_restarted_speaks_for_itself_and_has_who_stays_forgotten(address: str, ear: Ear) -> None:
    ours, theirs = pair()

    async def live() -> None:
        younger = Lifetime(Supervisor(address), Predecessor(theirs, stays=True))
        async with younger.watched(lambda: "nothing yet"):
            younger.progressed(begun=True, complete=False)
            assert ear.heard == ["READY=1\nSTATUS=nothing yet; the process before serves until this one can"]
            younger.progressed(begun=True, complete=True)
            assert ours.recv(64) == b"complete"
            assert ear.heard == ["FDSTOREREMOVE=1\nFDNAME=oakroot-predecessor"]

    asyncio.run(live())
    theirs.close()
    ours.close()


@pytest.mark.parametrize("stays", [False, True])
def test_nobody_is_waited_for_who_has_ended(*, stays: bool) -> None:
    ours, theirs = pair()

    async def live() -> None:
        followed = asyncio.Event()
        younger = Lifetime(predecessor=Predecessor(theirs, stays=stays))
        async with younger.watched(followed=followed.set):
            assert younger.is_succession
            ours.close()
            await asyncio.wait_for(followed.wait(), PATIENCE)
            assert not younger.is_succession

    asyncio.run(live())
    theirs.close()


@pytest.mark.parametrize("newest", [0, -1])
def test_who_stays_is_told_in_whichever_order_systemd_passes_what_it_keeps(newest: int) -> None:
    pairs = [pair() for _ in range(3)]
    pairs[1][0].close()
    elder = pairs[newest][0]

    async def live() -> None:
        followed = asyncio.Event()
        younger = Lifetime(predecessor=Predecessor.kept(theirs for _, theirs in pairs))
        async with younger.watched(followed=followed.set):
            assert younger.is_succession
            pairs[-1 - newest][0].close()
            await asyncio.sleep(0)
            assert younger.is_succession
            younger.progressed(begun=True, complete=True)
            assert elder.recv(64) == b"complete"
            assert not followed.is_set()
            elder.close()
            await asyncio.wait_for(followed.wait(), PATIENCE)

    asyncio.run(live())
    for _, theirs in pairs:
        theirs.close()


# A process that gives an end of a pair away and hangs.
_HANGS = """
import socket, sys, time
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
with theirs:
    socket.send_fds(socket.socket(fileno=int(sys.argv[1])), [b"-"], [theirs.fileno()])
time.sleep(600)
"""


class Clock:
    """The event loop's own, which can be put forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._loop = asyncio.get_running_loop()
        self._ahead = 0.0
        monkeypatch.setattr(self._loop, "time", lambda: time.monotonic() + self._ahead)

    async def pass_on(self, seconds: float) -> None:
        """Lets tasks begin to wait, and has what they wait for come."""
        for ahead in (0.0, seconds):
            self._ahead += ahead
            for _ in range(5):
                await asyncio.sleep(0)


def test_who_stays_and_hangs_is_killed_once_nobody_needs_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    near, far = pair()
    with near, far:
        words = [sys.executable, "-c", _HANGS, str(far.fileno())]
        elder = subprocess.Popen(words, pass_fds=[far.fileno()])
        _, (descriptor,), *_ = socket.recv_fds(near, 1, 1)

    async def live() -> None:
        followed, clock = asyncio.Event(), Clock(monkeypatch)
        younger = Lifetime(predecessor=Predecessor(theirs, stays=True))
        async with younger.watched(followed=followed.set):
            await clock.pass_on(86400)
            younger.progressed(begun=True, complete=True)
            await clock.pass_on(LEAVING_SECONDS - 1)
            assert caplog.text == ""
            await clock.pass_on(1)
            assert "the process before had not ended after 90 s; killed" in caplog.text
            await asyncio.wait_for(followed.wait(), PATIENCE)

    with socket.socket(fileno=descriptor) as theirs:
        asyncio.run(live())
    assert elder.wait(PATIENCE) == -signal.SIGKILL


def test_who_was_started_by_a_process_that_systemd_ended_ends_too(address: str, ear: Ear) -> None:
    ours, theirs = pair()

    async def live() -> None:
        told = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
        async with Lifetime(Supervisor(address), Predecessor(theirs)).watched():
            ours.close()
            await asyncio.wait_for(told.wait(), PATIENCE)

    asyncio.run(live())
    theirs.close()
    assert ear.heard == []


@pytest.mark.parametrize(
    ("supervisor", "reason"),
    [
        (Supervisor(), "there is no systemd"),
        (Supervisor("/nowhere"), "the sockets are not systemd's"),
        (Supervisor("/nowhere", stores=True), "systemd does not listen"),
    ],
)
def test_who_cannot_stay_says_why(supervisor: Supervisor, reason: str) -> None:
    with pytest.raises(StayError, match=reason):
        Lifetime(supervisor).stay(nothing)


SECRET = bytes(16)


def nothing() -> int:
    return pack(SECRET, ())


class Manager(threading.Thread):
    """systemd, as far as it keeps what it is given, and closes what it is not asked to keep."""

    def __init__(self, listener: socket.socket, *, keeps: bool) -> None:
        super().__init__()
        self._listener, self._keeps = listener, keeps
        self.kept: list[socket.socket] = []
        self.handed: list[int] = []
        self.main = 0

    def run(self) -> None:
        while True:
            message, descriptors, *_ = socket.recv_fds(self._listener, 4096, 4)
            if not message:
                return
            if message.startswith(b"MAINPID="):
                self.main = int(message.partition(b"=")[2])
            for descriptor in descriptors:
                if b"FDNAME=oakroot-handed" in message and self._keeps:
                    self.handed.append(descriptor)
                elif message.startswith(b"FDSTORE") and self._keeps:
                    self.kept.append(socket.socket(fileno=descriptor))
                else:
                    os.close(descriptor)


@pytest.fixture
def manager(address: str, request: pytest.FixtureRequest) -> Iterator[Manager]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        manager = Manager(listener, keeps=request.param)
        manager.start()
        yield manager
        listener.shutdown(socket.SHUT_RDWR)
        manager.join(PATIENCE)


@pytest.mark.parametrize("manager", [True], indirect=True)
def test_who_stays_hears_of_the_next_process_by_what_systemd_keeps(address: str, manager: Manager) -> None:
    lifetime = Lifetime(Supervisor(address, stores=True))
    lifetime.progressed(begun=True, complete=True)
    stay = lifetime.stay(lambda: pack(SECRET, [b"zone"]))
    assert manager.main == stay.placeholder
    assert not has_ended(stay.channel)
    assert list(Handed(manager.handed.pop()).entries()) == [b"zone"]
    (kept,) = manager.kept
    kept.send(b"complete")
    kept.close()
    assert [stay.channel.recv(64), has_ended(stay.channel)] == [b"complete", True]
    stay.close()
    wait_until("the placeholder to end", lambda: process_has_ended(stay.placeholder))


@pytest.mark.parametrize("manager", [False], indirect=True)
def test_nobody_stays_where_systemd_keeps_nothing(address: str, manager: Manager) -> None:
    with pytest.raises(StayError, match="FileDescriptorStoreMax="):
        Lifetime(Supervisor(address, stores=True)).stay(nothing)
    assert manager.main == 0
