"""A primary that lies, at each message of a transfer: never half a zone, and recovery without help."""

from __future__ import annotations

from collections.abc import Callable

import dns.rdatatype
import pytest

from oakroot.protocol.wire import Section, read_layout
from oakroot.secondary import events
from tests.scenarios.script import make_key
from tests.scenarios.secondary_stage import Primary, Stage
from tests.secondary.authority import Authority, make_zone

APEX = "mirage."
KEY = make_key("a.192.0.2.1._transfer.mirage.")
OLD = make_zone(7, "www A 192.0.2.7", "old TXT old", apex=APEX)
NEW = make_zone(8, "www A 192.0.2.8", "new TXT new", "newer TXT newer", apex=APEX)
MESSAGES = 12
"""More than either transfer has, at one record each."""

Fault = Callable[[Primary, int], None]


def cut(primary: Primary, number: int) -> None:
    """The connection ends after so many messages."""
    primary.cuts_transfers_after = number


def _spoiled(change: Callable[[bytes], bytes]) -> Fault:
    def spoil(primary: Primary, number: int) -> None:
        def change_one(messages: list[bytes]) -> list[bytes]:
            # Answers to questions have one message, and stay as they are.
            if len(messages) <= max(number, 1):
                return messages
            return [*messages[:number], change(messages[number]), *messages[number + 1 :]]

        primary.authority.spoil_signed = change_one

    return spoil


def _without_signature(wire: bytes) -> bytes:
    tsig = read_layout(wire).of_type(dns.rdatatype.TSIG, Section.ADDITIONAL)[0]
    return wire[:10] + b"\0\0" + wire[12 : tsig.start]


def _doubled(primary: Primary, number: int) -> None:
    primary.authority.spoil_signed = lambda messages: (
        messages if len(messages) == 1 else [*messages[: number + 1], *messages[number:]]
    )


FAULTS: dict[str, Fault] = {
    "cut": cut,
    "wrong signature": _spoiled(lambda wire: wire[:-20] + bytes([wire[-20] ^ 1]) + wire[-19:]),
    "missing signature": _spoiled(_without_signature),
    "another content": _spoiled(lambda wire: wire[:30] + bytes([wire[30] ^ 1]) + wire[31:]),
    "garbage": _spoiled(lambda _: b"\xff" * 40),
    "nothing": _spoiled(lambda _: b""),
    "sent twice": _doubled,
}


def a_stage() -> tuple[Stage, Primary]:
    stage = Stage()
    stage.keys.append(KEY)
    primary = Primary(Authority((KEY,), records_per_message=1))
    stage.primaries["192.0.2.1"] = primary
    return stage, primary


def served(stage: Stage) -> int | None:
    """The serial of what is served; it must be one whole version."""
    zone = stage.served(APEX)
    if zone is None:
        return None
    whole = {each.serial: each for each in (OLD, NEW)}[zone.serial]
    assert zone.records() == whole.records()
    return zone.serial


def mend(primary: Primary) -> None:
    primary.cuts_transfers_after = None
    primary.authority.spoil_signed = None


@pytest.mark.parametrize("number", range(MESSAGES))
@pytest.mark.parametrize("fault", FAULTS)
def test_a_first_transfer_that_is_spoiled_anywhere_brings_nothing_or_all(fault: str, number: int) -> None:
    stage, primary = a_stage()
    primary.authority.serve(OLD)
    FAULTS[fault](primary, number)
    stage.starts()
    assert served(stage) in {None, 7}
    mend(primary)
    stage.passes(60)
    assert served(stage) == 7


@pytest.mark.parametrize("number", range(MESSAGES))
@pytest.mark.parametrize("fault", FAULTS)
def test_a_new_version_that_is_spoiled_anywhere_leaves_the_old_or_comes_whole(
    fault: str, number: int
) -> None:
    stage, primary = a_stage()
    primary.authority.serve(OLD)
    stage.starts()
    assert served(stage) == 7
    primary.authority.serve(NEW)
    FAULTS[fault](primary, number)
    stage.happens(events.RefreshRequested())
    assert served(stage) in {7, 8}
    # What is on disk is whole, too, so that a process that is killed now begins with it.
    kept = stage.disk[APEX].zone
    assert kept.records() == (OLD if kept.serial == 7 else NEW).records()
    mend(primary)
    stage.passes(2 * 86400)
    assert served(stage) == 8


def test_a_spoiled_transfer_is_noticed() -> None:
    """So that the cases above prove something."""
    for name, fault in FAULTS.items():
        stage, primary = a_stage()
        primary.authority.serve(OLD)
        fault(primary, 2)
        stage.starts()
        assert served(stage) is None, name
