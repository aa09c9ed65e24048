"""dnstap: messages read back by a reader of protocol buffers that is not ours to write with."""

from __future__ import annotations

from dataclasses import replace

import dns.message
import dns.update
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.operate.dnstap import Messages, Teller
from tests.operate.exchanges import ANSWER, QUERY, Seen
from tests.operate.protobuf import Fields, fields

TELLER = Teller("ns1.example.org", "Oakroot 1")


def told(exchange: Seen, messages: Messages = "all") -> list[Fields]:
    """The Message in each frame."""
    frames = [fields(frame) for frame in replace(TELLER, messages=messages).tell(exchange)]
    for frame in frames:
        assert (frame[1], frame[2], frame[15]) == (b"ns1.example.org", b"Oakroot 1", 1)
    return [fields(bytes(frame[14])) for frame in frames if isinstance(frame[14], bytes)]


def test_a_query_and_its_answer_are_two_messages() -> None:
    about = {2: 1, 3: 1, 4: bytes((192, 0, 2, 7)), 5: bytes((192, 0, 2, 53)), 6: 4242, 7: 53}
    asked = {8: 1_795_305_600, 9: 123_456_789}
    query, response = told(Seen())
    assert query == {1: 1, **about, **asked, 10: QUERY.to_wire()}
    assert response == {1: 2, **about, **asked, 12: 1_795_305_600, 13: 123_457_789, 14: ANSWER.to_wire()}


def test_updates_have_kinds_of_their_own_and_name_their_zone() -> None:
    update = dns.update.UpdateMessage("example.org.")
    update.add("www", 60, "A", "192.0.2.1")
    wire = update.to_wire()
    (query,) = told(Seen(wire, None, "handed-over"))
    (response,) = told(Seen(wire, dns.message.make_response(update).to_wire(), "answered"))
    assert (query[1], response[1]) == (13, 14)
    assert query[11] == response[11] == b"\7example\3org\0"


def test_a_query_without_an_answer_is_one_message() -> None:
    assert [message[1] for message in told(Seen(answer=None))] == [1]


def test_a_request_is_told_once_with_all_its_answers() -> None:
    stages = [Seen(answer=None, stage="handed-over"), Seen(stage="answered"), Seen(stage="continued")]
    assert [message[1] for stage in stages for message in told(stage)] == [1, 2, 2]


@pytest.mark.parametrize(("messages", "kinds"), [("queries", [1]), ("responses", [2])])
def test_one_kind_can_be_had_alone(messages: Messages, kinds: list[int]) -> None:
    assert [message[1] for message in told(Seen(), messages)] == kinds


@pytest.mark.parametrize(
    "exchange",
    [Seen(ANSWER.to_wire(), None, "handed-over"), Seen(answer=QUERY.to_wire(), stage="continued")],
    ids=["an answer to us", "a question of ours"],
)
def test_what_we_ask_ourselves_is_not_told(exchange: Seen) -> None:
    assert told(exchange) == []


def test_tls_and_ipv6_are_told() -> None:
    query, _ = told(Seen(transport="tls", peer=(bytes(15) + b"\1", 1), local=(bytes(15) + b"\2", 853)))
    assert (query[2], query[3], query[4], query[7]) == (2, 3, bytes(15) + b"\1", 853)


@given(
    query=st.binary(max_size=300),
    answer=st.none() | st.binary(max_size=300),
    peer=st.tuples(
        st.sampled_from([4, 16]).flatmap(lambda n: st.binary(min_size=n, max_size=n)), st.integers(0, 65535)
    ),
    asked=st.integers(0, 2**64 - 1),
    told_at=st.integers(0, 2**64 - 1),
)
def test_whatever_is_asked_is_told_unchanged(
    query: bytes, answer: bytes | None, peer: tuple[bytes, int], asked: int, told_at: int
) -> None:
    messages = told(Seen(query, answer, peer=peer, asked=asked, told=told_at))
    for message in messages:
        assert (message[4], message[6]) == peer
        assert (message[8], message[9]) == divmod(asked, 10**9)
        if 14 in message:
            assert message[14] == answer
            assert (message[12], message[13]) == divmod(told_at, 10**9)
        else:
            assert message[10] == query
