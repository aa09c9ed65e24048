"""An UPDATE request says what it asks for as RFC 2136 has it: read back, and beside what dnspython builds."""

from __future__ import annotations

import dns.message
import dns.opcode
import dns.update
import pytest

from oakroot._engine import type_number, wire_rdata
from oakroot.protocol.update_request import (
    TooLargeError,
    UpdateRecord,
    add,
    build_update,
    delete,
    require,
    require_not,
)
from tests.protocol.keys import name

ZONE = name("example.org.")
WWW = name("www.example.org.")
A = type_number("A")
MX = type_number("MX")


def built(prerequisites: list[UpdateRecord], changes: list[UpdateRecord]) -> dns.message.Message:
    return dns.message.from_wire(build_update(ZONE, prerequisites, changes, 4711))


def ours(prerequisites: list[UpdateRecord], changes: list[UpdateRecord]) -> str:
    """As text, without the OPT record that dnspython's does not have."""
    message = built(prerequisites, changes)
    message.use_edns(None)
    return message.to_text()


def written(message: dns.update.UpdateMessage) -> str:
    """As text, names whole."""
    return dns.message.from_wire(message.to_wire()).to_text()


def theirs() -> dns.update.UpdateMessage:
    return dns.update.UpdateMessage(ZONE, id=4711)


def test_the_request_speaks_edns_and_names_the_zone() -> None:
    message = built([], [delete(WWW)])
    assert (message.id, message.opcode(), message.edns) == (4711, dns.opcode.UPDATE, 0)
    assert message.question[0].to_text() == "example.org. IN SOA"


def test_additions() -> None:
    expected = theirs()
    expected.add("www", 60, "A", "192.0.2.1")
    expected.add("@", 3600, "MX", "10 Mail.example.org.")
    changes = [
        add(WWW, 60, A, wire_rdata("A", "192.0.2.1")),
        add(ZONE, 3600, MX, wire_rdata("MX", "10 Mail.example.org.")),
    ]
    assert ours([], changes) == written(expected)


def test_deletions() -> None:
    expected = theirs()
    expected.delete("www")
    expected.delete("www", "A")
    expected.delete("www", "A", "192.0.2.1")
    assert ours([], [delete(WWW), delete(WWW, A), delete(WWW, A, wire_rdata("A", "192.0.2.1"))]) == written(
        expected
    )


def test_prerequisites() -> None:
    expected = theirs()
    expected.present("www")
    expected.present("www", "A")
    expected.present("www", "A", "192.0.2.1")
    expected.absent("www")
    expected.absent("www", "MX")
    prerequisites = [
        require(WWW),
        require(WWW, A),
        require(WWW, A, wire_rdata("A", "192.0.2.1")),
        require_not(WWW),
        require_not(WWW, MX),
    ]
    assert ours(prerequisites, []) == written(expected)


def test_a_record_without_rdata_is_told_from_its_rrset() -> None:
    empty = delete(WWW, 65280, b"")
    assert empty != delete(WWW, 65280)
    assert "NONE TYPE65280 \\# 0" in ours([], [empty])


def test_the_order_is_kept() -> None:
    changes = [
        delete(WWW, A),
        add(WWW, 60, A, b"\xc0\0\2\1"),
        delete(WWW, MX),
        add(WWW, 60, A, b"\xc0\0\2\2"),
    ]
    wire = build_update(ZONE, [], changes, 1)
    places = [wire.index(change.octets()) for change in changes]
    assert places == sorted(places)


@pytest.mark.parametrize("count", [2500, 70_000])
def test_what_does_not_fit_into_one_message_is_refused(count: int) -> None:
    with pytest.raises(TooLargeError, match=f"{count} changes"):
        build_update(ZONE, [], [add(WWW, 60, A, bytes(4))] * count, 1)
