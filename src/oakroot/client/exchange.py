"""One request to a name server and its reply, with patience: all that a client has sockets for.

UDP first, repeated with growing pauses, then TCP for what time is left, again where an answer was lost: a
server that is still at work, or has done it, knows the repetition by its octets. What must not live here: the
meaning of a reply.
"""

from __future__ import annotations

import selectors
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TypeVar

from oakroot.client.server import Server, ServerError
from oakroot.frozen import frozen
from oakroot.protocol.wire import read_header

T = TypeVar("T")
Judge = Callable[[bytes], T | None]
"""Makes of octets what the caller wants to know; None where they are no reply to the request."""

FIRST_PAUSE = 1.0
UDP_ATTEMPTS = 3
LOST_LIMIT = 3
_MESSAGE_LIMIT = 65535


@frozen
class Deadline:
    """The moment at which patience ends."""

    moment: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """So many seconds from now."""
        return cls(time.monotonic() + seconds)

    @property
    def left(self) -> float:
        """Seconds until then, never less than zero."""
        return max(0.0, self.moment - time.monotonic())

    def but_within(self, seconds: float) -> Deadline:
        """This one, or an earlier one so many seconds from now."""
        return min(self, Deadline.after(seconds), key=lambda deadline: deadline.moment)


def exchange(server: Server, request: bytes, judge: Judge[T], deadline: Deadline, *, tcp: bool = False) -> T:
    """What `judge` makes of the server's reply; ServerError when there is none until the deadline."""
    addresses = _resolve(server)
    if not tcp:
        # Half of the patience is kept for TCP, which gets through where UDP is filtered.
        found = _ask_by_udp(addresses, request, judge, deadline.but_within(deadline.left / 2))
        if found is not None:
            return found
    return _ask_by_tcp(server, addresses, request, judge, deadline)


Address = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]


def _resolve(server: Server) -> list[Address]:
    try:
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no host name"
        raise ServerError(f"cannot find the address of {server.host}: {reason}") from None
    return [(family, address) for family, _, _, _, address in found]


def _ask_by_udp(addresses: list[Address], request: bytes, judge: Judge[T], deadline: Deadline) -> T | None:
    """None where nothing came, or something too large for UDP."""
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        for address in addresses:
            _open_udp(stack, selector, address)
        pause = FIRST_PAUSE
        for _ in range(UDP_ATTEMPTS):
            _send_all(selector, request)
            for reply in _replies(selector, deadline.but_within(pause)):
                found = judge(reply)
                if found is not None:
                    return None if read_header(reply).is_truncated else found
            pause *= 2
    return None


def _open_udp(stack: ExitStack, selector: selectors.BaseSelector, address: Address) -> None:
    """Connected, so that only this peer is heard, and its refusal too."""
    family, where = address
    try:
        udp = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
        udp.connect(where)
    except OSError:
        # This machine has no way to that address; another may do, and TCP will say so if none does.
        return
    selector.register(udp, selectors.EVENT_READ, data=udp)


def _send_all(selector: selectors.BaseSelector, request: bytes) -> None:
    for key in list(selector.get_map().values()):
        udp: socket.socket = key.data
        try:
            udp.send(request)
        except OSError:
            selector.unregister(udp)


def _replies(selector: selectors.BaseSelector, deadline: Deadline) -> Iterator[bytes]:
    """Datagrams as they come; ends early when no address is left that could send one."""
    while selector.get_map() and deadline.left > 0:
        for key, _ in selector.select(deadline.left):
            udp: socket.socket = key.data
            try:
                yield udp.recv(_MESSAGE_LIMIT)
            except OSError:
                selector.unregister(udp)


class _LostError(Exception):
    """The server had the request, or a part of it, and nothing came back."""


def _ask_by_tcp(
    server: Server, addresses: list[Address], request: bytes, judge: Judge[T], deadline: Deadline
) -> T:
    """Tries each address in turn, each with its share of the time that is left.

    Where an answer was lost all are tried again, with the same octets: nobody else can say what became of the
    request. A server that cannot be reached at all is not waited for.
    """
    lost, pause = 0, FIRST_PAUSE
    while True:
        lost_before, reason = lost, "timed out"
        for position, address in enumerate(addresses):
            shares = (len(addresses) - position) * (LOST_LIMIT - lost)
            try:
                return _ask_one_by_tcp(address, request, judge, deadline.but_within(deadline.left / shares))
            except _LostError as error:
                lost, reason = lost + 1, str(error)
                if lost == LOST_LIMIT:
                    break
            except OSError as error:
                reason = error.strerror or str(error) or "no reply in time"
        if lost == LOST_LIMIT or lost == lost_before == 0 or deadline.left <= pause:
            raise ServerError(
                f"{server} does not answer: {reason}",
                hint="is this its address and port, and may you reach it by UDP and TCP?"
                " --timeout waits longer",
            )
        time.sleep(pause)
        pause *= 2


def _ask_one_by_tcp(address: Address, request: bytes, judge: Judge[T], deadline: Deadline) -> T:
    """Raises OSError where there is no connection, and _LostError where there was one."""
    family, where = address
    with socket.socket(family, socket.SOCK_STREAM) as tcp:
        set_timeout(tcp, deadline)
        tcp.connect(where)
        try:
            tcp.sendall(struct.pack("!H", len(request)) + request)
            return _await_reply(tcp, judge, deadline)
        except EOFError:
            raise _LostError("it closed the connection without a reply") from None
        except TimeoutError:
            raise _LostError("no reply in time") from None
        except OSError as error:
            raise _LostError(error.strerror or str(error)) from None


def _await_reply(tcp: socket.socket, judge: Judge[T], deadline: Deadline) -> T:
    while True:
        length = int.from_bytes(receive_exactly(tcp, 2, deadline))
        found = judge(receive_exactly(tcp, length, deadline))
        if found is not None:
            return found


def receive_exactly(tcp: socket.socket, length: int, deadline: Deadline) -> bytes:
    """Exactly so many octets; EOFError where the peer has no more."""
    octets = b""
    while len(octets) < length:
        set_timeout(tcp, deadline)
        part = tcp.recv(length - len(octets))
        if not part:
            raise EOFError
        octets += part
    return octets


def set_timeout(tcp: socket.socket, deadline: Deadline) -> None:
    """Lets the next operation take until the deadline; TimeoutError where that is past."""
    if deadline.left <= 0:
        raise TimeoutError
    tcp.settimeout(deadline.left)
