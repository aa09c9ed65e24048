"""Servers and lines that fail: they cut, stall, or garble what a good server sends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from tests.peers.git_servers import PATIENCE
from tests.peers.ports import LOOPBACK

Talk = Callable[[socket.socket], None]


class Listener:
    """Accepts connections and has `talk` deal with each in a thread of its own."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_reason: object) -> None:
        self._hang_up()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for stream in [self._listener, *self._open]:
            stream.close()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _hang_up(self) -> None:
        for stream in self._open:
            with suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                stream, _address = self._listener.accept()
                self._open.append(stream)
                self._start(lambda stream=stream: self._serve(stream))  # type: ignore[misc]

    def _serve(self, stream: socket.socket) -> None:
        with suppress(OSError):
            self._talk(stream)


def saying(octets: bytes) -> Listener:
    """A server that reads a little, says this and no more, and listens to the rest."""

    def talk(stream: socket.socket) -> None:
        stream.recv(65536)
        stream.sendall(octets)
        stream.shutdown(socket.SHUT_WR)
        while stream.recv(65536):
            pass

    return Listener(talk)


def silent() -> Listener:
    """A server that takes connections and never says a word."""

    def talk(stream: socket.socket) -> None:
        while stream.recv(65536):
            pass

    return Listener(talk)


class BadLine(Listener):
    """A line to a good server: good itself, until it is told to `spoil` what comes next.

    `passed`: octets of the last connection's answer.
    """

    def __init__(self, port: int) -> None:
        super().__init__(self._relay)
        self._port = port
        self._mishap = ""
        self._limit = self._spared = self._times = 0
        self.passed = 0

    def spoil(self, mishap: str, *, limit: int, spared: int = 0, times: int = 1000) -> None:
        """Lets answers pass whole until `limit` octets, and then suffer `mishap`.

        `cut` hangs up, `stall` passes nothing more, `garble` turns the octets that follow into others. It
        happens to the next `times` connections, but for the first `spared` ones; later ones are good again.
        Those that are open end, since they might be used again.
        """
        self._hang_up()
        self._mishap, self._limit, self._spared, self._times = mishap, limit, spared, times

    def mend(self) -> None:
        """Is good again."""
        self._times = 0

    def _next_mishap(self) -> str:
        if self._spared > 0:
            self._spared -= 1
            return ""
        self._times -= 1
        return self._mishap if self._times >= 0 else ""

    def _relay(self, client: socket.socket) -> None:
        mishap = self._next_mishap()
        with socket.create_connection((LOOPBACK, self._port), timeout=PATIENCE) as server:
            self._open.append(server)
            self._start(lambda: _pass_on(client, server))
            self.passed = 0
            while octets := server.recv(4096):
                good = octets[: max(self._limit - self.passed, 0)] if mishap else octets
                self.passed += len(octets)
                client.sendall(good)
                if len(good) < len(octets) and mishap == "cut":
                    break
                if len(good) < len(octets) and mishap == "garble":
                    client.sendall(bytes(octet ^ 0x55 for octet in octets[len(good) :]))
            if mishap != "stall":
                client.shutdown(socket.SHUT_RDWR)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while octets := source.recv(65536):
            target.sendall(octets)
        target.shutdown(socket.SHUT_WR)
