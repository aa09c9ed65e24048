"""Sends signed updates from several clients at once, and tells how long each waited for its answer.

Each client has a connection, a handful of names, and one update under way: it gives a name another address,
as dynamic DNS does. What must not live here: servers (`updatable`).
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import dns.name
import dns.rcode

from oakroot._engine import type_number, wire_rdata
from oakroot.keys.key import Key
from oakroot.protocol.message import read_reply
from oakroot.protocol.tsig_client import sign_request
from oakroot.protocol.update_request import add, build_update, delete
from tests.peers.nameservers import NameserverError
from tests.peers.ports import Address

NAMES = 16
"""Of each client, so that a zone does not grow while it is measured."""
PATIENCE = 60.0
_A = type_number("A")


@dataclass(slots=True)
class Burst:
    """What came of a burst."""

    latencies: list[float] = field(default_factory=list)
    """Seconds from sending to NOERROR, in no order."""
    seconds: float = 0.0
    last: dict[str, str] = field(default_factory=dict)
    """The last acknowledged address of each name."""

    def percentile(self, share: float) -> float:
        """The latency that this share of all updates stays below."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass(frozen=True)
class Plan:
    """Whom to send updates, signed with what, of which zone."""

    address: Address
    key: Key
    apex: str


def burst(plan: Plan, clients: int, seconds: float) -> Burst:
    """Sends for so long; raises NameserverError where one is not answered NOERROR."""
    return asyncio.run(_burst(plan, clients, seconds))


async def _burst(plan: Plan, clients: int, seconds: float) -> Burst:
    found = Burst()
    started = time.perf_counter()
    try:
        async with asyncio.timeout(seconds + PATIENCE), asyncio.TaskGroup() as group:
            for client in range(clients):
                group.create_task(_client(plan, client, started + seconds, found))
    except TimeoutError:
        raise NameserverError("updates are not answered in time") from None
    except ExceptionGroup as errors:
        first = errors.exceptions[0]
        if isinstance(first, NameserverError):
            raise first from None
        raise NameserverError(f"updates are not answered: {first!r}") from errors
    found.seconds = time.perf_counter() - started
    return found


async def _client(plan: Plan, client: int, until: float, found: Burst) -> None:
    reader, writer = await asyncio.open_connection(*plan.address)
    try:
        for owner, address, message in _messages(plan, client):
            request, _ = sign_request(message, plan.key, int(time.time()))
            sent = time.perf_counter()
            writer.write(len(request).to_bytes(2) + request)
            length = int.from_bytes(await reader.readexactly(2))
            reply = read_reply(request, await reader.readexactly(length))
            if reply is None or reply.rcode != dns.rcode.NOERROR:
                told = (
                    "something else"
                    if reply is None
                    else [reply.rcode_text, *map(str, reply.extended_errors)]
                )
                raise NameserverError(f"an update of {owner} is answered {told}")
            found.latencies.append(time.perf_counter() - sent)
            found.last[owner] = address
            if time.perf_counter() >= until:
                return
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _messages(plan: Plan, client: int) -> Iterator[tuple[str, str, bytes]]:
    """(name, its new address, request) without end."""
    zone = dns.name.from_text(plan.apex)
    number = 0
    while True:
        number += 1
        owner = dns.name.from_text(f"u{client}-{number % NAMES}", zone)
        address = f"10.{client}.{number >> 8 & 255}.{number & 255}"
        changes = [delete(owner, _A), add(owner, 60, _A, wire_rdata("A", address))]
        yield owner.to_text(), address, build_update(zone, [], changes, secrets.randbits(16))
