"""Primaries over TLS: the right one is taken, and nothing is said to any other."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from oakroot.operate.certificate import CertificateFiles
from oakroot.operate.certificate_facts import pin_of
from oakroot.secondary.encryption import Encryption
from oakroot.secondary.sources import Identity
from tests.peers import authority as peers
from tests.protocol.keys import make_key
from tests.secondary.authority import ZONE, Authority, hosts, make_zone
from tests.secondary.primary_server import Faults, PrimaryServer
from tests.secondary.running import PATIENCE, running

KEY = make_key("a._transfer.example.org.")
NAME = "ns1.example.org"
RIGHT = Identity(name=NAME)


@dataclass
class World:
    """An authority for certificates, and one whom nobody trusts."""

    trusted: peers.Authority
    other: peers.Authority

    @property
    def encryption(self) -> Encryption:
        """What a secondary knows."""
        return Encryption(self.trusted.file)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = [peers.Authority(tmp_path_factory.mktemp("authority")) for _ in range(2)]
    return World(*made)


def serving(certificate: Path, *, alpn: str | None = "dot", clients: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if alpn is not None:
        context.set_alpn_protocols([alpn])
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    return context


def primary(context: ssl.SSLContext | None) -> PrimaryServer:
    authority = Authority((KEY,), records_per_message=4)
    authority.serve(make_zone(7, *hosts(50)))
    return PrimaryServer(authority, context=context)


def play(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(3 * PATIENCE):
            await scenario()

    asyncio.run(limited())


def pin(certificate: Path) -> str:
    return pin_of(x509.load_pem_x509_certificates(certificate.read_bytes())[0])


def follow(context: ssl.SSLContext, identity: Identity, encryption: Encryption) -> PrimaryServer:
    """A zone is transferred, over TLS in all that was said."""
    server = primary(context)

    async def scenario() -> None:
        with server:
            of_primary = {"primary": server.address, "identity": identity, "encryption": encryption}
            async with running(KEY, **of_primary) as secondary:  # type: ignore[arg-type]
                await secondary.until_serial(ZONE, 7)
                server.authority.serve(make_zone(8, *hosts(60)))
                server.send(b"")
                server.hang_up()
                await secondary.until_serial(ZONE, 8)

    play(scenario)
    return server


@pytest.fixture
def refused(caplog: pytest.LogCaptureFixture) -> Callable[..., None]:
    """Nothing is asked of a primary that does not prove itself, and the log says why."""

    def check(server: PrimaryServer, identity: Identity, encryption: Encryption, reason: str) -> None:
        async def scenario() -> None:
            with server:
                of_primary = {"primary": server.address, "identity": identity, "encryption": encryption}
                async with running(KEY, **of_primary) as secondary:  # type: ignore[arg-type]
                    async with asyncio.timeout(PATIENCE):
                        while reason not in caplog.text:
                            await secondary.ask(ZONE)
                    assert await secondary.serial(ZONE) is None

        play(scenario)
        assert server.asked == 0

    return check


def test_a_name_that_an_authority_vouches_for_is_trusted(world: World) -> None:
    server = follow(serving(world.trusted.issue(NAME)), RIGHT, world.encryption)
    assert set(server.handshakes) == {"dot"}


def test_an_address_may_be_the_name(world: World) -> None:
    follow(serving(world.trusted.issue("127.0.0.1")), Identity(name="127.0.0.1"), world.encryption)


def test_a_pinned_key_needs_no_authority(world: World) -> None:
    certificate = world.other.issue("anything.example.net", hours=-1)
    follow(serving(certificate), Identity(pin=pin(certificate)), Encryption())


def test_who_asks_for_our_certificate_gets_it(world: World) -> None:
    ours = world.trusted.issue("ns2.example.org")
    files = CertificateFiles(ours, ours, lambda *_: None)
    context = serving(world.trusted.issue(NAME), clients=world.trusted.file)
    follow(context, RIGHT, Encryption(world.trusted.file, files))


def test_another_name_is_refused(world: World, refused: Callable[..., None]) -> None:
    context = serving(world.trusted.issue("ns2.example.org"))
    refused(primary(context), RIGHT, world.encryption, "its certificate is not trusted: Hostname mismatch")


def test_another_authority_is_refused(world: World, refused: Callable[..., None]) -> None:
    context = serving(world.other.issue(NAME))
    refused(
        primary(context),
        RIGHT,
        world.encryption,
        "its certificate is not trusted: unable to get local issuer",
    )


def test_an_expired_certificate_is_refused(world: World, refused: Callable[..., None]) -> None:
    context = serving(world.trusted.issue(NAME, hours=-1))
    refused(
        primary(context), RIGHT, world.encryption, "its certificate is not trusted: certificate has expired"
    )


@pytest.mark.parametrize("alpn", [None, "h2"])
def test_without_the_protocol_nothing_is_said(
    world: World, refused: Callable[..., None], alpn: str | None
) -> None:
    context = serving(world.trusted.issue(NAME), alpn=alpn)
    refused(
        primary(context), RIGHT, world.encryption, "it does not speak DNS over TLS on this port (ALPN dot)"
    )


def test_another_key_than_the_pinned_is_refused(world: World, refused: Callable[..., None]) -> None:
    certificate, other = world.trusted.issue(NAME), world.trusted.issue(NAME)
    reason = f"its key is another one than the pinned (its pin-sha256 is {pin(certificate)})"
    refused(primary(serving(certificate)), Identity(pin=pin(other)), world.encryption, reason)


def test_tls_1_2_is_refused(world: World, refused: Callable[..., None]) -> None:
    context = serving(world.trusted.issue(NAME))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    refused(primary(context), RIGHT, world.encryption, "it does not speak TLS 1.3")


def test_there_is_no_way_back_to_a_connection_without_tls(world: World, refused: Callable[..., None]) -> None:
    server = primary(None)
    server.faults = Faults(slam=True)
    refused(server, RIGHT, world.encryption, "cannot connect")
