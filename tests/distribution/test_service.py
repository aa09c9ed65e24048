"""The shell of this room with real sockets: transfers at their readers' pace, NOTIFYs by UDP and TCP."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

import dns.asyncquery
import dns.message
import dns.opcode
import dns.rcode
import pytest

from oakroot._engine import Catalogue, Incoming, Server, Zone
from oakroot.distribution.actions import Enlist, NoteAsked, SendTransfer, Spread
from oakroot.distribution.fanout import Changed, Settings
from oakroot.distribution.service import Distributor
from oakroot.distribution.targets import Configured
from oakroot.keys.keyring import Keyring
from oakroot.protocol.message import response
from oakroot.protocol.transfer_server import Refused, judge
from oakroot.protocol.tsig import Verified, sign_reply, verify
from tests.protocol.keys import granted, keyring, make_key, name
from tests.secondary.authority import hosts, make_zone

PATIENCE = 20.0
ZONE = name("example.org.")
KEY = make_key("k._transfer.example.org.")
LOG = logging.getLogger("oakroot.tests")


@dataclass
class Role:
    """The least role that there can be: it sends its one zone to everybody."""

    server: Server
    distributor: Distributor
    zone: Zone

    def take(self) -> None:
        for request in self.server.take():
            if self.distributor.hear(request):
                continue
            plan = judge(request.wire, None, lambda _: (self.zone,), over_tcp=True, unsigned_allowed=True)
            if isinstance(plan, Refused):
                continue
            self.distributor.carry_out(SendTransfer(request, request.wire, plan, None))
        self.distributor.go_on()

    def spread(self, keys: Keyring | None = None) -> None:
        catalogue = Catalogue().with_zones([self.zone])
        news = Changed(catalogue, keys or Keyring(), [self.zone.apex], [self.zone.apex])
        self.distributor.carry_out(Spread(news))

    async def ask(self) -> dns.message.Message:
        """What an ordinary client gets meanwhile."""
        host, port = self.server.addresses[0]
        return await dns.asyncquery.udp(dns.message.make_query(ZONE, "SOA"), host, PATIENCE, port)


@asynccontextmanager
async def a_role(zone: Zone, *notified: Configured) -> AsyncIterator[Role]:
    """The role on loopback, stopped in the end."""
    server = Server([("127.0.0.1", 0)])
    server.publish(Catalogue().with_zones([zone]))
    addresses = server.addresses
    settings = Settings(notified, port=addresses[0][1], own=frozenset(addresses))
    role = Role(server, Distributor(server, settings, LOG), zone)
    loop = asyncio.get_running_loop()
    loop.add_reader(server.handover_fd(), role.take)
    server.start()
    try:
        async with asyncio.timeout(PATIENCE):
            yield role
    finally:
        loop.remove_reader(server.handover_fd())
        await role.distributor.close()
        server.stop()


def framed(wire: bytes) -> bytes:
    return len(wire).to_bytes(2) + wire


async def read_message(reader: asyncio.StreamReader) -> bytes:
    return await reader.readexactly(int.from_bytes(await reader.readexactly(2)))


async def connect(role: Role) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that asked for the zone, with a small buffer so that the server soon has to wait."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    client.setblocking(False)  # noqa: FBT003 - the standard library's own way
    await asyncio.get_running_loop().sock_connect(client, role.server.addresses[0])
    reader, writer = await asyncio.open_connection(sock=client, limit=65536)
    writer.write(framed(dns.message.make_query(ZONE, "AXFR").to_wire()))
    return reader, writer


async def receive(reader: asyncio.StreamReader) -> Zone:
    incoming = Incoming(ZONE.to_text())
    while not incoming.feed(await read_message(reader)):
        pass
    zone, _ = incoming.outcome()
    assert zone is not None
    return zone


def test_a_slow_reader_gets_all_and_holds_up_nobody() -> None:
    async def dialogue() -> None:
        large = make_zone(1, *hosts(40_000))
        async with a_role(large) as role:
            slow, slow_writer = await connect(role)
            first = await read_message(slow)
            assert (await role.ask()).rcode() == dns.rcode.NOERROR
            quick, quick_writer = await connect(role)
            assert (await receive(quick)).record_count == large.record_count
            incoming = Incoming(ZONE.to_text())
            incoming.feed(first)
            while not incoming.feed(await read_message(slow)):
                pass
            zone, _ = incoming.outcome()
            assert zone is not None
            assert zone.record_count == large.record_count
            slow_writer.close()
            quick_writer.close()

    asyncio.run(dialogue())


def test_who_hangs_up_in_the_middle_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    async def dialogue() -> None:
        async with a_role(make_zone(1, *hosts(40_000))) as role:
            reader, writer = await connect(role)
            await read_message(reader)
            writer.transport.abort()
            other, other_writer = await connect(role)
            await receive(other)
            while "closed the connection" not in caplog.text:
                await role.ask()
            other_writer.close()

    asyncio.run(dialogue())


class Secondary(asyncio.DatagramProtocol):
    """Acknowledges NOTIFYs over UDP."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[dns.message.Message] = asyncio.Queue()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Of all its transports, asyncio does not derive this one from the class that says what it does.
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = dns.message.from_wire(data)
        self.received.put_nowait(message)
        self.transport.sendto(dns.message.make_response(message).to_wire(), addr)


async def taken(caplog: pytest.LogCaptureFixture, role: Role) -> None:
    while "taken" not in caplog.text:
        await role.ask()


def test_a_notify_over_udp_is_sent_and_its_acknowledgement_taken(caplog: pytest.LogCaptureFixture) -> None:
    async def dialogue() -> None:
        loop = asyncio.get_running_loop()
        transport, secondary = await loop.create_datagram_endpoint(Secondary, local_addr=("127.0.0.1", 0))
        port = transport.get_extra_info("sockname")[1]
        async with a_role(make_zone(1), Configured("127.0.0.1", port)) as role:
            role.spread()
            message = await secondary.received.get()
            assert (message.opcode(), message.question[0].name) == (dns.opcode.NOTIFY, ZONE)
            await taken(caplog, role)
        transport.close()

    caplog.set_level("DEBUG")
    asyncio.run(dialogue())


def test_where_udp_does_not_get_through_tcp_does(caplog: pytest.LogCaptureFixture) -> None:
    async def acknowledge(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        message = dns.message.from_wire(await read_message(reader))
        writer.write(framed(dns.message.make_response(message).to_wire()))
        await writer.drain()
        writer.close()

    async def dialogue() -> None:
        listener = await asyncio.start_server(acknowledge, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        async with a_role(make_zone(1), Configured("127.0.0.1", port)) as role:
            role.spread()
            await taken(caplog, role)
        listener.close()

    caplog.set_level("DEBUG")
    asyncio.run(dialogue())


async def enlisted(role: Role) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A peer whose connection is kept for KEY."""
    loop = asyncio.get_running_loop()
    request = loop.create_future()
    loop.remove_reader(role.server.handover_fd())
    loop.add_reader(role.server.handover_fd(), lambda: request.set_result(role.server.take()[0]))
    reader, writer = await connect(role)
    held = await request
    loop.remove_reader(role.server.handover_fd())
    loop.add_reader(role.server.handover_fd(), role.take)
    role.distributor.carry_out(Enlist(held, granted(KEY), ZONE))
    return reader, writer


def acknowledge(wire: bytes) -> bytes:
    verdict = verify(wire, keyring(KEY), int(time.time()))
    assert isinstance(verdict, Verified)
    reply = response(verdict.query, dns.rcode.NOERROR, authoritative=True)
    assert reply is not None
    return sign_reply(reply, verdict.context, int(time.time()))


def test_an_enlisted_peer_is_told_over_its_own_connection(caplog: pytest.LogCaptureFixture) -> None:
    async def dialogue() -> None:
        async with a_role(make_zone(1)) as role:
            reader, writer = await enlisted(role)
            role.spread(keyring(KEY))
            message = dns.message.from_wire(await read_message(reader), keyring=False)
            assert (message.opcode(), message.had_tsig) == (dns.opcode.NOTIFY, True)
            role.distributor.carry_out(NoteAsked("127.0.0.1", ZONE))
            assert "taken" in caplog.text
            writer.close()

    caplog.set_level("DEBUG")
    asyncio.run(dialogue())


def test_the_acknowledgement_over_a_kept_connection_is_heard(caplog: pytest.LogCaptureFixture) -> None:
    async def dialogue() -> None:
        async with a_role(make_zone(1)) as role:
            reader, writer = await enlisted(role)
            role.spread(keyring(KEY))
            wire = await read_message(reader)
            noise = [b"\0" * 11, b"\xff\xff\xa4" + b"\0" * 9, wire[:2] + b"\xa4" + b"\0" * 9]
            writer.write(b"".join(map(framed, noise)))
            writer.write(framed(acknowledge(wire)))
            await taken(caplog, role)
            writer.close()

    caplog.set_level("DEBUG")
    asyncio.run(dialogue())


def test_a_kept_connection_is_let_go_as_soon_as_its_peer_closes_it(caplog: pytest.LogCaptureFixture) -> None:
    async def dialogue() -> None:
        async with a_role(make_zone(1)) as role:
            reader, writer = await enlisted(role)
            role.spread(keyring(KEY))
            await read_message(reader)
            writer.write_eof()
            # Ours is closed, too: nobody keeps it any more.
            assert await reader.read() == b""
            assert "NOTIFY to 127.0.0.1: in vain: it closed its connection" in caplog.text
            writer.close()

    caplog.set_level("DEBUG")
    asyncio.run(dialogue())
