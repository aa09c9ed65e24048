"""What two servers say to each other on loopback, captured and judged by Wireshark's dissectors."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

from tests.peers.git_servers import wait_until
from tests.peers.ports import Address


class Wiretap:
    """Captures the traffic of one port at some addresses, between `start` and `stop`."""

    def __init__(self, file: Path, places: list[Address]) -> None:
        self.file = file
        self._ports = sorted({port for _, port in places})
        hosts = " or ".join(f"(host {host} and port {port})" for host, port in places)
        self._command = ["dumpcap", "-q", "-i", "lo", "-w", str(file), "-f", hosts]
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def is_allowed() -> bool:
        """Whether this user may capture."""
        return os.geteuid() == 0 and shutil.which("dumpcap") is not None

    def start(self) -> None:
        """Returns when nothing is missed any more."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.with_suffix(".log").open("wb") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until("dumpcap to capture", lambda: self.file.exists() and self.file.stat().st_size > 0)

    def stop(self) -> None:
        """Ends the capture, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGINT)
            process.wait(20)

    def count(self, wanted: str) -> int:
        """How many frames are as wanted, by a display filter."""
        as_dns = [word for port in self._ports for word in _decode(port)]
        command = [
            "tshark",
            "-n",
            "-r",
            str(self.file),
            *as_dns,
            "-Y",
            wanted,
            "-T",
            "fields",
            "-e",
            "frame.number",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        return len(done.stdout.split())


def _decode(port: int) -> list[str]:
    return ["-d", f"udp.port=={port},dns", "-d", f"tcp.port=={port},dns"]
