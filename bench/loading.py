"""Measures loading: from the start of the program to right answers, and the memory it takes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from bench.processes import memory, processor
from bench.workloads import Workload, as_queries, is_right
from tests.peers.client import ask_udp
from tests.peers.nameservers import DaemonNameserver, NameserverError

LONGEST = 600.0
POLL = 0.005


@dataclass(frozen=True)
class Load:
    """One start of one server."""

    case: str
    server: str
    seconds: float
    """Until the first right answer for the last name of the last zone."""
    processor_seconds: float
    peak_octets: int
    resting_octets: int
    own_octets: int = 0
    """At rest and in no file; older results have none."""


def load(kind: type[DaemonNameserver], workload: Workload, directory: Path) -> Load:
    """Starts the server, waits until it answers right, checks that all its answers are, and stops it."""
    server = kind(workload.zones, directory)
    started = time.monotonic()
    server.launch()
    try:
        wait_for_last(server, workload)
        seconds = time.monotonic() - started
        used = processor(server.process_ids()).total
        check_answers(server, workload)
        _wait_until_settled(server)
        taken = memory(server.process_ids())
    finally:
        server.stop()
    return Load(workload.name, kind.name, seconds, used, taken.peak, taken.resting, taken.own)


def wait_for_last(server: DaemonNameserver, workload: Workload) -> None:
    """Asks for the last name until the answer is right."""
    deadline = time.monotonic() + LONGEST
    query = as_queries([workload.last])[0]
    while time.monotonic() < deadline:
        if is_right(workload.last, server.wait_for_answer(query, LONGEST, POLL)):
            return
        # Answered, but not yet right: a zone that is still being loaded.
        time.sleep(POLL)
    message = f"{server.name} did not load {workload.name} within {LONGEST:g} s{server.log_tail()}"
    raise NameserverError(message)


def check_answers(server: DaemonNameserver, workload: Workload) -> None:
    """Raises unless every check gets its right answer: a server that skips work wins nothing."""
    responses = ask_udp(server.address, as_queries(workload.checks))
    wrong = [
        check.name
        for check, response in zip(workload.checks, responses, strict=True)
        if not is_right(check, response)
    ]
    if wrong:
        message = f"{server.name} answers {len(wrong)} names wrong, {wrong[0]} first{server.log_tail()}"
        raise NameserverError(message)


def _wait_until_settled(server: DaemonNameserver) -> None:
    """Waits, five seconds at most, until the memory has been the same for half a second."""
    seen = [memory(server.process_ids()).resting]
    for _ in range(25):
        time.sleep(0.2)
        seen.append(memory(server.process_ids()).resting)
        if len(set(seen[-4:])) == 1 and len(seen) >= 4:
            return
