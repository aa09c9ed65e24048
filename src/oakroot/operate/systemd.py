"""Telling systemd how we are (sd_notify(3)): ready, at what, still alive; and giving it sockets to keep.

A few lines of text to a datagram socket: where there is no systemd, nothing is sent. What must not live here:
when to tell what.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_log = logging.getLogger(__name__)

MOST_DESCRIPTORS = 200
"""In one message: the kernel takes 253 (SCM_MAX_FD)."""
STORE_NAME = "oakroot"


@dataclass(frozen=True)
class Supervisor:
    """Who watches over this process. `address` is where to tell, "" nowhere."""

    address: str = ""
    watchdog_seconds: float | None = None
    """How often it wants to hear that we live."""
    stores: bool = False
    """Whether it keeps sockets for us."""

    @staticmethod
    def of(environment: Mapping[str, str], process: int) -> Supervisor:
        """As systemd has told this process."""
        address = environment.get("NOTIFY_SOCKET", "")
        limit = environment.get("WATCHDOG_USEC", "")
        is_ours = environment.get("WATCHDOG_PID", str(process)) == str(process)
        watchdog = int(limit) / 1e6 if address and is_ours and limit.isdecimal() else None
        # systemd tells so from 254 on; before that the unit may say it by Environment=.
        return Supervisor(address, watchdog, stores=environment.get("FDSTORE", "0") not in ("", "0"))

    def tell(self, *lines: str) -> None:
        """Sends these assignments. That nobody listens any more is no reason to stop serving."""
        self._send("\n".join(lines), ())

    def tell_ready(self, *more: str) -> None:
        """We serve, or serve what was asked for when we told that we are reloading."""
        self.tell("READY=1", *more)

    def tell_reloading(self) -> None:
        """We read settings and zones again; `tell_ready` ends it."""
        # The moment tells systemd which of its requests this belongs to (systemd.service(5), notify-reload).
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def keep(self, descriptors: Sequence[int]) -> None:
        """Has these come back to whoever is started in our place, whatever becomes of us."""
        if not self.stores:
            return
        for start in range(0, len(descriptors), MOST_DESCRIPTORS):
            # A UDP socket must not be dropped because an error waits in it.
            lines = f"FDSTORE=1\nFDNAME={STORE_NAME}\nFDPOLL=0"
            self._send(lines, descriptors[start : start + MOST_DESCRIPTORS])

    def store(self, name: str, descriptor: int) -> None:
        """Has this come back under this name, as long as somebody has what it is connected to."""
        self._send(f"FDSTORE=1\nFDNAME={name}", (descriptor,))

    def forget(self, name: str) -> None:
        """Has what is kept under this name closed."""
        self.tell("FDSTOREREMOVE=1", f"FDNAME={name}")

    def is_heard(self, patience: float = 5.0) -> bool:
        """Waits until all that was told is taken note of; False: that takes too long, or nobody listens."""
        ours, theirs = os.pipe()
        try:
            is_sent = self._send("BARRIER=1", (theirs,))
        finally:
            os.close(theirs)
        try:
            # systemd closes its copy when it comes to it.
            poll = select.poll()
            poll.register(ours)
            return is_sent and bool(poll.poll(1000 * patience))
        finally:
            os.close(ours)

    def _send(self, text: str, descriptors: Sequence[int]) -> bool:
        """Whether it could be sent."""
        if not self.address:
            return False
        # An address in the abstract namespace begins with @ here, and with an octet of zero for the kernel.
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.settimeout(1.0)
                sender.connect(address)
                socket.send_fds(sender, [os.fsencode(text)], list(descriptors))
        except OSError as error:
            _log.warning("systemd cannot be told %s: %s", text.partition("\n")[0], error.strerror)
            return False
        return True
