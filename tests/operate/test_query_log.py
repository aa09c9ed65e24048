"""The query log: what a line says of which query, for people and as JSON."""

from __future__ import annotations

import json

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.operate.logs import JsonFormatter, TextFormatter
from oakroot.operate.query_log import is_settled, record_of
from tests.operate.exchanges import ANSWER, QUERY, Seen, answered
from tests.protocol.keys import make_key


def text(exchange: Seen) -> str:
    return TextFormatter(for_journal=False).format(record_of(exchange))


def facts(exchange: Seen) -> dict[str, object]:
    entry: dict[str, object] = json.loads(JsonFormatter().format(record_of(exchange)))
    return entry


def test_a_line_says_who_asked_what_and_what_was_answered() -> None:
    answer = answered(QUERY, "www.example.org. 60 IN AAAA 2001:db8::1", flags=dns.flags.AA)
    assert text(Seen(answer=answer.to_wire())) == (
        "2026-11-22T00:00:00.123Z info: [192.0.2.7] query www.example.org. IN AAAA RD "
        "over udp port 4242, 33 octets: NOERROR AA, 1 answer, 61 octets"
    )


def test_json_has_the_same_as_fields() -> None:
    found = facts(Seen(transport="tls"))
    del found["message"]
    assert found == {
        "time": "2026-11-22T00:00:00.123Z",
        "level": "info",
        "logger": "oakroot.query",
        "peer": "192.0.2.7",
        "client": "192.0.2.7",
        "port": 4242,
        "transport": "tls",
        "opcode": "QUERY",
        "name": "www.example.org.",
        "class": "IN",
        "type": "AAAA",
        "flags": ["RD"],
        "size": 33,
        "rcode": "NOERROR",
        "answer_flags": [],
        "answers": 0,
        "answer_size": 33,
    }


def test_what_edns_carries_is_told() -> None:
    cookie = dns.edns.GenericOption(dns.edns.OptionType.COOKIE, bytes(8))
    query = dns.message.make_query("example.org.", "SOA", want_dnssec=True, payload=1400, options=[cookie])
    found = facts(Seen(query.to_wire()))
    assert (found["flags"], found["payload"]) == (["RD", "EDNS", "DO", "COOKIE"], 1400)


def test_an_extended_response_code_is_told_by_name() -> None:
    query = dns.message.make_query("example.org.", "SOA", use_edns=0)
    answer = dns.message.make_response(query)
    answer.set_rcode(dns.rcode.BADVERS)
    assert facts(Seen(query.to_wire(), answer.to_wire()))["rcode"] == "BADVERS"


def test_a_signed_query_is_told_by_the_name_of_its_key_and_nothing_else_of_it() -> None:
    key = make_key("laptop._update.example.org.", secret=b"thirty-two octets that are known")
    query = dns.message.make_query("example.org.", "SOA")
    query.use_tsig(key.for_dnspython())
    exchange = Seen(query.to_wire(), stage="answered")
    assert facts(exchange)["key"] == "laptop._update.example.org."
    assert "signed by laptop._update.example.org.: NOERROR" in text(exchange)
    assert "thirty-two" not in text(exchange)
    assert (query.mac or b"").hex() not in text(exchange)


def test_silence_is_told() -> None:
    assert text(Seen(answer=None)).endswith("33 octets: no answer")


def test_what_cannot_be_read_is_told_as_such() -> None:
    assert "malformed query over udp port 4242, 5 octets: no answer" in text(Seen(b"12345", None))


def test_names_cannot_end_a_line() -> None:
    query = dns.message.make_query(dns.name.Name([b"a\nb\x1b[1m", b"org", b""]), "A")
    assert "\n" not in text(Seen(query.to_wire()))
    assert "\x1b" not in text(Seen(query.to_wire()))


@pytest.mark.parametrize(
    ("exchange", "settled"),
    [
        (Seen(), True),
        (Seen(answer=None), True),
        (Seen(answer=None, stage="handed-over"), False),
        (Seen(stage="answered"), True),
        (Seen(stage="continued"), False),
        (Seen(ANSWER.to_wire(), None, "handed-over"), False),
    ],
)
def test_each_query_is_told_once(exchange: Seen, *, settled: bool) -> None:
    assert is_settled(exchange) is settled


@given(st.binary(max_size=200), st.none() | st.binary(max_size=200))
def test_a_line_can_be_written_of_any_octets(query: bytes, answer: bytes | None) -> None:
    assert text(Seen(query, answer)).count("\n") == 0
    facts(Seen(query, answer))
