"""Name servers are asked for challenges one by one, and each is named for what it lacks."""

from __future__ import annotations

from collections.abc import Iterator

import dns.name
import dns.rcode
import pytest

from oakroot._engine import Catalogue, Server, read_zone
from oakroot.certifier.events import NameServer, Place, Probe, Record, SendUpdate, UpdateLost, UpdateUnwanted
from oakroot.certifier.updates import Prober, Sender
from oakroot.client.server import Server as Asked
from oakroot.keys.grant import read_grant
from oakroot.keys.key import Algorithm, Key
from oakroot.keys.keyring import GrantedKey
from oakroot.keys.secret import Secret
from tests.peers.ports import LOOPBACK, free_port

ZONE = b"""\
@ 60 SOA ns hostmaster 1 7200 3600 1209600 60
@ 60 NS ns
ns 60 A 127.0.0.1
_acme-challenge.www 60 TXT "a-value"
_acme-challenge.www 60 TXT "another" "-value"
"""
WWW = Place("example.org.", "_acme-challenge.www.example.org.")
FTP = Place("example.org.", "_acme-challenge.ftp.example.org.")


@pytest.fixture
def primary() -> Iterator[Asked]:
    """A server that has two challenges for www, and none for ftp."""
    zone, _ = read_zone(ZONE, "example.org.", "example.org")
    assert zone is not None
    server = Server([(LOOPBACK, 0)])
    server.publish(Catalogue().with_zones([zone]))
    server.start()
    yield Asked(*server.addresses[0])
    server.stop()


def test_records_that_are_there_are_seen_also_in_several_strings(primary: Asked) -> None:
    records = (Record(WWW, "a-value"), Record(WWW, "another-value"))
    probed = Prober(primary, [primary]).probe(Probe(7, records, {}))
    assert (probed.ticket, probed.missing, probed.silent) == (7, (), ())


def test_who_lacks_a_record_is_named(primary: Asked) -> None:
    records = (Record(WWW, "a-value"), Record(FTP, "a-value"))
    probed = Prober(primary).probe(Probe(0, records, {}))
    assert probed.missing == (f"{primary} does not have the challenge at {FTP.owner} yet",)


def test_who_does_not_answer_is_asked_once_and_named(primary: Asked) -> None:
    nobody = Asked(LOOPBACK, free_port())
    probed = Prober(primary, [nobody]).probe(Probe(0, (Record(WWW, "a-value"), Record(WWW, "b")), {}))
    assert probed.silent == (f"{nobody} does not answer",)
    assert len(probed.missing) == 1


def test_a_name_server_without_an_address_is_named(primary: Asked) -> None:
    servers = {"example.org.": (NameServer("nobody.invalid.", ()),)}
    probed = Prober(primary).probe(Probe(0, (Record(WWW, "a-value"),), servers))
    assert probed.silent == ("the address of nobody.invalid. cannot be found",)


def test_without_a_key_for_the_zone_no_update_is_sent(primary: Asked) -> None:
    sender = Sender(primary, [_granted("certifier._update.example.com.")])
    outcome = sender.send(SendUpdate(0, "example.org.", (), ((WWW.owner, "TXT", '"x"'),))).outcome
    assert outcome == UpdateUnwanted(dns.rcode.REFUSED, "there is no key to update example.org. with")


def test_an_update_is_signed_by_a_key_whose_limits_let_it_pass(primary: Asked) -> None:
    challenges = _granted("c._acme-challenge._update.example.org.")
    certificates = _granted("c._only-tlsa._update._letsencrypt._tcp.www.example.org.")
    sender = Sender(primary, [challenges, certificates])
    request = ("_letsencrypt._tcp.www.example.org.", "TLSA", "3 0 0 AB")
    other = ("_letsencrypt._tcp.ftp.example.org.", "TLSA", "3 0 0 AB")
    assert [
        sender.key_for(SendUpdate(0, "example.org.", (), (record,)))
        for record in ((WWW.owner, "TXT", '"x"'), request, other)
    ] == [challenges.key, certificates.key, None]


def test_an_update_that_is_too_large_is_not_sent(primary: Asked) -> None:
    sender = Sender(primary, [_granted("certifier._update.example.org.")])
    records = tuple((WWW.owner, "TLSA", f"0 0 0 {number:02X}{'AB' * 4000}") for number in range(20))
    outcome = sender.send(SendUpdate(0, "example.org.", (), records)).outcome
    assert isinstance(outcome, UpdateUnwanted)
    assert "more than one message holds" in outcome.reason


def test_a_primary_that_is_not_there_leaves_everything_open() -> None:
    sender = Sender(Asked(LOOPBACK, free_port()), [_granted("certifier._update.example.org.")])
    outcome = sender.send(SendUpdate(0, "example.org.", (), ((WWW.owner, "TXT", '"x"'),))).outcome
    assert isinstance(outcome, UpdateLost)
    assert "does not answer" in outcome.reason


def _granted(name: str) -> GrantedKey:
    key = Key(dns.name.from_text(name), Algorithm.SHA256, Secret(b"s" * 32))
    return GrantedKey(key, read_grant(key.name), "test", 1)
