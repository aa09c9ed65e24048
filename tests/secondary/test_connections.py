"""Links over real connections: opened, heard, closed, hung up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from oakroot.secondary.connections import UNREAD_LIMIT, Connections, LinkEvent
from oakroot.secondary.encryption import Encryption
from oakroot.secondary.events import LinkClosed, LinkHeard, LinkOpened
from oakroot.secondary.sources import Server

PATIENCE = 20.0


class World:
    """Links to a peer that keeps what it gets, and what the core would hear."""

    def __init__(self) -> None:
        self.events: list[LinkEvent] = []
        self.connections = Connections(self._happened, Encryption())
        self.server = Server("127.0.0.1", 0)
        self.received = bytearray()
        self.peers: list[asyncio.StreamWriter] = []
        self._changed = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The other end of one connection."""
        self.peers.append(writer)
        self._changed.set()
        while octets := await reader.read(65536):
            self.received += octets
            self._changed.set()

    def _happened(self, event: LinkEvent) -> None:
        self.events.append(event)
        self._changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Returns once that is so."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def until_event(self, event: LinkEvent) -> None:
        """Returns once this has happened."""
        await self.until(lambda: event in self.events)


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    made = World()
    listener = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.server = Server(*listener.sockets[0].getsockname())
    try:
        yield made
    finally:
        await made.connections.close()
        listener.close()
        for peer in made.peers:
            peer.transport.abort()


def run(scenario: Callable[[World], Coroutine[Any, Any, None]]) -> None:
    async def play() -> None:
        async with world() as made:
            await scenario(made)

    asyncio.run(play())


def test_messages_go_and_come() -> None:
    async def scenario(made: World) -> None:
        made.connections.open(made.server, None)
        await made.until_event(LinkOpened(made.server))
        made.connections.send(made.server, b"question")
        await made.until(lambda: made.received == b"\0\x08question")
        made.peers[0].write(b"\0\x06answer\0\x01")
        await made.until_event(LinkHeard(made.server, b"answer"))
        made.peers[0].write(b"x")
        await made.until_event(LinkHeard(made.server, b"x"))

    run(scenario)


def test_the_end_is_told() -> None:
    async def scenario(made: World) -> None:
        made.connections.open(made.server, None)
        await made.until_event(LinkOpened(made.server))
        await made.until(lambda: bool(made.peers))
        made.peers[0].write(b"\0\x06half")
        made.peers[0].close()
        await made.until_event(LinkClosed(made.server, "it closed the connection"))
        made.connections.send(made.server, b"too late")

    run(scenario)


def test_a_link_that_was_hung_up_tells_nothing_more_and_can_be_opened_again() -> None:
    async def scenario(made: World) -> None:
        made.connections.open(made.server, None)
        await made.until_event(LinkOpened(made.server))
        made.connections.hang_up(made.server)
        made.connections.open(made.server, None)
        await made.until(lambda: made.events == [LinkOpened(made.server)] * 2)
        made.connections.send(made.server, b"again")
        await made.until(lambda: made.received == b"\0\x05again")
        assert made.events == [LinkOpened(made.server)] * 2

    run(scenario)


def test_a_refused_connection_is_told() -> None:
    async def scenario(made: World) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            nobody = Server(*probe.getsockname())
        made.connections.open(nobody, None)
        await made.until(lambda: bool(made.events))
        (closed,) = made.events
        assert isinstance(closed, LinkClosed)
        assert "cannot connect" in closed.reason

    run(scenario)


def test_the_address_of_ours_may_be_chosen() -> None:
    async def scenario(made: World) -> None:
        made.connections.open(made.server, "127.0.0.42")
        await made.until_event(LinkOpened(made.server))
        await made.until(lambda: bool(made.peers))
        assert made.peers[0].get_extra_info("peername")[0] == "127.0.0.42"

    run(scenario)


def test_a_primary_that_reads_nothing_is_hung_up_on() -> None:
    async def scenario(made: World) -> None:
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            server = Server(*deaf.getsockname())
            made.connections.open(server, None)
            await made.until_event(LinkOpened(server))
            # What the system buffers comes on top of what we do.
            for _ in range(32 * UNREAD_LIMIT // 60000):
                made.connections.send(server, bytes(60000))
            await made.until(lambda: isinstance(made.events[-1], LinkClosed))

    run(scenario)
