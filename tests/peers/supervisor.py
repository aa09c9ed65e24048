"""What systemd is to a service: sockets passed and kept, and an ear for what it says (sd_notify(3))."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.peers.commands import COMMAND
from tests.peers.git_servers import PATIENCE, wait_until

# What systemd does between fork and exec, the interpreter does here: descriptors from 3 on, and for whom.
_AS_SYSTEMD = """
import fcntl, os, sys
passed = [int(word) for word in sys.argv[1].split()]
numbers = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 500) for number in passed]
for number in passed:
    os.close(number)
for place, number in enumerate(numbers, start=3):
    os.dup2(number, place, inheritable=True)
os.environ.update(LISTEN_FDS=str(len(numbers)), LISTEN_FDNAMES=sys.argv[2], LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, *sys.argv[3:]])
"""


def has_ended(process: int) -> bool:
    """Whether it is gone, or only waits to be noticed by whoever started it."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


class Supervisor:
    """Starts a command of ours as a service; between `__enter__` and `__exit__`."""

    def __init__(
        self, arguments: Sequence[str | Path], directory: Path, *, stores: bool = False, port: int = 0
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._arguments = [*COMMAND[1:], *map(str, arguments)]
        self._log = directory / "service.log"
        self.control = directory / "control.sock"
        """Its control socket, if it is told to have it there."""
        self._stores = stores
        self.port = port
        """Where it listens, for those who ask it."""
        self.passed: list[tuple[socket.socket, str]] = []
        """Sockets that its next start passes, with their names."""
        self.handed: list[int] = []
        """Descriptors of what a process has left to the next, which its next start passes too."""
        self.told: list[str] = []
        """All that it has told, a line each."""
        self.main: int | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self._elders: list[subprocess.Popen[bytes]] = []
        """Those that were the main process before, and may be there still."""
        self._address = directory / "notify"
        self._ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ear.bind(str(self._address))
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.start()
        return self

    def __exit__(self, *_reason: object) -> None:
        if self.main is not None and self.process is not None and self.main != self.process.pid:
            os.kill(self.main, signal.SIGTERM)
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE)
        # A thread that still waits in a closed descriptor would hear what is told to the next of its number.
        self._ear.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        self._ear.close()
        for passed, _ in self.passed:
            passed.close()
        self.drop("oakroot-handed")
        for elder in self._elders:
            elder.terminate()
            elder.wait(PATIENCE)

    def start(self) -> None:
        """Starts it, and waits until it is ready."""
        readies = self.told.count("READY=1")
        own = {name: value for name, value in os.environ.items() if not name.startswith("OAKROOT_")}
        own |= {"NOTIFY_SOCKET": str(self._address), "WATCHDOG_USEC": "600000"}
        if self._stores:
            own["FDSTORE"] = "64"
        descriptors = [*(passed.fileno() for passed, _ in self.passed), *self.handed]
        names = ":".join([*(name for _, name in self.passed), *["oakroot-handed"] * len(self.handed)])
        numbers = " ".join(map(str, descriptors))
        if self.process is not None:
            self._elders.append(self.process)
        command = [sys.executable, "-c", _AS_SYSTEMD, numbers, names, *self._arguments]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=own, pass_fds=descriptors)
        self.main = self.process.pid
        wait_until(f"the service to be ready: {self._log}", lambda: self.told.count("READY=1") > readies)

    def restart(self) -> int:
        """Does what systemd does at `systemctl restart`, and what it runs before; tells who stays."""
        stays = self.process_id if self.main is None else self.main
        asked = subprocess.run(
            [*COMMAND, "stay", "--control", self.control], capture_output=True, text=True, check=False
        )
        assert asked.returncode == 0, asked.stderr
        self.end_main()
        self.start()
        return stays

    def end_main(self) -> None:
        """Ends the process that it takes for the main one."""
        assert self.main is not None
        main = self.main
        os.kill(main, signal.SIGTERM)
        wait_until("the main process to end", lambda: has_ended(main))

    def drop(self, name: str) -> None:
        """Closes what was kept under this name."""
        for each in [each for each in self.passed if each[1] == name]:
            self.passed.remove(each)
            each[0].close()
        if name == "oakroot-handed":
            while self.handed:
                os.close(self.handed.pop())

    def kill(self) -> None:
        """Ends it without asking, as a crash does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(PATIENCE)

    @property
    def process_id(self) -> int:
        """The process that was started last."""
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> str:
        """What it said, in all its lives."""
        return self._log.read_text(errors="replace")

    def said(self, text: str) -> None:
        """Returns once the log has this."""
        wait_until(f"{text!r} in {self._log}", lambda: text in self.log)

    def heard(self, line: str) -> None:
        """Returns once it has told this."""
        wait_until(f"{line!r} to be told", lambda: line in self.told)

    def _listen(self) -> None:
        while True:
            try:
                message, descriptors, _flags, _sender = socket.recv_fds(self._ear, 4096, 250)
            except OSError:
                return
            if not message:
                return
            lines = message.decode().split("\n")
            words = dict(line.split("=", 1) for line in lines)
            if "MAINPID" in words:
                self.main = int(words["MAINPID"])
            if "FDSTOREREMOVE" in words:
                self.drop(words["FDNAME"])
            for descriptor in descriptors:
                if words.get("FDNAME") == "oakroot-handed":
                    self.handed.append(descriptor)
                elif "FDSTORE" in words:
                    self.passed.append((socket.socket(fileno=descriptor), words["FDNAME"]))
                else:
                    os.close(descriptor)  # BARRIER=1
            self.told += lines
