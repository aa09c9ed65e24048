"""Programs get certificates of their own: against BIND, with a certifier that needs no authority."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from oakroot.certificates import Client, Identity, KeyType, RejectedError, ServerError, Wish, dialogue
from oakroot.certificates.folder import NAMES, Folder
from oakroot.keys.key import Key
from tests.certificates.little_certifier import LittleCertifier
from tests.peers.nameservers import ZoneFile
from tests.peers.updatable import UpdatableBind
from tests.protocol.keys import make_key

HOST = "www.example.org"
ZONE = """\
$TTL 60
@ SOA ns hostmaster 1 7200 600 1209600 60
@ NS ns
ns A 127.0.0.1
_letsencrypt._tcp.alias CNAME www
"""


@dataclass
class Primary:
    """A primary that takes updates, as a client is told of it."""

    bind: UpdatableBind
    key: Key

    @property
    def server(self) -> str:
        return f"{self.bind.address[0]}:{self.bind.address[1]}"

    @property
    def key_text(self) -> str:
        return f"{self.key.name}:SHA256:{self.key.secret.base64()}"

    def client(self) -> Client:
        return Client(self.server, self.key_text)

    def certifier(self, *, days: float = 90) -> LittleCertifier:
        return LittleCertifier(self.bind.address, "example.org.", HOST, self.key, days=days)


@pytest.fixture
def key_name() -> str:
    return "certify._update.example.org."


@pytest.fixture
def primary(tmp_path: Path, require: Callable[[str], str], key_name: str) -> Iterator[Primary]:
    require("named")
    zone, key = tmp_path / "example.org", make_key(key_name)
    zone.write_text(ZONE)
    with UpdatableBind([ZoneFile("example.org.", zone)], tmp_path / "bind", key) as bind:
        yield Primary(bind, key)


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogue, "FIRST_PAUSE", 0.1)


def handshake(identity: Identity, root: str) -> set[str]:
    """The names in what a TLS server with this identity presents to a client that trusts the root."""
    ours, theirs = socket.socketpair()
    context = identity.server_context()
    server = threading.Thread(target=lambda: context.wrap_socket(ours, server_side=True).close())
    server.start()
    trusting = ssl.create_default_context(cadata=root)
    with trusting.wrap_socket(theirs, server_hostname=identity.names[-1]) as stream:
        presented = stream.getpeercert()
    server.join()
    assert presented is not None
    pairs = presented["subjectAltName"]
    assert isinstance(pairs, tuple)
    return {str(pair[1]) for pair in pairs}


@pytest.mark.parametrize("kind", list(KeyType))
def test_a_certificate_is_had_and_presented(primary: Primary, kind: KeyType, tmp_path: Path) -> None:
    wish = Wish.of(HOST, [f"*.{HOST}"], key_type=kind)
    with primary.certifier() as certifier:
        identity = primary.client().obtain(wish, folder=tmp_path / "tls", patience=30)
        assert handshake(identity, certifier.authority.root.pem) == {HOST, f"*.{HOST}"}
    assert identity.key.type is kind
    assert "PRIVATE KEY" not in repr(identity)


def test_the_second_time_nothing_is_done(primary: Primary, tmp_path: Path) -> None:
    with primary.certifier() as certifier:
        first = primary.client().obtain(HOST, folder=tmp_path, patience=30)
        files = {name: (tmp_path / name).stat().st_mtime_ns for name in NAMES}
        told: list[str] = []
        assert primary.client().obtain(HOST, folder=tmp_path, progress=told.append) == first
        assert certifier.issued == 1
    assert files == {name: (tmp_path / name).stat().st_mtime_ns for name in NAMES}
    assert told == []


def test_a_good_certificate_will_do_while_the_server_is_away(primary: Primary, tmp_path: Path) -> None:
    with primary.certifier():
        first = primary.client().obtain(HOST, folder=tmp_path, patience=30)
    primary.bind.stop()
    told: list[str] = []
    assert primary.client().obtain(HOST, folder=tmp_path, progress=told.append) == first
    assert "does not answer" in told[0]


def test_another_folder_gets_the_certificate_from_dns_if_it_has_the_key(
    primary: Primary, tmp_path: Path
) -> None:
    with primary.certifier() as certifier:
        first = primary.client().obtain(HOST, folder=tmp_path / "one", patience=30)
    key = first.private_key_pem
    assert Client(primary.server).obtain(HOST, private_key=key) == first
    assert certifier.issued == 1


def test_without_a_key_for_dns_nothing_can_be_asked_for(primary: Primary) -> None:
    with pytest.raises(ServerError, match=r"a request for www\.example\.org has to be signed"):
        Client(primary.server).obtain(HOST)


@pytest.mark.parametrize("key_name", ["certify._transfer.example.org.", "certify._update.example.net."])
def test_a_key_that_may_not_update_is_told_before_it_is_tried(primary: Primary, key_name: str) -> None:
    with pytest.raises(
        ServerError, match=rf"the key {key_name.rstrip('.')} may not update www\.example\.org"
    ):
        primary.client().obtain(HOST)


@pytest.mark.parametrize("key_name", ["rndc-key."])
def test_a_key_whose_name_grants_nothing_is_tried(primary: Primary, key_name: str) -> None:
    with primary.certifier():
        assert primary.client().obtain(HOST, patience=30).names == (HOST,)


@pytest.mark.parametrize(
    "change",
    [
        {"additional": ["mail.example.org"]},
        {"key_type": KeyType.ED25519},
        {"renew": True},
        {"new_key": True},
    ],
)
def test_another_wish_has_another_certificate(
    primary: Primary, tmp_path: Path, change: dict[str, object]
) -> None:
    with primary.certifier() as certifier:
        first = primary.client().obtain(HOST, folder=tmp_path, patience=30)
        wish = Wish.of(HOST, **change)  # type: ignore[arg-type]
        second = primary.client().obtain(wish, folder=tmp_path, patience=30)
        assert certifier.issued == 2
    assert second.chain != first.chain
    assert (second.key == first.key) == ("additional" in change or "renew" in change)
    kept = Folder(tmp_path).kept()
    assert kept is not None
    assert Identity(kept.key, kept.chain) == second


def test_a_run_that_was_cut_short_is_taken_up(primary: Primary, tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="no certifier has answered"):
        primary.client().obtain(HOST, folder=tmp_path, patience=0.2)
    waiting = Folder(tmp_path).next_key()
    with primary.certifier() as certifier:
        identity = primary.client().obtain(HOST, folder=tmp_path, patience=30)
        assert certifier.issued == 1
    assert identity.key == waiting


def test_an_alias_has_no_place_for_a_request(primary: Primary) -> None:
    """Beside a CNAME an UPDATE adds nothing and succeeds (RFC 2136 §3.4.2.2)."""
    with pytest.raises(ServerError, match=r"the request at _letsencrypt\._tcp\.alias\.\S+ is gone") as error:
        primary.client().obtain("alias.example.org", patience=30)
    assert "CNAME" in (error.value.hint or "")


def test_the_event_loop_goes_on_while_a_certificate_is_waited_for(primary: Primary, tmp_path: Path) -> None:
    async def obtain() -> tuple[Identity, int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        async with asyncio.TaskGroup() as group:
            ticking = group.create_task(tick())
            identity = await primary.client().obtain_async(HOST, folder=tmp_path, patience=30)
            ticking.cancel()
        return identity, ticks

    with primary.certifier():
        identity, ticks = asyncio.run(obtain())
    assert identity.names == (HOST,)
    assert ticks > 5


def test_a_service_follows_the_renewals_of_its_certificate(primary: Primary, tmp_path: Path) -> None:
    async def follow() -> list[Identity]:
        identities: list[Identity] = []
        async for identity in primary.client().follow(HOST, folder=tmp_path):
            identities.append(identity)
            if len(identities) == 3:
                return identities
        return identities

    # Begun an hour ago, it has two thirds of its time behind it in a second or two.
    with primary.certifier(days=(5400 + 3) / 86400):
        identities = asyncio.run(asyncio.wait_for(follow(), 60))
    assert len({identity.chain for identity in identities}) == 3
    assert len({identity.key for identity in identities}) == 1


@pytest.mark.parametrize("host", ["*.example.org", "", "a b", "example..org", "_tcp.example.org"])
def test_a_host_that_is_none_is_rejected(host: str) -> None:
    with pytest.raises(RejectedError):
        Wish.of(host)
