"""Many secondaries in one process: each has an address of its own, answers NOTIFYs, and transfers one zone.

They speak by the code of our own client side, and keep of all other zones only that they were told of them.
"""

from __future__ import annotations

import secrets
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import dns.name

from oakroot._engine import Zone
from oakroot.keys.grant import read_grant
from oakroot.keys.key import Key
from oakroot.keys.keyring import GrantedKey, Keyring
from oakroot.protocol import notify
from oakroot.protocol.transfer_client import Limits, Progress, Received, Step, Transfer
from oakroot.protocol.tsig import Verified, sign_reply, verify
from oakroot.protocol.wire import read_question
from tests.peers.ports import Address

_PATIENCE = 30.0
_SOCKET_BUFFER = 1 << 20


class Followers:
    """One for each address, with the key of the same place; all use the port of the primary."""

    def __init__(
        self, addresses: Sequence[str], keys: Sequence[Key], primary: Address, zone: dns.name.Name
    ) -> None:
        self.notifies: Counter[tuple[str, dns.name.Name]] = Counter()
        """How often each was told of each zone."""
        self.messages = 0
        """All that were sent and received."""
        self.transfers = 0
        self._primary, self._zone = primary, zone
        self._keys = dict(zip(addresses, keys, strict=True))
        self._keyring = Keyring(tuple(GrantedKey(key, read_grant(key.name), "test", 0) for key in keys))
        self._zones: dict[str, Zone] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(8)
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._listen, name="followers")

    def __enter__(self) -> Self:
        for address in self._keys:
            datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SOCKET_BUFFER)
            datagrams.bind((address, self._primary[1]))
            self._selector.register(datagrams, selectors.EVENT_READ, address)
        self._thread.start()
        return self

    def __exit__(self, *_reason: object) -> None:
        self._stop.set()
        self._thread.join()
        self._pool.shutdown()
        for key in list(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()

    def with_serial(self, serial: int) -> int:
        """How many have this version of the zone."""
        with self._lock:
            return sum(zone.serial == serial for zone in self._zones.values())

    def notices_of(self, zone: dns.name.Name) -> int:
        """How many NOTIFYs of this zone have come to all of them."""
        with self._lock:
            return sum(count for (_, told_of), count in self.notifies.items() if told_of == zone)

    def until_quiet(self, seconds: float = 1.5) -> None:
        """Returns once nothing was said for so long, which is longer than a NOTIFY waits for its answer."""
        said, since = -1, 0.0
        while said != self.messages or time.monotonic() - since < seconds:
            if said != self.messages:
                said, since = self.messages, time.monotonic()
            self._stop.wait(0.05)

    def _listen(self) -> None:
        while not self._stop.is_set():
            for key, _ in self._selector.select(0.05):
                if isinstance(key.fileobj, socket.socket):
                    wire, peer = key.fileobj.recvfrom(65535)
                    self._hear(key.data, key.fileobj, wire, peer)

    def _hear(self, address: str, datagrams: socket.socket, wire: bytes, peer: Address) -> None:
        verdict = verify(wire, self._keyring, int(time.time()))
        if not isinstance(verdict, Verified):
            return
        zone = read_question(verdict.query).name
        with self._lock:
            self.notifies[address, zone] += 1
            self.messages += 2
        acknowledgement = notify.acknowledge(verdict.query)
        if acknowledgement is not None:
            datagrams.sendto(sign_reply(acknowledgement, verdict.context, int(time.time())), peer)
        if zone == self._zone:
            self._pool.submit(self._transfer, address)

    def _transfer(self, address: str) -> None:
        transfer = Transfer(self._zone, self._keys[address], self._zones.get(address), Limits())
        with (
            socket.create_connection(self._primary, _PATIENCE, (address, 0)) as connection,
            connection.makefile("rb") as stream,
        ):
            request = transfer.begin(secrets.randbits(16), int(time.time()))
            connection.sendall(len(request).to_bytes(2) + request)
            step: Step = Progress.MORE
            messages = 1
            while step is Progress.MORE:
                messages += 1
                step = transfer.receive(stream.read(int.from_bytes(stream.read(2))), int(time.time()))
        with self._lock:
            self.transfers += 1
            self.messages += messages
            if isinstance(step, Received) and step.zone is not None:
                self._zones[address] = step.zone
