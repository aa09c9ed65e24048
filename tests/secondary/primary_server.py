"""The tests' primary behind real sockets on loopback, with faults of the connection: cuts and silence."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

import dns.rdatatype

from oakroot.protocol.wire import read_question
from tests.secondary.authority import Authority


@dataclass
class Faults:
    """What is wrong with connections; None and False: nothing."""

    cut_after: int | None = None
    """So many messages of a transfer are sent, then, if there are more, the connection is closed."""
    cut_octets: bool = False
    """The last of them is cut in the middle."""
    silent_after: int | None = None
    """So many messages of a transfer are sent, and then nothing."""
    slam: bool = False
    """Every connection is closed at once."""


@dataclass
class PrimaryServer:
    """Serves from `with` on; `address` is where."""

    authority: Authority
    faults: Faults = field(default_factory=Faults)
    host: str = "127.0.0.1"
    port: int = 0
    context: ssl.SSLContext | None = None
    """Where it speaks TLS."""
    handshakes: list[str | None] = field(default_factory=list)
    """Those that it took for good, with the protocol agreed on."""
    asked: int = 0
    """How many requests came."""
    peers: list[str] = field(default_factory=list)
    """Where connections came from."""

    def __enter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, self.port), family=family)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._ended = threading.Event()
        self._start(self._accept)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self.hang_up()
        for thread in list(self._threads):
            thread.join()
        self._listener.close()

    def hang_up(self) -> None:
        """Ends all connections."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def send(self, wire: bytes) -> None:
        """Sends this over every connection that is there."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.sendall(len(wire).to_bytes(2) + wire)

    @property
    def connections(self) -> int:
        """How many are there."""
        with self._lock:
            return len(self._open)

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection, peer = self._listener.accept()
            except OSError:
                return
            self.peers.append(peer[0])
            with self._lock:
                self._open.add(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), self._welcomed(connection) as peer:
            self._talk(peer)
        with self._lock:
            self._open.discard(connection)

    @contextlib.contextmanager
    def _welcomed(self, connection: socket.socket) -> Iterator[socket.socket]:
        with connection:
            if self.context is None:
                yield connection
                return
            with self.context.wrap_socket(connection, server_side=True) as encrypted:
                self.handshakes.append(encrypted.selected_alpn_protocol())
                with self._lock:
                    self._open.discard(connection)
                    self._open.add(encrypted)
                yield encrypted
                with self._lock:
                    self._open.discard(encrypted)

    def _talk(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            while not self.faults.slam and (length := stream.read(2)):
                request = stream.read(int.from_bytes(length))
                self.asked += 1
                # Responses to what the test sent over the connection.
                if request[2] & 0x80 or not self._answer(connection, request):
                    continue
                break

    def _answer(self, connection: socket.socket, request: bytes) -> bool:
        """Whether the connection is to be closed afterwards."""
        replies = self.authority.replies(request, int(time.time()))
        is_transfer = read_question(request).type in {dns.rdatatype.AXFR, dns.rdatatype.IXFR}
        faults = self.faults if is_transfer else Faults()
        for number, reply in enumerate(replies):
            frame = len(reply).to_bytes(2) + reply
            if faults.silent_after == number:
                return False
            if faults.cut_after == number:
                if faults.cut_octets:
                    connection.sendall(frame[: len(frame) // 2])
                return True
            connection.sendall(frame)
        return False
