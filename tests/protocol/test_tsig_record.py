"""A TSIG record is found in the same way, whether the message is walked or not."""

from __future__ import annotations

import dns.message
import dns.rrset
from hypothesis import given
from hypothesis import strategies as st

from oakroot.protocol.tsig_client import sign_request
from oakroot.protocol.tsig_record import FoundTsig, find_tsig, find_tsig_of
from oakroot.protocol.wire import MalformedError
from tests.protocol.keys import NOW, make_key

KEY = make_key()
QUERY = dns.message.make_query("www.example.org.", "A", id=4711, use_edns=0).to_wire()
SIGNED, _ = sign_request(QUERY, KEY, NOW)


def found(find: object, *arguments: object) -> tuple[object, ...] | None:
    """What was found, in a form that can be compared."""
    try:
        outcome = find(*arguments)  # type: ignore[operator]
    except MalformedError:
        return ("malformed",)
    if outcome is None:
        return None
    assert isinstance(outcome, FoundTsig)
    return (outcome.owner, outcome.rdata, outcome.message)


def test_the_record_is_found_without_walking_the_message() -> None:
    wanted = found(find_tsig, SIGNED)
    assert wanted is not None
    assert found(find_tsig_of, SIGNED, KEY) == wanted
    # The very same octets behind something that is no message: only the walk would notice.
    broken = SIGNED[:12] + b"\xc0" + SIGNED[12:]
    assert found(find_tsig, broken) == ("malformed",)
    assert found(find_tsig_of, broken, KEY) != ("malformed",)


def test_another_keys_record_is_found_by_the_walk() -> None:
    assert found(find_tsig_of, SIGNED, make_key("other._update.example.org.")) == found(find_tsig, SIGNED)


def test_an_unsigned_message_has_none() -> None:
    assert found(find_tsig_of, QUERY, KEY) is None


def test_octets_of_a_record_within_data_are_not_taken_for_it() -> None:
    message = dns.message.make_response(dns.message.from_wire(QUERY))
    inner = SIGNED[len(QUERY) :].hex()
    for tail in ("", "00"):
        rdata = f"\\# {len(inner + tail) // 2} {inner}{tail}"
        message.answer = [dns.rrset.from_text("www.example.org.", 60, "IN", "TYPE65280", rdata)]
        wire = message.to_wire()
        assert found(find_tsig_of, wire, KEY) == found(find_tsig, wire) is None


@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
def test_a_changed_octet_raises_nothing_unforeseen(position: int, change: int) -> None:
    spoiled = bytearray(SIGNED)
    spoiled[position] ^= change
    found(find_tsig_of, bytes(spoiled), KEY)


@given(st.binary(max_size=100))
def test_any_octets_behind_a_header_raise_nothing_unforeseen(octets: bytes) -> None:
    found(find_tsig_of, octets, KEY)
    found(find_tsig_of, octets + SIGNED[len(QUERY) :], KEY)
