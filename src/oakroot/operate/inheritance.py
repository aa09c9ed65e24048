"""Sockets that were bound before this process began, and are open still when it ends.

They come from systemd (sd_listen_fds(3)): of a `.socket` unit, or kept for us over a crash (`FDSTORE`); or
from the process whose place this one takes (`handover`). What must not live here: what is done with them.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, MutableMapping, Sequence
from typing import Literal

from oakroot.frozen import frozen
from oakroot.operate import handed

Transport = Literal["udp", "tcp", "tls"]
Address = tuple[str, int]

FIRST_DESCRIPTOR = 3
"""SD_LISTEN_FDS_START."""
TLS_PORT = 853
STAYING_NAME = "oakroot-predecessor"
"""What systemd keeps under this name leads to a process that serves until we do (`staying`)."""
_OURS = (STAYING_NAME, handed.NAME)
_VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID")


class InheritanceError(Exception):
    """What we were given cannot be used; the text says what it is."""


@frozen
class Socket:
    """A bound socket."""

    transport: Transport
    address: Address
    descriptor: int


@frozen
class Passed:
    """What systemd passes to this process."""

    sockets: tuple[Socket, ...] = ()
    predecessors: tuple[int, ...] = ()
    """Descriptors that lead to processes which serve until we do."""
    handed: tuple[int, ...] = ()
    """Descriptors of what such a process has left (`handed`)."""


def from_systemd(environment: MutableMapping[str, str], process: int) -> Passed:
    """What systemd passes to this process; the variables that tell so are taken away.

    What listens on port 853, or is named `tls` or `...-tls` (`FileDescriptorName=`), is for TLS.
    """
    listed = {name: environment.pop(name, "") for name in _VARIABLES}
    if listed["LISTEN_PID"] != str(process):
        return Passed()  # they were for somebody before us, who has gone on with another program
    try:
        count = int(listed["LISTEN_FDS"])
    except ValueError:
        raise InheritanceError("$LISTEN_FDS is no number") from None
    names = listed["LISTEN_FDNAMES"].split(":")
    names += [""] * (count - len(names))
    named = [(FIRST_DESCRIPTOR + number, name) for number, name in zip(range(count), names, strict=False)]
    return Passed(
        tuple(_look_at(descriptor, name) for descriptor, name in named if name not in _OURS),
        tuple(descriptor for descriptor, name in named if name == STAYING_NAME),
        tuple(descriptor for descriptor, name in named if name == handed.NAME),
    )


def places(sockets: Iterable[Socket], transport: Transport) -> list[Address]:
    """The addresses of those of this kind, each once."""
    return list(dict.fromkeys(each.address for each in sockets if each.transport == transport))


def settled(asked: Sequence[Address], sockets: Iterable[Socket], transport: Transport) -> list[Address]:
    """The addresses asked for; where any port would do, the port of a socket that is there."""
    free = [place for place in places(sockets, transport) if place not in asked]
    found = []
    for host, port in asked:
        known = next((place for place in free if place[0] == host), None) if port == 0 else None
        if known is not None:
            free.remove(known)
        found.append((host, port) if known is None else known)
    return found


def _look_at(descriptor: int, name: str) -> Socket:
    os.set_inheritable(descriptor, False)  # noqa: FBT003 - it has no name
    try:
        opened = socket.socket(fileno=descriptor)
    except OSError as error:
        what = f"descriptor {descriptor} ({name or 'without a name'})"
        raise InheritanceError(
            f"{what}, which systemd passes to us, is no socket: {error.strerror}"
        ) from None
    try:
        kind, address = opened.type, opened.getsockname()
    finally:
        opened.detach()
    if not isinstance(address, tuple):
        raise InheritanceError(f"descriptor {descriptor} is a socket for neither IPv4 nor IPv6")
    place = (str(address[0]), int(address[1]))
    if kind == socket.SOCK_DGRAM:
        return Socket("udp", place, descriptor)
    is_tls = place[1] == TLS_PORT or name.removesuffix(".socket").rpartition("-")[2] == "tls"
    return Socket("tls" if is_tls else "tcp", place, descriptor)
