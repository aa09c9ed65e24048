"""The arbiter of denials, held to the examples of RFC 4035 appendix B and RFC 5155 appendix B."""

from __future__ import annotations

from base64 import b32hexdecode

import pytest

from tests.interop import wire
from tests.interop.proof import Denial, denial_by
from tests.interop.wire import Record
from tests.interop.zones import wire_name

APEX = wire_name("example.")
SOA_TYPES = (wire.NS, wire.SOA, wire.MX, wire.RRSIG, wire.DNSKEY)


def bitmap(types: tuple[int, ...]) -> bytes:
    octets = bytearray(32)
    for type_ in types:
        octets[type_ >> 3] |= 0x80 >> (type_ & 7)
    return bytes([0, 32]) + bytes(octets)


def nsec(owner: str, following: str, *types: int) -> Record:
    return Record(wire_name(owner), wire.NSEC, 1, 3600, wire_name(following) + bitmap(types))


def nsec3(owner: str, following: str, *types: int) -> Record:
    """As in RFC 5155 appendix A: salt AABBCCDD, 12 iterations, opt-out."""
    rdata = b"\1\1\0\x0c\4\xaa\xbb\xcc\xdd\x14" + b32hexdecode(following.upper()) + bitmap(types)
    return Record(wire_name(f"{owner}.example."), wire.NSEC3, 1, 3600, rdata)


EXAMPLE = nsec3("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", "2t7b4g4vsa5smi47k61mv5bv1a22bojr", *SOA_TYPES)
X_W = nsec3("b4um86eghhds6nea196smvmlo4ors995", "gjeqe526plbf1g8mklp59enfd789njgi", wire.MX, wire.RRSIG)
A = nsec3("35mthgpgcu1qg68fab165klnsnk3dpvl", "b4um86eghhds6nea196smvmlo4ors995", wire.NS, wire.DS)
NS1 = nsec3("2t7b4g4vsa5smi47k61mv5bv1a22bojr", "2vptu5timamqttgl4luu9kg21e0aor3s", wire.A, wire.RRSIG)


def hashed(*records: Record) -> Denial:
    return denial_by(records, APEX)


def test_nsec3_denies_a_name_by_encloser_next_closer_and_wildcard() -> None:
    assert hashed(EXAMPLE, X_W, A).denies_name(wire_name("a.c.x.w.example."))


@pytest.mark.parametrize("missing", [EXAMPLE, X_W, A], ids=["next closer", "encloser", "wildcard"])
def test_nsec3_denies_no_name_with_a_part_missing(missing: Record) -> None:
    records = [record for record in (EXAMPLE, X_W, A) if record != missing]
    assert not hashed(*records).denies_name(wire_name("a.c.x.w.example."))


def test_nsec3_denies_a_type_that_the_bit_map_lacks() -> None:
    assert hashed(NS1).denies_type(wire_name("ns1.example."), wire.MX)
    assert not hashed(NS1).denies_type(wire_name("ns1.example."), wire.A)


def test_opt_out_allows_an_insecure_delegation() -> None:
    # c.example. has no record of its own; 35mt... covers it.
    assert hashed(EXAMPLE, A).denies_secure_delegation(wire_name("c.example."))
    assert not hashed(EXAMPLE).denies_secure_delegation(wire_name("c.example."))


def test_a_secure_delegation_is_not_denied() -> None:
    assert not hashed(A).denies_secure_delegation(wire_name("a.example."))


B = nsec("b.example.", "ns1.example.", wire.NS, wire.RRSIG, wire.NSEC)
NS1_PLAIN = nsec("ns1.example.", "ns2.example.", wire.A, wire.RRSIG, wire.NSEC)
APEX_PLAIN = nsec("example.", "a.example.", *SOA_TYPES)


def plain(*records: Record) -> Denial:
    return denial_by(records, APEX)


def test_nsec_denies_a_name_and_its_wildcard() -> None:
    assert plain(B, APEX_PLAIN).denies_name(wire_name("ml.example."))


@pytest.mark.parametrize("record", [B, APEX_PLAIN], ids=["name", "wildcard"])
def test_nsec_denies_no_name_by_half(record: Record) -> None:
    assert not plain(record).denies_name(wire_name("ml.example."))


def test_nsec_of_a_cut_says_nothing_of_names_below_it() -> None:
    assert not plain(B, APEX_PLAIN).denies_name(wire_name("x.b.example."))


def test_nsec_denies_a_type() -> None:
    assert plain(NS1_PLAIN).denies_type(wire_name("ns1.example."), wire.MX)
    assert not plain(NS1_PLAIN).denies_type(wire_name("ns1.example."), wire.A)


def test_nsec_before_it_denies_every_type_of_an_empty_nonterminal() -> None:
    before = nsec("ns2.example.", "*.w.example.", wire.A, wire.RRSIG, wire.NSEC)
    assert plain(before).denies_type(wire_name("w.example."), wire.A)


def test_nsec_shows_that_nothing_is_nearer_than_the_wildcard() -> None:
    x_y_w = nsec("x.y.w.example.", "xx.example.", wire.MX, wire.RRSIG, wire.NSEC)
    assert plain(x_y_w).denies_closer_match(wire_name("a.z.w.example."), wire_name("w.example."))
    assert not plain(x_y_w).denies_closer_match(wire_name("a.z.w.example."), APEX)


def test_a_cname_bit_forbids_the_denial() -> None:
    alias = nsec("a.example.", "b.example.", wire.CNAME, wire.RRSIG, wire.NSEC)
    assert not plain(alias).denies_type(wire_name("a.example."), wire.A)


def test_without_records_nothing_is_denied() -> None:
    denial = plain()
    assert not denial.denies_name(wire_name("x.example."))
    assert not denial.denies_type(wire_name("x.example."), wire.A)
