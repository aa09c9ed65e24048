"""Clients of others change records at our primary: what they report is what the repository has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.message
import dns.query
import pytest

from oakroot.keys.dnskey import write_dnskey
from oakroot.keys.key import Key
from tests.interop.update_clients import CLIENTS, Client, ExternalDns, Knsupdate, Nsupdate, Request, document
from tests.peers.commands import Primary
from tests.peers.git_servers import BareRepository, git
from tests.protocol.keys import make_key

KEY = make_key("client._update.example.org.")
NARROW = make_key("host._acme-challenge._update.www.example.org.")
STRANGER = make_key("stranger._update.example.net.")
TEXT = """\
$TTL 1h
@       SOA   ns1 hostmaster 1 1d 2h 2w 1h
        NS    ns1
ns1     A     127.0.0.1  ; stays
"""
ADDRESS = ("www.example.org.", "A", "192.0.2.1")
OTHER = ("www.example.org.", "A", "192.0.2.2")


@dataclass
class World:
    """A primary, its repository, and clients of it."""

    repository: BareRepository
    primary: Primary
    require: Callable[[str], str]

    def client(self, kind: type[Client], key: Key = KEY) -> Client:
        return kind(self.require, self.primary.port, key)

    def served(self) -> list[str]:
        query = dns.message.make_query("www.example.org.", "A")
        reply = dns.query.tcp(query, "127.0.0.1", port=self.primary.port, timeout=10)
        return [f"{rrset.ttl} {rdata}" for rrset in reply.answer for rdata in rrset]

    def lines(self) -> list[str]:
        """Of the zone file, in what it differs from its first version; the SOA aside."""
        first = TEXT.splitlines()
        lines = self.repository.show("example.org").splitlines()
        assert [line for line in first if "SOA" not in line] == [line for line in lines if line in first]
        return [" ".join(line.split()) for line in lines if line not in first and "SOA" not in line]

    def commits(self) -> int:
        return int(git("rev-list", "--count", "main", cwd=self.repository.path))


@pytest.fixture(params=CLIENTS, ids=[kind.name for kind in CLIENTS])
def kind(request: pytest.FixtureRequest) -> type[Client]:
    chosen: type[Client] = request.param
    return chosen


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BareRepository, Primary]]:
    folder: Path = tmp_path_factory.mktemp("primary")
    repository = BareRepository(folder / "zones.git")
    keys = f"{write_dnskey(KEY)}\n{write_dnskey(STRANGER)}\n{write_dnskey(NARROW)}\n"
    repository.commit({"example.org": TEXT.encode(), "_keys": keys.encode()})
    with Primary(["--remote", repository.path], folder / "log") as running:
        running.said("zones served: 1")
        yield repository, running


@pytest.fixture
def world(primary: tuple[BareRepository, Primary], require: Callable[[str], str]) -> World:
    return World(*primary, require)


def test_records_are_added_changed_and_deleted(kind: type[Client], world: World) -> None:
    client, before = world.client(kind), world.commits()
    assert client.send(Request(add=[ADDRESS])).success
    assert world.served() == ["60 192.0.2.1"]
    assert "www 60 A 192.0.2.1" in world.lines()
    assert client.send(Request(delete=[ADDRESS], add=[OTHER])).success
    assert world.served() == ["60 192.0.2.2"]
    assert client.send(Request(delete=[OTHER])).success
    assert world.served() == []
    assert world.lines() == []
    assert world.commits() == before + 3


def test_a_failed_prerequisite_changes_nothing_and_is_told(kind: type[Client], world: World) -> None:
    if not kind.uses_prerequisites:
        pytest.skip("it never sends any")
    before = world.commits()
    told = world.client(kind).send(Request(unused=["ns1.example.org."], add=[ADDRESS]))
    assert (told.success, "YXDOMAIN" in told.text) == (False, True)
    assert (world.served(), world.commits()) == ([], before)


def test_a_refusal_changes_nothing_and_is_told(kind: type[Client], world: World) -> None:
    before = world.commits()
    told = world.client(kind, STRANGER).send(Request(add=[ADDRESS]))
    assert (told.success, "REFUSED" in told.text) == (False, True)
    # external-dns is refused before it updates: it may not transfer the zone either.
    assert ("may not update example.org." in told.text) == kind.shows_reason or kind is ExternalDns
    assert (world.served(), world.commits()) == ([], before)


def test_the_page_about_clients_is_current(project_root: Path) -> None:
    assert (project_root / "docs" / "update-clients.md").read_text() == document()


@pytest.mark.parametrize("kind", [Nsupdate, Knsupdate], ids=lambda kind: kind.name)
def test_a_key_for_challenges_sets_nothing_else(kind: type[Client], world: World) -> None:
    client, before = world.client(kind, NARROW), world.commits()
    challenge = ("_acme-challenge.www.example.org.", "TXT", "token")
    assert client.send(Request(add=[challenge])).success
    assert world.lines() == ['_acme-challenge.www 60 TXT "token"']
    for beyond in (
        ADDRESS,
        ("_acme-challenge.ftp.example.org.", "TXT", "x"),
        (challenge[0], "CNAME", "ns1.example.org."),
    ):
        refused = client.send(Request(add=[beyond]))
        assert not refused.success
        assert "REFUSED" in refused.text
    assert client.send(Request(delete=[challenge])).success
    assert world.lines() == []
    assert world.commits() == before + 2
