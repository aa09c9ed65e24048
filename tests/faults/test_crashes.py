"""A primary that is killed at any step of its work on updates: the next one goes on from what is in git."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import dns.message
import dns.rcode
import pytest

from tests.faults.crashing_primary import MOMENTS
from tests.faults.people import addition, send, update
from tests.faults.sites import Site
from tests.git.conftest import Servers
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


@pytest.mark.parametrize("transport", ["ssh", "https"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_crash_while_a_server_takes_the_commit_loses_nothing(
    transport: str,
    moment: str,
    servers: Servers,
    make_place: Callable[..., object],
    tmp_path: Path,
) -> None:
    site = Site.on(transport, servers, make_place, tmp_path)
    armed = tmp_path / "armed"
    with site.primary(command=[sys.executable, str(PROGRAM), moment, str(armed)]) as primary:
        primary.said(SERVED)
        # The connection of the update before is there to be used again.
        assert update("before", primary.port).rcode == "NOERROR"
        armed.touch()
        unsure = addition("h1", unless_there=False)
        assert send(unsure, primary.port, hopeless=lambda: primary.is_gone) is None
        assert primary.is_gone
    with site.primary() as primary:
        primary.said(SERVED)
        check_as_heir(site, primary, [unsure], 1)


def check_as_heir(site: Site, primary: Primary, unsure: list[dns.message.Message], step: int) -> None:
    """The same octets go to the next primary, which answers them as the first one would have."""
    for message in unsure:
        reply = send(message, primary.port)
        assert reply is not None
        assert reply.rcode() == dns.rcode.NOERROR, reply
        site.check([primary], [f"h{at}" for at in range(1, step + 1)])
