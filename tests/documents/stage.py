"""Where the commands of a page are run: a folder, a shell, and the servers they start.

Addresses of the documentation (RFC 5737) stand for a network on loopback of the page's own, so that servers
have the port and the addresses that zones and keys speak of. A server runs until the page starts another of
its kind, as if by Ctrl-C in its terminal, or ends. What must not live here: what any page needs.
"""

from __future__ import annotations

import os
import random
import re
import shlex
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.documents.page import Block, Step, agrees
from tests.peers.commands import COMMAND
from tests.peers.git_servers import NOBODYS_CONFIG, PATIENCE, wait_until

_ROLES = "primary|secondary|certifier"
_SERVERS = re.compile(rf"(?:sudo )?oakroot (?P<role>{_ROLES})\b")
# What only looks, and is asked again until it shows what was done a moment ago.
_LOOKS = ("dig ", "host ", "kdig ", "git pull ", "dnstap-read ", "oakroot log", "oakroot status")
# The pages' readers are somebody, or have the user `oakroot` of the packages.
_ONLY_AS_ROOT = "running as root: name a user"
_IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Alex"), ("EMAIL", "alex@example.org"))
}
DNS_PORT = 53


class Stage:
    """Runs steps between `__enter__` and `__exit__`. `oakroot` is a command that stands for ours."""

    def __init__(self, folder: Path, title: str, oakroot: str) -> None:
        self.folder = folder
        self.title = title
        self.network = _unused_network()
        """`127.N`, where a page has 192.0 or 198.51."""
        self.environment: dict[str, str] = {}
        self.words = {
            "192.0.2.": f"{self.network}.2.",
            "198.51.100.": f"{self.network}.100.",
            "127.0.0.1": f"{self.network}.0.1",
        }
        """What stands for what is on the page, in commands and in their output."""
        self._here = folder
        self._servers: dict[str, subprocess.Popen[bytes]] = {}
        programs = folder / "programs"
        programs.mkdir(parents=True)
        # Servers want signals, and a pipe of the shell's (`<(…)`) is known in its own children alone.
        started = f'exec {shlex.join(COMMAND)} "$@"'
        alone = f"{_ROLES.replace('|', '*|')}*|*/dev/fd/*"
        self.add_program("oakroot", f'case $* in {alone}) {started} ;; *) exec {oakroot} "$@" ;; esac')
        self.add_program("sudo", 'exec "$@"')

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_reason: object) -> None:
        for server in self._servers.values():
            server.terminate()
        for server in self._servers.values():
            server.wait(PATIENCE)

    def go(self, folder: Path) -> None:
        """Has the next command begin in this folder."""
        self._here = folder

    def run(self, command: str) -> None:
        """Does what was done before the page begins."""
        self._run(Step(0, command))

    def serve(self, command: str, said: str) -> None:
        """Starts a server that the page takes for granted, and waits until it says this."""
        server = _SERVERS.match(command)
        assert server is not None
        self._serve(server["role"], Step(0, command, ("...", f"...{said}...")))

    def add_program(self, name: str, script: str) -> None:
        """A command that the page's reader has."""
        program = self.folder / "programs" / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def play(self, block: Block) -> None:
        """Runs a block's commands; AssertionError names the one that does not do what its page says."""
        for command in block.before:
            self._run(Step(block.line, command))
        for step in block.steps:
            server = _SERVERS.match(step.command)
            if server is None:
                self._run(step)
            else:
                self._serve(server["role"], step)

    def played(self, text: str) -> str:
        """What stands for a text of the page."""
        words = re.compile("|".join(map(re.escape, self.words)))
        return words.sub(lambda word: self.words[word[0]], text)

    def _run(self, step: Step) -> None:
        command, said = self.played(step.command), [self.played(line) for line in step.output]
        if said and command.startswith(_LOOKS):
            outcomes: list[tuple[int, str]] = []

            def shown() -> bool:
                outcomes.append(self._shell(command))
                return agrees(said, outcomes[-1][1].splitlines())

            try:
                wait_until("", shown)
            except AssertionError:
                raise AssertionError(self._told(step, outcomes[-1][1])) from None
            return
        code, printed = self._shell(command)
        assert code == step.code, self._told(step, f"{printed}(exit code {code})")
        assert not said or agrees(said, printed.splitlines()), self._told(step, printed)

    def _shell(self, command: str) -> tuple[int, str]:
        """Exit code and output; the folder it went to is where the next one begins."""
        place = self.folder / "place"
        script = f"{command}\ncode=$?; pwd > {shlex.quote(str(place))}; exit $code"
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", script],
            cwd=self._here,
            env=self._all_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=60,
        )
        self._here = Path(place.read_text().strip())
        return done.returncode, done.stdout

    def _serve(self, role: str, step: Step) -> None:
        """Starts a server, and waits until it says what the page says."""
        before = self._servers.pop(role, None)
        if before is not None:
            before.terminate()
            before.wait(PATIENCE)
        log = self.folder / f"{role}.log"
        with log.open("wb") as file:
            self._servers[role] = process = subprocess.Popen(
                ["bash", "-c", f"exec {self.played(step.command).removeprefix('sudo ')}"],
                cwd=self._here,
                env={**self._all_environment(), "OAKROOT_WORKERS": "1"},
                stdout=file,
                stderr=file,
            )
        said = [self.played(line) for line in step.output]
        assert said, f"{self._place(step)}: a server's output must be shown"

        def ready() -> bool:
            assert process.poll() is None, self._told(step, log.read_text())
            printed = [line for line in log.read_text().splitlines() if _ONLY_AS_ROOT not in line]
            return agrees([*said, "..."], printed)

        try:
            wait_until("", ready)
        except AssertionError:
            raise AssertionError(self._told(step, log.read_text())) from None

    def _all_environment(self) -> Mapping[str, str]:
        nobody = {
            name: value for name, value in os.environ.items() if not name.startswith(("OAKROOT_", "GIT_"))
        }
        path = f"{self.folder / 'programs'}{os.pathsep}{os.environ['PATH']}:/usr/sbin:/sbin"
        own = {"HOME": str(self.folder), "PATH": path, "NO_COLOR": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        return {**nobody, **NOBODYS_CONFIG, **_IDENTITY, **own, **self.environment}

    def _place(self, step: Step) -> str:
        return f"{self.title}:{step.line}"

    def _told(self, step: Step, printed: str) -> str:
        said = "\n".join(self.played(line) for line in step.output)
        logs = "".join(
            f"\n--- {log.name}\n{log.read_text(errors='replace')[-3000:]}"
            for log in self.folder.glob("*.log")
        )
        command = self.played(step.command)
        return f"{self._place(step)}: {command}\n--- printed\n{printed}\n--- said\n{said}{logs}"


def may_use_the_dns_port() -> bool:
    """Whether a server of ours gets port 53."""
    try:
        with socket.create_server((f"{_unused_network()}.2.53", DNS_PORT)):
            return True
    except PermissionError:
        return False


def _unused_network() -> str:
    """`127.N` where nobody has the port yet; the tests of several people may run beside each other."""
    for _ in range(100):
        network = f"127.{random.randint(1, 254)}"
        try:
            with socket.create_server((f"{network}.2.53", DNS_PORT)):
                return network
        except PermissionError:
            return network
        except OSError:
            continue
    raise AssertionError("port 53 is taken on all of loopback")
