"""Floods, each bounded in rate and time, from many addresses of loopback; and an ordinary client amid them.

`python -m tests.peers.floods KIND PORT SECONDS RATE` is one flood, a process of its own. What must not live
here: what is expected of a server.
"""

from __future__ import annotations

import itertools
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.tsig
import dns.update

from tests.peers.ports import Address

PROJECT = Path(__file__).parent.parent.parent
LOOPBACK = "127.0.0.1"
APEX = "example.org"
SOURCES = 64
PATIENCE = 5.0
BATCH = 20
"""Datagrams sent between two looks at the clock."""


def subdomains(port: int, seconds: float, rate: int) -> int:
    """Names that nobody has asked for, over UDP, as open resolvers pass them on; gives how many."""
    random_part = random.Random(1)
    tail = dns.message.make_query(f"x.{APEX}", "A").to_wire()[14:]

    def datagram() -> bytes:
        label = b"%012x" % random_part.getrandbits(48)
        head = random_part.getrandbits(16).to_bytes(2) + b"\0\0\0\1\0\0\0\0\0\0"
        return head + bytes([len(label)]) + label + tail

    return _datagrams(port, seconds, rate, datagram)


def notifies(port: int, seconds: float, rate: int, key: str | None = None) -> int:
    """NOTIFYs, signed where there is a key (NAME:BASE64): each has the primary look at its repository."""
    made = []
    for _ in range(512):
        message = dns.message.make_query(APEX, "SOA")
        message.set_opcode(dns.opcode.NOTIFY)
        if key is not None:
            message.use_tsig(_tsig(key))
        made.append(message.to_wire())
    again = itertools.cycle(made)
    return _datagrams(port, seconds, rate, lambda: next(again))


def connections(port: int, seconds: float, rate: int) -> int:
    """Connections that send a part of a message and no more; those that are closed are opened again.

    `rate` is how many are to be open at a time.
    """
    opened: list[socket.socket] = []
    count = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if len(opened) >= rate:
            opened = [each for each in opened if _is_open(each)]
            time.sleep(0.05)
            continue
        stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        stream.settimeout(0.5)
        try:
            stream.bind((f"127.20.{count // 250 % 250}.{count % 250 + 1}", 0))
            stream.connect((LOOPBACK, port))
            stream.send(b"\0\x40\x12")
        except OSError:
            stream.close()
            time.sleep(0.01)
            continue
        opened.append(stream)
        count += 1
    for each in opened:
        each.close()
    return count


def updates(port: int, seconds: float, rate: int, key: str) -> int:
    """Signed updates from a valid key, by so many clients at once as `rate`; gives how many were accepted."""
    end = time.monotonic() + seconds
    accepted = [0] * rate

    def client(number: int) -> None:
        for turn in itertools.count():
            if time.monotonic() > end:
                return
            update = dns.update.UpdateMessage(APEX, keyring=_tsig(key))
            update.replace(f"flood{number}", 60, "TXT", str(turn))
            try:
                answer = dns.query.tcp(update, LOOPBACK, PATIENCE, port)
            except (dns.exception.DNSException, OSError, EOFError):
                continue
            accepted[number] += answer.rcode() == dns.rcode.NOERROR

    threads = [threading.Thread(target=client, args=(number,)) for number in range(rate)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(accepted)


def _datagrams(port: int, seconds: float, rate: int, make: Callable[[], bytes]) -> int:
    sockets = []
    for number in range(SOURCES):
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.bind((f"127.10.{number}.1", 0))
        sender.connect((LOOPBACK, port))
        sender.setblocking(False)  # noqa: FBT003 - it has no name
        sockets.append(sender)
    begun, sent = time.monotonic(), 0
    turns = itertools.cycle(sockets)
    while (now := time.monotonic()) < begun + seconds:
        if sent > (now - begun) * rate:
            time.sleep(BATCH / rate)
            continue
        for _ in range(BATCH):
            try:
                next(turns).send(make())
            except OSError:
                continue  # no room, or word of an earlier one that met a closed port
        sent += BATCH
    for sender in sockets:
        sender.close()
    return sent


def _is_open(stream: socket.socket) -> bool:
    try:
        if stream.recv(1, socket.MSG_DONTWAIT) == b"":
            stream.close()
            return False
    except BlockingIOError:
        return True
    except OSError:
        stream.close()
        return False
    return True


def _tsig(key: str) -> dns.tsig.Key:
    name, _, secret = key.partition(":")
    return dns.tsig.Key(name, secret, "hmac-sha256")


KINDS: dict[str, Callable[..., int]] = {
    "subdomains": subdomains,
    "notifies": notifies,
    "connections": connections,
    "updates": updates,
}


@contextmanager
def flood(kind: str, port: int, seconds: float, rate: int, key: str | None = None) -> Iterator[list[int]]:
    """A flood beside the block, which it outlasts unless it takes long; the list then has what it counted."""
    words = [sys.executable, "-m", __name__, kind, str(port), str(seconds), str(rate)]
    environment = {**os.environ, "FLOOD_KEY": key or ""}
    counted: list[int] = []
    with subprocess.Popen(words, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        yield counted
        counted.append(int(process.stdout.readline()))


@dataclass
class Ordinary:
    """What an ordinary client has met, who asks by UDP and TCP in turn, and once more after a second."""

    address: Address
    seconds: list[float] = field(default_factory=list)
    """How long each answer took, a second question included."""
    failures: list[str] = field(default_factory=list)

    def ask(self, count: int, pause: float = 0.0) -> None:
        """Asks so often for what is there."""
        for number in range(count):
            query = dns.message.make_query(f"ns1.{APEX}", "A")
            begun = time.monotonic()
            try:
                answer = self._once(query, over_tcp=number % 2 == 1)
            except (dns.exception.DNSException, OSError, EOFError) as error:
                self.failures.append(type(error).__name__)
                continue
            if answer.rcode() != dns.rcode.NOERROR or not answer.answer:
                self.failures.append(dns.rcode.to_text(answer.rcode()))
            self.seconds.append(time.monotonic() - begun)
            time.sleep(pause)

    def _once(self, query: dns.message.Message, *, over_tcp: bool) -> dns.message.Message:
        host, port = self.address
        ask = dns.query.tcp if over_tcp else dns.query.udp
        try:
            answer = ask(query, host, 1.0, port)
        except (dns.exception.Timeout, OSError, EOFError):
            answer = ask(query, host, PATIENCE, port)
        if answer.flags & dns.flags.TC:
            return dns.query.tcp(query, host, PATIENCE, port)
        return answer

    @property
    def asked(self) -> int:
        """How many questions there were."""
        return len(self.seconds) + len(self.failures)

    def percentile(self, percent: int) -> float:
        """Seconds within which so many per cent of the answers came."""
        if len(self.seconds) < 2:
            return sum(self.seconds)
        return quantiles(self.seconds, n=100, method="inclusive")[percent - 1]


def main() -> None:
    """One flood."""
    kind, port, seconds, rate = sys.argv[1:]
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    keys = [os.environ["FLOOD_KEY"]] if os.environ.get("FLOOD_KEY") else []
    sys.stdout.write(f"{KINDS[kind](int(port), float(seconds), int(rate), *keys)}\n")


if __name__ == "__main__":
    main()
