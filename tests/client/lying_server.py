"""A name server on loopback that answers over TCP with whatever octets a test makes it say."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from typing import Self

from oakroot.client.server import Server

Replies = Callable[[bytes], Iterable[bytes]]
"""The messages for a request; they may have no end, for the client will hang up."""


class LyingServer:
    """Serves from `with` on. After its last message it closes the connection, or `holds` it in silence."""

    def __init__(self, replies: Replies, *, holds: bool = False) -> None:
        self._replies = replies
        self._holds = holds
        self._ends = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self.server = Server(*self._listener.getsockname()[:2])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ends.set()
        with contextlib.suppress(OSError):
            socket.create_connection((self.server.host, self.server.port)).close()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while not self._ends.is_set():
            connection, _ = self._listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.settimeout(20)
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        head = connection.recv(2, socket.MSG_WAITALL)
        if not head:
            return
        request = connection.recv(int.from_bytes(head), socket.MSG_WAITALL)
        for message in self._replies(request):
            connection.sendall(struct.pack("!H", len(message)) + message)
        if self._holds:
            connection.recv(1)


def now() -> int:
    """The time, as signatures have it."""
    return int(time.time())
