"""Byte streams to a server, with a time-out on every step.

A channel raises RemoteUnreachable itself, so that no layer above has to guess what an OSError meant.
"""

from __future__ import annotations

import io
import select
import socket
import time
from collections.abc import Callable
from typing import Protocol

from oakroot.frozen import frozen
from oakroot.git.errors import RemoteUnreachable, RepositoryBroken
from oakroot.git.remote import Remote


@frozen
class Timeouts:
    """Seconds: `connect` bounds reaching one address of the server, `stall` every wait for more octets.

    `whole` bounds a conversation that never stalls and never ends.
    """

    connect: float = 10.0
    stall: float = 30.0
    whole: float = 1800.0


# What a server may say before it is asked for objects: its branches, half a million of them. They are kept in
# memory, unlike the pack.
OCTETS_OF_REFS = 32 * 1024 * 1024

Read = Callable[[int], bytes]


class Allowance:
    """What one conversation may take: so much time, and so many octets until `lift` is called."""

    def __init__(self, remote: Remote, timeouts: Timeouts) -> None:
        self._remote = remote
        self._seconds = timeouts.whole
        self._end = time.monotonic() + timeouts.whole
        self._octets: int | None = OCTETS_OF_REFS

    def lift(self) -> None:
        """The refs are read: what follows is a pack, which goes to the disk."""
        self._octets = None

    def applied_to(self, read: Read) -> Read:
        """The same way to read, ended by RemoteUnreachable or RepositoryBroken when there is too much."""

        def read_some(size: int) -> bytes:
            octets = read(size)
            self._spend(len(octets))
            return octets

        return read_some

    def _spend(self, count: int) -> None:
        if time.monotonic() > self._end:
            raise RemoteUnreachable(f"{self._remote} is too slow: no end after {self._seconds:g} s")
        if self._octets is None:
            return
        self._octets -= count
        if self._octets < 0:
            raise RepositoryBroken(
                f"{self._remote} says more than {OCTETS_OF_REFS} octets where branches are listed; "
                "is it a git server?"
            )


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
