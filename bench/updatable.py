"""Who takes updates, one worker each: Oakroot with a repository beside it and over ssh, BIND, Knot DNS.

What must not live here: the updates (`updating`).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

import dns.message
import dns.query

from oakroot.keys.dnskey import write_dnskey
from oakroot.keys.key import Key
from tests.peers.git_servers import BareRepository, Daemon, HostKeys, git, login_name, sshd
from tests.peers.nameservers import DaemonNameserver, NameserverError, ZoneFile
from tests.peers.ports import Address
from tests.peers.updatable import UpdatableBind, UpdatableKnot

PATIENCE = 600.0
PROGRAM = Path(__file__).with_name("timed_primary.py")


class Taker(ABC):
    """A server with one zone that a key may update, from `with` on."""

    name: ClassVar[str]

    def __init__(self, zone: ZoneFile, key: Key, directory: Path) -> None:
        self.zone = zone
        self.key = key
        self.directory = directory

    @classmethod
    @abstractmethod
    def is_installed(cls) -> bool:
        """Whether it can be started here."""

    @abstractmethod
    def make(self) -> DaemonNameserver:
        """The server; it is started afterwards."""

    def __enter__(self) -> Self:
        self.directory.mkdir(parents=True)
        self.server = self.make()
        self.server.start(PATIENCE)
        deadline = time.monotonic() + PATIENCE
        query = dns.message.make_query(self.zone.apex, "SOA")
        while not dns.query.tcp(query, self.address[0], port=self.address[1], timeout=10).answer:
            if time.monotonic() > deadline:
                raise NameserverError(f"{self.name} does not serve {self.zone.apex}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_reason: object) -> None:
        self.server.stop()

    @property
    def address(self) -> Address:
        """Where it answers."""
        return self.server.address

    def commits(self) -> int:
        """How many commits it has made; 0 for those who make none."""
        return 0

    def parts(self) -> Mapping[str, float]:
        """Once it is stopped: seconds of each part of its work, where that is known."""
        return {}

    def has_kept(self, owner: str, address: str) -> bool:
        """Whether what was acknowledged is in the repository, for those who promise that."""
        _ = owner, address
        return True


class BindTaker(Taker):
    """BIND, which appends to its journal and syncs it to disk."""

    name = "bind"

    @classmethod
    def is_installed(cls) -> bool:
        """Whether it can be started here."""
        return UpdatableBind.find() is not None

    def make(self) -> DaemonNameserver:
        """It has a copy of the zone file, beside which it writes."""
        return UpdatableBind([_copied(self.zone, self.directory)], self.directory / "server", self.key)


class KnotTaker(Taker):
    """Knot DNS, which syncs its journal to disk for each change."""

    name = "knot"

    @classmethod
    def is_installed(cls) -> bool:
        """Whether it can be started here."""
        return UpdatableKnot.find() is not None

    def make(self) -> DaemonNameserver:
        """It has a copy of the zone file."""
        return UpdatableKnot([_copied(self.zone, self.directory)], self.directory / "server", self.key)


class _TimedPrimary(DaemonNameserver):
    """`oakroot primary` with a stopwatch."""

    name = "oakroot"
    program = "python"

    def __init__(self, zone: ZoneFile, directory: Path, times: Path, options: list[str]) -> None:
        super().__init__([zone], directory)
        self._times = times
        self._options = options

    @classmethod
    def find(cls) -> str | None:
        """This interpreter."""
        return sys.executable

    def configuration(self, port: int) -> str:
        """Nothing: everything stands on the command line."""
        return f"# port {port}\n"

    def arguments(self, configuration_file: Path) -> tuple[str, ...]:
        """The program in this folder, and what the command would be given."""
        _ = configuration_file
        listen = f"{self.address[0]}:{self.address[1]}"
        common = ["--listen", listen, "--workers", "1", "--log-level", "warning"]
        return (str(PROGRAM), str(self._times), *common, *self._options)


class OakrootTaker(Taker):
    """Oakroot with a bare repository on the same disk."""

    name = "oakroot"

    @classmethod
    def is_installed(cls) -> bool:
        """It is what runs this."""
        return True

    def make(self) -> DaemonNameserver:
        """A repository with the zone and the key, and the server."""
        self.repository = BareRepository(self.directory / "zones.git")
        self.path = self.zone.apex.removesuffix(".")
        keys = f"{write_dnskey(self.key)}\n".encode()
        self.repository.commit({self.path: self.zone.path.read_bytes(), "_keys": keys})
        self.times = self.directory / "times.json"
        return _TimedPrimary(self.zone, self.directory / "server", self.times, self.options())

    def options(self) -> list[str]:
        """How the repository is reached."""
        return ["--remote", str(self.repository.path)]

    def commits(self) -> int:
        """Beyond the first."""
        return int(git("rev-list", "--count", "main", cwd=self.repository.path)) - 1

    def parts(self) -> Mapping[str, float]:
        """As the stopwatch has it."""
        seconds: dict[str, float] = json.loads(self.times.read_text())
        return seconds

    def has_kept(self, owner: str, address: str) -> bool:
        """Whether the zone file of the newest commit has the line."""
        relative = owner.removesuffix(f".{self.zone.apex}")
        lines = self.repository.show(self.path).splitlines()
        return any(line.split(" ", 1)[0] == relative and line.endswith(f" {address}") for line in lines)


class OakrootOverSsh(OakrootTaker):
    """Oakroot with its repository behind an ssh server on loopback."""

    name = "oakroot-ssh"

    @classmethod
    def is_installed(cls) -> bool:
        """Whether there is an ssh server."""
        return _sshd() is not None

    def options(self) -> list[str]:
        """An ssh server for one key, and its address."""
        key = self.directory / "id"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key], check=True)
        hosts = HostKeys(self.directory)
        files = hosts.make("ed25519")
        public = key.with_suffix(".pub").read_text().strip()
        self._daemon: Daemon = sshd(_sshd() or "sshd", self.directory, files, public)
        self._daemon.__enter__()
        remote = f"ssh://{login_name()}@127.0.0.1:{self._daemon.port}{self.repository.path}"
        pinned = ["--authenticator", hosts.fingerprints["ed25519"]]
        return ["--remote", remote, "--ssh-key", f"@{key}", *pinned]

    def __exit__(self, *reason: object) -> None:
        super().__exit__(*reason)
        self._daemon.__exit__(*reason)


TAKERS: tuple[type[Taker], ...] = (OakrootTaker, OakrootOverSsh, BindTaker, KnotTaker)


def _sshd() -> str | None:
    return next((path for path in ("/usr/sbin/sshd", "/usr/local/sbin/sshd") if Path(path).exists()), None)


def _copied(zone: ZoneFile, directory: Path) -> ZoneFile:
    path = directory / "zone"
    path.write_bytes(zone.path.read_bytes())
    return ZoneFile(zone.apex, path)
