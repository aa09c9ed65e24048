"""What the shells of roles share: packets from the engine, signals, the timer, lines of the log.

No decision is taken in this file.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from oakroot._engine import Request, Server
from oakroot.distribution.service import Distributor
from oakroot.operate.certificate import CertificateFiles
from oakroot.roles.events import Level, Log
from oakroot.roles.events import Request as AnyRequest

TAKE_LIMIT = 64
_LEVELS: Mapping[Level, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
RENEWAL_SECONDS = 60.0
"""How often the files of the certificate are looked at: who renews them need not tell."""


class Alarm:
    """Calls once at the moment that was set last."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def set(self, moment: float | None) -> None:
        """The moment, on the clock of the event loop; None: not at all."""
        if self._timer is not None:
            if moment == self._timer.when() and not self._timer.cancelled():
                return
            self._timer.cancel()
        self._timer = None if moment is None else self._loop.call_at(moment, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._call()


@contextmanager
def packets(
    server: Server, distributor: Distributor, take: Callable[[Sequence[Request]], None]
) -> Iterator[None]:
    """Hands requests over while the block runs, and to the distributor what answers its NOTIFYs."""
    loop = asyncio.get_running_loop()
    descriptor = server.handover_fd()

    def take_batch() -> None:
        take([request for request in server.take(TAKE_LIMIT) if not distributor.hear(request)])
        # The descriptor also tells that peers have read what they were sent, or have hung up.
        distributor.go_on()

    loop.add_reader(descriptor, take_batch)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)


@contextmanager
def signals(actions: Mapping[signal.Signals, Callable[[], object]]) -> Iterator[None]:
    """Answers signals so while the block runs; what the actions give is dropped."""
    loop = asyncio.get_running_loop()
    for number, action in actions.items():
        loop.add_signal_handler(number, action)
    try:
        yield
    finally:
        for number in actions:
            loop.remove_signal_handler(number)


@contextmanager
def renewing(certificate: CertificateFiles | None) -> Iterator[None]:
    """Shows the certificate that its files hold, whenever they change, while the block runs."""
    if certificate is None:
        yield
        return
    task = asyncio.create_task(_renew_now_and_then(certificate))
    try:
        yield
    finally:
        task.cancel()


async def _renew_now_and_then(certificate: CertificateFiles) -> None:
    while True:
        await asyncio.sleep(RENEWAL_SECONDS)
        certificate.renew()


def tell(logger: logging.Logger, log: Log) -> None:
    """Writes the line."""
    level = _LEVELS[log.level]
    if not logger.isEnabledFor(level):
        return
    subjects = {"zone": log.zone, "peer": log.peer, "key": log.key, "reason": log.reason}
    extra = {name: subject for name, subject in subjects.items() if subject is not None}
    logger.log(level, "%s", log.text, extra=extra)


def of_engine(request: AnyRequest) -> Request:
    """A core knows requests by their shape, and hands back the very ones that the engine gave us."""
    if not isinstance(request, Request):
        raise TypeError("a reply to a request that did not come from the engine")
    return request
