"""`oakroot update` against name servers of others that take UPDATE: what it asks for is what they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import dns.message
import dns.query
import dns.rdatatype
import pytest

from oakroot.keys.snippets import write_for
from tests.peers.commands import Outcome, oakroot
from tests.peers.nameservers import ZoneFile
from tests.peers.updatable import UPDATABLE, Updatable
from tests.protocol.keys import make_key

KEY = make_key("laptop._update.example.org.")
ZONE = """\
example.org. 3600 IN SOA ns.example.org. hostmaster.example.org. 1 7200 600 1209600 60
example.org. 3600 IN NS ns.example.org.
example.org. 3600 IN MX 10 old.example.org.
ns.example.org. 3600 IN A 192.0.2.53
old.example.org. 3600 IN A 192.0.2.25
alias.example.org. 3600 IN CNAME ns.example.org.
"""


class Peer:
    """A peer, and the command as it is called for it."""

    def __init__(self, server: Updatable, folder: Path) -> None:
        self.server = server
        self._key = folder / "laptop.key"
        self._key.write_text(write_for("bind", server.key))

    def update(self, *words: str, key: Path | None = None) -> Outcome:
        """Runs the command."""
        host, port = self.server.address
        return oakroot("update", f"{host}:{port}", "--key", f"@{key or self._key}", "--timeout", "20", *words)

    def records(self, owner: str, kind: str) -> list[str]:
        """The answer to a question, sorted."""
        host, port = self.server.address
        query = dns.message.make_query(owner, kind)
        reply = dns.query.tcp(query, host, port=port, timeout=10)
        wanted = dns.rdatatype.from_text(kind)
        return sorted(
            f"{rrset.ttl} {rdata}" for rrset in reply.answer for rdata in rrset if rrset.rdtype == wanted
        )


@pytest.fixture(scope="module", params=UPDATABLE, ids=[kind.name for kind in UPDATABLE])
def peer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, require: Callable[[str], str]
) -> Iterator[Peer]:
    kind: type[Updatable] = request.param
    require(kind.program)
    if kind.find() is None:
        require(kind.package)
    folder = tmp_path_factory.mktemp(kind.name)
    path = folder / "example.org"
    path.write_text(ZONE)
    with kind([ZoneFile("example.org.", path)], folder / "server", KEY) as server:
        yield Peer(server, folder)


def test_a_name_is_given_addresses_in_place_of_those_it_has(peer: Peer) -> None:
    for addresses in (["192.0.2.1"], ["192.0.2.2", "2001:db8::2", "192.0.2.3"]):
        done = peer.update("laptop.example.org", *addresses)
        assert (done.code, done.errors) == (0, "")
        assert " has updated example.org. and serves serial " in done.output
    assert peer.records("laptop.example.org", "A") == ["60 192.0.2.2", "60 192.0.2.3"]
    assert peer.records("laptop.example.org", "AAAA") == ["60 2001:db8::2"]


def test_records_are_replaced_in_one_update(peer: Peer) -> None:
    words = ["--delete", "example.org MX", "--add", "example.org 1h MX 5 ns.example.org"]
    assert peer.update(*words, "--require", "example.org MX").code == 0
    assert peer.records("example.org", "MX") == ["3600 5 ns.example.org."]


def test_one_record_of_several_is_deleted(peer: Peer) -> None:
    texts = ["one", "two; words", 'three "quotes"']
    adds = [word for text in texts for word in ("--add", f'txt.example.org TXT "{escaped(text)}"')]
    assert peer.update(*adds).code == 0
    assert peer.update("--delete", 'txt.example.org TXT "two; words"').code == 0
    assert peer.records("txt.example.org", "TXT") == [
        f'60 "{escaped(texts[0])}"',
        f'60 "{escaped(texts[2])}"',
    ]
    assert peer.update("--delete", "txt.example.org").code == 0
    assert peer.records("txt.example.org", "TXT") == []


def escaped(text: str) -> str:
    return text.replace('"', '\\"')


def test_an_alias_is_changed_where_it_stands(peer: Peer) -> None:
    words = ["--delete", "alias.example.org CNAME", "--add", "alias.example.org CNAME old.example.org"]
    done = peer.update(*words)
    assert (done.code, done.errors) == (0, "")
    assert peer.records("alias.example.org", "CNAME") == ["60 old.example.org."]


@pytest.mark.parametrize(
    ("requirement", "rcode"),
    [
        (["--require", "missing.example.org"], "NXDOMAIN"),
        (["--require-not", "ns.example.org"], "YXDOMAIN"),
        (["--require", "ns.example.org AAAA"], "NXRRSET"),
        (["--require", "ns.example.org A 192.0.2.99"], "NXRRSET"),
        (["--require-not", "ns.example.org A"], "YXRRSET"),
    ],
)
def test_an_unmet_requirement_changes_nothing(requirement: list[str], rcode: str, peer: Peer) -> None:
    done = peer.update(*requirement, "--add", "never.example.org A 192.0.2.1")
    assert (done.code, done.output) == (1, "")
    assert f"answered {rcode}" in done.errors
    assert f"not so: {requirement[0]} '{requirement[1]}'" in done.errors
    assert peer.records("never.example.org", "A") == []


def test_requirements_that_are_met_let_the_change_pass(peer: Peer) -> None:
    requirements = [
        *("--require", "ns.example.org", "--require", "ns.example.org A"),
        *("--require", "ns.example.org A 192.0.2.53", "--require-not", "ns.example.org AAAA"),
        *("--require-not", "missing.example.org"),
    ]
    done = peer.update(*requirements, "--add", "met.example.org A 192.0.2.1")
    assert (done.code, done.errors) == (0, "")
    assert peer.records("met.example.org", "A") == ["60 192.0.2.1"]


def test_a_key_that_the_server_does_not_know_is_told(peer: Peer, tmp_path: Path) -> None:
    file = tmp_path / "stranger.key"
    file.write_text(write_for("bind", make_key("stranger._update.example.org.")))
    done = peer.update("x.example.org", "192.0.2.1", key=file)
    assert (done.code, done.output) == (1, "")
    assert "BADKEY" in done.errors or "REFUSED" in done.errors or "NOTAUTH" in done.errors
    assert peer.records("x.example.org", "A") == []


def test_by_udp(peer: Peer) -> None:
    assert peer.update("--udp", "udp.example.org", "192.0.2.1").code == 0
    assert peer.records("udp.example.org", "A") == ["60 192.0.2.1"]
