"""Name servers as processes on loopback: NSD, Knot DNS and BIND behind one interface.

Each serves zone files from a directory it is given, on a port the kernel chose, with everything that is not
answering switched off: no recursion, no NOTIFY, no transfers, no rate limit, no control channel. What must
not live here: zone text (the caller brings it) and any opinion about what a right answer is.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from tests.peers.configurations import bind_options, knot_server, nsd_server
from tests.peers.ports import LOOPBACK, Address, free_port

LOG_LINES = 30


@dataclass(frozen=True)
class ZoneFile:
    """A zone to be served: its apex as text with a final dot, and the file it stands in."""

    apex: str
    path: Path


class NameserverError(Exception):
    """A name server did not start, or stopped when nobody asked it to; the text ends with what it logged."""


class Nameserver(ABC):
    """Something that answers DNS queries on `address` between `start` and `stop`."""

    name: ClassVar[str]

    def __init__(self, zones: Sequence[ZoneFile], directory: Path) -> None:
        """Takes the zones to serve and an empty directory of its own, which may not exist yet."""
        self.zones = tuple(zones)
        self.directory = directory
        self.address: Address = (LOOPBACK, 0)

    @abstractmethod
    def launch(self) -> None:
        """Starts the server and returns at once: it may not answer yet."""

    @abstractmethod
    def check_alive(self) -> None:
        """Raises `NameserverError` when the server has ended by itself."""

    @abstractmethod
    def stop(self) -> None:
        """Ends the server; does nothing when it does not run."""

    @abstractmethod
    def process_ids(self) -> tuple[int, ...]:
        """The processes that do the serving, children included."""

    def start(self, seconds: float = 60.0) -> None:
        """Launches and waits for the first answer of any kind."""
        self.launch()
        self.wait_for_answer(b"\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\x06\0\x01", seconds)

    def wait_for_answer(self, query: bytes, seconds: float, pause: float = 0.02) -> bytes:
        """Asks over UDP, again every `pause` seconds, until something answers; gives the answer."""
        deadline = time.monotonic() + seconds
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.connect(self.address)
            while time.monotonic() < deadline:
                self.check_alive()
                answer = _ask_once(udp, query, pause)
                if answer is not None:
                    return answer
        message = f"{self.name} did not answer within {seconds:g} s{self.log_tail()}"
        raise NameserverError(message)

    def log_tail(self) -> str:
        """The end of what the server logged, to be put behind an error message."""
        return ""

    def __enter__(self) -> Self:
        """Starts the server; whatever goes wrong, nothing is left running."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stops the server."""
        self.stop()


def _ask_once(udp: socket.socket, query: bytes, seconds: float) -> bytes | None:
    """One question on a connected socket; None when `seconds` pass, the whole of them, without an answer."""
    deadline = time.monotonic() + seconds
    with contextlib.suppress(ConnectionRefusedError):
        udp.send(query)
    while (left := deadline - time.monotonic()) > 0:
        udp.settimeout(left)
        try:
            return udp.recv(65535)
        except ConnectionRefusedError:
            # Nobody listens yet. The error is consumed by the call, so the next one waits the time out.
            continue
        except TimeoutError:
            return None
    return None


class DaemonNameserver(Nameserver):
    """A name server that is a program of its own, configured by one file."""

    program: ClassVar[str]
    host = LOOPBACK
    """The address of this machine that it listens on."""
    port: int | None = None
    """None: one that is free."""

    def __init__(self, zones: Sequence[ZoneFile], directory: Path, *, workers: int = 1) -> None:
        """As `Nameserver`; `workers` is how many threads or processes answer."""
        super().__init__(zones, directory)
        self.workers = workers
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def find(cls) -> str | None:
        """Where the program is installed, or None."""
        # Debian keeps daemons in /usr/sbin, which an ordinary user's PATH may lack.
        return shutil.which(cls.program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")

    @abstractmethod
    def configuration(self, port: int) -> str:
        """The text of the configuration file."""

    @abstractmethod
    def arguments(self, configuration_file: Path) -> tuple[str, ...]:
        """What follows the program on its command line, so that it stays in the foreground."""

    def launch(self) -> None:
        """Writes the configuration and starts the program."""
        program = self.find()
        if program is None:
            message = f"{self.program} is not installed"
            raise NameserverError(message)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.address = (self.host, self.port or free_port())
        with self._log_file().open("ab") as log:
            self._process = subprocess.Popen(
                [program, *self.arguments(self.write_configuration())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
            )

    def write_configuration(self) -> Path:
        """Writes the configuration; who reads it meanwhile finds the old file or the new one."""
        file = self.directory / f"{self.name}.conf"
        new = file.with_suffix(".new")
        new.write_text(self.configuration(self.address[1]))
        new.replace(file)
        return file

    def start(self, seconds: float = 60.0) -> None:
        """Launches and waits; somebody may take the chosen port first, so a lost race is run again."""
        for attempt in (1, 2, 3):
            try:
                super().start(seconds)
            except NameserverError:
                self.stop()
                if attempt == 3 or "in use" not in self.log_tail().lower():
                    raise
            else:
                return

    def check_alive(self) -> None:
        """Raises when the program has ended."""
        if self._process is not None and self._process.poll() is not None:
            message = f"{self.name} ended with status {self._process.returncode}{self.log_tail()}"
            raise NameserverError(message)

    def stop(self) -> None:
        """Asks the program to end, and ends it when it does not within ten seconds."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def process_ids(self) -> tuple[int, ...]:
        """The program and all its descendants."""
        return () if self._process is None else descendants(self._process.pid)

    def log_tail(self) -> str:
        """The last lines of its standard output and error."""
        try:
            text = self._log_file().read_text(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n" + "\n".join(text.splitlines()[-LOG_LINES:])

    def _log_file(self) -> Path:
        return self.directory / f"{self.name}.log"


def descendants(process_id: int) -> tuple[int, ...]:
    """The process and everything it started that still runs."""
    found = [process_id]
    for parent in found:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for thread in Path(f"/proc/{parent}/task").iterdir():
                found.extend(int(child) for child in (thread / "children").read_text().split())
    return tuple(found)


class Bind(DaemonNameserver):
    """ISC BIND 9."""

    name = "bind"
    program = "named"

    def configuration(self, port: int) -> str:
        """The text of named.conf."""
        more = """
  allow-transfer { none; }; notify no;
  minimal-responses no; minimal-any no; answer-cookie no; max-udp-size 1232; zone-statistics none;
  check-integrity no; check-names primary ignore; check-mx ignore; check-sibling no; check-wildcard no;
  check-srv-cname ignore; check-mx-cname ignore; check-spf ignore; check-dup-records ignore;
  max-records-per-type 0; max-types-per-name 0;
  zero-no-soa-ttl no; max-query-restarts 16;
  tcp-clients 100; transfers-in 1; max-cache-size 2M;"""
        head = bind_options(self.directory, (self.host, port), more)
        head += "logging { category lame-servers { null; }; category security { null; }; };\n"
        zones = [f'zone "{zone.apex}" {{ type primary; file "{zone.path}"; }};\n' for zone in self.zones]
        return head + "".join(zones)

    def arguments(self, configuration_file: Path) -> tuple[str, ...]:
        """Foreground, log to standard error, `workers` threads, IPv4."""
        return ("-g", "-4", "-n", str(self.workers), "-c", str(configuration_file))


class Knot(DaemonNameserver):
    """CZ.NIC Knot DNS."""

    name = "knot"
    program = "knotd"

    def configuration(self, port: int) -> str:
        """The text of knot.conf."""
        more = ("udp-max-payload: 1232", "tcp-max-clients: 100")
        address = (self.host, port)
        head = knot_server(self.directory, address, *more, workers=self.workers, loglevel="warning")
        head += """
template:
  - id: default
    semantic-checks: off
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
zone:
"""
        zones = [f'  - domain: "{zone.apex}"\n    file: "{zone.path}"\n' for zone in self.zones]
        return head + "".join(zones)

    def arguments(self, configuration_file: Path) -> tuple[str, ...]:
        """Knot stays in the foreground unless told otherwise."""
        return ("-c", str(configuration_file))


class Nsd(DaemonNameserver):
    """NLnet Labs NSD."""

    name = "nsd"
    program = "nsd"

    def configuration(self, port: int) -> str:
        """The text of nsd.conf."""
        more = (
            "tcp-count: 100",
            "ipv4-edns-size: 1232",
            "rrl-ratelimit: 0",
            "minimal-responses: no",
            "refuse-any: no",
            "zonefiles-check: no",
        )
        head = nsd_server(self.directory, (self.host, port), *more, workers=self.workers)
        head += "remote-control:\n    control-enable: no\n"
        zones = [f'zone:\n    name: "{zone.apex}"\n    zonefile: "{zone.path}"\n' for zone in self.zones]
        return head + "".join(zones)

    def arguments(self, configuration_file: Path) -> tuple[str, ...]:
        """Foreground, logging to standard error."""
        return ("-d", "-c", str(configuration_file))


PEERS: tuple[type[DaemonNameserver], ...] = (Nsd, Knot, Bind)
