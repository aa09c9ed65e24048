"""Updates that come again: signed anew, captured and changed where no signature covers it, from elsewhere."""

from __future__ import annotations

import dns.rcode
import dns.update

from oakroot.keys.dnskey import write_dnskey
from oakroot.primary import events
from oakroot.protocol.tsig_client import Authentic, ReplyExpectation, sign_request, verify_reply
from tests.protocol.keys import make_key
from tests.scenarios.stage import Packet, Stage
from tests.zones.repositories import zone_text

KEY = make_key("personal._update.mirage.")
CLIENT, ELSEWHERE = ("192.0.2.200", 40000), ("198.51.100.1", 5353)


class Dialogue(Stage):
    """With a primary that serves one zone."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.remote.change("mirage", zone_text(1))
        self.remote.change("_keys", f"{write_dnskey(KEY)}\n".encode())
        self.happens(events.Started())
        self.git_answers()

    def sign(self, query: bytes, ago: int = 0) -> tuple[bytes, ReplyExpectation]:
        """The message signed so many seconds ago, and what its reply is checked against."""
        return sign_request(query, KEY, int(self.now.wall) - ago)

    def settle(self) -> None:
        """Lets git end all that it has to do."""
        while self.task is not None:
            self.git_answers()

    def is_there(self, owner: str) -> bool:
        """Whether the name is served."""
        zone = self.catalogue.zone("mirage.")
        assert zone is not None
        return bool(zone.records_of(f"{owner}.mirage.", "A"))


def change(identifier: int, *, add: str | None = None, delete: str | None = None) -> bytes:
    message = dns.update.UpdateMessage("mirage.", id=identifier)
    if add is not None:
        message.absent(add)
        message.add(add, 60, "A", "192.0.2.1")
    if delete is not None:
        message.delete(delete)
    return message.to_wire()


def undo(dialogue: Dialogue) -> None:
    """Somebody takes away what was added."""
    dialogue.settle()
    assert dialogue.is_there("x")
    dialogue.receives(Packet(dialogue.sign(change(8, delete="x"))[0]))
    dialogue.settle()
    assert not dialogue.is_there("x")


def made_and_undone(dialogue: Dialogue) -> bytes:
    """A captured update whose change is undone."""
    captured, _ = dialogue.sign(change(7, add="x"))
    dialogue.receives(Packet(captured))
    undo(dialogue)
    return captured


def test_a_captured_update_with_another_identifier_is_not_made_again() -> None:
    dialogue = Dialogue()
    captured = made_and_undone(dialogue)
    dialogue.receives(Packet(bytes((captured[0] ^ 1,)) + captured[1:]))
    dialogue.settle()
    assert not dialogue.is_there("x")


def test_a_captured_update_with_the_name_of_the_key_in_another_case_is_not_made_again() -> None:
    dialogue = Dialogue()
    captured = made_and_undone(dialogue)
    assert captured.count(b"_update") == 1
    dialogue.passes(70)
    dialogue.receives(Packet(captured.replace(b"_update", b"_UPDATE")))
    dialogue.settle()
    assert not dialogue.is_there("x")


def test_each_signature_of_an_update_is_remembered() -> None:
    dialogue = Dialogue()
    first, waiting, late = (dialogue.sign(change(7, add="x"), ago)[0] for ago in (3, 2, 1))
    dialogue.receives(Packet(first))
    dialogue.receives(Packet(waiting))
    dialogue.settle()
    dialogue.receives(Packet(late))
    undo(dialogue)
    dialogue.passes(100)
    for wire in (first, waiting, late):
        dialogue.receives(Packet(wire))
        dialogue.settle()
        assert not dialogue.is_there("x")


def test_who_asks_over_tcp_is_answered_though_his_octets_come_from_elsewhere_too() -> None:
    dialogue = Dialogue()
    wire, expectation = dialogue.sign(change(7, add="x"))
    dialogue.receives(Packet(wire, "tcp", CLIENT))
    for port in range(10):
        dialogue.receives(Packet(wire, "udp", (ELSEWHERE[0], port)))
    dialogue.settle()
    (reply,) = (reply for packet, reply in dialogue.replies if packet.transport == "tcp")
    assert isinstance(verify_reply(reply, expectation, int(dialogue.now.wall)), Authentic)
    assert len(dialogue.replies) == 4


def test_who_signs_anew_from_another_port_is_answered_with_that_signature() -> None:
    dialogue = Dialogue()
    query = change(7, add="x")
    dialogue.receives(Packet(dialogue.sign(query)[0], peer=CLIENT))
    dialogue.passes(2)
    anew, expectation = dialogue.sign(query)
    dialogue.receives(Packet(anew, peer=(CLIENT[0], 40001)))
    dialogue.settle()
    (reply,) = (reply for packet, reply in dialogue.replies if packet.peer[1] == 40001)
    assert isinstance(verify_reply(reply, expectation, int(dialogue.now.wall)), Authentic)


def test_an_update_sent_too_often_while_it_waits_is_not_made_twice() -> None:
    dialogue = Dialogue()
    wires = [dialogue.sign(change(7, add="x"), ago)[0] for ago in range(100)]
    for wire in wires:
        dialogue.receives(Packet(wire))
    undo(dialogue)
    dialogue.passes(70)
    for wire in wires:
        dialogue.receives(Packet(wire))
        dialogue.settle()
    assert not dialogue.is_there("x")


def test_an_update_meant_anew_after_another_change_is_made() -> None:
    dialogue = Dialogue()
    made_and_undone(dialogue)
    dialogue.passes(2)
    dialogue.receives(Packet(dialogue.sign(change(7, add="x"))[0]))
    dialogue.settle()
    assert dialogue.is_there("x")


def test_an_update_that_waits_for_long_is_not_told_that_its_own_work_is_in_its_way() -> None:
    dialogue = Dialogue()
    for seconds in (0, 40, 40, 20):
        dialogue.passes(seconds)
        dialogue.receives(Packet(dialogue.sign(change(7, add="x"))[0]))
    dialogue.replies.clear()
    dialogue.settle()
    assert {dns.rcode.Rcode(reply[3] & 15) for _, reply in dialogue.replies} == {dns.rcode.NOERROR}


def test_an_update_sent_again_after_servfail_does_not_make_others_wait_longer() -> None:
    dialogue = Dialogue()
    dialogue.receives(Packet(dialogue.sign(change(7, add="x"))[0]))
    dialogue.passes(30)
    dialogue.receives(Packet(dialogue.sign(change(8, add="y"))[0], peer=ELSEWHERE))
    dialogue.passes(15)
    dialogue.receives(Packet(dialogue.sign(change(7, add="x"))[0]))
    dialogue.passes(30)
    assert [reply[:2] for packet, reply in dialogue.replies if packet.peer == ELSEWHERE] == [b"\0\x08"]
