"""What only a newer pebble than Debian's has: renewal information, profiles, dns-persist-01.

`scripts/install-peers.sh` builds it as `pebble-newest` where Go is.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import dns.update
import pytest

from oakroot.certificates.certificate import Certificate
from oakroot.certificates.forms import TTL, TYPE, read_records
from oakroot.certificates.names import read_name, records_name
from oakroot.keys.notation import read_key
from tests.certificates.minting import DAY, new_request
from tests.peers.certifier_process import CertifierProcess
from tests.peers.git_servers import wait_until
from tests.peers.pebble import Pebble
from tests.peers.ports import LOOPBACK, free_port
from tests.peers.primaries import BindPrimary, UpdatableBindPrimary

ZONE = """\
$TTL 3600
@ SOA ns1 hostmaster 1 7200 3600 1209600 60
@ NS ns1
@ CAA 0 issue "pebble.letsencrypt.org"
ns1 A 127.0.0.1
"""
KEY_TEXT = "certifier._update.example.org:SHA256:kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
KEY = read_key(KEY_TEXT)
WWW = "www.example.org"
PROFILES = {
    "default": {"description": "ninety days", "validityPeriod": 90 * 86400},
    "shortlived": {"description": "six days", "validityPeriod": 6 * 86400},
}


@dataclass
class World:
    """BIND, the newest pebble, and a certifier that orders certificates of six days."""

    bind: BindPrimary
    pebble: Pebble
    certifier: CertifierProcess

    def add(self, owner: str, ttl: int, kind: str, rdata: str) -> None:
        """Adds a record."""
        update = dns.update.UpdateMessage("example.org", keyring=KEY.for_dnspython())
        update.add(f"{owner}.", ttl, kind, rdata)
        reply = dns.query.tcp(update, self.bind.address[0], port=self.bind.address[1], timeout=10)
        assert reply.rcode() == dns.rcode.NOERROR

    def chain(self) -> tuple[Certificate, ...]:
        """What is published for the host."""
        query = dns.message.make_query(records_name(read_name(WWW)), TYPE)
        answer = dns.query.tcp(query, self.bind.address[0], port=self.bind.address[1], timeout=10)
        published = read_records(rdata.to_text(chunksize=0) for rrset in answer.answer for rdata in rrset)
        request = published.request()
        return () if request is None else published.chain_for(request)


@pytest.fixture
def world(tmp_path: Path, require: Callable[[str], str]) -> Iterator[World]:
    program = require("pebble-newest")
    require("named")
    ours = (LOOPBACK, free_port())
    bind = UpdatableBindPrimary((LOOPBACK, free_port()), ours, [KEY], tmp_path / "bind")
    bind.serve({"example.org.": ZONE})
    options = ["--listen", f"{ours[0]}:{ours[1]}", "--profile", "shortlived"]
    pebble = Pebble(program, tmp_path / "pebble", dns=bind.address[1])
    settings = tmp_path / "pebble" / "pebble.json"
    content = json.loads(settings.read_text())
    content["pebble"]["profiles"] = PROFILES
    settings.write_text(json.dumps(content))
    with (
        bind,
        pebble,
        CertifierProcess(
            bind.address, KEY_TEXT, pebble, tmp_path / "certifier", [bind.address], options
        ) as certifier,
    ):
        yield World(bind, pebble, certifier)


def test_a_profile_is_had_and_the_authority_says_when_to_renew(world: World) -> None:
    world.add(f"_letsencrypt._tcp.{WWW}", TTL, TYPE, f"3 255 0 {new_request(WWW).hex()}")
    # The primary has it before the certifier hears that.
    world.certifier.said("certificate published")
    first = world.chain()[0]
    assert first.lifetime == pytest.approx(6 * DAY, abs=2)
    world.pebble.set_renewal_window(first.pem, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
    world.certifier.signal(signal.SIGHUP)
    # pebble takes an order that replaces a certificate once, so it has seen which.
    world.certifier.said("certificate published", times=2)
    assert world.chain()[0] != first


def test_a_persistent_record_takes_the_place_of_challenges(world: World) -> None:
    account = world.certifier.log.partition("info: account ")[2].partition("\n")[0]
    text = f'"pebble.letsencrypt.org; accounturi={account}"'
    world.add(f"_validation-persist.{WWW}", 60, "TXT", text)
    world.add(f"_letsencrypt._tcp.{WWW}", TTL, TYPE, f"3 255 0 {new_request(WWW).hex()}")
    wait_until("a certificate to be published", lambda: bool(world.chain()))
    assert world.certifier.log.count("IXFR, incoming") <= 4
    journal = world.bind.directory.glob("*.jnl")
    assert not any(b"_acme-challenge" in file.read_bytes() for file in journal)


def test_caa_that_forbids_this_authority_is_told_of(world: World) -> None:
    world.add(WWW, 60, "CAA", '0 issue "other.example"')
    world.add(f"_letsencrypt._tcp.{WWW}", TTL, TYPE, f"3 255 0 {new_request(WWW).hex()}")
    world.certifier.said("CAA at www.example.org allows 'other.example'")
