"""Collectors of dnstap that listen at a Unix socket, in a thread, and behave as a test wishes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from oakroot.operate.framestream import Control, Heard, control

PATIENCE = 20.0


class Listening:
    """A collector; what it took of each connection is in `streams`."""

    def __init__(self, path: Path, serve: Callable[[socket.socket, bytearray], None]) -> None:
        self.streams: list[bytes] = []
        self._serve = serve
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            taken = bytearray()
            with connection:
                connection.settimeout(PATIENCE)
                self._serve(connection, taken)
            self.streams.append(bytes(taken))

    def close(self) -> None:
        """No connection any more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE)


@contextmanager
def collecting(path: Path, serve: Callable[[socket.socket, bytearray], None]) -> Iterator[Listening]:
    """A collector while the block runs; its socket is gone afterwards."""
    listening = Listening(path, serve)
    try:
        yield listening
    finally:
        listening.close()
        path.unlink()


def agree(connection: socket.socket) -> bytes:
    """Takes READY, says ACCEPT and takes START; gives what came behind it."""
    octets = b""
    for wanted, answer in ((Control.READY, control(Control.ACCEPT)), (Control.START, b"")):
        while (heard := Heard.of(octets)).word is None:
            octets += connection.recv(4096)
        assert heard.word is wanted
        connection.sendall(answer)
        octets = heard.rest
    return octets


def take_all(connection: socket.socket, taken: bytearray) -> None:
    """As a collector should: takes until STOP, and says FINISH."""
    taken += agree(connection)
    while not taken.endswith(control(Control.STOP)):
        octets = connection.recv(65536)
        if not octets:
            return
        taken += octets
    connection.sendall(control(Control.FINISH))
