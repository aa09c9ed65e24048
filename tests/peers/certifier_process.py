"""`oakroot certifier` as a process, which can be asked, stopped and started anew."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.peers.commands import COMMAND
from tests.peers.git_servers import wait_until
from tests.peers.pebble import Pebble
from tests.peers.ports import Address

PATIENCE = 20.0
LONG_PATIENCE = 60.0
"""Seconds for what passes through a primary, an authority and name servers."""


class CertifierProcess:
    """Runs between `__enter__` and `__exit__`. The name servers asked for challenges are `nameservers`."""

    def __init__(
        self,
        primary: Address,
        key: str,
        pebble: Pebble,
        directory: Path,
        nameservers: Sequence[Address],
        options: Sequence[str] = (),
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._log = directory / "certifier.log"
        self.account = directory / "account.pem"
        self._process: subprocess.Popen[bytes] | None = None
        places = [option for host, port in nameservers for option in ("--nameserver", f"{host}:{port}")]
        authority = ["--directory", pebble.directory_url, "--directory-ca", str(pebble.ca_file)]
        account = ["--account-key", str(self.account), "--email", "admin@example.org"]
        server = f"{primary[0]}:{primary[1]}"
        self._arguments = ["certifier", "--server", server, *account, *authority, *places, *options]
        self._key = key

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_reason: object) -> None:
        self.stop()

    def start(self) -> None:
        """Starts it, and waits until its account is open."""
        opened = self.log.count("info: account ")
        own = {name: value for name, value in os.environ.items() if not name.startswith("OAKROOT_")}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*COMMAND, *self._arguments], stdout=log, stderr=log, env={**own, "OAKROOT_KEY": self._key}
            )
        wait_until("the account to be open", lambda: self.log.count("info: account ") > opened, LONG_PATIENCE)

    def stop(self) -> int | None:
        """Asks it to end, and waits until it has; its exit code."""
        process, self._process = self._process, None
        if process is None:
            return None
        process.terminate()
        return process.wait(PATIENCE)

    @property
    def process_id(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """Ends it without asking, as a crash does."""
        process, self._process = self._process, None
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)

    @property
    def log(self) -> str:
        """What it said, in all its lives."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def said(self, text: str, times: int = 1) -> None:
        """Returns once the log has this so often."""
        try:
            wait_until(f"{text!r} in the log", lambda: self.log.count(text) >= times, LONG_PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{self.log[-5000:]}") from None
