"""BIND, Knot DNS and NSD as secondaries of a primary: they follow pushes, keys and removed zones.

Each secondary has an address of its own in 127.0.0.0/8 and the port of the primary, as in life all have 53;
so key names with addresses say the truth. What must not live here: the configuration files (`secondaries`).
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.asyncquery
import dns.exception
import dns.message
import pytest

from oakroot._engine import Server
from oakroot.git.credentials import Credentials
from oakroot.git.remote import parse_remote
from oakroot.git.repository import RemoteRepository
from oakroot.keys.dnskey import write_dnskey
from oakroot.keys.key import Key
from oakroot.primary.core import Settings
from oakroot.primary.service import Service
from oakroot.primary.worker import GitWorker
from tests.interop.secondaries import PRINTED, SECONDARIES, Secondary
from tests.peers.git_servers import BareRepository
from tests.peers.ports import free_port
from tests.protocol.keys import make_key
from tests.zones.repositories import NOON, zone_text

ZONE = "example.org"
PRIMARY = "127.0.0.2"
PATIENCE = 40.0
PEERS = pytest.mark.parametrize(("kind", "address"), SECONDARIES, ids=[kind.name for kind, _ in SECONDARIES])


def transfer_key(address: str, word: str = "first") -> Key:
    """The key of the secondary at this address."""
    return make_key(f"{word}.{PRIMARY}.{address}._transfer.{ZONE}.", secret=word.encode().ljust(32, b"."))


def key_file(*keys: Key) -> bytes:
    return "".join(f"{write_dnskey(key)}\n" for key in keys).encode()


@dataclass
class World:
    """A primary, its repository, and one secondary."""

    remote: BareRepository
    secondary: Secondary
    log: pytest.LogCaptureFixture

    def push(self, files: Mapping[str, bytes | None]) -> None:
        """Somebody pushes, and tells the primary by a hangup signal."""
        self.remote.commit(files)
        os.kill(os.getpid(), signal.SIGHUP)

    async def until(self, wanted: Callable[[dns.message.Message], bool], kind: str = "SOA") -> None:
        """Waits until the secondary's reply is as wanted."""
        host, port = self.secondary.address
        last: dns.message.Message | None = None
        try:
            async with asyncio.timeout(PATIENCE):
                while last is None or not wanted(last):
                    query = dns.message.make_query(f"{ZONE}.", kind)
                    try:
                        last = await dns.asyncquery.udp(query, host, port=port, timeout=0.5)
                    except (dns.exception.Timeout, OSError):
                        self.secondary.check_alive()
        except TimeoutError:
            said = "\n".join(record.getMessage() for record in self.log.records)
            pytest.fail(f"{self.secondary.name} said: {last}\n{said}{self.secondary.log_tail()}")


@asynccontextmanager
async def a_world(
    kind: type[Secondary], address: str, directory: Path, log: pytest.LogCaptureFixture
) -> AsyncIterator[World]:
    """A primary with one zone, and a secondary that has its key."""
    log.set_level("DEBUG", "oakroot.primary")
    key = transfer_key(address)
    remote = BareRepository(directory / "zones.git")
    remote.commit({ZONE: zone_text(1), f"{ZONE}._keys": key_file(key)})
    port = free_port()
    with RemoteRepository(parse_remote(str(remote.path)), Credentials()) as repository:
        service = Service(
            Server([(PRIMARY, port)]), GitWorker(repository, "increment", lambda: NOON), Settings()
        )
        task = asyncio.create_task(service.run())
        secondary = kind((address, port), (PRIMARY, port), f"{ZONE}.", key, directory / kind.name)
        try:
            await asyncio.to_thread(secondary.__enter__)
            yield World(remote, secondary, log)
        finally:
            await asyncio.to_thread(secondary.stop)
            service.stop()
            await task


def serial(number: int) -> Callable[[dns.message.Message], bool]:
    """Whether a reply has a SOA record of this serial."""
    return lambda reply: any(f" {number} 86400 " in rrset.to_text() for rrset in reply.answer)


@pytest.mark.proves("clients", "bind", "follows the primary by differences")
@pytest.mark.proves("clients", "knot", "follows the primary by differences")
@pytest.mark.proves("clients", "nsd", "follows the primary by differences")
@PEERS
def test_a_secondary_follows_pushes_by_differences(
    kind: type[Secondary], address: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def dialogue() -> None:
        async with a_world(kind, address, tmp_path, caplog) as world:
            await world.until(serial(1))
            for number in range(2, 7):
                world.push({ZONE: zone_text(number, f"www{number} A 192.0.2.{number}")})
                await world.until(serial(number))
            sent = [record.getMessage() for record in caplog.records if "sent:" in record.getMessage()]
            assert "serial 1 sent: all of it" in sent[0]
            assert any("differences from serial" in line for line in sent[1:]), sent

    asyncio.run(dialogue())


@pytest.mark.proves("clients", "bind", "has the zone with what is printed, and nothing else")
@pytest.mark.proves("clients", "knot", "has the zone with what is printed, and nothing else")
@pytest.mark.proves("clients", "nsd", "has the zone with what is printed, and nothing else")
@pytest.mark.parametrize(("kind", "address"), PRINTED, ids=[kind.name for kind, _ in PRINTED])
def test_what_keygen_prints_is_all_that_a_secondary_needs(
    kind: type[Secondary], address: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def dialogue() -> None:
        async with a_world(kind, address, tmp_path, caplog) as world:
            await world.until(serial(1))
            world.push({ZONE: zone_text(2)})
            await world.until(serial(2))

    asyncio.run(dialogue())


@PEERS
def test_a_key_is_replaced_by_another_without_restarting_the_primary(
    kind: type[Secondary], address: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def dialogue() -> None:
        async with a_world(kind, address, tmp_path, caplog) as world:
            await world.until(serial(1))
            old, new = transfer_key(address), transfer_key(address, "second")
            world.push({f"{ZONE}._keys": key_file(old, new)})
            world.secondary.use(new)
            await world.until(serial(1))
            world.push({f"{ZONE}._keys": key_file(new), ZONE: zone_text(2)})
            await world.until(serial(2))

    asyncio.run(dialogue())


@PEERS
def test_a_secondary_is_told_when_the_zone_is_gone(
    kind: type[Secondary], address: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def dialogue() -> None:
        async with a_world(kind, address, tmp_path, caplog) as world:
            await world.until(serial(1))
            caplog.clear()
            world.push({ZONE: None})
            await world.until(lambda _: "NOTIFY to" in caplog.text)
            assert "taken" in caplog.text

    asyncio.run(dialogue())
