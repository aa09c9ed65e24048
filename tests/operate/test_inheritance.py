"""Sockets that systemd passes, and what is told to it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from oakroot.operate import inheritance
from oakroot.operate.inheritance import InheritanceError, Passed, Socket, from_systemd, places, settled
from oakroot.operate.systemd import Supervisor

HOME = ("127.0.0.1", 5353)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[socket.socket]]:
    """A UDP socket and two that listen, by numbers that follow each other."""
    sockets = [socket.socket(socket.AF_INET, kind) for kind in (socket.SOCK_DGRAM, *[socket.SOCK_STREAM] * 2)]
    for number, each in enumerate(sockets):
        each.bind(("127.0.0.1", 0))
        os.dup2(each.fileno(), 700 + number)
    monkeypatch.setattr(inheritance, "FIRST_DESCRIPTOR", 700)
    yield sockets
    for number, each in enumerate(sockets):
        os.close(700 + number)
        each.close()


def told(count: int, names: str = "", process: int = 42) -> dict[str, str]:
    return {"LISTEN_PID": str(process), "LISTEN_FDS": str(count), "LISTEN_FDNAMES": names, "HOME": "/"}


def test_sockets_are_known_by_kind_and_name(opened: list[socket.socket]) -> None:
    environment = told(3, "dns:dns:oakroot-primary-tls.socket")
    passed = from_systemd(environment, 42)
    ports = [each.getsockname()[1] for each in opened]
    assert passed.sockets == (
        Socket("udp", ("127.0.0.1", ports[0]), 700),
        Socket("tcp", ("127.0.0.1", ports[1]), 701),
        Socket("tls", ("127.0.0.1", ports[2]), 702),
    )
    assert passed.predecessors == ()
    assert environment == {"HOME": "/"}
    assert not os.get_inheritable(700)


def test_sockets_for_another_process_are_not_ours(opened: list[socket.socket]) -> None:
    assert from_systemd(told(3, process=41), 42) == Passed()
    assert from_systemd({}, 42) == Passed()


@pytest.mark.usefixtures("opened")
def test_what_is_no_socket_is_told_by_number_and_name() -> None:
    with Path("/dev/null").open() as file:
        os.dup2(file.fileno(), 701)
    with pytest.raises(InheritanceError, match=r"descriptor 701 \(odd\).* is no socket"):
        from_systemd(told(2, "dns:odd"), 42)
    with pytest.raises(InheritanceError, match="LISTEN_FDS is no number"):
        from_systemd({**told(1), "LISTEN_FDS": "many"}, 42)


def test_an_address_with_any_port_settles_on_a_socket_that_is_there() -> None:
    sockets = [Socket("udp", HOME, 3), Socket("udp", HOME, 4), Socket("tcp", HOME, 5)]
    assert places(sockets, "udp") == [HOME]
    assert settled([("127.0.0.1", 0), ("127.0.0.1", 0)], sockets, "udp") == [HOME, ("127.0.0.1", 0)]
    assert settled([HOME, ("127.0.0.1", 0)], sockets, "udp") == [HOME, ("127.0.0.1", 0)]
    assert settled([("127.0.0.2", 53)], sockets, "udp") == [("127.0.0.2", 53)]


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told_and_given_sockets_to_keep(tmp_path: Path, *, abstract: bool) -> None:
    name = f"@oakroot-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind("\0" + name[1:] if abstract else name)
        supervisor = Supervisor.of({"NOTIFY_SOCKET": name, "FDSTORE": "8", "WATCHDOG_USEC": "3000000"}, 42)
        assert supervisor.watchdog_seconds == 3
        supervisor.tell_ready()
        assert ear.recv(100) == b"READY=1"
        supervisor.keep([ear.fileno()])
        message, descriptors, *_ = socket.recv_fds(ear, 100, 4)
        assert message == b"FDSTORE=1\nFDNAME=oakroot\nFDPOLL=0"
        assert len(descriptors) == 1
        os.close(descriptors[0])


def test_without_systemd_nothing_is_told(caplog: pytest.LogCaptureFixture) -> None:
    Supervisor.of({"WATCHDOG_USEC": "1"}, 42).tell_ready()
    assert Supervisor.of({"WATCHDOG_USEC": "1"}, 42).watchdog_seconds is None
    others = {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "41"}
    assert Supervisor.of(others, 42).watchdog_seconds is None
    assert caplog.text == ""
    Supervisor.of(others, 42).tell_ready()
    assert "systemd cannot be told READY=1: No such file" in caplog.text
