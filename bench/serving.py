"""Measures serving: processor time for each query, beside the echo as the floor."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.loading import LONGEST, check_answers, wait_for_last
from bench.processes import Processor, processor, wait_until_at_rest
from bench.workloads import Workload
from tests.peers import dnsperf
from tests.peers.nameservers import DaemonNameserver, NameserverError, ZoneFile
from tests.peers.ports import LOOPBACK

HERE = Path(__file__).parent
GENERATOR = HERE / "load/target/release/load"


class Floor(DaemonNameserver):
    """The echo: what the kernel alone costs."""

    name = "floor (echo)"
    program = "floor"

    @classmethod
    def find(cls) -> str | None:
        """Where `build_tools` puts it."""
        return str(HERE / "floor/target/release/floor")

    def configuration(self, port: int) -> str:
        """Nothing to configure."""
        return f"# port {port}\n"

    def arguments(self, configuration_file: Path) -> tuple[str, ...]:
        """Its address, and how many threads."""
        _ = configuration_file
        return f"{LOOPBACK}:{self.address[1]}", str(self.workers)


@dataclass(frozen=True)
class Way:
    """How questions come."""

    name: str
    options: tuple[str, ...] = ()
    """Of the load generator."""
    workers: int = 1
    """Of the server. With two, neither it nor the generator is kept to one processor."""
    over_tcp: bool = False
    edns: bool = False
    dnssec: bool = False
    by_dnsperf: bool = False


# No more questions under way than fit the receive buffer that a socket has by default: some peers leave it at
# that, and what is lost would stall the generator.
WINDOW = ("--window", "160")
WAYS = {
    way.name: way
    for way in (
        Way("UDP", WINDOW),
        Way("UDP with EDNS", (*WINDOW, "--edns", "1232"), edns=True),
        Way("UDP with DO", (*WINDOW, "--dnssec"), dnssec=True),
        Way("dnsperf", by_dnsperf=True),
        Way("TCP", (*WINDOW, "--transport", "tcp", "--sockets", "16"), over_tcp=True),
        Way("TCP one by one", ("--transport", "tcp", "--window", "32", "--sockets", "32"), over_tcp=True),
        Way(
            "TCP connection each",
            ("--transport", "tcp-once", "--window", "32", "--sockets", "32"),
            over_tcp=True,
        ),
        Way("UDP two workers", (*WINDOW, "--sockets", "32"), workers=2),
    )
}


@dataclass(frozen=True)
class Serve:
    """One burst of questions to one server."""

    case: str
    server: str
    rate: float
    """Answers a second."""
    user_microseconds: float
    """Processor time for each answer, split by the clock's ticks."""
    system_microseconds: float
    lost: int
    balance: float = 1.0
    """Of the two busiest threads, the less busy one's share of the other's time."""

    @property
    def microseconds(self) -> float:
        """Processor time for each answer."""
        return self.user_microseconds + self.system_microseconds


def build_tools() -> None:
    """Builds the load generator and the echo; cargo does nothing when they are there."""
    for tool in ("load", "floor"):
        subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=HERE / tool, check=True)


@contextmanager
def running(
    kinds: Sequence[type[DaemonNameserver]], workload: Workload, directory: Path, workers: int
) -> Iterator[list[DaemonNameserver]]:
    """All servers at once, so that rounds go from one to the next; one worker's on the first processor."""
    with ExitStack() as stack:
        up: list[DaemonNameserver] = []
        contestants: list[type[DaemonNameserver]] = [Floor, *kinds]
        for kind in contestants:
            zones: list[ZoneFile] = [] if kind is Floor else workload.zones
            server = kind(zones, directory / kind.name.split()[0], workers=workers)
            stack.callback(server.stop)
            with on_processor(0 if workers == 1 else None):
                server.start(LONGEST)
            if kind is not Floor:
                wait_for_last(server, workload)
                check_answers(server, workload)
            up.append(server)
        # What a start has still to do, such as telling secondaries, is none of an answer's cost.
        for server in up:
            wait_until_at_rest(server.process_ids())
        yield up


@contextmanager
def on_processor(number: int | None) -> Iterator[None]:
    """Keeps what is started meanwhile on one processor, if there are several."""
    before = os.sched_getaffinity(0)
    if number is not None and len(before) > 1:
        os.sched_setaffinity(0, {sorted(before)[number]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def serve(server: DaemonNameserver, case: str, questions: Path, way: Way, seconds: float) -> Serve:
    """Asks as fast as the generator can on the second processor."""
    before = processor(server.process_ids())
    ask = _ask_by_dnsperf if way.by_dnsperf else _ask
    received, rate, lost = ask(server, questions, way, seconds)
    used = processor(server.process_ids()) - before
    if not received:
        message = f"{server.name} answered nothing: {case}{server.log_tail()}"
        raise NameserverError(message)
    return Serve(
        case=case,
        server=server.name,
        rate=rate,
        user_microseconds=used.user * 1e6 / received,
        system_microseconds=used.system * 1e6 / received,
        lost=lost,
        balance=_balance(used),
    )


def _balance(used: Processor) -> float:
    first, second, *_ = [*sorted(used.of_threads.values(), reverse=True), 0.0, 0.0]
    return second / first if first else 1.0


def _ask(server: DaemonNameserver, questions: Path, way: Way, seconds: float) -> tuple[int, float, int]:
    told = generate(server, questions, seconds, *way.options, processor=1 if way.workers == 1 else None)
    return int(told["received"]), float(told["rate"]), int(told["lost"])


def generate(
    server: DaemonNameserver, questions: Path, seconds: float, *options: str, processor: int | None = 1
) -> dict[str, Any]:
    """What our own generator tells after it has asked for so long."""
    command = _generator(server, questions, *options, "--seconds", str(seconds))
    with on_processor(processor):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def generate_during(
    meanwhile: Callable[[], None],
    server: DaemonNameserver,
    questions: Path,
    longest: float,
    *options: str,
) -> dict[str, Any]:
    """What the generator tells after it has asked as long as `meanwhile` took, at most `longest` seconds."""
    limits = "--until-closed", "--seconds", str(longest)
    command = _generator(server, questions, *options, *limits)
    with on_processor(1):
        generator = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with generator:
        try:
            meanwhile()
        finally:
            answer, _ = generator.communicate()  # closes its standard input, which ends it
    told: dict[str, Any] = json.loads(answer)
    return told


def _generator(server: DaemonNameserver, questions: Path, *options: str) -> list[str]:
    host, port = server.address
    return [str(GENERATOR), "--server", f"{host}:{port}", "--queries", str(questions), *options]


def _ask_by_dnsperf(
    server: DaemonNameserver, questions: Path, way: Way, seconds: float
) -> tuple[int, float, int]:
    """The generator of other people, so that nobody has to believe ours."""
    _ = way
    host, port = server.address
    options = f"-s {host} -p {port} -d {questions} -l {max(1, round(seconds))} -c 8 -q 160"
    with on_processor(1):
        done = subprocess.run([dnsperf.PROGRAM, *options.split()], capture_output=True, text=True, check=True)
    numbers = [
        re.search(rf"{title}:\s+([0-9.]+)", done.stdout)
        for title in ("Queries completed", "Queries per second", "Queries lost")
    ]
    received, rate, lost = (float(found[1]) if found else 0.0 for found in numbers)
    return int(received), rate, int(lost)


def has_dnsperf() -> bool:
    """Whether dnsperf is installed."""
    return shutil.which(dnsperf.PROGRAM) is not None
