"""Connections that were used and may be used again soon: to log in takes longer than to push.

What must not live here: how a connection is made, and what is said over it.
"""

from __future__ import annotations

import threading
import time
from typing import Generic, Protocol, TypeVar

# Shorter than the patience of any NAT, so that a spare connection is hardly ever a dead one.
SPARE_SECONDS = 15.0


class Closable(Protocol):
    """What can be kept."""

    def close(self) -> None:
        """Ends it; never raises."""


C = TypeVar("C", bound=Closable)


class Spares(Generic[C]):
    """Connections that nobody uses now, each closed after some seconds. Any thread may call."""

    def __init__(self, seconds: float = SPARE_SECONDS) -> None:
        self._seconds = seconds
        self._kept: list[tuple[float, C]] = []
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._is_closed = False

    def take(self) -> C | None:
        """The one used last, which is the caller's from now on; None where there is none."""
        self._drop_old()
        with self._lock:
            return self._kept.pop()[1] if self._kept else None

    def give(self, connection: C) -> None:
        """Keeps a sound connection for who comes next."""
        with self._lock:
            if not self._is_closed:
                self._kept.append((time.monotonic(), connection))
                self._watch()
                return
        connection.close()

    def close(self) -> None:
        """Closes all, also those that are still to be given."""
        with self._lock:
            self._is_closed = True
            kept, self._kept = self._kept, []
            if self._timer is not None:
                self._timer.cancel()
        for _, connection in kept:
            connection.close()

    def _watch(self) -> None:
        if self._timer is None or not self._timer.is_alive():
            self._timer = threading.Timer(self._seconds, self._look)
            self._timer.daemon = True
            self._timer.start()

    def _look(self) -> None:
        """In the timer's thread."""
        self._drop_old()
        with self._lock:
            self._timer = None
            if self._kept and not self._is_closed:
                self._watch()

    def _drop_old(self) -> None:
        oldest = time.monotonic() - self._seconds
        with self._lock:
            old = [connection for since, connection in self._kept if since <= oldest]
            self._kept = [(since, connection) for since, connection in self._kept if since > oldest]
        for connection in old:
            connection.close()
