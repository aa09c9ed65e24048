"""`python -m bench handover`: restarts and upgrades under half of the maximal load: what is lost?"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.part import Part, Table, Target, cases, told
from tests.peers.dnsperf import Dnsperf
from tests.peers.git_servers import BareRepository
from tests.peers.ports import LOOPBACK, free_port
from tests.peers.supervisor import Supervisor

APEX = "example.org"
NAMES = 1000
UPGRADE, RESTART = "a successor (SIGUSR2)", "restart, as systemd does it"
STOP, KILL = "stopped, then started", "kill -9, then started"
TITLE = "One process after another"
COSTS_NOTHING = {
    UPGRADE: "queries lost when a successor takes over",
    RESTART: "queries lost by a restart",
}
WORKERS = 2
PATIENCE = 5.0
"""Seconds that a question waits for its answer."""
BUFFER = 4 * 1024 * 1024
"""Octets that may wait in a socket, as in the units that come with Oakroot; the kernel doubles that."""
SO_RCVBUFFORCE = 33
"""As systemd does it: whatever net.core.rmem_max is. Only root may."""
SO_MEMINFO = 55
"""Nine numbers about a socket's memory; the last one is how many datagrams found it full."""


@dataclass(frozen=True)
class Change:
    """One burst of questions, in the middle of which one process takes the place of another."""

    case: str
    server: str
    rate: float
    """Questions a second."""
    sent: int
    lost: int
    longest: float
    """Seconds until the answer that took longest."""
    overflowed: int = 0
    """How many of those lost found no room in the sockets, which are passed on."""


class HandoverPart(Part[Change]):
    """See the head of the file."""

    name = "handover"
    help = "restart and upgrade under half of the maximal load"
    measurement = Change
    case_shapes = (UPGRADE, RESTART, STOP, KILL)
    name_shapes = (TITLE, *COSTS_NOTHING.values())
    is_for_all = False

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """How long, and how fast."""
        parser.add_argument("--seconds", type=float, default=8.0, help="of each burst (default 8)")
        parser.add_argument("--rate", type=int, help="questions a second (default: half of what it can take)")

    def run(self, options: argparse.Namespace) -> list[Change]:
        """Each way of changing processes, in a burst of its own."""
        repository, questions = _zone(options.directory)
        found = []
        for number in range(options.rounds):
            directory = options.directory / f"round{number}"
            changes = (UPGRADE, _succeed), (RESTART, Supervisor.restart), (STOP, _stop), (KILL, _kill)
            for case, change in changes:
                with _service(repository, directory / case.split(",")[0], case == UPGRADE) as service:
                    dnsperf = Dnsperf((LOOPBACK, service.port), questions, patience=PATIENCE)
                    rate = options.rate or dnsperf.highest_rate() // 2
                    print(f"handover: {case}, {rate} questions a second", file=sys.stderr)
                    found.append(_burst(case, service, dnsperf, rate, options.seconds, change))
        return found

    def tables(self, measurements: Sequence[Change]) -> list[Table]:
        """One row for each way."""
        head = ("how", "questions a second", "sent", "lost", "found the sockets full", "longest answer")
        rows = [
            (
                case,
                told([each.rate for each in of_case], "{:,.0f}"),
                f"{sum(each.sent for each in of_case):,}",
                f"{sum(each.lost for each in of_case):,}",
                f"{sum(each.overflowed for each in of_case):,}",
                told([1000 * each.longest for each in of_case], "{:.0f} ms"),
            )
            for case, of_case in cases(measurements).items()
        ]
        return [Table(TITLE, head, rows)]

    def targets(self, measurements: Sequence[Change]) -> list[Target]:
        """Neither a successor nor a restart costs a query."""
        found = []
        for case, what in COSTS_NOTHING.items():
            lost = [each.lost for each in measurements if each.case == case]
            found.append(Target(what, 0, sum(lost) if lost else None))
        return found


PART = HandoverPart()


def _zone(directory: Path) -> tuple[BareRepository, Path]:
    repository = BareRepository(directory / "zones.git")
    records = "".join(f"n{number} A 192.0.2.{number % 250}\n" for number in range(NAMES))
    text = f"$TTL 60\n@ SOA ns hostmaster 1 3600 900 1209600 60\n@ NS ns\nns A 192.0.2.1\n{records}"
    repository.commit({APEX: text.encode()})
    questions = directory / "questions"
    questions.write_text("".join(f"n{number}.{APEX} A\n" for number in range(NAMES)))
    return repository, questions


def _service(repository: BareRepository, directory: Path, binds: bool) -> Supervisor:  # noqa: FBT001 - one of two
    """A primary that binds its sockets itself, or gets one of each kind for each worker."""
    port = free_port()
    arguments: list[str | Path] = ["primary", "--remote", repository.path, "--rate-limit", "0"]
    arguments += ["--workers", str(WORKERS), "--listen", f"{LOOPBACK}:{port}"]
    service = Supervisor([*arguments, "--control", directory / "control.sock"], directory, port=port)
    for kind in () if binds else (*[socket.SOCK_DGRAM] * WORKERS, *[socket.SOCK_STREAM] * WORKERS):
        bound = socket.socket(socket.AF_INET, kind)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if kind == socket.SOCK_DGRAM:
            bound.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        bound.bind((LOOPBACK, port))
        if kind == socket.SOCK_STREAM:
            bound.listen()
        service.passed.append((bound, "dns"))
    return service


def _succeed(service: Supervisor) -> None:
    before = service.main
    os.kill(service.process_id, signal.SIGUSR2)
    while service.main == before:
        time.sleep(0.01)


def _stop(service: Supervisor) -> None:
    process = service.process
    if process is not None:
        process.terminate()
        process.wait(30)
    service.start()


def _kill(service: Supervisor) -> None:
    service.kill()
    service.start()


def _burst(
    case: str,
    service: Supervisor,
    dnsperf: Dnsperf,
    rate: int,
    seconds: float,
    change: Callable[[Supervisor], object],
) -> Change:
    before = _overflowed(service)
    asked = dnsperf.ask_while(lambda: change(service), rate, seconds, before=seconds / 4)
    overflowed = _overflowed(service) - before
    return Change(case, "oakroot", rate, asked.sent, asked.lost, asked.longest, overflowed)


def _overflowed(service: Supervisor) -> int:
    """How many datagrams found the sockets full that the service is passed."""
    ours = [passed for passed, name in service.passed if name == "dns"]
    found = [passed.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36) for passed in ours]
    return sum(struct.unpack("9I", memory)[8] for memory in found)
