"""Carries out transfers, each in a thread with one connection at a time. Blocking, with time-outs.

What is right or wrong about the messages is decided by `protocol.transfer_client`.
"""

from __future__ import annotations

import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from oakroot.protocol.transfer_client import Failed, Limits, Progress, Received, Step, Transfer
from oakroot.secondary.encryption import Encryption, explain, prove, server_name
from oakroot.secondary.events import StartTransfer, TransferEnded
from oakroot.secondary.sources import Source

_log = logging.getLogger("oakroot.secondary")

CONNECT_SECONDS = 10.0
_CHUNK = 1 << 18


def connect(source: Source, encryption: Encryption) -> socket.socket:
    """A connection to a primary, which has proved who it is if it is one of TLS; raises OSError."""
    local = None if source.local is None else (source.local, 0)
    place, identity = (source.server.address, source.server.port), source.server.identity
    context = None if identity is None else encryption.context(identity)
    connection = socket.create_connection(place, timeout=CONNECT_SECONDS, source_address=local)
    if identity is None or context is None:
        return connection
    with ExitStack() as stack:
        stack.callback(connection.close)
        encrypted = context.wrap_socket(connection, server_hostname=server_name(identity))
        stack.callback(encrypted.close)
        prove(encrypted, identity)
        stack.pop_all()
    return encrypted


class Transfers:
    """Transfers under way. `ended` is called in the transfer's thread."""

    def __init__(
        self,
        ended: Callable[[TransferEnded], None],
        limits: Limits | None = None,
        encryption: Encryption | None = None,
    ) -> None:
        self._ended = ended
        self._encryption = encryption or Encryption()
        self._limits = limits or Limits()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._is_stopping = False

    def start(self, action: StartTransfer) -> None:
        """Begins; a daemon thread, as a primary that is slow must not keep the process from ending."""
        name = f"transfer {action.number}"
        threading.Thread(target=self._run, args=(action,), name=name, daemon=True).start()

    def stop(self) -> None:
        """Cuts all connections; no new one is opened."""
        with self._lock:
            self._is_stopping = True
            for connection in self._connections:
                # A thread that waits for octets is woken by this, and not by `close`.
                _shut_down(connection)

    def _run(self, action: StartTransfer) -> None:
        began = time.monotonic()
        transfer = Transfer(action.zone, action.source.key, action.base, self._limits)
        try:
            outcome = self._transfer(transfer, action)
        except BaseException as error:  # noqa: BLE001 - a panic of the engine is no Exception; the server goes on
            _log.exception("this is a bug in Oakroot, please report it")
            outcome = Failed(f"a bug in Oakroot ({type(error).__name__}); its log says more")
        seconds = time.monotonic() - began
        self._ended(TransferEnded(action.number, outcome, seconds, tuple(transfer.doubts)))

    def _transfer(self, transfer: Transfer, action: StartTransfer) -> Received | Failed:
        step: Step = Progress.ANEW
        while isinstance(step, Progress):
            try:
                with self._connected(action.source) as connection:
                    step = self._attempt(transfer, connection)
            except OSError as error:
                return Failed(f"cannot connect: {explain(error)}")
        return step

    def _attempt(self, transfer: Transfer, connection: socket.socket) -> Step:
        """One connection; what goes wrong with it once it is there is the transfer's to judge."""
        deadline = time.monotonic() + self._limits.seconds
        messages = Messages(connection)
        step: Step = Progress.MORE
        try:
            request = transfer.begin(secrets.randbits(16), int(time.time()))
            connection.sendall(len(request).to_bytes(2) + request)
            while step is Progress.MORE:
                wire = messages.take(min(deadline, time.monotonic() + self._limits.idle_seconds))
                step = transfer.receive(wire, int(time.time()))
        except TimeoutError:
            return transfer.cut(self._impatience(deadline))
        except EOFError:
            return transfer.cut("it closed the connection")
        except OSError as error:
            return transfer.cut(f"the connection broke ({error.strerror})")
        return step

    def _impatience(self, deadline: float) -> str:
        if time.monotonic() >= deadline:
            return f"the transfer took longer than {self._limits.seconds:g} s"
        return f"it sent no whole message for {self._limits.idle_seconds:g} s"

    @contextmanager
    def _connected(self, source: Source) -> Iterator[socket.socket]:
        with connect(source, self._encryption) as connection:
            with self._lock:
                self._connections.add(connection)
                if self._is_stopping:
                    _shut_down(connection)
            try:
                yield connection
            finally:
                with self._lock:
                    self._connections.discard(connection)


class Messages:
    """The messages of a TCP connection (RFC 1035 §4.2.2), read in large pieces."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray()
        self._at = 0

    def take(self, deadline: float) -> bytes:
        """The next message; TimeoutError if it is not whole at the deadline, EOFError if none comes."""
        length = int.from_bytes(self._take(2, deadline))
        return self._take(length, deadline)

    def _take(self, length: int, deadline: float) -> bytes:
        while len(self._buffer) - self._at < length:
            self._fill(deadline)
        octets = bytes(memoryview(self._buffer)[self._at : self._at + length])
        self._at += length
        return octets

    def _fill(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        piece = self._connection.recv(_CHUNK)
        if not piece:
            raise EOFError
        del self._buffer[: self._at]
        self._at = 0
        self._buffer += piece


def _shut_down(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError as error:
        # The primary was faster.
        _log.debug("a connection was closed already: %s", error.strerror)
