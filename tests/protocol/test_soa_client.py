"""What a reply to a signed question for a SOA says: a serial, that there is no such zone, or nothing."""

from __future__ import annotations

from collections.abc import Callable

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.protocol.soa_client import Denied, Offered, SoaAnswer, Unusable, ask_soa, read_soa
from tests.protocol.keys import NOW, make_key
from tests.secondary.authority import KEY, ZONE, Authority, make_zone, name

Change = Callable[[dns.message.Message], None]


def ask(authority: Authority, apex: str = ZONE) -> SoaAnswer | None:
    wire, question = ask_soa(name(apex), KEY, 4711, NOW)
    (reply,) = authority.replies(wire, NOW)
    return read_soa(question, reply, NOW)


def authority(change: Change | None = None) -> Authority:
    """A primary whose replies are changed before they are signed."""
    made = Authority()
    made.serve(make_zone(7))

    def changed(messages: list[bytes]) -> list[bytes]:
        message = dns.message.from_wire(messages[0])
        assert change is not None
        change(message)
        return [message.to_wire()]

    if change is not None:
        made.spoil[dns.rdatatype.SOA] = changed
    return made


def rcode(code: dns.rcode.Rcode) -> Change:
    def change(message: dns.message.Message) -> None:
        message.answer = []
        message.set_rcode(code)

    return change


def without_authority(message: dns.message.Message) -> None:
    message.flags &= ~dns.flags.AA


def without_answer(message: dns.message.Message) -> None:
    message.answer = []


def test_the_serial_is_offered() -> None:
    assert ask(authority()) == Offered(7)


@pytest.mark.parametrize(
    "change",
    [rcode(dns.rcode.REFUSED), rcode(dns.rcode.NOTAUTH), rcode(dns.rcode.NXDOMAIN), without_answer],
    ids=["REFUSED", "NOTAUTH", "NXDOMAIN", "no answer"],
)
def test_a_signed_no_denies_the_zone(change: Change) -> None:
    assert isinstance(ask(authority(change)), Denied)


def test_the_reason_of_a_denial_names_the_code() -> None:
    assert ask(authority(), "example.com.") == Denied("it answered NOTAUTH")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (rcode(dns.rcode.SERVFAIL), "SERVFAIL"),
        (rcode(dns.rcode.FORMERR), "FORMERR"),
        (without_authority, "without authority"),
    ],
    ids=["SERVFAIL", "FORMERR", "no authority"],
)
def test_other_replies_say_nothing(change: Change, words: str) -> None:
    answer = ask(authority(change))
    assert isinstance(answer, Unusable)
    assert words in answer.reason


def test_an_unsigned_denial_is_told_from_a_signed_one() -> None:
    unsigned = authority(rcode(dns.rcode.NOTAUTH))
    unsigned.unsigned = True
    assert ask(unsigned) == Denied("the reply is not signed (it says NOTAUTH)", signed=False)


def test_an_unsigned_serial_is_not_believed() -> None:
    unsigned = authority()
    unsigned.unsigned = True
    assert ask(unsigned) == Unusable("the reply is not signed")


@pytest.mark.parametrize(
    ("keys", "clock_error", "words"),
    [
        ([make_key("other._transfer.example.org.")], 0, "does not know the key"),
        ([make_key(KEY.name.to_text(), secret=b"another secret of the same sizes")], 0, "another secret"),
        ([KEY], -1000, "differ by 1000 s"),
    ],
    ids=["BADKEY", "BADSIG", "BADTIME"],
)
def test_refused_signatures_say_whose_fault_it_is(keys: list[object], clock_error: int, words: str) -> None:
    refusing = authority()
    refusing.keys = keys  # type: ignore[assignment]
    refusing.clock_error = clock_error
    answer = ask(refusing)
    assert isinstance(answer, Unusable)
    assert words in answer.reason
    assert KEY.secret.base64() not in answer.reason


def test_a_reply_to_another_question_is_none() -> None:
    wire, _ = ask_soa(name(ZONE), KEY, 1, NOW)
    _, question = ask_soa(name(ZONE), KEY, 2, NOW)
    (reply,) = authority().replies(wire, NOW)
    assert read_soa(question, reply, NOW) is None


@given(st.binary(max_size=300))
def test_any_octets_give_an_answer(octets: bytes) -> None:
    _, question = ask_soa(name(ZONE), KEY, 1, NOW)
    head = question.query[:2] + b"\x84\x00"
    for wire in (octets, head + octets, question.query + octets):
        assert not isinstance(read_soa(question, wire, NOW), Offered | Denied)
