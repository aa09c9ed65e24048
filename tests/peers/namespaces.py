"""A network of its own: hosts are namespaces on one switch, 10.0.42.0/24 as in the tutorial; port 53 is free.

Hosts hang on cables (veth) or on a wire of ours, which loses, delays and reorders frames: not every kernel
has netem. What must not live here: name servers. Needs root; everything is gone with `__exit__`.
"""

from __future__ import annotations

import fcntl
import heapq
import itertools
import os
import random
import select
import shutil
import signal
import struct
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from tests.conftest import peers_are_required
from tests.peers.git_servers import NOBODYS_CONFIG, wait_until

SWITCH = "10.0.42.1"
PATIENCE = 20.0
_FRAME = 65536
# linux/if_tun.h
_TUNSETIFF, _IFF_TAP, _IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
_numbers = itertools.count()


def require_namespaces() -> None:
    """Skips the test where namespaces cannot be made; fails it where they must be."""
    if os.geteuid() == 0 and shutil.which("ip") is not None:
        return
    reason = "network namespaces need root, and iproute2"
    if peers_are_required():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


class Program:
    """A program that runs on a host until `stop`."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._log = log
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OAKROOT_")}
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**environment, **NOBODYS_CONFIG, "NO_COLOR": "1"},
            )

    @property
    def process_id(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def log(self) -> str:
        """What it said so far, in all its lives with this file."""
        return self._log.read_text(errors="replace")

    def said(self, text: str, times: int = 1) -> None:
        """Returns once the log has this."""
        wait_until(f"{text!r} in {self.log}", lambda: self.log.count(text) >= times or self._has_ended())

    def stop(self) -> None:
        """Asks it to end, and waits until it has."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(PATIENCE)

    def kill(self) -> None:
        """Ends it without asking, as a crash does."""
        self._process.kill()
        self._process.wait(PATIENCE)

    def _has_ended(self) -> bool:
        assert self._process.poll() is None, self.log
        return False


@dataclass(frozen=True)
class Host:
    """A namespace with an address."""

    namespace: str
    address: str
    programs: list[Program] = field(default_factory=list, compare=False)

    def command(self, *words: str | Path) -> list[str]:
        """The command line that runs a program there."""
        return ["ip", "netns", "exec", self.namespace, *map(str, words)]

    def run(self, *words: str | Path) -> str:
        """Runs a program to its end; gives what it printed."""
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self, log: Path, *words: str | Path) -> Program:
        """Starts a program."""
        program = Program(self.command(*words), log)
        self.programs.append(program)
        return program

    def dig(self, *words: str) -> str:
        """What dig says, also of servers that do not answer."""
        command = self.command("dig", "+tries=1", "+time=1", *words)
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout

    def unplug(self) -> None:
        """Takes it off the network."""
        self.run("ip", "link", "set", "eth0", "down")

    def plug_in(self, gateway: str | None = SWITCH) -> None:
        """Brings it back; the kernel has forgotten its route."""
        self.run("ip", "link", "set", "eth0", "up")
        if gateway is not None:
            self.run("ip", "route", "replace", "default", "via", gateway)


@dataclass(frozen=True)
class Weather:
    """What becomes of frames on a wire."""

    loss: float = 0.0
    late: float = 0.0
    """The share that is held back, so that later frames overtake."""
    twice: float = 0.0
    hold_seconds: float = 0.02


class Wire:
    """Carries frames between two interfaces of the kernel (TAP), as the weather is; counts what it did."""

    def __init__(self, ends: tuple[str, str], weather: Weather, seed: int) -> None:
        self.weather = weather
        self.carried = self.lost = self.held = 0
        self._random = random.Random(seed)
        self._ends = [_open_tap(name) for name in ends]
        self._waiting: list[tuple[float, int, int, bytes]] = []
        self._order = itertools.count()
        self._wake, self._waker = os.pipe()
        self._thread = threading.Thread(target=self._carry, name="wire")
        self._thread.start()

    def cut(self) -> None:
        """Ends it."""
        os.close(self._waker)
        self._thread.join()
        for descriptor in (*self._ends, self._wake):
            os.close(descriptor)

    def _carry(self) -> None:
        while True:
            due = self._waiting[0][0] - time.monotonic() if self._waiting else None
            ready, _, _ = select.select(
                [*self._ends, self._wake], [], [], None if due is None else max(due, 0)
            )
            if self._wake in ready:
                return
            for number, descriptor in enumerate(self._ends):
                if descriptor in ready:
                    self._take(os.read(descriptor, _FRAME), self._ends[1 - number])
            while self._waiting and self._waiting[0][0] <= time.monotonic():
                _, _, out, frame = heapq.heappop(self._waiting)
                # An interface that is down takes nothing, like a cable that hangs loose.
                with suppress(OSError):
                    os.write(out, frame)

    def _take(self, frame: bytes, out: int) -> None:
        self.carried += 1
        if self._random.random() < self.weather.loss:
            self.lost += 1
            return
        is_late = self._random.random() < self.weather.late
        self.held += is_late
        when = time.monotonic() + (self.weather.hold_seconds * self._random.random() if is_late else 0)
        for _ in range(1 + (self._random.random() < self.weather.twice)):
            heapq.heappush(self._waiting, (when, next(self._order), out, frame))


class Network:
    """A switch, named `service`, and the hosts that were added to it."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._prefix = f"oak{os.getpid()}n{next(_numbers)}"
        self._links = itertools.count()
        self.switch = Host(f"{self._prefix}-service", SWITCH)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._stack = stack
            self._add_namespace(self.switch)
            self.switch.run("ip", "link", "add", "service", "type", "bridge")
            self.switch.run("ip", "address", "add", f"{SWITCH}/24", "dev", "service")
            self.switch.run("ip", "link", "set", "service", "up")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_reason: object) -> None:
        self._stack.close()

    def host(self, name: str, address: str) -> Host:
        """A new host on the switch."""
        host = Host(f"{self._prefix}-{name}", address)
        self._add_namespace(host)
        port = f"port{next(self._links)}"
        ends = [port, "type", "veth", "peer", "name", "eth0", "netns", host.namespace]
        self.switch.run("ip", "link", "add", *ends)
        self._connect(host, port)
        return host

    def distant_host(self, name: str, address: str, weather: Weather, seed: int = 1) -> tuple[Host, Wire]:
        """A new host at the end of a wire."""
        host = Host(f"{self._prefix}-{name}", address)
        self._add_namespace(host)
        number = next(self._links)
        port, far = (f"{self._prefix}{end}{number}" for end in "pq")
        wire = Wire((port, far), weather, seed)
        self._stack.callback(wire.cut)
        _run("ip", "link", "set", port, "netns", self.switch.namespace)
        _run("ip", "link", "set", far, "netns", host.namespace, "name", "eth0")
        self._connect(host, port)
        return host, wire

    def hidden_host(self, name: str, router: Host, address: str, gateway: str) -> Host:
        """A new host behind a router, which gives all that comes from it its own address."""
        host = Host(f"{self._prefix}-{name}", address)
        self._add_namespace(host)
        ends = ["inside", "type", "veth", "peer", "name", "eth0", "netns", host.namespace]
        router.run("ip", "link", "add", *ends)
        router.run("ip", "address", "add", f"{gateway}/24", "dev", "inside")
        router.run("ip", "link", "set", "inside", "up")
        router.run("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        router.run(
            "nft", "add table ip nat; add chain ip nat out { type nat hook postrouting priority 100; };"
        )
        router.run("nft", "add rule ip nat out oifname eth0 masquerade")
        self._set_up(host, gateway)
        return host

    def _connect(self, host: Host, port: str) -> None:
        self.switch.run("ip", "link", "set", port, "master", "service", "up")
        self._set_up(host, SWITCH)

    def _set_up(self, host: Host, gateway: str) -> None:
        host.run("ip", "address", "add", f"{host.address}/24", "dev", "eth0")
        host.run("ip", "link", "set", "eth0", "up")
        host.run("ip", "route", "add", "default", "via", gateway)

    def _add_namespace(self, host: Host) -> None:
        _run("ip", "netns", "add", host.namespace)
        self._stack.callback(_run, "ip", "netns", "delete", host.namespace)
        self._stack.callback(_stop_all, host.programs)
        host.run("ip", "link", "set", "lo", "up")


def _stop_all(programs: Sequence[Program]) -> None:
    for program in programs:
        program.stop()


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr}"


def _open_tap(name: str) -> int:
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI))
    return descriptor
