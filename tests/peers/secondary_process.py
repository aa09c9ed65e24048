"""`oakroot secondary` as a process, which can be asked, stopped, killed and started anew."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import dns.exception
import dns.message
import dns.query
import dns.rcode

from oakroot.keys.key import Key
from tests.peers.commands import COMMAND
from tests.peers.git_servers import wait_until
from tests.peers.ports import Address

PATIENCE = 40.0
_LISTENING = re.compile(r"listening on [0-9.]+:([0-9]+)")


class SecondaryProcess:
    """Runs between `__enter__` and `__exit__`; the address stays the same over restarts."""

    def __init__(
        self, address: Address, keys: Sequence[Key], primary: Address | None, directory: Path
    ) -> None:
        self.address = address
        self.directory = directory
        self.keys = list(keys)
        self.primary = primary
        self.state: Path | None = None
        self.options: list[str] = []
        """Further ones of its command line."""
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_reason: object) -> None:
        self.stop()

    def start(self) -> None:
        """Starts it, and waits until it listens."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._starts += 1
        with self.log_file.open("ab") as log:
            environment = {key: value for key, value in os.environ.items() if not key.startswith("OAKROOT_")}
            self._process = subprocess.Popen(
                [*COMMAND, *self._arguments()], stdout=log, stderr=log, env=environment
            )
        wait_until("oakroot secondary to listen", self._listens)

    def stop(self) -> None:
        """Asks it to end, and waits until it has."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait(PATIENCE)

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def process_id(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        os.kill(self.process_id, number)

    def kill(self) -> None:
        """Ends it without asking, as a crash does."""
        process, self._process = self._process, None
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)

    @property
    def log_file(self) -> Path:
        """What it says, of all its lives."""
        return self.directory / "secondary.log"

    @property
    def log(self) -> str:
        """What it said so far."""
        return self.log_file.read_text(errors="replace")

    def ask(self, name: str, kind: str = "SOA") -> dns.message.Message | None:
        """Its reply, None where there is none soon."""
        try:
            return ask(self.address, dns.message.make_query(name, kind), seconds=1.0)
        except (dns.exception.Timeout, OSError):
            return None

    def until(self, name: str, kind: str, wanted: Callable[[dns.message.Message], bool]) -> None:
        """Returns once the reply is as wanted; fails with the log when that takes long."""
        deadline = time.monotonic() + PATIENCE
        reply = None
        while time.monotonic() < deadline:
            reply = self.ask(name, kind)
            if reply is not None and wanted(reply):
                return
        message = f"{name} {kind}: {reply}\n{self.log}"
        raise AssertionError(message)

    def until_serial(self, zone: str, serial: int) -> None:
        """Returns once it serves that."""
        self.until(zone, "SOA", lambda reply: serial_in(reply) == serial)

    def until_refused(self, zone: str) -> None:
        """Returns once it has the zone no longer."""
        self.until(zone, "SOA", lambda reply: reply.rcode() == dns.rcode.REFUSED)

    def until_said(self, text: str) -> None:
        """Returns once the log has this."""
        wait_until(f"{text!r} in the log", lambda: text in self.log)

    def _arguments(self) -> list[str]:
        host, port = self.address
        key_file = self.directory / "keys"
        key_file.touch(mode=0o600)
        blocks = (
            f'key "{key.name}" {{ algorithm {key.algorithm.text}; secret "{key.secret.base64()}"; }};\n'
            for key in self.keys
        )
        key_file.write_text("".join(blocks))
        words = ["secondary", "--key", f"@{key_file}", "--listen", f"{host}:{port}", "--workers", "1"]
        words += ["--log-level", "debug"]
        if self.primary is not None:
            words += ["--primary", f"{self.primary[0]}:{self.primary[1]}"]
        if self.state is not None:
            words += ["--state", str(self.state)]
        return [*words, *self.options]

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        return len(_LISTENING.findall(self.log)) == self._starts


def ask(address: Address, message: dns.message.Message, seconds: float = 5.0) -> dns.message.Message:
    """The reply over UDP; dns.exception.Timeout where there is none."""
    return dns.query.udp(message, address[0], port=address[1], timeout=seconds)


def serial_in(reply: dns.message.Message) -> int | None:
    """The serial of the SOA that was answered."""
    if reply.rcode() != dns.rcode.NOERROR or not reply.answer:
        return None
    return int(reply.answer[0][0].to_text().split()[2])


def can_bind(address: Address) -> bool:
    """Whether this process may listen there."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(address)
    except OSError:
        return False
    return True
