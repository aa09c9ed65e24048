"""A whole zone from a server that has it, by AXFR, signed or not. For tools; a secondary has its own ways.

What a server sends is believed no more than what a secondary gets: `protocol.transfer_client` judges it.
"""

from __future__ import annotations

import secrets
import socket
import struct
import time

import dns.name
import dns.rcode

from oakroot._engine import Zone
from oakroot.client.exchange import Deadline, receive_exactly, set_timeout
from oakroot.client.server import Server, ServerError
from oakroot.client.signed import ask, told
from oakroot.keys.key import Key
from oakroot.protocol.query import build_soa_query, read_soa_reply
from oakroot.protocol.transfer_client import Failed, Limits, Progress, Received, Step, Transfer

_HINT = "the server must allow transfers to this address, or to the key"
LIMITS = Limits(octets=1 << 30, messages=1 << 22)
"""Of one zone: a gigabyte is more than a repository holds of one."""
_NOT_THERE = frozenset({dns.rcode.REFUSED, dns.rcode.NOTAUTH, dns.rcode.NXDOMAIN, dns.rcode.NOERROR})
"""Answers without a SOA record of the zone that say that the server does not have it."""


def fetch_zone(
    server: Server, zone: dns.name.Name, key: Key | None, deadline: Deadline, limits: Limits = LIMITS
) -> Zone:
    """The zone as the server has it, all of it.

    Raises:
        ServerError: it is refused, breaks off, has no end, is not signed as it should be, or is no good zone.
    """
    transfer = Transfer(zone, key, None, limits)
    try:
        with socket.create_connection((server.host, server.port), timeout=max(deadline.left, 0.001)) as tcp:
            step = _receive_all(tcp, transfer, deadline.but_within(limits.seconds), limits)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "no reply in time"
        raise ServerError(f"the transfer of {zone} from {server} failed: {reason}", hint=_HINT) from None
    match step:
        case Received(made) if made is not None:
            return made
        case Failed(reason):
            raise ServerError(f"the transfer of {zone} from {server} failed: {reason}", hint=_HINT)
        case _:
            raise AssertionError("a whole zone was asked for, once")


def served_zone(server: Server, zone: dns.name.Name, key: Key | None, deadline: Deadline) -> Zone | None:
    """The zone as the server has it; None where it says that it has none. ServerError as above."""
    request = build_soa_query(zone, secrets.randbelow(1 << 16))
    answer = ask(server, request, key, deadline, tcp=True)
    if read_soa_reply(request, answer.message, zone) is not None:
        return fetch_zone(server, zone, key, deadline)
    if answer.reply.rcode in _NOT_THERE:
        return None
    raise ServerError(f"{server} does not tell whether it serves {zone}: {told(answer.reply)}")


def _receive_all(tcp: socket.socket, transfer: Transfer, deadline: Deadline, limits: Limits) -> Step:
    """Each message in turn, until the transfer has its end or is given up."""
    request = transfer.begin(secrets.randbelow(1 << 16), int(time.time()))
    set_timeout(tcp, deadline)
    tcp.sendall(struct.pack("!H", len(request)) + request)
    step: Step = Progress.MORE
    while step is Progress.MORE:
        patience = deadline.but_within(limits.idle_seconds)
        try:
            length = int.from_bytes(receive_exactly(tcp, 2, patience))
            message = receive_exactly(tcp, length, patience)
        except TimeoutError:
            return transfer.cut("it did not end in time, given up")
        except EOFError:
            return transfer.cut("the server closed the connection")
        step = transfer.receive(message, int(time.time()))
    return step
