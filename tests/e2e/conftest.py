"""A git server over ssh, somebody with a clone, and a primary that serves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from oakroot.keys.ssh import read_ssh_key
from tests.peers.commands import Primary
from tests.peers.git_servers import BareRepository, Daemon, HostKeys, git, login_name, sshd
from tests.peers.ports import LOOPBACK

SSH_KEY = "ed25519:nO7ervdJqzPfuvdM/J4qImipwVoI5gl53fpqgjZnv9w="
SSH_PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICyliWbwWWXBc1+DRIzReLQ4UFiVGXJ6Paw1Jts+XQte"


@dataclass(frozen=True)
class Operator:
    """Somebody at a laptop with a clone of the zone repository, which is reached over ssh alone."""

    folder: Path
    url: str

    def git(self, *arguments: str) -> str:
        """A git command in the clone."""
        key, known = self.folder.parent / "operator-key", self.folder.parent / "known_hosts"
        ssh = f"ssh -F none -i {key} -o UserKnownHostsFile={known} -o IdentitiesOnly=yes"
        who = ["-c", "user.name=Operator", "-c", "user.email=op@example.org", "-c", f"core.sshCommand={ssh}"]
        return git(*who, *arguments, cwd=self.folder if self.folder.exists() else None)

    def write(self, name: str, text: str) -> None:
        """Edits a file, commits and pushes it."""
        (self.folder / name).write_text(text)
        self.git("add", name)
        self.git("commit", "--quiet", "--message", f"Change {name}")
        self.git("push", "--quiet", "origin", "main")

    def read(self, name: str) -> str:
        """A file of the clone."""
        return (self.folder / name).read_text()


@dataclass(frozen=True)
class GitServer:
    """An ssh server with an empty repository."""

    daemon: Daemon
    fingerprint: str
    repository: BareRepository

    @property
    def url(self) -> str:
        """The repository's address."""
        return f"ssh://{login_name()}@{LOOPBACK}:{self.daemon.port}{self.repository.path}"


@pytest.fixture
def git_server(tmp_path: Path, require: Callable[[str], str]) -> Iterator[GitServer]:
    require("git")
    host_keys = HostKeys(tmp_path)
    files = host_keys.make("ed25519")
    repository = BareRepository(tmp_path / "repo-name.git")
    with sshd(require("sshd"), tmp_path, files, SSH_PUBLIC) as daemon:
        (tmp_path / "known_hosts").write_text(host_keys.known_hosts_line(daemon.port, "ed25519"))
        yield GitServer(daemon, host_keys.fingerprints["ed25519"], repository)


@pytest.fixture
def operator(tmp_path: Path, git_server: GitServer, require: Callable[[str], str]) -> Operator:
    require("ssh")
    key = tmp_path / "operator-key"
    key.write_bytes(read_ssh_key(SSH_KEY).openssh_file())
    key.chmod(0o600)
    operator = Operator(tmp_path / "git-repo", git_server.url)
    operator.git("clone", "--quiet", git_server.url, str(operator.folder))
    operator.git("checkout", "--quiet", "-B", "main")
    return operator


@pytest.fixture
def primary_of(tmp_path: Path, git_server: GitServer) -> Callable[[], Primary]:
    def start() -> Primary:
        arguments = [
            f"--authenticator={git_server.fingerprint}",
            f"--ssh-key={SSH_KEY}",
            f"--remote={git_server.url}",
        ]
        return Primary(arguments, tmp_path / "primary.log")

    return start
