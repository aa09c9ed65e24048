"""A primary that is killed at any step of its work on updates: the next one goes on from what is in git."""

from __future__ import annotations

import sys
from pathlib import Path

import dns.message
import dns.rcode

from tests.faults.people import addition, send
from tests.faults.sites import Site
from tests.peers.commands import Primary

SERVED = "zones served: 1"
PROGRAM = Path(__file__).with_name("crashing_primary.py")
# Many more than there are, and no more than a loop that does not end should get.
STEPS_LIMIT = 100
FEWEST_STEPS = 8


def test_whatever_a_crash_interrupts_nothing_acknowledged_is_lost_or_done_twice(
    local_site: Site, tmp_path: Path
) -> None:
    unsure: list[dns.message.Message] = []
    for step in range(1, STEPS_LIMIT):
        armed = tmp_path / f"armed-{step}"
        command = [sys.executable, str(PROGRAM), str(step), str(armed)]
        with local_site.primary(command=command) as primary:
            primary.said(SERVED)
            check_as_heir(local_site, primary, unsure, step - 1)
            armed.touch()
            # With a prerequisite it would be seen if it was done before; without it, nobody needs to know.
            unsure = [addition(f"h{step}", unless_there=False)]
            reply = send(unsure[0], primary.port, hopeless=lambda: primary.is_gone)
            if reply is not None and not primary.is_gone:
                break
    else:
        raise AssertionError("it never came through")
    assert step > FEWEST_STEPS, "the steps are not counted"
    local_site.check([], [f"h{at}" for at in range(1, step + 1)])


def check_as_heir(site: Site, primary: Primary, unsure: list[dns.message.Message], step: int) -> None:
    """The same octets go to the next primary, which answers them as the first one would have."""
    for message in unsure:
        reply = send(message, primary.port)
        assert reply is not None
        assert reply.rcode() == dns.rcode.NOERROR, reply
        site.check([primary], [f"h{at}" for at in range(1, step + 1)])
