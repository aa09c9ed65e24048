"""Client and server side of TSIG agree: on one reply, on replies of many messages, and on what is forged."""

from __future__ import annotations

import time

import dns.message
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.keys.key import Algorithm, Key
from oakroot.protocol.tsig import Refused, ReplyContext, Unsigned, Verified, sign_next, sign_reply, verify
from oakroot.protocol.tsig_client import (
    Authentic,
    Flaw,
    ReplyExpectation,
    SignatureRefused,
    Unauthentic,
    sign_request,
    verify_reply,
)
from tests.protocol.keys import NOW, keyring, make_key

KEY = make_key()
QUERY = dns.message.make_query("www.example.org.", "A", id=4711, use_edns=0).to_wire()
REPLY = dns.message.make_response(dns.message.from_wire(QUERY)).to_wire()


def dialogue(key: Key = KEY) -> tuple[ReplyContext, ReplyExpectation]:
    """What server and client hold after a signed request."""
    request, expected = sign_request(QUERY, key, NOW)
    verdict = verify(request, keyring(key), NOW)
    assert isinstance(verdict, Verified)
    return verdict.context, expected


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_reply_is_authentic_and_bare(algorithm: Algorithm) -> None:
    context, expected = dialogue(make_key(algorithm=algorithm))
    verdict = verify_reply(sign_reply(REPLY, context, NOW + 7), expected, NOW)
    assert isinstance(verdict, Authentic)
    assert verdict.message == REPLY
    assert verdict.following.is_settled


def test_a_request_signed_here_is_accepted_by_dnspython() -> None:
    request, _ = sign_request(QUERY, KEY, int(time.time()))
    assert dns.message.from_wire(request, keyring=KEY.for_dnspython()).had_tsig


def flipped(wire: bytes, at: int) -> bytes:
    return wire[:at] + bytes([wire[at] ^ 1]) + wire[at + 1 :]


@pytest.mark.parametrize("at", [2, 15, len(REPLY) + 40, len(REPLY) + 60])
def test_a_changed_reply_is_not_authentic(at: int) -> None:
    context, expected = dialogue()
    verdict = verify_reply(flipped(sign_reply(REPLY, context, NOW), at), expected, NOW)
    assert not isinstance(verdict, Authentic)


def test_the_flaws_of_a_reply_are_told_apart() -> None:
    context, expected = dialogue()
    signed = sign_reply(REPLY, context, NOW)
    other = ReplyContext(make_key("other._update.example.org."), expected.prior_mac)
    forged = ReplyContext(make_key(secret=b"another secret of the same sizes"), expected.prior_mac)
    elsewhere = ReplyContext(KEY, b"the MAC of another request")

    def flaw(wire: bytes, now: int = NOW) -> Flaw | None:
        verdict = verify_reply(wire, expected, now)
        return verdict.flaw if isinstance(verdict, Unauthentic) else None

    assert flaw(signed) is None
    assert flaw(REPLY) is Flaw.UNSIGNED
    assert flaw(signed + b"\0") is Flaw.MALFORMED
    assert flaw(b"") is Flaw.MALFORMED
    assert flaw(sign_reply(REPLY, other, NOW)) is Flaw.OTHER_KEY
    assert flaw(sign_reply(REPLY, forged, NOW)) is Flaw.WRONG_MAC
    assert flaw(sign_reply(REPLY, elsewhere, NOW)) is Flaw.WRONG_MAC
    assert flaw(signed, NOW + 301) is Flaw.WRONG_TIME


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (make_key("other._update.example.org."), "BADKEY"),
        (make_key(secret=b"another secret of the same sizes"), "BADSIG"),
    ],
)
def test_an_unsigned_refusal_is_read_and_not_certain(key: Key, error: str) -> None:
    request, expected = sign_request(QUERY, key, NOW)
    refused = verify(request, keyring(KEY), NOW)
    assert isinstance(refused, Refused)
    verdict = verify_reply(refused.response or b"", expected, NOW)
    assert isinstance(verdict, SignatureRefused)
    assert (verdict.error_text, verdict.authentic) == (error, False)


def test_a_signed_badtime_is_certain_and_tells_the_servers_time() -> None:
    request, expected = sign_request(QUERY, KEY, NOW)
    refused = verify(request, keyring(KEY), NOW + 5000)
    assert isinstance(refused, Refused)
    verdict = verify_reply(refused.response or b"", expected, NOW)
    assert verdict == SignatureRefused(dns.rcode.BADTIME, authentic=True, server_time=NOW + 5000)


def test_an_unknown_error_is_told_by_its_number() -> None:
    assert SignatureRefused(5000, authentic=False).error_text == "5000"


def test_a_chain_of_signed_messages_is_authentic() -> None:
    context, expected = dialogue()
    for number in range(5):
        signed, context = sign_next(REPLY, context, NOW + number)
        verdict = verify_reply(signed, expected, NOW)
        assert isinstance(verdict, Authentic)
        assert verdict.following.is_settled
        expected = verdict.following


def test_a_message_left_out_of_a_chain_is_noticed() -> None:
    context, expected = dialogue()
    first, context = sign_next(REPLY, context, NOW)
    _, context = sign_next(REPLY, context, NOW)
    third, context = sign_next(REPLY, context, NOW)
    verdict = verify_reply(first, expected, NOW)
    assert isinstance(verdict, Authentic)
    assert verify_reply(third, verdict.following, NOW) == Unauthentic(Flaw.WRONG_MAC)


def test_dnspython_accepts_our_chain() -> None:
    context, expected = dialogue()
    theirs, mac, running = KEY.for_dnspython(), expected.prior_mac, None
    for number in range(4):
        signed, context = sign_next(REPLY, context, int(time.time()))
        read = dns.message.from_wire(
            signed, keyring=theirs, request_mac=mac, multi=True, tsig_ctx=running, xfr=True
        )
        assert read.had_tsig, number
        running = read.tsig_ctx


def unsigned_chain(count: int) -> tuple[list[bytes], ReplyExpectation]:
    """Messages of dnspython: one signed, `count` unsigned, one signed; and what is expected first."""
    _, expected = dialogue()
    key = KEY.for_dnspython()
    reply = dns.message.from_wire(REPLY)
    reply.use_tsig(key)
    reply.request_mac = expected.prior_mac
    messages = [reply.to_wire(multi=True)]
    running = reply.tsig_ctx
    assert running is not None
    for _ in range(count):
        messages.append(REPLY)
        running.update(REPLY)
    last = dns.message.from_wire(REPLY)
    last.use_tsig(key)
    messages.append(last.to_wire(multi=True, tsig_ctx=running))
    return messages, expected


@pytest.mark.parametrize("count", [0, 1, 3, 99])
def test_unsigned_messages_are_settled_by_the_next_signature(count: int) -> None:
    messages, expected = unsigned_chain(count)
    now = int(time.time())
    for number, message in enumerate(messages):
        verdict = verify_reply(message, expected, now)
        assert isinstance(verdict, Authentic), number
        expected = verdict.following
        assert expected.is_settled is (number in (0, count + 1))


def test_more_than_99_unsigned_messages_in_a_row_are_too_many() -> None:
    messages, expected = unsigned_chain(100)
    now = int(time.time())
    for message in messages[:100]:
        verdict = verify_reply(message, expected, now)
        assert isinstance(verdict, Authentic)
        expected = verdict.following
    assert verify_reply(messages[100], expected, now) == Unauthentic(Flaw.UNSIGNED)


SIGNED = sign_request(QUERY, KEY, NOW)[0]
MUTATIONS = st.lists(
    st.tuples(st.integers(0, len(SIGNED) - 1), st.binary(max_size=4), st.integers(0, 4)), max_size=4
)


def mutated(wire: bytes, mutations: list[tuple[int, bytes, int]]) -> bytes:
    for at, inserted, removed in mutations:
        wire = wire[:at] + inserted + wire[at + removed :]
    return wire


@given(MUTATIONS)
def test_a_mutated_request_is_never_verified(mutations: list[tuple[int, bytes, int]]) -> None:
    wire = mutated(SIGNED, mutations)
    verdict = verify(wire, keyring(KEY), NOW)
    if isinstance(verdict, Verified):
        # The identifier is not covered, nor is the case of the key's name and its algorithm's.
        assert verdict.query[2:] == QUERY[2:]
    else:
        assert isinstance(verdict, Unsigned | Refused)


@given(st.binary(max_size=200))
def test_any_octets_give_a_verdict(octets: bytes) -> None:
    assert isinstance(verify(octets, keyring(KEY), NOW), Unsigned | Refused)
    _, expected = dialogue()
    assert isinstance(verify_reply(octets, expected, NOW), Unauthentic | SignatureRefused)


@given(MUTATIONS)
def test_a_mutated_reply_is_never_authentic(mutations: list[tuple[int, bytes, int]]) -> None:
    context, expected = dialogue()
    wire = mutated(sign_reply(REPLY, context, NOW), mutations)
    verdict = verify_reply(wire, expected, NOW)
    if isinstance(verdict, Authentic):
        assert verdict.message[2:] == REPLY[2:]


@given(st.binary(max_size=60), st.binary(max_size=255))
def test_any_tsig_rdata_gives_a_verdict(rdata: bytes, owner: bytes) -> None:
    for start in (b"", b"\x0bhmac-sha256\0"):
        octets = start + rdata
        record = b"\1k\7_update\7example\3org\0" + b"\0\xfa\0\xff\0\0\0\0" + len(octets).to_bytes(2) + octets
        wire = QUERY[:10] + b"\0\2" + QUERY[12:] + record
        assert isinstance(verify(wire, keyring(KEY), NOW), Refused)
        _, expected = dialogue()
        assert not isinstance(verify_reply(wire, expected, NOW), Authentic)
    wire = QUERY[:10] + b"\0\2" + QUERY[12:] + owner + b"\0\xfa\0\xff\0\0\0\0\0\0"
    assert not isinstance(verify(wire, keyring(KEY), NOW), Verified)
