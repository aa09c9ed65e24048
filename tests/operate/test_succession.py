"""A successor that does not come up changes nothing; who passes sockets on passes all of them."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import sys

import pytest

from oakroot._engine import Server
from oakroot.distribution.fanout import Settings
from oakroot.distribution.service import Distributor
from oakroot.operate.handover import Predecessor, start_successor
from oakroot.operate.inheritance import InheritanceError, Socket
from oakroot.operate.lifetime import Lifetime
from oakroot.roles.succession import Succession
from tests.peers.git_servers import wait_until
from tests.peers.supervisor import has_ended

# A process that says what it was given, and no more.
_YOUNGER = """
import os
from oakroot.operate.handover import Predecessor
predecessor = Predecessor.of(dict(os.environ))
sockets = predecessor.receive()
assert all(os.fstat(each.descriptor) for each in sockets)
print(len(sockets), *sorted({(each.transport, *each.address) for each in sockets}), flush=True)
predecessor.tell_complete()
"""


def test_a_successor_that_does_not_come_up_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "orig_argv", ["python", "-c", "raise SystemExit(2)"])
    stopped = []

    async def try_it() -> None:
        server = Server([("127.0.0.1", 0)])
        server.start()
        log = logging.getLogger("oakroot.test")
        distributor = Distributor(server, Settings(()), log)
        succession = Succession(server, distributor, Lifetime(), lambda: True, log)
        succession.begin(lambda: stopped.append(True))
        succession.begin(lambda: stopped.append(True))
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})
        await distributor.close()
        server.stop()

    asyncio.run(try_it())
    assert stopped == []
    assert "a successor was started already" in caplog.text
    assert "the successor ended with 2 before it served, see above; serving on" in caplog.text


def test_a_successor_that_does_not_serve_yet_ends_with_who_has_started_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(sys, "orig_argv", ["python", "-c", "import time; time.sleep(600)"])

    async def try_it() -> None:
        server = Server([("127.0.0.1", 0)])
        log = logging.getLogger("oakroot.test")
        distributor = Distributor(server, Settings(()), log)
        Succession(server, distributor, Lifetime(), lambda: True, log).begin(lambda: None)
        begun = "a successor is process"
        await asyncio.to_thread(wait_until, begun, lambda: begun in caplog.text)
        await distributor.close()
        server.stop()

    asyncio.run(try_it())
    found = re.search(r"a successor is process ([0-9]+)", caplog.text)
    assert found is not None
    assert has_ended(int(found[1]))


def test_many_sockets_pass_from_one_process_to_the_next(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        sockets = [Socket("udp", bound.getsockname(), bound.fileno())] * 450
        successor = start_successor(sockets, os.environ, command=[sys.executable, "-c", _YOUNGER])
        assert successor.process.wait(30) == 0
        assert successor.channel.recv(64) == b"complete"
        assert successor.channel.recv(64) == b""
        successor.close()
        assert capfd.readouterr().out == f"450 ('udp', '127.0.0.1', {bound.getsockname()[1]})\n"


def test_a_predecessor_that_is_none_is_refused() -> None:
    assert Predecessor.of({}) is None
    for number in ("x", "9999"):
        with pytest.raises(InheritanceError, match="no predecessor of ours"):
            Predecessor.of({"OAKROOT_PREDECESSOR": number})


def test_a_predecessor_that_ends_is_told_of() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    predecessor = Predecessor(theirs)
    ours.close()
    with pytest.raises(InheritanceError, match="has ended"):
        predecessor.receive()
    assert predecessor.wait_for_end(1)
    predecessor.tell_complete()
    theirs.close()
