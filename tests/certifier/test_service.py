"""`oakroot certifier` with a primary of another make, and with authorities and requests that make trouble."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.update
import pytest

from oakroot.certificates.forms import TTL, TYPE, Published, read_records
from oakroot.certificates.names import read_name, records_name
from oakroot.keys.key import Key
from oakroot.keys.notation import read_key
from tests.certificates.minting import new_request
from tests.peers.certifier_process import CertifierProcess
from tests.peers.commands import oakroot
from tests.peers.git_servers import wait_until
from tests.peers.pebble import Pebble
from tests.peers.ports import LOOPBACK, Address, free_port
from tests.peers.primaries import BindPrimary, UpdatableBindPrimary

ZONE = """\
$TTL 3600
@ SOA ns1 hostmaster 1 7200 3600 1209600 60
@ NS ns1
ns1 A 127.0.0.1
"""
SECRET = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
KEY_TEXT = f"certifier._update.example.org:SHA256:{SECRET}"
KEY: Key = read_key(KEY_TEXT)
WWW = "www.example.org"


@dataclass
class World:
    """BIND as the primary, pebble asking it, and a certifier that BIND notifies."""

    bind: BindPrimary
    pebble: Pebble
    certifier: CertifierProcess

    def publish(self, host: str, *rdatas: str) -> None:
        """Replaces what is published for a host, as a client that is not ours would."""
        update = dns.update.UpdateMessage("example.org", keyring=KEY.for_dnspython())
        owner = records_name(read_name(host))
        update.delete(owner, TYPE)
        for rdata in rdatas:
            update.add(owner, TTL, TYPE, rdata)
        reply = dns.query.tcp(update, self._place[0], port=self._place[1], timeout=10)
        assert reply.rcode() == dns.rcode.NOERROR

    def published(self, host: str) -> Published:
        """What BIND answers."""
        query = dns.message.make_query(records_name(read_name(host)), TYPE)
        answer = dns.query.tcp(query, self._place[0], port=self._place[1], timeout=10)
        return read_records(rdata.to_text(chunksize=0) for rrset in answer.answer for rdata in rrset)

    def challenges(self, host: str) -> int:
        """How many challenges stand."""
        query = dns.message.make_query(f"_acme-challenge.{host}", dns.rdatatype.TXT)
        answer = dns.query.tcp(query, self._place[0], port=self._place[1], timeout=10)
        return sum(len(rrset) for rrset in answer.answer)

    @property
    def _place(self) -> Address:
        return self.bind.address


@pytest.fixture
def world(require: Callable[[str], str], tmp_path: Path) -> Iterator[World]:
    require("named")
    ours = (LOOPBACK, free_port())
    bind = UpdatableBindPrimary((LOOPBACK, free_port()), ours, [KEY], tmp_path / "bind")
    bind.serve({"example.org.": ZONE})
    options = ["--listen", f"{ours[0]}:{ours[1]}", "--account-key-type", "rsa"]
    options += ["--control", str(tmp_path / "control.sock")]
    options += ["--dnstap", f"file:{tmp_path / 'queries.tap'}"]
    with bind, Pebble(require("pebble"), tmp_path / "pebble", dns=bind.address[1]) as pebble:
        places = [bind.address]
        with CertifierProcess(
            bind.address, KEY_TEXT, pebble, tmp_path / "certifier", places, options
        ) as certifier:
            yield World(bind, pebble, certifier)


def test_bind_is_as_good_a_primary_and_bad_requests_are_shown_and_hold_up_no_good_one(
    world: World, tmp_path: Path
) -> None:
    world.publish("garbage.example.org", "3 255 0 ABCDEF")
    world.publish("weak.example.org", "3 255 0 " + new_request("weak.example.org", kind="rsa1024").hex())
    world.publish("far.example.org", "3 255 0 " + new_request("far.example.org", "www.example.com").hex())
    both = [f"3 255 0 {new_request('two.example.org', kind=kind).hex()}" for kind in ("p256", "p384")]
    world.publish("two.example.org", *both)
    hosts = [WWW, *(f"host-{number}.example.org" for number in range(9))]
    for host in hosts:
        world.publish(host, f"3 255 0 {new_request(host).hex()}")
    wait_until("all to be certified", lambda: all(world.published(host).certificates for host in hosts), 60)
    wait_until("the challenges to be gone", lambda: not any(map(world.challenges, hosts)))
    published = world.published(WWW)
    request = published.request()
    assert request is not None
    assert published.chain_for(request)
    for reason in (
        "garbage.example.org: nothing is ordered: the 3 octets are no certificate signing request",
        "weak.example.org: nothing is ordered: the RSA key has 1024 bits",
        "two.example.org: nothing is ordered: 2 requests are published at one name",
    ):
        world.certifier.said(reason)
    world.certifier.said("is in no zone that this certifier may update")
    _check_control(world, tmp_path / "control.sock")
    assert b"protobuf:dnstap.Dnstap" in (tmp_path / "queries.tap").read_bytes()
    assert "Traceback" not in world.certifier.log


def _check_control(world: World, control: Path) -> None:
    """What the operator sees and does of it at the control socket."""
    status = oakroot("status", "--control", control)
    assert "oakroot certifier" in status.output
    assert "the 3 octets are no certificate signing request" in status.output
    assert oakroot("reload", "--control", control).code == 0
    world.certifier.said("settings read again")
    refused = oakroot("renotify", "--control", control)
    assert refused.code == 1
    assert "a certifier (Oakroot" in refused.errors


def test_a_primary_that_restarts_in_the_middle_is_waited_for(world: World) -> None:
    world.publish(WWW, f"3 255 0 {new_request(WWW).hex()}")
    world.certifier.said("ordering a certificate")
    world.bind.stop()
    world.certifier.said("does not answer")
    world.bind.start()
    world.certifier.said("certificate published")
    assert world.pebble.log.count("Issued certificate") == 1


def test_an_authority_that_goes_away_is_told_of_and_the_service_stops_when_told(world: World) -> None:
    world.pebble.__exit__()
    world.publish(WWW, f"3 255 0 {new_request(WWW).hex()}")
    world.certifier.said("authority: Connection refused; next try in")
    assert world.certifier.stop() == 0


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--key", "a._transfer.example.org:SHA256:" + SECRET], "none of the keys may update"),
        (["--key", KEY_TEXT, "--directory", "http://ca.example/dir"], "must be an https URL"),
        (["--key", KEY_TEXT, "--eab-kid", "kid"], "--eab-kid and --eab-key belong together"),
        (["--key", KEY_TEXT, "--eab-kid", "kid", "--eab-key", "!"], "no base64url text"),
        (["--key", KEY_TEXT, "--production", "--directory", "https://x/"], "not allowed with argument"),
    ],
)
def test_wrong_usage_is_told_with_its_exit_code(tmp_path: Path, options: list[str], reason: str) -> None:
    place = ["--server", "127.0.0.1:1", "--account-key", str(tmp_path / "account.pem")]
    done = oakroot("certifier", *place, *options)
    assert done.code == 2
    assert reason in done.errors
    assert SECRET not in done.errors
