"""Ports and addresses for servers that tests start. What must not live here: servers.

Tests run beside each other in several processes. Each takes its ports from a range of its own, below those
which the kernel gives to clients, so that nobody takes a port between its choice and its use. Where in it a
process begins depends on its number, so that two runs of the tests on one machine hardly ever meet.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket

Address = tuple[str, int]
LOOPBACK = "127.0.0.1"
_FIRST = 11_000
_EACH = 2_600  # eight processes end below 32,768, where Linux begins to number clients (ip_local_port_range)
_process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
_start = os.getpid() * 37 % _EACH
_candidates = (_FIRST + _process * _EACH + (_start + count) % _EACH for count in itertools.count())


def free_port() -> int:
    """A port that is free for UDP and TCP; no other test is given it before thousands of others were."""
    for port in _candidates:
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
            socket.create_server((LOOPBACK, port)),
        ):
            udp.bind((LOOPBACK, port))
            return port
    raise AssertionError("itertools.count never ends")
