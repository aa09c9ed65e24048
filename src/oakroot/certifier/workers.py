"""Threads for what blocks: questions to the authority, UPDATEs, probes.

Daemons, as whoever does not answer must not keep the process from ending.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable


class Workers:
    """So many threads, which take tasks in the order they were given; a task must not raise."""

    def __init__(self, name: str, count: int) -> None:
        self._tasks: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        for number in range(count):
            threading.Thread(target=self._run, name=f"{name} {number}", daemon=True).start()

    def submit(self, task: Callable[[], None]) -> None:
        """Has it done by a thread."""
        self._tasks.put(task)

    def _run(self) -> None:
        while True:
            self._tasks.get()()
