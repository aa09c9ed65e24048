"""Transfers that do not end, are cut anywhere, or consist of any octets whatever."""

from __future__ import annotations

from dataclasses import replace

import dns.message
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.protocol.transfer_client import Failed, Limits, Progress, Received, Transfer
from tests.protocol.keys import NOW
from tests.protocol.transfers import primary, reason, run
from tests.secondary.authority import KEY, ZONE, hosts, make_zone, name, split

AXFR = dns.rdatatype.AXFR


def endless(messages: list[bytes]) -> list[bytes]:
    return [messages[0], *messages[1:2] * 500]


@pytest.mark.parametrize(
    ("limits", "words"),
    [(Limits(messages=100), "more than 100 messages"), (Limits(octets=10_000), "larger than allowed")],
    ids=["messages", "octets"],
)
def test_an_endless_transfer_is_given_up(limits: Limits, words: str) -> None:
    authority = primary(make_zone(1, *hosts(10)), records_per_message=4)
    authority.spoil[AXFR] = endless
    step, _ = run(authority, limits=limits)
    assert words in reason(step)


@given(st.binary(max_size=200), st.booleans())
def test_any_octets_give_a_verdict(octets: bytes, has_base: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    transfer = Transfer(name(ZONE), KEY, make_zone(1) if has_base else None, Limits())
    transfer.begin(1, NOW)
    step = transfer.receive(octets, NOW)
    assert step is Progress.ANEW if has_base else isinstance(step, Failed)


@given(st.binary(max_size=120))
def test_any_octets_that_are_signed_give_a_verdict(octets: bytes) -> None:
    def records(messages: list[bytes]) -> list[bytes]:
        return [messages[0][:12] + octets]

    authority = primary(make_zone(1))
    authority.spoil[AXFR] = records
    assert isinstance(run(authority)[0], Failed | Received)


@given(st.integers(0, 10), st.integers(1, 40))
def test_a_transfer_that_is_cut_anywhere_brings_nothing(size: int, kept: int) -> None:
    def cut(messages: list[bytes]) -> list[bytes]:
        return messages[: min(kept, len(messages) - 1)]

    authority = primary(make_zone(1, *hosts(30)), records_per_message=size + 1, spoil_signed=cut)
    assert "it hung up after" in reason(run(authority)[0])


def test_the_splitter_of_these_tests_keeps_every_record() -> None:
    authority = primary(make_zone(1, *hosts(5)))
    transfer = Transfer(name(ZONE), KEY, None, Limits())
    whole = replace(authority, unsigned=True).replies(transfer.begin(1, NOW), NOW)
    parts = split(whole, 2)
    assert sum(len(dns.message.from_wire(part, one_rr_per_rrset=True).answer) for part in parts) == 9
