"""A primary that runs in this process, for tests of its shell: real engine, real repository, real packets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.asyncquery
import dns.message

from oakroot._engine import Server
from oakroot.git.credentials import Credentials
from oakroot.git.remote import parse_remote
from oakroot.git.repository import RemoteRepository
from oakroot.operate.lifetime import Lifetime
from oakroot.primary.core import Settings
from oakroot.primary.service import Service
from oakroot.primary.worker import GitWorker
from tests.zones.repositories import NOON

PATIENCE = 20.0


@dataclass(frozen=True)
class Running:
    """Where it listens, and its service."""

    address: tuple[str, int]
    service: Service

    async def ask(self, query: dns.message.Message, *, tcp: bool = False) -> dns.message.Message:
        """Its reply."""
        send = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
        return await send(query, self.address[0], port=self.address[1], timeout=PATIENCE)

    async def until(self, query: Callable[[], dns.message.Message], wanted: str) -> None:
        """Returns once the reply's text has this; fails when that is not so for long."""
        async with asyncio.timeout(PATIENCE):
            while wanted not in (await self.ask(query())).to_text():
                pass


@asynccontextmanager
async def running(
    remote: Path, settings: Settings | None = None, lifetime: Lifetime | None = None
) -> AsyncIterator[Running]:
    """A primary of this repository, stopped in the end."""
    with RemoteRepository(parse_remote(str(remote)), Credentials()) as repository:
        server = Server([("127.0.0.1", 0)])
        worker = GitWorker(repository, "increment", lambda: NOON)
        service = Service(server, worker, settings or Settings(), lifetime=lifetime)
        task = asyncio.create_task(service.run())
        try:
            yield Running(server.addresses[0], service)
        finally:
            service.stop()
            await task
