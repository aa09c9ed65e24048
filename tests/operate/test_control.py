"""The control socket: what goes over it, who may use it, and what is said where it does not work."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.operate import control_server
from oakroot.operate.control import (
    PROTOCOL,
    REQUEST_LIMIT,
    ControlError,
    Request,
    plain,
    read_answer,
    read_request,
    write_refusal,
    write_request,
    write_result,
)
from oakroot.operate.control_client import ask
from oakroot.operate.control_server import ControlSocket, Handler

PATIENCE = 20.0
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=9)
JSON = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=9), SCALARS, max_size=3)


# --- what goes over it


@given(st.text(), st.dictionaries(st.text(max_size=9), JSON, max_size=3))
def test_a_request_is_one_line_and_is_read_as_it_was_written(
    command: str, arguments: Mapping[str, object]
) -> None:
    line = write_request(Request(command, arguments))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert read_request(line) == Request(command, arguments)


@given(st.dictionaries(st.text(max_size=9), JSON, max_size=3))
def test_a_result_is_read_as_it_was_written(result: Mapping[str, object]) -> None:
    assert read_answer(write_result(result, "0.1.0")) == result


def test_a_refusal_is_raised_where_it_is_read() -> None:
    with pytest.raises(ControlError) as caught:
        read_answer(write_refusal(ControlError("no", "try yes"), "0.1.0"))
    assert (caught.value.message, caught.value.hint) == ("no", "try yes")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"status\n",
        b"[1]\n",
        b"{}\n",
        b'{"oakroot":1}\n',
        b'{"oakroot":1,"command":2}\n',
        b"\xff\n",
        b"[" * 9999,
    ],
)
def test_what_is_no_request_is_refused(line: bytes) -> None:
    with pytest.raises(ControlError):
        read_request(line)


@given(st.binary())
def test_no_line_does_more_than_be_refused(line: bytes) -> None:
    for read in (read_request, read_answer):
        with pytest.raises(ControlError):
            read(line)


def test_another_version_of_the_protocol_is_named_on_both_sides() -> None:
    later = {"oakroot": PROTOCOL + 1, "version": "9.0", "command": "status", "result": {}}
    line = json.dumps(later).encode()
    with pytest.raises(ControlError, match="and not 2"):
        read_request(line)
    with pytest.raises(ControlError) as caught:
        read_answer(line)
    assert "9.0" in str(caught.value.hint)


def test_fields_that_a_reader_does_not_know_are_left_aside() -> None:
    line = b'{"oakroot":1,"command":"status","arguments":{},"colour":"blue"}\n'
    assert read_request(line) == Request("status")
    assert read_answer(b'{"oakroot":1,"result":{"a":1},"colour":"blue"}\n') == {"a": 1}


class Colour(StrEnum):
    BLUE = "blue"


@dataclass(frozen=True)
class Value:
    name: str
    parts: tuple[object, ...]


def test_frozen_values_become_json() -> None:
    value = {"a": Value("x", (Colour.BLUE, Value("y", ()), None, 1.5))}
    assert json.loads(json.dumps(plain(value))) == {
        "a": {"name": "x", "parts": ["blue", {"name": "y", "parts": []}, None, 1.5]}
    }


# --- a running one


async def echo(request: Request) -> Mapping[str, object]:
    return dict(request.arguments)


async def broken(_request: Request) -> Mapping[str, object]:
    raise ValueError("s3cret")


COMMANDS: dict[str, Handler] = {"echo": echo, "broken": broken}


def during(path: Path, talk: Callable[[], None], commands: Mapping[str, Handler] = COMMANDS) -> None:
    """Runs this, which blocks, while a socket at the path answers."""

    async def run() -> None:
        async with ControlSocket(path).serving("primary", commands):
            await asyncio.to_thread(talk)

    asyncio.run(run())


def holds(fact: bool) -> None:  # noqa: FBT001 - an assertion that is an expression
    assert fact


def raw(path: Path, *pieces: bytes) -> bytes:
    """What is answered to these octets."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(path))
        for piece in pieces:
            connection.sendall(piece)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def told(path: Path, request: Request = Request("echo"), seconds: float = PATIENCE) -> str:  # noqa: B008 - frozen
    """Message and hint of a refusal."""
    with pytest.raises(ControlError) as caught:
        ask(path, request, seconds)
    return f"{caught.value.message}; {caught.value.hint}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


def test_a_command_gets_its_answer(path: Path) -> None:
    def talk() -> None:
        assert ask(path, Request("echo", {"a": "x" * 50_000}), PATIENCE) == {"a": "x" * 50_000}

    during(path, talk)


def test_a_large_answer_arrives_whole(path: Path) -> None:
    async def large(_request: Request) -> Mapping[str, object]:
        return {"zones": ["example.org."] * 200_000}

    def talk() -> None:
        assert len(str(ask(path, Request("large"), PATIENCE)["zones"])) > 3_000_000

    during(path, talk, {"large": large})


def test_a_command_that_the_role_does_not_have_is_refused_with_those_it_has(path: Path) -> None:
    def talk() -> None:
        answer = told(path, Request("retransfer"))
        assert "a primary (Oakroot " in answer
        assert "has no command 'retransfer'; its commands are broken, echo" in answer

    during(path, talk)


def test_a_bug_is_told_without_its_text_and_the_next_command_is_served(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def talk() -> None:
        answer = told(path, Request("broken"))
        assert "bug" in answer
        assert "s3cret" not in answer
        assert ask(path, Request("echo"), PATIENCE) == {}

    during(path, talk)
    assert "this is a bug in Oakroot" in caplog.text


def test_an_endless_request_is_refused(path: Path) -> None:
    during(path, lambda: holds(b"at most" in raw(path, b"x" * (REQUEST_LIMIT + 2))))


def test_who_says_nothing_is_left(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_server, "REQUEST_SECONDS", 0.05)
    during(path, lambda: holds(b"too long" in raw(path, b'{"oakroot"')))


def test_a_command_that_takes_too_long_is_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_server, "WORK_SECONDS", 0.05)

    async def slow(_request: Request) -> Mapping[str, object]:
        await asyncio.Event().wait()
        raise AssertionError

    def talk() -> None:
        assert "takes too long" in told(path, Request("slow"))

    during(path, talk, {"slow": slow})


def test_many_silent_clients_leave_a_bounded_number_of_commands(path: Path) -> None:
    def talk() -> None:
        idle = [socket.socket(socket.AF_UNIX) for _ in range(control_server.CONNECTIONS)]
        for each in idle:
            each.connect(str(path))
        assert "too many" in told(path)
        for each in idle:
            each.close()

    during(path, talk)


def test_a_service_that_is_silent_is_given_up(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        assert "does not answer within 0.1 s" in told(path, seconds=0.1)


def test_what_answers_and_is_no_service_of_ours_is_told(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()

        def answer() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(b"220 mail.example.org\n")

        thread = threading.Thread(target=answer)
        thread.start()
        assert "no server of Oakroot" in told(path)
        thread.join()


# --- its path


@pytest.mark.parametrize("mode", [0o600, 0o660])
def test_only_those_who_shall_may_use_it(path: Path, mode: int) -> None:
    before = os.umask(0o022)
    try:
        control = ControlSocket(path, mode)
    finally:
        assert os.umask(before) == 0o022
    assert stat.S_IMODE(path.stat().st_mode) == mode
    control.close()


def test_the_socket_goes_with_the_service(path: Path) -> None:
    during(path, lambda: None)
    assert list(path.parent.iterdir()) == []


def test_a_socket_that_was_left_behind_is_replaced(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    assert "nobody answers" in told(path)
    during(path, lambda: holds(ask(path, Request("echo"), PATIENCE) == {}))


def test_the_old_process_leaves_the_socket_of_its_successor(path: Path) -> None:
    async def run() -> None:
        async with ControlSocket(path).serving("primary", {}):
            successor = ControlSocket(path)
        async with successor.serving("primary", COMMANDS):
            assert await asyncio.to_thread(ask, path, Request("echo"), PATIENCE) == {}

    asyncio.run(run())


def test_a_path_goes_to_a_successor_once_that_takes_it_and_comes_back_when_that_is_gone(path: Path) -> None:
    aside = path.with_name(f"control.sock.{os.getpid()}")
    elder = ControlSocket(path)
    elder.step_aside()
    elder.step_aside()
    successor = ControlSocket(path, waits=True)
    assert path.samefile(aside)
    successor.take()
    assert not path.samefile(aside)
    assert aside.is_socket()
    successor.close()
    assert not path.exists()
    elder.step_back()
    assert list(path.parent.iterdir()) == [path]
    elder.close()
    assert list(path.parent.iterdir()) == []


def test_what_somebody_has_put_in_the_place_of_the_socket_is_told_and_left_alone(path: Path) -> None:
    elder = ControlSocket(path)
    elder.step_aside()
    path.unlink()
    path.write_text("precious")
    with pytest.raises(OSError, match="no longer ours") as caught:
        elder.step_back()
    assert caught.value.filename == str(path)
    elder.close()
    assert path.read_text() == "precious"
    assert list(path.parent.iterdir()) == [path]


def test_a_socket_that_is_nowhere_any_more_is_told_by_its_path(path: Path) -> None:
    control = ControlSocket(path)
    path.unlink()
    path.write_text("precious")
    for step in (control.step_aside, control.step_back):
        with pytest.raises(OSError, match="no longer ours") as caught:
            step()
        assert caught.value.filename == str(path)
    control.close()


def test_a_place_that_somebody_has_taken_meanwhile_is_not_taken(path: Path) -> None:
    successor = ControlSocket(path, waits=True)
    path.write_text("precious")
    with pytest.raises(OSError, match="no longer ours"):
        successor.take()
    successor.close()
    assert path.read_text() == "precious"


def test_what_is_no_socket_is_left_alone(path: Path) -> None:
    path.write_text("precious")
    with pytest.raises(ControlError, match="is there and is no socket"):
        ControlSocket(path)
    assert path.read_text() == "precious"
    assert "is no control socket" in told(path)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("place", ["none/control.sock", "x" * 120])
def test_a_path_that_cannot_be_is_refused_with_its_cause(tmp_path: Path, place: str) -> None:
    with pytest.raises(ControlError, match="cannot make the control socket"):
        ControlSocket(tmp_path / place)


def test_a_missing_socket_is_told(path: Path) -> None:
    assert told(path).startswith(f"there is no control socket {path}; is the service running")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_who_may_not_is_told_so(path: Path) -> None:
    program = f"""
import os, pathlib
from oakroot.operate.control import ControlError, Request
from oakroot.operate.control_client import ask
os.setresuid(65534, 65534, 65534)
try:
    ask(pathlib.Path({str(path)!r}), Request("echo"), 5)
except ControlError as error:
    print(error.message)
"""

    def talk() -> None:
        for folder in (path.parent, *path.parent.parents):
            if folder.stat().st_uid == os.getuid() and folder != Path("/"):
                folder.chmod(0o755)
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout == f"you may not use the control socket {path}\n"

    during(path, talk)
