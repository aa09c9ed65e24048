"""A secondary that runs in this process, for tests of its shell: real engine, real sockets, real files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import dns.asyncquery
import dns.message
import dns.rcode
import dns.rdatatype

from oakroot._engine import Server
from oakroot.keys.key import Key
from oakroot.operate.lifetime import Lifetime
from oakroot.protocol.transfer_client import Limits
from oakroot.secondary.core import Settings
from oakroot.secondary.directory import StateDirectory
from oakroot.secondary.encryption import Encryption
from oakroot.secondary.service import Service
from oakroot.secondary.sources import Identity, Listening, make_plan
from oakroot.secondary.sources import Server as Primary

PATIENCE = 20.0
HASTY = replace(
    Settings(),
    first_retry=0.05,
    first_retry_limit=0.2,
    reconnect=0.05,
    reconnect_limit=0.2,
    unsigned_pause=0.05,
)
"""Nobody wants to wait for pauses that are right in life."""


@dataclass(frozen=True)
class Running:
    """Where it listens, and its service."""

    address: tuple[str, int]
    service: Service

    async def ask(self, name: str, kind: str = "SOA", *, tcp: bool = False) -> dns.message.Message:
        """The reply to a question."""
        return await self.send(dns.message.make_query(name, kind), tcp=tcp)

    async def send(self, query: dns.message.Message, *, tcp: bool = False) -> dns.message.Message:
        """The reply to a message."""
        ask = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
        return await ask(query, self.address[0], port=self.address[1], timeout=PATIENCE)

    async def serial(self, zone: str) -> int | None:
        """What it serves of a zone."""
        reply = await self.ask(zone)
        if reply.rcode() != dns.rcode.NOERROR or not reply.answer:
            return None
        return int(reply.answer[0][0].to_text().split()[2])

    async def until_serial(self, zone: str, serial: int | None) -> None:
        """Returns once that is served; fails when it is not for long."""
        async with asyncio.timeout(PATIENCE):
            while await self.serial(zone) != serial:
                pass


@asynccontextmanager
async def running(  # noqa: PLR0913 - all that a secondary may be given
    *keys: Key,
    primary: tuple[str, int],
    identity: Identity | None = None,
    encryption: Encryption | None = None,
    state: Path | None = None,
    settings: Settings = HASTY,
    limits: Limits | None = None,
    listen: str = "127.0.0.1",
    lifetime: Lifetime | None = None,
) -> AsyncIterator[Running]:
    """A secondary of this primary, stopped in the end."""
    server = Server([(listen, 0)])
    plan = make_plan(keys, Primary(*primary, identity), Listening(tuple(server.addresses), lambda _: False))
    directory = None if state is None else StateDirectory(state)
    service = Service(
        server, plan, settings, directory, limits=limits, encryption=encryption, lifetime=lifetime
    )
    task = asyncio.create_task(service.run())
    try:
        yield Running(server.addresses[0], service)
    finally:
        service.stop()
        await task
