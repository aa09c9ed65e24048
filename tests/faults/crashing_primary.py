"""`oakroot primary` that kills itself at one step of its work on updates: what a crash leaves behind.

Usage: crashing_primary.py STEP FILE ARGUMENT... From the moment FILE exists, steps are counted: every change
of a file, every connection, and every action that the primary's core asks for. Before step STEP the process
is killed, as nobody can prepare for. STEP may also be a moment of a push to a server: see MOMENTS.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from dulwich.protocol import Protocol

from oakroot.cli.main import main
from oakroot.git.reports import ReportingClient
from oakroot.git.smart import SmartRemote
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


MOMENTS = ("to push", "sent", "pushed")
"""Before the server is asked; when it has everything and has said nothing yet; when it has said yes."""


def watch_pushes(moment: str, steps: Steps) -> None:
    """Has one moment of each push counted, and nothing else."""
    push, tail = SmartRemote.push, ReportingClient._handle_receive_pack_tail  # noqa: SLF001 - between question and answer

    def pushed(*arguments: Any) -> None:  # noqa: ANN401 - whatever it takes
        if moment == "to push":
            steps.take()
        push(*arguments)
        if moment == "pushed":
            steps.take()

    def heard(self: ReportingClient, proto: Protocol, *arguments: Any) -> Any:  # noqa: ANN401 - whatever it takes and gives
        if moment == "sent":
            proto.read(0)  # so that nothing is held back here
            steps.take()
        return tail(self, proto, *arguments)

    SmartRemote.push = pushed  # type: ignore[method-assign, assignment]
    ReportingClient._handle_receive_pack_tail = heard  # type: ignore[method-assign, assignment] # noqa: SLF001


if __name__ == "__main__":
    if sys.argv[1] in MOMENTS:
        watch_pushes(sys.argv[1], Steps(1, Path(sys.argv[2])))
    else:
        watch(Steps(int(sys.argv[1]), Path(sys.argv[2])))
    sys.exit(main(sys.argv[3:]))
