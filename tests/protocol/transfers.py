"""Transfers played against the tests' primary, without sockets."""

from __future__ import annotations

from oakroot._engine import Zone
from oakroot.protocol.transfer_client import Failed, Limits, Progress, Received, Step, Transfer
from tests.protocol.keys import NOW
from tests.secondary.authority import KEY, ZONE, Authority, name


def run(
    authority: Authority, base: Zone | None = None, limits: Limits | None = None, now: int = NOW
) -> tuple[Step, Transfer]:
    """Plays a transfer to its end; a connection that has no more messages is closed."""
    transfer = Transfer(name(ZONE), KEY, base, limits or Limits())
    step: Step = Progress.ANEW
    while step is Progress.ANEW:
        step = Progress.MORE
        replies = authority.replies(transfer.begin(4711, now), now)
        while step is Progress.MORE:
            step = transfer.receive(replies.pop(0), now) if replies else transfer.cut("it hung up")
    return step, transfer


def received(step: Step) -> Received:
    assert isinstance(step, Received), step
    return step


def reason(step: Step) -> str:
    assert isinstance(step, Failed), step
    return step.reason


def primary(*versions: Zone, **behaviour: object) -> Authority:
    authority = Authority(**behaviour)  # type: ignore[arg-type]
    for version in versions:
        authority.serve(version)
    return authority
