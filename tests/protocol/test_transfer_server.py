"""What is answered to queries for transfers, and that all of it is signed."""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence

import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot._engine import Incoming, Zone
from oakroot.keys.keyring import GrantedKey
from oakroot.protocol.message import read_reply
from oakroot.protocol.transfer_server import (
    Plan,
    Refused,
    SoaAlone,
    Steps,
    Transfer,
    Whole,
    busy,
    judge,
    refusal,
)
from oakroot.protocol.tsig import Verified, verify
from oakroot.protocol.tsig_client import Authentic, sign_request, verify_reply
from tests.protocol.keys import NOW, granted, keyring, make_key, name
from tests.secondary.authority import hosts, make_zone

APEX = "example.org."
KEY = make_key("k._transfer.example.org.")
SIGNER = granted(KEY)
VERSIONS = tuple(make_zone(serial, f"www A 192.0.2.{serial}") for serial in (1, 2, 3))


def axfr(zone: str = APEX) -> bytes:
    return dns.message.make_query(zone, "AXFR", id=7).to_wire()


def ixfr(serial: int, zone: str = APEX, owner: str = APEX) -> bytes:
    query = dns.message.make_query(zone, "IXFR", id=7)
    soa = dns.rrset.from_text(owner, 0, "IN", "SOA", f". . {serial} 0 0 0 0")
    query.authority.append(soa)
    return query.to_wire()


def versions_of(zone: dns.name.Name) -> Sequence[Zone] | None:
    return {name(APEX): VERSIONS, name("broken.example.org."): ()}.get(zone)


def judged(
    query: bytes, signer: GrantedKey | None = SIGNER, *, over_tcp: bool = True, unsigned: bool = False
) -> Plan | Refused:
    return judge(query, signer, versions_of, over_tcp=over_tcp, unsigned_allowed=unsigned)


def rcode(query: bytes, signer: GrantedKey | None = SIGNER, *, over_tcp: bool = True) -> str:
    verdict = judged(query, signer, over_tcp=over_tcp)
    assert isinstance(verdict, Refused)
    return dns.rcode.to_text(verdict.rcode)


def test_axfr_gets_the_newest_version() -> None:
    assert judged(axfr()) == Whole(VERSIONS[2])


def test_ixfr_gets_every_step_from_the_version_of_the_client() -> None:
    assert judged(ixfr(1)) == Steps(VERSIONS)
    assert judged(ixfr(2)) == Steps(VERSIONS[1:])


def test_ixfr_from_a_version_that_is_not_kept_gets_the_whole_zone() -> None:
    assert judged(ixfr(0)) == Whole(VERSIONS[2])


@pytest.mark.parametrize("serial", [3, 4, 3 + 2**31 - 1])
def test_ixfr_of_a_client_that_is_not_behind_gets_the_soa_alone(serial: int) -> None:
    assert judged(ixfr(serial)) == SoaAlone(VERSIONS[2])


def test_a_serial_without_order_to_ours_gets_the_whole_zone() -> None:
    assert judged(ixfr(3 + 2**31)) == Whole(VERSIONS[2])


@pytest.mark.parametrize("serial", [0, 1, 3])
def test_ixfr_over_udp_gets_the_soa_alone(serial: int) -> None:
    assert judged(ixfr(serial), over_tcp=False) == SoaAlone(VERSIONS[2])


def test_axfr_over_udp_is_a_format_error() -> None:
    assert rcode(axfr(), over_tcp=False) == "FORMERR"


def test_ixfr_without_the_version_of_the_client_is_a_format_error() -> None:
    assert rcode(dns.message.make_query(APEX, "IXFR").to_wire()) == "FORMERR"


def test_ixfr_with_the_soa_of_another_zone_is_a_format_error() -> None:
    assert rcode(ixfr(1, owner="example.com.")) == "FORMERR"


def test_without_a_signature_nothing_is_sent_unless_that_is_allowed() -> None:
    assert rcode(axfr(), None) == "REFUSED"
    assert judged(axfr(), None, unsigned=True) == Whole(VERSIONS[2])


@pytest.mark.parametrize(
    "key",
    [
        "k._notify.example.org.",
        "k._not-ns._update.example.org.",
        "k._transfer.sub.example.org.",
        "k._update.org2.",
    ],
)
def test_a_key_for_something_else_is_refused(key: str) -> None:
    verdict = judged(axfr(), granted(make_key(key)))
    assert isinstance(verdict, Refused)
    assert (verdict.rcode, f"the key {key.rstrip('.')} may" in verdict.reason.text) == (
        dns.rcode.REFUSED,
        True,
    )


@pytest.mark.parametrize("key", ["k._update.example.org.", "k._transfer.org.", "k._transfer."])
def test_a_key_of_more_than_needed_will_do(key: str) -> None:
    assert judged(axfr(), granted(make_key(key))) == Whole(VERSIONS[2])


def test_whether_a_zone_is_here_is_told_to_those_only_who_may_have_it() -> None:
    assert rcode(axfr("gone.example.org.")) == "NOTAUTH"
    assert rcode(axfr("gone.example.org."), None) == "REFUSED"


def test_a_zone_that_cannot_be_served_is_a_server_failure() -> None:
    assert rcode(axfr("broken.example.org.")) == "SERVFAIL"


def test_there_are_no_zones_of_other_classes() -> None:
    query = dns.message.make_query(APEX, "AXFR", dns.rdataclass.CH).to_wire()
    assert rcode(query) == "NOTAUTH"


def test_a_refusal_says_why() -> None:
    query = dns.message.make_query(APEX, "AXFR", use_edns=0).to_wire()
    verdict = judged(query, None)
    assert isinstance(verdict, Refused)
    wire = refusal(query, verdict)
    assert wire is not None
    reply = read_reply(query, wire)
    assert reply is not None
    assert reply.rcode_text == "REFUSED"
    assert "must be signed" in reply.extended_errors[0].text


@given(st.binary(max_size=80))
def test_any_octets_get_a_verdict(octets: bytes) -> None:
    judged(octets)


@given(st.sampled_from([axfr(), ixfr(1), ixfr(3)]), st.integers(2, 90), st.binary(min_size=1, max_size=3))
def test_what_is_found_good_can_be_sent(query: bytes, at: int, octets: bytes) -> None:
    spoilt = query[:at] + octets + query[at + len(octets) :]
    verdict = judged(spoilt)
    if isinstance(verdict, Refused):
        refusal(spoilt, verdict)
    else:
        assert Transfer(spoilt, verdict, None).next_message(NOW) is not None


def test_a_question_that_is_a_pointer_is_a_format_error() -> None:
    pointing = b"\0\0\0\0\0\1\0\0\0\0\0\0" + b"\xc0\x02" + b"\0\xfc\0\1"
    assert rcode(pointing) == "FORMERR"


@given(st.integers(0, 2**32 - 1))
def test_no_client_is_led_backwards(serial: int) -> None:
    match judged(ixfr(serial)):
        case Steps(versions):
            assert versions[0].serial == serial
        case SoaAlone() | Whole() as plan:
            assert plan.zone is VERSIONS[2]
        case Refused():
            raise AssertionError


def transferred(query: bytes, zones: tuple[Zone, ...], base: Zone | None) -> tuple[Zone | None, int]:
    """What a client of the signed query receives, each message checked; and how many messages there were."""
    signed, expected = sign_request(query, KEY, NOW)
    verdict = verify(signed, keyring(KEY), NOW)
    assert isinstance(verdict, Verified)
    plan = judge(verdict.query, verdict.signer, lambda _: zones, over_tcp=True)
    assert not isinstance(plan, Refused)
    transfer = Transfer(verdict.query, plan, verdict.context)
    incoming, count, complete = Incoming(APEX, base), 0, False
    while (wire := transfer.next_message(NOW)) is not None:
        assert len(wire) < 65536
        authentic = verify_reply(wire, expected, NOW)
        assert isinstance(authentic, Authentic)
        expected = authentic.following
        assert expected.is_settled, "every message is signed"
        complete = incoming.feed(authentic.message)
        count += 1
    assert complete
    zone, _ = incoming.outcome()
    return zone, count


def test_every_message_of_a_large_zone_is_signed() -> None:
    zone = make_zone(9, *hosts(2000))
    received, count = transferred(axfr(), (zone,), None)
    assert count > 3
    assert received is not None
    assert received.same_but_serial(zone)


def test_every_message_of_large_differences_is_signed() -> None:
    versions = tuple(make_zone(serial, *hosts(500, 500 * serial)) for serial in (1, 2, 3))
    received, count = transferred(ixfr(1), versions, versions[0])
    assert count > 3
    assert received is not None
    assert (received.serial, received.same_but_serial(versions[2])) == (3, True)


def test_who_is_up_to_date_learns_so() -> None:
    assert transferred(ixfr(3), VERSIONS, VERSIONS[2]) == (None, 1)


def test_dnspython_verifies_the_chain() -> None:
    """D6: what a reference server sent in several messages, dig could not verify."""
    query = dns.message.make_query(APEX, "AXFR")
    query.use_tsig(KEY.for_dnspython())
    signed = query.to_wire()
    now = int(time.time())
    verdict = verify(signed, keyring(KEY), now)
    assert isinstance(verdict, Verified)
    transfer = Transfer(verdict.query, Whole(make_zone(9, *hosts(2000))), verdict.context)
    context, count = None, 0
    while (wire := transfer.next_message(now)) is not None:
        message = dns.message.from_wire(
            wire, keyring=KEY.for_dnspython(), request_mac=query.mac, tsig_ctx=context, multi=True
        )
        assert message.had_tsig
        context, count = message.tsig_ctx, count + 1
    assert count > 3


def test_unsigned_transfers_bear_no_signature() -> None:
    transfer = Transfer(axfr(), Whole(VERSIONS[0]), None)
    wire = transfer.next_message(NOW)
    assert wire is not None
    assert struct.unpack_from("!H", wire, 10) == (0,)
    assert transfer.next_message(NOW) is None


def test_who_comes_at_a_bad_time_is_told_so_under_a_signature() -> None:
    signed, expected = sign_request(axfr(), KEY, NOW)
    verdict = verify(signed, keyring(KEY), NOW)
    assert isinstance(verdict, Verified)
    wire = busy(verdict.query, verdict.context, NOW)
    assert wire is not None
    assert isinstance(verify_reply(wire, expected, NOW), Authentic)
    assert dns.message.from_wire(wire, keyring=False).rcode() == dns.rcode.SERVFAIL


def test_glue_and_what_is_below_it_are_sent() -> None:
    """D3: the reference leaves out glue, and so its secondaries refer to name servers without addresses."""
    records = ["sub NS ns.sub", "ns.sub A 192.0.2.9", "deep.sub TXT occluded"]
    wire = Transfer(axfr(), Whole(make_zone(1, *records)), None).next_message(NOW)
    assert wire is not None
    owners = {rrset.name.to_text() for rrset in dns.message.from_wire(wire, one_rr_per_rrset=True).answer}
    assert {"ns.sub.example.org.", "deep.sub.example.org."} <= owners
