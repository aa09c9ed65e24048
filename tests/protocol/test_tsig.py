"""A signed request is verified in the order of RFC 8945, and refused in the way each refusal is told."""

from __future__ import annotations

import hashlib
import hmac
import struct

import dns.edns
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rdtypes.ANY.TSIG
import dns.tsig
import dns.update
import pytest

from oakroot.keys.key import Algorithm, Key
from oakroot.protocol.tsig import Refused, Unsigned, Verified, sign_reply, tsig_length, verify
from oakroot.protocol.tsig_record import TsigRdata, append_tsig, compute_mac, find_tsig, make_rdata
from tests.protocol.keys import NOW, keyring, make_key, name

KEY = make_key()
KEYRING = keyring(KEY)
QUERY = dns.message.make_query("www.Example.org.", "A", id=4711, use_edns=0)
WIRE = QUERY.to_wire()


def sign(
    wire: bytes = WIRE,
    key: Key = KEY,
    *,
    now: int = NOW,
    fudge: int = 300,
    length: int = 64,
    identifier: int = 4711,
) -> bytes:
    rdata = make_rdata(key.algorithm.octets, now, identifier, fudge=fudge)
    return append_tsig(wire, key.name, rdata, compute_mac(wire, key, rdata)[:length])


def tsig_of(wire: bytes | None) -> TsigRdata:
    assert wire is not None
    found = find_tsig(wire)
    assert found is not None
    return found.rdata


def refusal(wire: bytes, now: int = NOW) -> Refused:
    verdict = verify(wire, KEYRING, now)
    assert isinstance(verdict, Refused)
    return verdict


def rcode_of(wire: bytes | None) -> int:
    assert wire is not None
    return wire[3] & 0xF


def extended_text(wire: bytes | None) -> str | None:
    assert wire is not None
    message = dns.message.from_wire(wire, keyring=False, ignore_trailing=True)
    return next(option.text for option in message.options if isinstance(option, dns.edns.EDEOption))


def test_a_message_without_tsig_is_unsigned() -> None:
    assert verify(WIRE, KEYRING, NOW) == Unsigned()


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_signed_query_is_verified_and_bare(algorithm: Algorithm) -> None:
    key = make_key(algorithm=algorithm)
    verdict = verify(sign(key=key), keyring(key), NOW)
    assert isinstance(verdict, Verified)
    assert verdict.query == WIRE
    assert verdict.signer.key == key


def test_the_mac_is_the_hmac_of_what_the_rfc_names() -> None:
    """RFC 8945 §4.3.3, spelt out once without any library."""
    variables = b"\1k\7_update\7example\3org\0" + struct.pack("!HI", 255, 0) + b"\x0bhmac-sha256\0"
    variables += struct.pack("!HIHHH", NOW >> 32, NOW & 0xFFFFFFFF, 300, 0, 0)
    expected = hmac.new(KEY.secret.reveal(), WIRE + variables, hashlib.sha256).digest()
    assert tsig_of(sign()).mac == expected


def test_dnspythons_signature_is_verified() -> None:
    asked = dns.message.make_query("www.example.org.", "A", id=99)
    asked.use_tsig(KEY.for_dnspython())
    wire = asked.to_wire()
    verdict = verify(wire, KEYRING, tsig_of(wire).time_signed)
    assert isinstance(verdict, Verified)
    assert dns.message.from_wire(verdict.query) == dns.message.make_query("www.example.org.", "A", id=99)


def test_an_update_with_compressed_names_is_verified_and_bare() -> None:
    update = dns.update.UpdateMessage("example.org", id=7)
    for number in range(50):
        update.add(f"host{number}.example.org.", 60, "NS", "ns.host0.example.org.")
    wire = update.to_wire()
    verdict = verify(sign(wire, identifier=7), KEYRING, NOW)
    assert isinstance(verdict, Verified)
    assert verdict.query == wire
    assert dns.message.from_wire(verdict.query).opcode() == dns.opcode.UPDATE


def test_the_name_of_a_key_has_no_case() -> None:
    shouted = make_key("K._UPDATE.Example.ORG.")
    assert isinstance(verify(sign(key=shouted), KEYRING, NOW), Verified)


def test_a_forwarded_request_keeps_the_identifier_it_came_with() -> None:
    verdict = verify(b"\xab\xcd" + sign()[2:], KEYRING, NOW)
    assert isinstance(verdict, Verified)
    assert verdict.query == b"\xab\xcd" + WIRE[2:]


def test_a_wrong_original_identifier_is_a_wrong_signature() -> None:
    # What some clients send: the MAC covers the real identifier, the record says 0.
    rdata = make_rdata(KEY.algorithm.octets, NOW, 4711)
    wire = append_tsig(
        WIRE, KEY.name, make_rdata(KEY.algorithm.octets, NOW, 0), compute_mac(WIRE, KEY, rdata)
    )
    assert refusal(wire).error == dns.rcode.BADSIG


@pytest.mark.parametrize(
    ("wire", "error"),
    [
        (sign(key=make_key("other._update.example.org.")), dns.rcode.BADKEY),
        (sign(key=make_key(algorithm=Algorithm.SHA512)), dns.rcode.BADKEY),
        (sign(key=make_key(secret=b"another secret of the same sizes")), dns.rcode.BADSIG),
        (sign()[:12] + b"\3wwv" + sign()[16:], dns.rcode.BADSIG),
    ],
    ids=["unknown name", "other algorithm", "other secret", "changed message"],
)
def test_what_the_peer_cannot_prove_is_refused_unsigned(wire: bytes, error: int) -> None:
    verdict = refusal(wire)
    told = tsig_of(verdict.response)
    assert verdict.error == error == told.error
    assert rcode_of(verdict.response) == dns.rcode.NOTAUTH
    assert (told.mac, told.original_id, told.fudge) == (b"", 4711, 300)


def test_a_refused_question_comes_back_in_its_case() -> None:
    response = refusal(sign(key=make_key("other._update.example.org."))).response
    assert response is not None
    assert response[12:33] == WIRE[12:33]


@pytest.mark.parametrize("error", [301, -301, 10**6])
def test_a_wrong_time_is_refused_signed_with_both_times(error: int) -> None:
    wire = sign()
    verdict = refusal(wire, NOW + error)
    told = tsig_of(verdict.response)
    assert (rcode_of(verdict.response), verdict.error, told.error) == (dns.rcode.NOTAUTH, 18, 18)
    assert (told.time_signed, told.fudge) == (NOW, 300)
    assert told.other == (NOW + error).to_bytes(6)
    found = find_tsig(verdict.response or b"")
    assert found is not None
    assert told.mac == compute_mac(found.message, KEY, told, tsig_of(wire).mac)


@pytest.mark.parametrize("error", [-300, 0, 300])
def test_a_time_within_the_fudge_is_right(error: int) -> None:
    assert isinstance(verify(sign(), KEYRING, NOW + error), Verified)


def test_the_fudge_of_the_request_counts_up_to_the_usual_one() -> None:
    assert isinstance(verify(sign(fudge=65535), KEYRING, NOW + 300), Verified)
    assert refusal(sign(fudge=65535), NOW + 301).error == dns.rcode.BADTIME
    assert refusal(sign(fudge=10), NOW + 11).error == dns.rcode.BADTIME


@pytest.mark.parametrize(
    ("algorithm", "length"), [(Algorithm.SHA256, 16), (Algorithm.SHA256, 31), (Algorithm.SHA1, 10)]
)
def test_a_truncated_mac_is_refused_signed(algorithm: Algorithm, length: int) -> None:
    key = make_key(algorithm=algorithm)
    wire = sign(key=key, length=length)
    verdict = verify(wire, keyring(key), NOW)
    assert isinstance(verdict, Refused)
    told = tsig_of(verdict.response)
    assert (rcode_of(verdict.response), verdict.error, told.error) == (dns.rcode.NOTAUTH, 22, 22)
    found = find_tsig(verdict.response or b"")
    assert found is not None
    assert told.mac == compute_mac(found.message, key, told, tsig_of(wire).mac)


@pytest.mark.parametrize(
    ("algorithm", "length"),
    [(Algorithm.SHA256, 15), (Algorithm.SHA256, 0), (Algorithm.SHA1, 9), (Algorithm.SHA512, 31)],
)
def test_a_mac_too_short_to_be_one_is_a_format_error(algorithm: Algorithm, length: int) -> None:
    key = make_key(algorithm=algorithm)
    verdict = verify(sign(key=key, length=length), keyring(key), NOW)
    assert isinstance(verdict, Refused)
    assert (verdict.error, rcode_of(verdict.response)) == (dns.rcode.FORMERR, dns.rcode.FORMERR)


def test_a_mac_too_long_to_be_one_is_a_format_error() -> None:
    rdata = make_rdata(KEY.algorithm.octets, NOW, 4711)
    wire = append_tsig(WIRE, KEY.name, rdata, compute_mac(WIRE, KEY, rdata) + b"\0")
    assert refusal(wire).error == dns.rcode.FORMERR


def test_the_checks_run_in_the_order_key_mac_time_truncation() -> None:
    late = NOW + 10**6
    stranger, liar = (
        make_key("other._update.example.org."),
        make_key(secret=b"another secret of the same sizes"),
    )
    assert refusal(sign(key=stranger, length=16), late).error == dns.rcode.BADKEY
    assert refusal(sign(key=stranger, length=3), late).error == dns.rcode.BADKEY
    assert refusal(sign(key=liar, length=16), late).error == dns.rcode.BADSIG
    assert refusal(sign(length=16), late).error == dns.rcode.BADTIME
    assert refusal(sign(length=16)).error == dns.rcode.BADTRUNC


TSIG_OCTETS = sign()[len(WIRE) :]


def with_records(records: bytes, answers: int, additionals: int, base: bytes = WIRE) -> bytes:
    return base[:6] + struct.pack("!HHH", answers, 0, additionals) + base[12:33] + records


OPT = WIRE[33:]
CLASS_AT = len(b"\1k\7_update\7example\3org\0") + 2


@pytest.mark.parametrize(
    "wire",
    [
        with_records(TSIG_OCTETS + OPT, 0, 2),
        with_records(OPT + TSIG_OCTETS + TSIG_OCTETS, 0, 3),
        with_records(TSIG_OCTETS, 1, 0),
        sign()[: len(WIRE) + CLASS_AT] + b"\0\1" + sign()[len(WIRE) + CLASS_AT + 2 :],
        sign()[: len(WIRE) + CLASS_AT + 2] + b"\0\0\0\1" + sign()[len(WIRE) + CLASS_AT + 6 :],
        sign()[:-1],
        sign() + b"\0",
        sign()[:-2] + b"\0\1",
    ],
    ids=["not last", "twice", "in the answer", "class IN", "TTL 1", "cut off", "left over", "other length"],
)
def test_a_tsig_record_in_the_wrong_place_or_shape_is_a_format_error(wire: bytes) -> None:
    verdict = refusal(wire)
    assert (verdict.error, rcode_of(verdict.response)) == (dns.rcode.FORMERR, dns.rcode.FORMERR)
    response = verdict.response
    assert response is not None
    assert find_tsig(response) is None


def test_a_signed_response_gets_silence() -> None:
    reply = dns.message.make_response(QUERY).to_wire()
    assert refusal(sign(reply, key=make_key("other._update.example.org."))).response is None
    assert refusal(sign(reply), NOW + 1000).response is None
    assert refusal(reply + b"\0").response is None


def test_the_reason_is_told_in_the_response_and_for_the_log() -> None:
    verdict = refusal(sign(), NOW + 1000)
    assert "1000 s behind" in verdict.reason
    assert extended_text(verdict.response) == verdict.reason
    assert "ahead of" in refusal(sign(), NOW - 1000).reason


def test_no_verdict_shows_a_secret() -> None:
    shown = f"{verify(sign(), KEYRING, NOW)!r} {refusal(sign(length=16))!r}"
    assert "thirty-two" not in shown


def test_a_signed_reply_is_accepted_by_dnspython() -> None:
    asked = dns.message.make_query("www.example.org.", "A", id=4711)
    asked.use_tsig(KEY.for_dnspython())
    wire = asked.to_wire()
    now = tsig_of(wire).time_signed
    verdict = verify(wire, KEYRING, now)
    assert isinstance(verdict, Verified)
    reply = dns.message.make_response(dns.message.from_wire(verdict.query)).to_wire()
    signed = sign_reply(reply, verdict.context, now)
    accepted = dns.message.from_wire(signed, keyring=KEY.for_dnspython(), request_mac=asked.mac)
    assert accepted.had_tsig


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_signature_takes_the_octets_foretold(algorithm: Algorithm) -> None:
    key = make_key("A-rather-long.Name._update.example.org.", algorithm=algorithm)
    verdict = verify(sign(key=key), keyring(key), NOW)
    assert isinstance(verdict, Verified)
    assert len(sign_reply(WIRE, verdict.context, NOW)) - len(WIRE) == tsig_length(key)
    assert verdict.context.reserve == tsig_length(key)


def test_a_reply_without_room_for_a_signature_is_the_callers_error() -> None:
    verdict = verify(sign(), KEYRING, NOW)
    assert isinstance(verdict, Verified)
    room = 65535 - verdict.context.reserve
    assert len(sign_reply(WIRE.ljust(room, b"\0"), verdict.context, NOW)) == 65535
    with pytest.raises(ValueError, match="no room"):
        sign_reply(WIRE.ljust(room + 1, b"\0"), verdict.context, NOW)


def test_every_refusal_fits_the_smallest_payload() -> None:
    long = ".".join(["a" * 63] * 3 + ["b" * 30, "_update", "example", "org."])
    asked = dns.message.make_query(("c" * 63 + ".") * 2 + "example.org.", "A", payload=512, id=4711).to_wire()
    key = make_key(long, Algorithm.SHA512)
    for wire, known in ((sign(asked, key), KEYRING), (sign(asked, key, now=1), keyring(key))):
        verdict = verify(wire, known, NOW)
        assert isinstance(verdict, Refused)
        assert len(verdict.response or b"") <= 700
        assert find_tsig(verdict.response or b"") is not None


def test_the_key_name_of_a_peer_cannot_steer_a_terminal() -> None:
    stranger = Key(name("\\027[2J._update.example.org."), KEY.algorithm, KEY.secret)
    assert refusal(sign(key=stranger)).reason.isprintable()
