"""A zone is had from a server as a whole or not at all, whatever the server says."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from oakroot._engine import Outgoing, Zone
from oakroot.client.exchange import Deadline
from oakroot.client.server import Server, ServerError
from oakroot.client.whole_zone import fetch_zone, served_zone
from oakroot.keys.key import Key
from oakroot.protocol.transfer_client import Limits
from tests.client.lying_server import LyingServer, now
from tests.protocol.keys import make_key
from tests.secondary.authority import KEY, ZONE, Authority, Spoil, hosts, make_zone, name, split

AXFR = dns.rdatatype.AXFR
TRUTH = make_zone(7, *hosts(20))
OTHER = make_zone(9, apex="example.net.")


def fetch(server: Server, key: Key | None = KEY, patience: float = 20, limits: Limits | None = None) -> Zone:
    return fetch_zone(server, name(ZONE), key, Deadline.after(patience), limits or Limits())


def authority(**behaviour: object) -> Authority:
    made = Authority(records_per_message=4, **behaviour)  # type: ignore[arg-type]
    made.serve(TRUTH)
    return made


def signed_lies(spoil: Spoil) -> Authority:
    """What is said is signed well, but spoilt before."""
    made = authority()
    made.spoil[AXFR] = spoil
    return made


def saying(made: Authority) -> Callable[[bytes], list[bytes]]:
    return lambda request: made.replies(request, now())


def another_zone(messages: list[bytes]) -> list[bytes]:
    """The records of another zone, under the question that was asked."""
    query = dns.message.make_query("example.net.", "AXFR", id=int.from_bytes(messages[0][:2])).to_wire()
    (other,) = Outgoing.whole(query, OTHER)
    answer = dns.message.from_wire(other)
    answer.question = dns.message.from_wire(messages[0]).question
    return [answer.to_wire()]


def without_soa(messages: list[bytes]) -> list[bytes]:
    return messages[1:]


def mangled(messages: list[bytes]) -> list[bytes]:
    return [messages[0], messages[1][:-3], *messages[2:]]


def with_error(messages: list[bytes]) -> list[bytes]:
    broken = bytearray(messages[1])
    broken[3] |= dns.rcode.SERVFAIL
    return [messages[0], bytes(broken), *messages[2:]]


def test_a_zone_arrives_whole_from_an_honest_server() -> None:
    with LyingServer(saying(authority())) as there:
        assert fetch(there.server).records() == TRUTH.records()


def test_without_a_key_nothing_is_signed() -> None:
    with LyingServer(lambda request: list(Outgoing.whole(request, TRUTH))) as there:
        assert fetch(there.server, None).records() == TRUTH.records()


def with_a_gap(messages: list[bytes]) -> list[bytes]:
    return [messages[0], *messages[2:]]


FORGED = make_key(KEY.name.to_text(), secret=b"another secret")
LIES = {
    "another zone": (signed_lies(another_zone), "example.net. SOA is not in the zone"),
    "no beginning": (signed_lies(without_soa), "a transfer begins with the SOA"),
    "a record cut short": (signed_lies(mangled), "a record ends too early"),
    "an error later on": (signed_lies(with_error), "it answered SERVFAIL"),
    "no end": (signed_lies(lambda messages: messages[:-1]), "the server closed the connection after"),
    "nothing": (signed_lies(lambda _: []), "the server closed the connection after 0 messages"),
    "no signature": (authority(unsigned=True), "not signed"),
    "a message left out": (authority(spoil_signed=with_a_gap), "signature is wrong"),
    "another time": (authority(clock_error=4000), "its clock and ours differ"),
    "another secret": (
        authority(keys=[make_key(KEY.name.to_text(), secret=b"another secret")]),
        "another secret",
    ),
}


@pytest.mark.parametrize(("made", "words"), LIES.values(), ids=LIES)
def test_a_lie_is_named_and_brings_nothing(made: Authority, words: str) -> None:
    with LyingServer(saying(made)) as there, pytest.raises(ServerError, match=words) as error:
        fetch(there.server)
    assert str(there.server) in error.value.message
    assert KEY.secret.base64() not in error.value.message


@pytest.mark.parametrize(
    ("limits", "words"),
    [(Limits(messages=50), "more than 50 messages"), (Limits(octets=50_000), "larger than allowed")],
)
def test_a_stream_without_end_is_left(limits: Limits, words: str) -> None:
    def endless(request: bytes) -> Iterator[bytes]:
        head, *_, _ = split(list(Outgoing.whole(request, TRUTH)), 2)
        yield head
        for number in itertools.count():
            more = dns.message.from_wire(head)
            more.answer = [dns.rrset.from_text(f"h{number}.{ZONE}", 60, "IN", "TXT", "x" * 200)]
            yield more.to_wire()

    with LyingServer(endless) as there, pytest.raises(ServerError, match=words):
        fetch(there.server, None, limits=limits)


def test_silence_is_waited_for_no_longer_than_was_said() -> None:
    with LyingServer(lambda _: [], holds=True) as there, pytest.raises(ServerError, match="in time") as error:
        fetch(there.server, patience=0.1)
    assert "after 0 messages" in error.value.message


def test_a_server_that_is_not_there_is_named() -> None:
    with LyingServer(lambda _: []) as there:
        pass
    with pytest.raises(ServerError, match="Connection refused"):
        fetch(there.server)


def test_a_zone_that_the_server_does_not_have_is_none() -> None:
    with LyingServer(saying(authority())) as there:
        assert served_zone(there.server, name("example.net."), KEY, Deadline.after(20)) is None
        found = served_zone(there.server, name(ZONE), KEY, Deadline.after(20))
    assert found is not None
    assert found.serial == 7


def test_a_server_in_trouble_is_not_taken_for_one_without_the_zone() -> None:
    def servfail(request: bytes) -> list[bytes]:
        response = dns.message.make_response(dns.message.from_wire(request))
        response.set_rcode(dns.rcode.SERVFAIL)
        return [response.to_wire()]

    with LyingServer(servfail) as there, pytest.raises(ServerError, match="SERVFAIL"):
        served_zone(there.server, name(ZONE), None, Deadline.after(20))
