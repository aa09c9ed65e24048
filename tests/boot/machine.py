"""A Debian with systemd as process 1, in namespaces of its own (systemd-nspawn), without a network.

What must not live here: anything of Oakroot.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.peers.git_servers import wait_until

_PATIENCE = 120.0
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"}
_OPTIONS = ("--quiet", "--register=no", "--keep-unit", "--private-network", "--console=pipe", "--boot")


class Machine:
    """Runs between `__enter__` and `__exit__`."""

    def __init__(self, base: Path, directory: Path) -> None:
        """`base` is a tar of the system."""
        self.root = directory / "root"
        self.root.mkdir()
        self._console = directory / "console"
        subprocess.run(
            ["tar", "--extract", "--file", base, "--directory", self.root, "--exclude", "./dev/*"], check=True
        )
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._console.open("wb") as console:
            self._process = subprocess.Popen(
                ["systemd-nspawn", *_OPTIONS, f"--directory={self.root}"],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        wait_until(f"the machine to be up: {self._console}", self._is_up)
        return self

    def __exit__(self, *_reason: object) -> None:
        assert self._process is not None
        self.run("systemctl", "--no-block", "poweroff", check=False)
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_PATIENCE)

    def run(self, *command: str, check: bool = True) -> str:
        """What a command in the machine prints; AssertionError if it fails."""
        into = ("--mount", "--uts", "--ipc", "--pid", "--cgroup", "--root", "--wdns=/")
        return self._enter(into, command, check=check)

    def ask(self, *command: str) -> str:
        """What a program of this machine prints in the network of that one."""
        return self._enter((), command, check=True)

    def in_network(self, *command: str) -> list[str]:
        """The words that run a program of this machine in the network of that one."""
        return ["nsenter", f"--target={self._leader()}", "--net", *command]

    def copy(self, file: Path, name: str) -> str:
        """Puts a file into the machine; gives its path there."""
        shutil.copy(file, self.root / name)
        return f"/{name}"

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Writes a file in the machine."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def _enter(self, into: Sequence[str], command: Sequence[str], *, check: bool) -> str:
        words = ["nsenter", f"--target={self._leader()}", "--net", *into, *command]
        ran = subprocess.run(
            words, capture_output=True, text=True, check=False, timeout=_PATIENCE, env=_ENVIRONMENT
        )
        assert ran.returncode == 0 or not check, f"{' '.join(command)}:\n{ran.stdout}{ran.stderr}"
        return ran.stdout if check else ran.stdout + ran.stderr

    def _leader(self) -> int:
        """Process 1 of the machine, as it is numbered here."""
        assert self._process is not None
        process = self._process.pid
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        return int(children[0])

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._console.read_text(errors="replace")
        try:
            return self.run("systemctl", "is-system-running", check=False).strip() in ("running", "degraded")
        except (IndexError, OSError):
            return False  # it has no process 1 yet
