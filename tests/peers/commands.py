"""The `oakroot` command as a user runs it: a process, its output, its exit code."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.peers.git_servers import NOBODYS_CONFIG, PATIENCE, wait_until

COMMAND = [sys.executable, "-m", "oakroot.cli.main"]
_LISTENING = re.compile(r"serving \S+ on (?P<host>[0-9.]+|\[[0-9a-f:]+\]):(?P<port>[0-9]+)")

_OVER_TLS = re.compile(r"TLS on [0-9.]+:(?P<port>[0-9]+)")


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    output: str
    errors: str


def oakroot(*arguments: str | Path, cwd: Path | None = None, patience: float = 60) -> Outcome:
    """Runs a command to its end."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=patience,
        env=_environment({}),
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


class Primary:
    """`oakroot primary` between `__enter__` and `__exit__`, on a port of loopback; 0: one that is free."""

    def __init__(
        self,
        arguments: Sequence[str | Path],
        log: Path,
        environment: Mapping[str, str] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        command: Sequence[str | Path] = COMMAND,
    ) -> None:
        listen = ["primary", "--listen", f"{host}:{port}", "--workers", "1"]
        self._command = [*map(str, command), *listen, *map(str, arguments)]
        self._log = log
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.tls_port = 0
        self.code: int | None = None

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, env=_environment(self._environment)
            )
        try:
            wait_until("oakroot primary to listen", self._listens)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_reason: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self.code = self._process.wait(PATIENCE)

    @property
    def is_gone(self) -> bool:
        """Whether the process has ended."""
        assert self._process is not None
        return self._process.poll() is not None

    @property
    def process_id(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    @property
    def server(self) -> str:
        """As `oakroot notify` takes it."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it said so far."""
        return self._log.read_text(errors="replace")

    def hang_up(self) -> None:
        """SIGHUP."""
        os.kill(self.process_id, signal.SIGHUP)

    def said(self, text: str) -> None:
        """Returns once the log has this."""
        wait_until(f"{text!r} in the log", lambda: text in self.log)

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        found = _LISTENING.search(self.log)
        if found is not None:
            self.port = int(found["port"])
            over_tls = _OVER_TLS.search(self.log)
            self.tls_port = 0 if over_tls is None else int(over_tls["port"])
        return found is not None


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """Nothing that the machine's user has set for Oakroot or git decides a test."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("OAKROOT_")}
    return {**own, **NOBODYS_CONFIG, "NO_COLOR": "1", **more}
