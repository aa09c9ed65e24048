"""Those who change a zone at the same time: clients of RFC 2136, and operators with a clone."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import dns.message
import dns.rcode
import dns.update

from tests.faults.sites import KEY, ZONE, Site
from tests.peers.git_servers import PATIENCE, git, wait_until
from tests.peers.ports import LOOPBACK

RETRANSMIT = 1.0
LOOK_AGAIN = 0.05
WHO = ["-c", "user.name=Operator", "-c", "user.email=op@example.org"]


@dataclass(frozen=True)
class Answer:
    """What became of one update; no rcode: nobody answered."""

    name: str
    rcode: str | None
    told: str = ""


def addition(name: str, *, unless_there: bool = True) -> dns.update.UpdateMessage:
    """An update that adds an address to a name, by default one that must not exist."""
    message = dns.update.UpdateMessage(ZONE, keyring=KEY)
    message.use_edns(0)
    if unless_there:
        message.absent(name)
    message.add(name, 60, "A", "192.0.2.1")
    return message


def send(
    message: dns.message.Message,
    port: int,
    patience: float = 3 * PATIENCE,
    *,
    hopeless: Callable[[], bool] = lambda: False,
) -> dns.message.Message | None:
    """The reply; the same octets are sent again and again until there is one, or no more hope."""
    end = time.monotonic() + patience
    wire = message.to_wire()
    while time.monotonic() < end:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stream:
            stream.connect((LOOPBACK, port))
            octets = _ask(stream, wire, hopeless)
        if octets is not None:
            return dns.message.from_wire(octets, keyring=KEY, request_mac=message.mac)
        if hopeless():
            return None
    return None


def _ask(stream: socket.socket, wire: bytes, hopeless: Callable[[], bool]) -> bytes | None:
    """The answer to one try."""
    end = time.monotonic() + RETRANSMIT
    stream.settimeout(LOOK_AGAIN)
    try:
        stream.send(wire)
        while time.monotonic() < end and not hopeless():
            with suppress(TimeoutError):
                return stream.recv(65535)
    except OSError:
        # Nobody listens there now.
        time.sleep(LOOK_AGAIN)
    return None


def update(name: str, port: int, *, unless_there: bool = True, patience: float = 3 * PATIENCE) -> Answer:
    """Adds an address to this name, and tells what became of it."""
    reply = send(addition(name, unless_there=unless_there), port, patience)
    if reply is None:
        return Answer(name, None)
    told = " ".join(str(error) for error in reply.extended_errors())
    return Answer(name, dns.rcode.to_text(reply.rcode()), told)


@dataclass
class Clients:
    """Clients that update names of their own, each one after the other; all end with the block.

    `rest` returns when one who has made an update may go on.
    """

    ports: Sequence[int]
    count: int
    updates: int
    rest: Callable[[], object] = lambda: None
    prefix: str = "c"
    answers: list[Answer] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.threads = [threading.Thread(target=self._work, args=(number,)) for number in range(self.count)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_reason: object) -> None:
        for thread in self.threads:
            thread.join()

    def _work(self, number: int) -> None:
        for at in range(self.updates):
            self.answers.append(update(f"{self.prefix}{number}-{at}", self.ports[number % len(self.ports)]))
            self.rest()

    @property
    def names(self) -> list[str]:
        """The names whose update was answered NOERROR."""
        return [answer.name for answer in self.answers if answer.rcode == "NOERROR"]

    @property
    def others(self) -> list[Answer]:
        """What was answered otherwise."""
        return [answer for answer in self.answers if answer.rcode != "NOERROR"]


class Operator:
    """Somebody with a clone who pushes again and again while the block runs, in the way that we push."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.commits: list[str] = []
        self._folder = folder
        self._branch = site.repository.branch
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work)
        url, self._environment = site.operators_way()
        self._git("clone", "--quiet", "--branch", self._branch, url, str(folder), cwd=None)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_reason: object) -> None:
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._ended.is_set():
            self.push_one_more()

    def wait_for_one_more(self) -> None:
        """Returns after the next push that came through."""
        before = len(self.commits)
        wait_until("another push", lambda: len(self.commits) > before, 3 * PATIENCE)

    def push_one_more(self) -> None:
        """Adds a record on top of what is there; every second time without minding the serial."""
        number = len(self.commits)
        self._git("fetch", "--quiet")
        self._git("reset", "--quiet", "--hard", f"origin/{self._branch}")
        file = self._folder / "mirage"
        text = file.read_text().replace("; operators below\n", f"; operators below\nop{number} A 192.0.2.9\n")
        if number % 2:
            serial = text.split()[6]
            text = text.replace(f"\t{serial}\t", f"\t{int(serial) + 5}\t", 1)
        file.write_text(text)
        self._git(*WHO, "commit", "--quiet", "--all", "--message", f"Add op{number}")
        # Somebody may have been faster; then git says so, and it is tried again on top of that.
        with suppress(AssertionError):
            self._git("push", "--quiet", "origin", self._branch)
            self.commits.append(self._git("rev-parse", "HEAD"))

    def _git(self, *arguments: str, cwd: Path | None = Path()) -> str:
        folder = None if cwd is None else self._folder / cwd
        return git(*arguments, cwd=folder, environment=self._environment)
