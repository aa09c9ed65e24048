"""A name server that refuses everything but SOA, and that only when enough questions wait for it."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype


class Withholding:
    """On loopback, over UDP alone, while the block runs."""

    def __init__(self, together: int, address: str = "127.0.9.7") -> None:
        self._together = together
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def place(self) -> tuple[str, int]:
        """Its address and port."""
        address, port = self._socket.getsockname()
        return address, port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        waiting: list[tuple[dns.message.Message, tuple[str, int]]] = []
        with contextlib.suppress(OSError):
            while True:
                octets, client = self._socket.recvfrom(65535)
                query = dns.message.from_wire(octets)
                waiting.append((query, client))
                if query.question[0].rdtype == dns.rdatatype.SOA or len(waiting) >= self._together:
                    for each, who in waiting:
                        reply = dns.message.make_response(each)
                        reply.set_rcode(dns.rcode.REFUSED)
                        self._socket.sendto(reply.to_wire(), who)
                    waiting.clear()
