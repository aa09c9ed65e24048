"""Carries what the engine shows of queries and answers to where the operator wants it: dnstap, a query log.

A thread of its own looks several times a second at what there is. If it cannot keep up, the engine's bounded
rings are full, and exchanges are lost; answers are not.
"""

from __future__ import annotations

import logging
import math
import os
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from oakroot import __version__
from oakroot._engine import Exchange, Server
from oakroot.frozen import frozen
from oakroot.operate.collectors import Collector, Count, Destination, FrameFile, LineFile
from oakroot.operate.dnstap import Messages, Teller
from oakroot.operate.logs import JsonFormatter, TextFormatter
from oakroot.operate.overview import Tap
from oakroot.operate.query_log import NAME, is_settled, record_of

_log = logging.getLogger("oakroot.tap")

PAUSE = 0.05
"""Seconds between two looks when there was nothing."""
TAKEN = 256
"""Exchanges of each thread that are taken at once."""
NICENESS = 10
"""Whoever answers goes first."""
END_PATIENCE = 5.0
"""Seconds for what is left when a thread is to end."""


@frozen
class Settings:
    """What the operator wants to see."""

    every: int = 1
    """One of so many queries."""
    dnstap: Destination | None = None
    messages: Messages = "all"
    """Which of them are shown as dnstap."""
    query_log: Path | None = None
    """A file; `-` is the log."""
    lines_per_second: int = 1000
    log_format: str = "text"
    """How the lines of a file are written: one of `logs.FORMATS`."""


class Writer(Protocol):
    """Somebody who writes exchanges down."""

    def take(self, exchanges: Sequence[Exchange]) -> None:
        """Writes them, or counts that it could not."""

    def turn(self) -> None:
        """Called every now and then."""

    def reopen(self) -> None:
        """Opens files anew."""

    def close(self) -> None:
        """Ends it."""

    def status(self) -> Tap:
        """How it goes."""


class Dnstap:
    """Writes frames."""

    def __init__(self, destination: Destination, every: int, teller: Teller, count: Count) -> None:
        self._destination, self._every = destination, every
        self._teller = teller
        self._count = count
        file = destination.kind == "file"
        self._sink = FrameFile(destination.path, count) if file else Collector(destination, count)
        self.turn, self.reopen, self.close = self._sink.turn, self._sink.reopen, self._sink.close

    def take(self, exchanges: Sequence[Exchange]) -> None:
        """Writes their frames."""
        payloads = [payload for exchange in exchanges for payload in self._teller.tell(exchange)]
        if payloads:
            self._sink.put(payloads)

    def status(self) -> Tap:
        """How it goes."""
        count = self._count
        place = str(self._destination)
        return Tap("dnstap", place, self._every, count.written, count.dropped, self._sink.trouble)


class QueryLog:
    """Writes lines, at most so many each second."""

    def __init__(self, path: Path, settings: Settings, count: Count) -> None:
        self._every = settings.every
        self._limit = settings.lines_per_second
        self._count = count
        self._second, self._left = 0, 0
        self._logger = logging.getLogger(NAME)
        is_json = settings.log_format == "json"
        self._formatter = JsonFormatter() if is_json else TextFormatter(for_journal=False)
        self._file: LineFile | None = None
        self._place = "the log"
        if str(path) != "-":
            self._file = LineFile(path, count)
            self._place = str(path)

    def take(self, exchanges: Sequence[Exchange]) -> None:
        """Writes a line for each query that is settled."""
        settled = [exchange for exchange in exchanges if is_settled(exchange)]
        allowed = self._allowed(len(settled))
        self._count.dropped += len(settled) - allowed
        records = [record_of(exchange) for exchange in settled[:allowed]]
        if self._file is not None:
            self._file.put([self._formatter.format(record) for record in records])
            return
        for record in records:
            if self._logger.isEnabledFor(record.levelno):
                self._logger.handle(record)
        self._count.written += len(records)

    def _allowed(self, wanted: int) -> int:
        """How many lines there may be of so many: the rest of this second's."""
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._left = second, self._limit
        allowed = min(wanted, self._left)
        self._left -= allowed
        return allowed

    def turn(self) -> None:
        """Nothing waits here."""

    def reopen(self) -> None:
        """The file's name may mean another file now."""
        if self._file is not None:
            self._file.reopen()

    def close(self) -> None:
        """Ends it."""
        if self._file is not None:
            self._file.close()

    def status(self) -> Tap:
        """How it goes."""
        trouble = None if self._file is None else self._file.trouble
        count = self._count
        return Tap("query log", self._place, self._every, count.written, count.dropped, trouble)


class _Carrier(threading.Thread):
    """Carries exchanges to writers of its own, until it is told to end: then what is left, soon."""

    def __init__(self, server: Server, writers: Sequence[Writer], before: threading.Thread | None) -> None:
        """`before` is let finish first."""
        super().__init__(name="tap", daemon=True)
        self._server, self.writers, self._before = server, writers, before
        self._reopens = threading.Event()
        self._ends = threading.Event()
        self._deadline = math.inf

    def reopen(self) -> None:
        """Has the writers open their files anew."""
        self._reopens.set()

    def end(self) -> None:
        """Returns at once. Past the deadline, what there is may be another's."""
        self._deadline = time.monotonic() + END_PATIENCE
        self._ends.set()

    def run(self) -> None:
        """The thread."""
        try:
            self._carry()
        except Exception:  # noqa: BLE001 - serving goes on; the log keeps what is needed to mend it
            _log.exception("this is a bug in Oakroot, please report it; queries are no longer written down")
            if not self._ends.is_set():
                self._server.listen_in(0)
        finally:
            for writer in self.writers:
                writer.close()

    def _carry(self) -> None:
        if sys.platform == "linux":  # where this is said of one thread
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        if self._before is not None:
            self._before.join(END_PATIENCE)
            self._before = None
        while not self._ends.wait(0 if self._turn() else PAUSE):
            pass
        while time.monotonic() < self._deadline and self._turn():
            pass

    def _turn(self) -> bool:
        """Writes what there is; whether there was anything."""
        if self._reopens.is_set():
            self._reopens.clear()
            for writer in self.writers:
                writer.reopen()
        exchanges = self._server.take_exchanges(TAKEN)
        for writer in self.writers:
            if exchanges:
                writer.take(exchanges)
            writer.turn()
        return bool(exchanges)


class Tapping:
    """The thread, while there is somebody to write for."""

    def __init__(self, server: Server, identity: str = "") -> None:
        """`identity` is who tells, in dnstap."""
        self._server = server
        self._identity = identity
        self._frames, self._lines = Count(), Count()
        self._carrier: _Carrier | None = None
        """The last one: that which carries, or has been told to end."""
        self._settings: Settings | None = None
        """What it was begun with, unless it has been told to end."""

    def choose(self, settings: Settings) -> None:
        """Begins, ends or changes what is written, and opens files anew; `report` tells what could not be.

        Waits for nobody: who wrote before finishes meanwhile.
        """
        if settings == self._settings and self._carrier is not None and self._carrier.is_alive():
            self._carrier.reopen()
            return
        self._let_go()
        with ExitStack() as undone:
            undone.callback(self._server.listen_in, 0)
            writers = [undone.enter_context(closing(writer)) for writer in self._make(settings)]
            if writers:
                self._server.listen_in(settings.every)
                carrier = _Carrier(self._server, writers, self._carrier)
                carrier.start()
                undone.pop_all()
                self._carrier, self._settings = carrier, settings

    def close(self) -> None:
        """Writes what there is, and ends."""
        self._server.listen_in(0)
        self._let_go()
        if self._carrier is not None:
            self._carrier.join(END_PATIENCE)

    def report(self) -> tuple[Tap, ...]:
        """How it goes with each that is written."""
        carrier = self._carrier
        if carrier is None or self._settings is None:
            return ()
        found = tuple(writer.status() for writer in carrier.writers)
        if carrier.is_alive():
            return found
        return tuple(replace(each, trouble="it ended by a bug, which is in the log") for each in found)

    def counts(self) -> Mapping[str, int]:
        """What was written, and what was not for want of room, by names of events."""
        return {
            "dnstap-frames-written": self._frames.written,
            "dnstap-frames-dropped": self._frames.dropped,
            "query-log-lines-written": self._lines.written,
            "query-log-lines-dropped": self._lines.dropped,
        }

    def _let_go(self) -> None:
        if self._carrier is not None:
            self._carrier.end()
        self._settings = None

    def _make(self, settings: Settings) -> Iterable[Writer]:
        if settings.dnstap is not None:
            teller = Teller(self._identity, f"Oakroot {__version__}", settings.messages)
            yield Dnstap(settings.dnstap, settings.every, teller, self._frames)
        if settings.query_log is not None:
            yield QueryLog(settings.query_log, settings, self._lines)
