"""Byte streams to a server, with a time-out on every step.

A channel raises RemoteUnreachable itself, so that no layer above has to guess what an OSError meant.
"""

from __future__ import annotations

import io
import select
import socket
from dataclasses import dataclass
from typing import Protocol

from oakroot.git.errors import RemoteUnreachable
from oakroot.git.remote import Remote


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: `connect` bounds reaching one address of the server, `stall` every wait for more octets."""

    connect: float = 10.0
    stall: float = 30.0


class Channel(Protocol):
    """A two-way byte stream to one git process of the server."""

    def read(self, size: int) -> bytes:
        """`size` octets, fewer only at the end of the stream."""

    def write(self, data: bytes) -> None:
        """Sends all of `data`."""

    def can_read(self) -> bool:
        """Whether octets wait to be read."""

    def complaints(self) -> list[bytes]:
        """Lines the server wrote apart from the stream (stderr), once the stream has ended."""

    def close(self) -> None:
        """Ends the stream; a second call does nothing."""


def dial(remote: Remote, timeouts: Timeouts) -> socket.socket:
    """A TCP connection to the remote's server.

    Raises:
        RemoteUnreachable: no address, refused, or too slow.
    """
    place = f"{remote.host} port {remote.effective_port}"
    try:
        stream = socket.create_connection((remote.host, remote.effective_port), timeout=timeouts.connect)
    except socket.gaierror:
        raise RemoteUnreachable(
            f"no address is known for {remote.host}; check the host name and this machine's resolver"
        ) from None
    except TimeoutError:
        raise RemoteUnreachable(
            f"{place} did not answer within {timeouts.connect:g} s; is it up, or a firewall in between?"
        ) from None
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "the host name cannot be used"
        raise RemoteUnreachable(f"cannot connect to {place}: {reason}") from None
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream.settimeout(timeouts.stall)
    return stream


def stalled(remote: Remote, timeouts: Timeouts) -> RemoteUnreachable:
    """The error for a server that went silent."""
    return RemoteUnreachable(f"{remote} stalled: nothing moved for {timeouts.stall:g} s")


def broken_off(remote: Remote, reason: object = "") -> RemoteUnreachable:
    """The error for a connection that ended early."""
    detail = f": {reason}" if reason else ""
    return RemoteUnreachable(f"the connection to {remote} broke off{detail}")


class SocketChannel:
    """A channel over a plain TCP connection, for git://."""

    def __init__(self, stream: socket.socket, remote: Remote, timeouts: Timeouts) -> None:
        self._stream = stream
        self._reader = io.BufferedReader(socket.SocketIO(stream, "r"))
        self._remote = remote
        self._timeouts = timeouts

    def read(self, size: int) -> bytes:
        """See `Channel`."""
        try:
            return self._reader.read(size)
        except TimeoutError:
            raise stalled(self._remote, self._timeouts) from None
        except OSError as error:
            raise broken_off(self._remote, error.strerror) from None

    def write(self, data: bytes) -> None:
        """See `Channel`."""
        try:
            self._stream.sendall(data)
        except TimeoutError:
            raise stalled(self._remote, self._timeouts) from None
        except OSError as error:
            raise broken_off(self._remote, error.strerror) from None

    def can_read(self) -> bool:
        """See `Channel`."""
        return bool(select.select([self._stream], [], [], 0)[0])

    def complaints(self) -> list[bytes]:
        """None, as git:// has no second stream."""
        return []

    def close(self) -> None:
        """See `Channel`."""
        self._reader.close()
        self._stream.close()
