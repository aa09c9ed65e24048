"""A bad way to a good name server: it takes no TCP, drops EDNS, or drops what is large.

What must not live here: name servers.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Self

Place = tuple[str, int]


def has_edns(query: bytes) -> bool:
    """Whether there is an additional record, which in a plain query can only be OPT."""
    return query[10:12] != b"\0\0"


class Relay:
    """Passes datagrams on to a server, and its answers back, as far as they are let through; and TCP."""

    def __init__(
        self,
        place: Place,
        server: Place,
        *,
        passes: Callable[[bytes], bool] = lambda _: True,
        returns: Callable[[bytes], bool] = lambda _: True,
        tcp: bool = True,
    ) -> None:
        self._place, self._server = place, server
        self._passes, self._returns = passes, returns
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM) if tcp else None
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._udp.bind(self._place)
        self._start(self._relay_datagrams)
        if self._tcp is not None:
            self._tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._tcp.bind(self._place)
            self._tcp.listen()
            self._start(self._relay_connections)
        return self

    def __exit__(self, *_reason: object) -> None:
        for each in (self._udp, self._tcp):
            if each is not None:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wake:
            wake.sendto(b"", self._place)
        for thread in self._threads:
            thread.join(5)

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _relay_datagrams(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                query, client = self._udp.recvfrom(65535)
                if query and self._passes(query):
                    with (
                        contextlib.suppress(TimeoutError),
                        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there,
                    ):
                        there.settimeout(2)
                        there.connect(self._server)
                        there.send(query)
                        answer = there.recv(65535)
                        if self._returns(answer):
                            self._udp.sendto(answer, client)

    def _relay_connections(self) -> None:
        assert self._tcp is not None
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._tcp.accept()
                with client, socket.create_connection(self._server, 2) as there:
                    client.settimeout(2)
                    while question := _message(client):
                        there.sendall(question)
                        client.sendall(_message(there))


def _message(stream: socket.socket) -> bytes:
    """The next message with its length; empty at the end."""
    octets = b""
    while len(octets) < 2 or len(octets) < 2 + int.from_bytes(octets[:2]):
        piece = stream.recv(65535)
        if not piece:
            return b""
        octets += piece
    return octets
