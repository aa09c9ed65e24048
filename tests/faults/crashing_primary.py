"""`oakroot primary` that kills itself at one step of its work on updates: what a crash leaves behind.

Usage: crashing_primary.py STEP FILE ARGUMENT... From the moment FILE exists, steps are counted: every change
of a file, every connection, and every action that the primary's core asks for. Before step STEP the process
is killed, as nobody can prepare for.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from oakroot.cli.main import main
from oakroot.primary.events import Action
from oakroot.primary.service import Service

EFFECTS = frozenset({"os.link", "os.rename", "os.remove", "os.mkdir", "socket.connect", "subprocess.Popen"})


class Steps:
    """Counts, and ends the process in time."""

    def __init__(self, last: int, file: Path) -> None:
        self._last = last
        self._file = file
        self._count = 0
        self._lock = threading.Lock()

    def take(self) -> None:
        """One more step is about to be taken."""
        if not self._file.exists():
            return
        with self._lock:
            self._count += 1
            if self._count >= self._last:
                os.kill(os.getpid(), signal.SIGKILL)


def watch(steps: Steps) -> None:
    """Has every step counted."""

    def heard(event: str, arguments: tuple[object, ...]) -> None:
        flags = arguments[2] if event == "open" else 0
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
        if event in EFFECTS or writes:
            steps.take()

    carry_out = Service._carry_out  # noqa: SLF001 - the very place that a crash may strike

    def counted(self: Service, action: Action) -> None:
        steps.take()
        carry_out(self, action)

    sys.addaudithook(heard)
    Service._carry_out = counted  # type: ignore[method-assign] # noqa: SLF001


if __name__ == "__main__":
    watch(Steps(int(sys.argv[1]), Path(sys.argv[2])))
    sys.exit(main(sys.argv[3:]))
