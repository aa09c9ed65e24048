"""The judge of the differential test excuses peers by rows and Oakroot by nothing."""

from __future__ import annotations

from tests.interop.compare import Case
from tests.interop.differences import Difference
from tests.interop.exchange import Reply
from tests.interop.judge import OAKROOT, judge
from tests.interop.wire import Query, Record, Response
from tests.interop.worlds import World
from tests.interop.zones import Zone, wire_name

NAME = wire_name("www.example.")
QUESTION = NAME + b"\0\1\0\1"
ZONE = Zone(apex="example.", theme="made up", text="", owners=(), probes=())


def reply(address: int = 1, rcode: int = 0, name: bytes = NAME) -> Reply:
    answer = (Record(name, 1, 1, 60, bytes([192, 0, 2, address])),)
    return Reply(Response(0x8400 | rcode, QUESTION, answer, (), (), None))


def case(**replies: Reply) -> Case:
    return Case(World("made up", (ZONE,)), ZONE, Query(NAME, 1, edns=None), replies)


def row(*peers: str) -> Difference:
    return Difference("made up", peers, frozenset({"answer"}), lambda _case, _peer: True, "errs", "none")


def test_agreement_needs_no_row() -> None:
    judgement = judge([case(nsd=reply(), knot=reply(), oakroot=reply())], [])
    assert (judgement.unanimous, judgement.findings) == (1, [])


def test_a_peer_apart_is_a_finding() -> None:
    (finding,) = judge([case(nsd=reply(2), knot=reply(), oakroot=reply())], []).findings
    assert (finding.aspect, finding.camps) == ("answer", (("nsd",), ("knot", OAKROOT)))


def test_a_row_excuses_its_peer_and_is_counted() -> None:
    judgement = judge([case(nsd=reply(2), knot=reply(), oakroot=reply())], [row("nsd")])
    assert (judgement.findings, judgement.uses["made up"]) == ([], 1)


def test_a_row_excuses_no_other_peer() -> None:
    assert judge([case(nsd=reply(2), knot=reply(), oakroot=reply())], [row("knot")]).findings


def test_a_row_excuses_no_other_aspect() -> None:
    assert judge([case(nsd=reply(rcode=3), knot=reply(), oakroot=reply())], [row("nsd")]).findings


def test_oakroot_beside_an_excused_peer_is_a_finding() -> None:
    assert judge([case(nsd=reply(2), knot=reply(), oakroot=reply(2))], [row("nsd")]).findings


def test_oakroot_alone_is_a_finding_even_if_all_peers_are_excused() -> None:
    assert judge([case(nsd=reply(2), knot=reply(3), oakroot=reply())], [row("nsd", "knot")]).findings


def test_silence_is_an_answer_of_its_own() -> None:
    assert judge([case(nsd=reply(), knot=reply(), oakroot=Reply(None))], []).findings


def test_the_case_of_the_echoed_question_counts() -> None:
    shouting = Reply(Response(0x8400, QUESTION.upper(), reply().response.answer, (), (), None))  # type: ignore[union-attr]
    assert judge([case(nsd=reply(), knot=reply(), oakroot=shouting)], []).findings
