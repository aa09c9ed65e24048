"""Who is told what a service has come to, and who is not."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from oakroot.operate.handover import Predecessor
from oakroot.operate.lifetime import Lifetime
from oakroot.operate.systemd import Supervisor
from tests.peers.git_servers import PATIENCE


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
    """Tells when it was looked whether a predecessor serves still: once before anything is said."""

    def __init__(self, supervisor: Supervisor, predecessor: Predecessor) -> None:
        super().__init__(supervisor, predecessor)
        self._looked = asyncio.Event()

    @property
    def is_succession(self) -> bool:
        self._looked.set()
        return super().is_succession

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
