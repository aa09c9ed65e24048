"""`oakroot` without its start: a process that has all commands loaded forks for each call.

A start costs a quarter of a second of a processor, most of it imports; pages with a hundred commands would
cost half a minute. What a call does is `oakroot.cli.main.main`, with the caller's arguments, folder,
environment and descriptors. Run as a program this file is that process. What must not live here: servers,
which want signals.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.peers.git_servers import PATIENCE, wait_until

# What a call needs of Python is little: no site, no environment, no package.
_CALLER = """\
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
call = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(server, [len(call).to_bytes(4, "big") + call], [0, 1, 2])
sys.exit(int(server.recv(3) or b"1"))
"""


class LoadedCommands:
    """The process, between `__enter__` and `__exit__`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._address = folder / "calls"
        self._caller = folder / "caller.py"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._caller.write_text(_CALLER.format(address=str(self._address)))
        command = [sys.executable, "-m", "tests.peers.loaded", str(self._address)]
        root = Path(__file__).parent.parent.parent
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        self._process = subprocess.Popen(command, cwd=root, env=environment)
        wait_until("commands to be loaded", self._address.exists)
        return self

    def __exit__(self, *_reason: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(PATIENCE)

    @property
    def command(self) -> str:
        """What a shell runs in place of `oakroot`, arguments behind it."""
        return f"{sys.executable} -I -S {self._caller}"


def _serve(address: str) -> None:
    from oakroot.cli.commands import COMMANDS  # noqa: PLC0415 - only this process loads them
    from oakroot.cli.main import main  # noqa: PLC0415 - as above

    for command in COMMANDS.values():
        importlib.import_module(command.module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{address}.new")
        listener.listen()
        Path(f"{address}.new").rename(address)
        while True:
            caller, _ = listener.accept()
            if os.fork() == 0:
                try:
                    caller.sendall(str(_run(main, _become(caller))).encode())
                finally:
                    os._exit(0)
            caller.close()


def _run(main: Callable[[Sequence[str]], int], arguments: Sequence[str]) -> int:
    """The exit code of a call."""
    try:
        code = main(arguments)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    sys.stdout.flush()
    sys.stderr.flush()
    return int(code)


def _become(caller: socket.socket) -> list[str]:
    """Takes over descriptors, folder and environment of a caller; gives its arguments."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    received, descriptors, _, _ = socket.recv_fds(caller, 65536, 3)
    length = int.from_bytes(received[:4], "big")
    while len(received) < 4 + length:
        received += caller.recv(65536)
    for place, descriptor in enumerate(descriptors):
        os.dup2(descriptor, place)
        os.close(descriptor)
    arguments: list[str]
    environment: Mapping[str, str]
    arguments, folder, environment = json.loads(received[4:])
    # The old ones know of the file that was behind their descriptor.
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - a descriptor, for good
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115 - the same
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    return arguments


if __name__ == "__main__":
    _serve(sys.argv[1])
