"""The control socket of a running service: who may use it, and how long anybody may take.

A Unix socket, so that the file system's permissions decide. What must not live here: what commands do.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from oakroot import __version__
from oakroot.operate.control import (
    REQUEST_LIMIT,
    ControlError,
    Request,
    read_request,
    unknown_command,
    write_refusal,
    write_result,
)

_log = logging.getLogger("oakroot.control")

REQUEST_SECONDS = 5.0
"""For a whole request to come."""
WORK_SECONDS = 120.0
"""For a command to be carried out."""
ANSWER_SECONDS = 30.0
"""For an answer to be read."""
CONNECTIONS = 16

Handler = Callable[[Request], Awaitable[Mapping[str, object]]]
"""Carries out a command and says what came of it; ControlError: why not."""


class ControlSocket:
    """A socket for one service, at a path that another process may take while this one is still there."""

    def __init__(self, path: Path, mode: int = 0o600, *, waits: bool = False) -> None:
        """Takes the path, also from a process that is gone or that we replace; ControlError if that fails.

        `waits`: nobody finds it before `take`.
        """
        self.path = path
        if path.exists() and not path.is_socket():
            raise ControlError(f"{path} is there and is no socket", "give --control another path")
        self._beside = path.with_name(f".{path.name}.{os.getpid()}")
        self._aside = path.with_name(f"{path.name}.{os.getpid()}")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._inode = _bind(self._socket, self._beside, mode)
            if not waits:
                self.take()
        except OSError as problem:
            self._socket.close()
            hint = "its folder must exist, and the service may write there (systemd: RuntimeDirectory=)"
            reason = problem.strerror or str(problem)
            raise ControlError(f"cannot make the control socket {path}: {reason}", hint) from None

    def take(self) -> None:
        """Takes the path; OSError."""
        if self._is_ours(self._beside):
            self._rename(self._beside)

    def step_aside(self) -> None:
        """Answers beside the path too, since another process is to take it; OSError."""
        if self._is_ours(self._aside):
            return
        ours = [path for path in (self.path, self._beside) if self._is_ours(path)]
        if not ours:
            raise self._lost()
        self._aside.unlink(missing_ok=True)
        self._aside.hardlink_to(ours[0])

    def step_back(self) -> None:
        """Takes the path back: the other process is gone; OSError."""
        if self._is_ours(self.path):
            self._aside.unlink(missing_ok=True)
        elif self._is_ours(self._aside):
            self._rename(self._aside)
        else:
            raise self._lost()

    def close(self) -> None:
        """Gives the path up, unless another process has it by now."""
        self._socket.close()
        for path in (self.path, self._beside, self._aside):
            if self._is_ours(path):
                with contextlib.suppress(OSError):
                    path.unlink()

    def _rename(self, path: Path) -> None:
        """Also over the socket of a process that is gone, but not over what somebody has put there."""
        if self.path.exists() and not self.path.is_socket():
            raise self._lost()
        path.rename(self.path)

    def _lost(self) -> OSError:
        return OSError(errno.ESTALE, "this control socket is no longer ours", str(self.path))

    def _is_ours(self, path: Path) -> bool:
        try:
            return path.stat().st_ino == self._inode
        except OSError:
            return False

    @asynccontextmanager
    async def serving(self, role: str, commands: Mapping[str, Handler]) -> AsyncIterator[None]:
        """Answers while the block runs."""
        desk = _Desk(role, commands)
        server = await asyncio.start_unix_server(desk.converse, sock=self._socket, limit=REQUEST_LIMIT)
        try:
            yield
        finally:
            server.close()
            desk.close()
            self.close()


def _bind(unbound: socket.socket, path: Path, mode: int) -> int:
    """Binds it, at no moment open to all; gives the inode."""
    path.unlink(missing_ok=True)
    umask = os.umask(0o777)
    try:
        unbound.bind(str(path))
    finally:
        os.umask(umask)
    path.chmod(mode)
    return path.stat().st_ino


class _Desk:
    """Everybody who is being served."""

    def __init__(self, role: str, commands: Mapping[str, Handler]) -> None:
        self._role = role
        self._commands = commands
        self._tasks: set[asyncio.Task[None]] = set()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer."""
        task = asyncio.current_task()
        if task is None:
            raise AssertionError("a connection is served in a task")
        self._tasks.add(task)
        try:
            answer = await self._answer(reader)
            if answer:
                writer.write(answer)
                async with asyncio.timeout(ANSWER_SECONDS):
                    await writer.drain()
                    writer.write_eof()
                    await reader.read(1)  # until the other side has read all and hangs up
        except (TimeoutError, OSError) as problem:
            _log.debug("a client of the control socket was left: %s", problem)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    def close(self) -> None:
        """Leaves all of them."""
        for task in self._tasks:
            task.cancel()

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        try:
            request = read_request(await _line(reader))
            async with asyncio.timeout(WORK_SECONDS):
                result = await self._handler(request)(request)
            # Thousands of zones take a while to write, in which packets should be taken.
            return await asyncio.to_thread(write_result, result, __version__)
        except asyncio.IncompleteReadError:
            return b""  # it has hung up
        except TimeoutError:
            return write_refusal(ControlError("this takes too long"), __version__)
        except ControlError as error:
            return write_refusal(error, __version__)
        except Exception:  # noqa: BLE001 - the service goes on; the log keeps what is needed to mend it
            _log.exception("this is a bug in Oakroot, please report it")
            return write_refusal(ControlError("this is a bug in Oakroot; its log says more"), __version__)

    def _handler(self, request: Request) -> Handler:
        if len(self._tasks) > CONNECTIONS:
            raise ControlError("too many commands are under way", "try again later")
        handler = self._commands.get(request.command)
        if handler is None:
            raise unknown_command(request.command, self._commands, self._role, __version__)
        return handler


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            return await reader.readuntil(b"\n")
    except asyncio.LimitOverrunError:
        raise ControlError(f"a command has at most {REQUEST_LIMIT} octets") from None
