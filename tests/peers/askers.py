"""Clients that ask one question after the other, and take every answer that does not come for a failure."""

from __future__ import annotations

import socket
import threading
from typing import Self

import dns.message

from tests.peers.git_servers import wait_until
from tests.peers.ports import Address

_PATIENCE = 10.0
"""Seconds for an answer; none is asked for twice."""


class Askers:
    """Ask between `__enter__` and `__exit__`, each in a thread of its own."""

    def __init__(self, address: Address, name: str, kind: str = "SOA", *, count: int = 4) -> None:
        self._address = address
        self._query = dns.message.make_query(name, kind).to_wire()[2:]
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(count)]
        self.answered = 0
        self.failures: list[str] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_reason: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join(2 * _PATIENCE)

    def until_more(self, count: int) -> None:
        """Returns once so many more were answered."""
        before = self.answered
        wait_until("more answers", lambda: self.answered > before + count)

    def _ask(self) -> None:
        # A socket for each question: so the kernel spreads them over all sockets of the server.
        number = 0
        while not self._is_over.is_set():
            number = (number + 1) % 65536
            identifier = number.to_bytes(2)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
                datagrams.settimeout(_PATIENCE)
                datagrams.connect(self._address)
                try:
                    datagrams.send(identifier + self._query)
                    answer = datagrams.recv(4096)
                except OSError as error:
                    self.failures.append(f"{type(error).__name__} at question {number}")
                    continue
            rcode = answer[3] & 15
            if answer[:2] != identifier or rcode:
                self.failures.append(f"rcode {rcode} at question {number}")
            self.answered += 1
