"""Packets of any octets: the core never raises, and what it answers is a response to what was asked."""

from __future__ import annotations

import dns.message
import dns.opcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.keys.dnskey import write_dnskey
from oakroot.primary import core, events
from oakroot.protocol.tsig_client import sign_request
from oakroot.roles.events import Moment, PacketReceived, SendReply
from tests.protocol.keys import make_key
from tests.scenarios.stage import WALL, Packet
from tests.zones.repositories import Repository, zone_text

KEY = make_key("personal._update.mirage.")
NOW = Moment(WALL, 1000.0)


def primary() -> core.State:
    loading = Repository().holds({"mirage": zone_text(), "_keys": write_dnskey(KEY)})
    state, _ = core.handle(core.new_state(core.Settings()), events.Started(), NOW)
    state, _ = core.handle(state, events.Fetched(loading), NOW)
    return state


STATE = primary()


def request(opcode: int, kind: str) -> bytes:
    message = dns.message.make_query("www.mirage.", kind, use_edns=0, id=4711)
    message.set_opcode(dns.opcode.Opcode(opcode))
    return message.to_wire()


WIRES = [
    wire
    for opcode in (dns.opcode.QUERY, dns.opcode.NOTIFY, dns.opcode.UPDATE, dns.opcode.STATUS)
    for kind in ("A", "SOA", "AXFR", "IXFR", "ANY")
    for plain in (request(opcode, kind),)
    for wire in (plain, sign_request(plain, KEY, int(WALL))[0])
]


def replies(wire: bytes) -> list[bytes]:
    _, actions = core.handle(STATE, PacketReceived(Packet(wire)), NOW)
    return [action.wire for action in actions if isinstance(action, SendReply)]


def is_response_to(reply: bytes, wire: bytes) -> bool:
    return len(reply) >= 12 and reply[:2] == wire[:2] and bool(reply[2] & 0x80) and len(reply) <= 1232


@given(st.binary(max_size=600))
def test_octets_that_are_no_message_do_no_harm(wire: bytes) -> None:
    assert all(is_response_to(reply, wire) for reply in replies(wire))


@given(st.sampled_from(WIRES), st.integers(0, 5000), st.integers(1, 255))
def test_a_changed_octet_does_no_harm(wire: bytes, place: int, change: int) -> None:
    changed = bytearray(wire)
    changed[place % len(wire)] ^= change
    assert all(is_response_to(reply, bytes(changed)) for reply in replies(bytes(changed)))


@given(st.sampled_from(WIRES), st.integers(0, 5000))
def test_a_message_that_ends_early_does_no_harm(wire: bytes, length: int) -> None:
    cut = wire[: length % len(wire)]
    assert all(is_response_to(reply, cut) for reply in replies(cut))


@pytest.mark.parametrize("opcode", [dns.opcode.STATUS, 3, 6, 15])
def test_an_unknown_opcode_is_not_implemented(opcode: int) -> None:
    (reply,) = replies(request(opcode, "A"))
    assert reply[3] & 0xF == 4


@pytest.mark.parametrize("opcode", [dns.opcode.QUERY, dns.opcode.NOTIFY, dns.opcode.UPDATE])
@pytest.mark.parametrize("signed", [False, True])
def test_a_request_without_a_question_is_a_format_error(opcode: int, *, signed: bool) -> None:
    message = dns.message.Message(id=4711)
    message.set_opcode(dns.opcode.Opcode(opcode))
    wire = message.to_wire()
    (reply,) = replies(sign_request(wire, KEY, int(WALL))[0] if signed else wire)
    assert reply[3] & 0xF == 1


@pytest.mark.parametrize("wire", [wire for wire in WIRES if wire[2] & 0x78 != 0x20])
def test_a_response_is_never_answered(wire: bytes) -> None:
    response = wire[:2] + bytes([wire[2] | 0x80]) + wire[3:]
    assert replies(response) == []
