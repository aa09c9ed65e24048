"""Git repositories and servers as users have them, on loopback: git daemon and sshd.

Repositories are made and looked at with the real `git`, so that it judges what Oakroot reads and writes.
What must not live here: anything of Oakroot, https (see git_https), servers that fail (see broken_git).
"""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Self

from tests.peers.ports import LOOPBACK, free_port

NOBODYS_CONFIG = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
STARTED_AT = 1_795_300_000
PATIENCE = 20.0


def git(
    *arguments: str,
    cwd: Path | None = None,
    stdin: bytes = b"",
    environment: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Runs git without anybody's settings; gives what it printed."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        env={**os.environ, **NOBODYS_CONFIG, **environment},
        check=False,
    )
    assert done.returncode == 0, f"git {arguments}: {done.stderr.decode(errors='replace')}"
    return done.stdout.decode(errors="replace").strip()


class BareRepository:
    """A bare repository that an operator commits to."""

    def __init__(self, path: Path, branch: str = "main") -> None:
        self.path = path
        self.branch = branch
        self._commits = 0
        git("init", "--quiet", "--bare", f"--initial-branch={branch}", str(path))

    def commit(
        self,
        files: Mapping[str, bytes | None],
        *,
        message: str = "change",
        branch: str | None = None,
        modes: Mapping[str, str] | None = None,
        orphan: bool = False,
        at: int | None = None,
        merges: str | None = None,
    ) -> str:
        """Commits files (None removes one) as an operator's push would; gives the commit's id.

        `modes`: 120000 makes a link, 160000 a submodule (the content is then the commit's id). `orphan`: as
        if the history had been rewritten. `merges`: a branch that is the second parent.
        """
        ref = f"refs/heads/{branch or self.branch}"
        self._commits += 1
        when = STARTED_AT + self._commits if at is None else at
        stream = [b"commit %s\n" % (b"refs/test/orphan" if orphan else ref.encode())]
        stream.append(b"committer Operator <op@example.org> %d +0000\n" % when)
        stream.append(b"data %d\n%s\n" % (len(message.encode()), message.encode()))
        if not orphan and self.has(ref):
            stream.append(b"from %s^0\n" % ref.encode())
        if merges is not None:
            stream.append(b"merge refs/heads/%s^0\n" % merges.encode())
        for path, content in files.items():
            stream.append(_file_command(path, content, (modes or {}).get(path, "100644")))
        git("fast-import", "--quiet", "--force", cwd=self.path, stdin=b"".join(stream))
        if orphan:
            git("update-ref", ref, "refs/test/orphan", cwd=self.path)
            git("update-ref", "-d", "refs/test/orphan", cwd=self.path)
        return git("rev-parse", ref, cwd=self.path)

    def has(self, ref: str) -> bool:
        """Whether the ref exists."""
        return bool(git("for-each-ref", ref, cwd=self.path))

    def tip(self, branch: str | None = None) -> str:
        """The commit a branch is at."""
        return git("rev-parse", f"refs/heads/{branch or self.branch}", cwd=self.path)

    def show(self, path: str, branch: str | None = None) -> str:
        """The content of a file as git has it."""
        return git("show", f"refs/heads/{branch or self.branch}:{path}", cwd=self.path)

    def hook(self, name: str, script: str) -> None:
        """Installs a hook, a piece of shell."""
        program = self.path / "hooks" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def fsck(self) -> None:
        """Fails unless git finds the repository sound, strictly."""
        git("fsck", "--strict", "--full", cwd=self.path)


def _file_command(path: str, content: bytes | None, mode: str) -> bytes:
    name = b'"%s"' % path.encode("utf-8", "surrogateescape").replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    if content is None:
        return b"D %s\n" % name
    if mode == "160000":
        return b"M 160000 %s %s\n" % (content, name)
    return b"M %s inline %s\ndata %d\n%s\n" % (mode.encode(), name, len(content), content)


def wait_until(what: str, condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Returns as soon as the condition holds; fails when it does not for long."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {patience} s"
        threading.Event().wait(0.01)


class Daemon:
    """A server program that listens on `port` between `__enter__` and `__exit__`."""

    def __init__(
        self,
        command: Sequence[str | Path],
        port: int,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.port = port
        self._command = [str(part) for part in command]
        self._log = log
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            environment = {**os.environ, **NOBODYS_CONFIG, **self._environment}
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=environment)
        try:
            wait_until(f"{self._command[0]} to listen", self._listens)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_reason: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE)

    @property
    def process_id(self) -> int:
        """Of the program that listens."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What it said so far."""
        return self._log.read_text(errors="replace")

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text(errors="replace")
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, self.port), timeout=1):
            return True
        return False


def git_daemon(base: Path) -> Daemon:
    """git:// with push allowed, as nobody should in the open."""
    port = free_port()
    # Started directly: `git daemon` would put a process in between that terminate() does not reach.
    program = Path(git("--exec-path")) / "git-daemon"
    options = ["--export-all", "--enable=receive-pack", "--reuseaddr", "--verbose"]
    place = [f"--base-path={base}", f"--listen={LOOPBACK}", f"--port={port}"]
    return Daemon([program, *options, *place], port, base / "git-daemon.log")


@dataclass
class HostKeys:
    """Host keys of a server, by type."""

    directory: Path
    fingerprints: dict[str, str] = field(default_factory=dict)

    def make(self, *types: str) -> list[Path]:
        """Makes keys (once each) and gives their files."""
        files = []
        for kind in types:
            file = self.directory / f"host_{kind}"
            if not file.exists():
                bits = ["-b", "2048"] if kind == "rsa" else []
                subprocess.run(
                    ["ssh-keygen", "-q", "-t", kind, *bits, "-N", "", "-C", "", "-f", file], check=True
                )
            shown = subprocess.run(["ssh-keygen", "-l", "-f", file], capture_output=True, check=True)
            self.fingerprints[kind] = shown.stdout.decode().split()[1]
            files.append(file)
        return files

    def known_hosts_line(self, port: int, kind: str) -> str:
        """The key as known_hosts has it."""
        key = " ".join((self.directory / f"host_{kind}.pub").read_text().split()[:2])
        return f"[{LOOPBACK}]:{port} {key}\n"


def sshd(
    program: str,
    directory: Path,
    host_keys: Sequence[Path],
    authorized_line: str,
    certificates: Sequence[Path] = (),
    accepted_variable: str = "GIT_PROTOCOL",
) -> Daemon:
    """An OpenSSH server that lets one key run git's commands and nothing else.

    Debian's own configuration does not accept the variable GIT_PROTOCOL; git then speaks its old protocol.
    """
    port = free_port()
    authorized = directory / f"authorized_keys.{port}"
    shell = f'command="git-shell -c \\"$SSH_ORIGINAL_COMMAND\\"",restrict {authorized_line}\n'
    authorized.write_text(shell)
    config = directory / f"sshd_config.{port}"
    lines = [
        f"Port {port}",
        f"ListenAddress {LOOPBACK}",
        *(f"HostKey {file}" for file in host_keys),
        *(f"HostCertificate {file}" for file in certificates),
        f"AuthorizedKeysFile {authorized}",
        "AuthenticationMethods publickey",
        f"AcceptEnv {accepted_variable}",
        "PermitRootLogin yes",
        "PidFile none",
        "StrictModes no",
        "UsePAM no",
        # Bash would read the user's .bashrc otherwise, which may take longer than all that git does.
        "SetEnv SHLVL=1",
    ]
    config.write_text("\n".join(lines) + "\n")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where Debian's sshd separates its privileges
    return Daemon([program, "-D", "-e", "-f", config], port, directory / f"sshd.{port}.log")


def login_name() -> str:
    """Whom the ssh server lets in: the user who runs the tests."""
    return getpass.getuser()
