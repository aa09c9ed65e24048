"""Measures serving: processor time for each query, beside the echo as the floor."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.loading import LONGEST, check_answers, wait_for_last
from bench.processes import processor
from bench.workloads import Workload
from tests.peers.nameservers import LOOPBACK, Address, DaemonNameserver, ZoneFile

HERE = Path(__file__).parent


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
        """Its address."""
        _ = configuration_file
        return (f"{LOOPBACK}:{self.address[1]}",)


@dataclass(frozen=True)
class Serve:
    """One burst of questions to one server."""

    case: str
    server: str
    rate: float
    """Answers a second."""
    user_microseconds: float
    system_microseconds: float
    lost: int

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
    kinds: list[type[DaemonNameserver]], workload: Workload, directory: Path
) -> Iterator[list[DaemonNameserver]]:
    """All servers at once, on the first processor, so that rounds go from one to the next at once."""
    with ExitStack() as stack:
        servers: list[DaemonNameserver] = []
        contestants: list[type[DaemonNameserver]] = [Floor, *kinds]
        for kind in contestants:
            zones: list[ZoneFile] = [] if kind is Floor else workload.zones
            server = kind(zones, directory / kind.name.split()[0])
            stack.callback(server.stop)
            with _on_processor(0):
                server.start(LONGEST)
            if kind is not Floor:
                wait_for_last(server, workload)
                check_answers(server, workload)
            servers.append(server)
        yield servers


@contextmanager
def _on_processor(number: int) -> Iterator[None]:
    """Keeps what is started meanwhile on one processor, if there are several."""
    before = os.sched_getaffinity(0)
    if len(before) > 1:
        os.sched_setaffinity(0, {sorted(before)[number]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def serve(server: DaemonNameserver, workload: Workload, mix: str, transport: str, seconds: float) -> Serve:
    """Asks as fast as the generator can on the second processor."""
    before = processor(server.process_ids())
    told = _generate(server.address, workload.mixes[mix], transport, seconds)
    used = processor(server.process_ids()) - before
    received = max(1, int(told["received"]))
    return Serve(
        case=f"{workload.name}: {mix}, {transport}",
        server=server.name,
        rate=float(told["rate"]),
        user_microseconds=used.user * 1e6 / received,
        system_microseconds=used.system * 1e6 / received,
        lost=int(told["lost"]),
    )


def _generate(address: Address, questions: Path, transport: str, seconds: float) -> dict[str, float]:
    generator = HERE / "load/target/release/load"
    command = [str(generator), "--server", f"{address[0]}:{address[1]}", "--queries", str(questions)]
    with _on_processor(1):
        done = subprocess.run(
            [*command, "--transport", transport, "--seconds", str(seconds)],
            capture_output=True,
            text=True,
            check=True,
        )
    told: dict[str, float] = json.loads(done.stdout)
    return told


def dnsperf_rate(server: DaemonNameserver, questions: Path, seconds: int) -> float | None:
    """Answers a second by dnsperf, a generator of other people; None where it is not installed."""
    if shutil.which("dnsperf") is None:
        return None
    host, port = server.address
    options = f"-s {host} -p {port} -d {questions} -l {seconds} -c 8 -q 512"
    with _on_processor(1):
        done = subprocess.run(["dnsperf", *options.split()], capture_output=True, text=True, check=True)
    found = re.search(r"Queries per second:\s+([0-9.]+)", done.stdout)
    return None if found is None else float(found[1])
