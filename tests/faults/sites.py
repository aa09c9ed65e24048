"""One zone in a repository, those who change it, and what must be true of it in the end."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import cast

import dns.query
import dns.rdatatype
import dns.tsig
import dns.xfr
import dns.zone

from oakroot._engine import Zone, read_zone
from oakroot.git.login_key import parse_ssh_key
from oakroot.zones.serials import is_forward
from tests.git.conftest import SSH_KEY, TOKEN, Place, Servers
from tests.peers.broken_git import BadLine
from tests.peers.commands import Primary
from tests.peers.git_servers import PATIENCE, BareRepository, git, wait_until
from tests.peers.ports import LOOPBACK, free_port
from tests.zones.repositories import KEY_LINE, zone_text

ZONE = "mirage."
KEY_NAME = "personal._update.mirage."
SECRET = KEY_LINE.split()[-1]
KEY = dns.tsig.Key(KEY_NAME, SECRET, "hmac-sha256")
_ADDED = re.compile(r"^\+(\S+)\s.*\bA\s", re.MULTILINE)


@dataclass(frozen=True)
class Line:
    """A way to a git server; `port` is where it begins."""

    port: int | None
    breaks: Callable[[], object]
    mends: Callable[[], object]


@dataclass
class Site:
    """A repository that primaries are started on. `port`: where the git server can be reached instead."""

    transport: str
    place: Place
    servers: Servers
    folder: Path
    port: int = field(default_factory=free_port)

    @classmethod
    def on(cls, transport: str, servers: Servers, make_place: Callable[..., object], folder: Path) -> Site:
        """A new repository behind this kind of remote."""
        site = cls(transport, cast("Place", make_place(transport)), servers, folder)
        key = KEY_LINE.format(zone=ZONE).encode()
        site.repository.commit(
            {"mirage": zone_text(1, "; operators below", "; the end"), "mirage._keys": key}
        )
        return site

    @property
    def repository(self) -> BareRepository:
        """What the git server has."""
        return self.place.repository

    def primary(
        self, *more: str | Path, port: int | None = None, line: int | None = None, command: Sequence[str] = ()
    ) -> Primary:
        """A primary of it. `line`: the port by which to reach the git server."""
        url = self.servers.url(self.transport, self.repository.path.name)
        if line is not None:
            url = re.sub(r":\d+/", f":{line}/", url)
        arguments: list[str | Path] = ["--remote", url, *more]
        if self.transport == "ssh":
            pin = self.servers.host_keys.fingerprints["ed25519"]
            arguments += [f"--ssh-key={SSH_KEY}", f"--authenticator={pin}"]
        if self.transport == "https":
            arguments += ["--git-ca", self.servers.authority.file]
        where = self.port if port is None else port
        log = self.folder / f"primary-{where}.log"
        environment = {"OAKROOT_GIT_TOKEN": TOKEN} if self.transport == "https" else {}
        if command:
            return Primary(arguments, log, environment, port=where, command=command)
        return Primary(arguments, log, environment, port=where)

    def operators_way(self) -> tuple[str, dict[str, str]]:
        """The address that an operator's git clones from, and what it needs in its environment."""
        url = self.servers.url(self.transport, self.repository.path.name)
        if self.transport == "https":
            url = url.replace("https://", f"https://oauth2:{TOKEN}@")
            return url, {"GIT_SSL_CAINFO": str(self.servers.authority.file)}
        if self.transport == "ssh":
            key = self.folder / "operator"
            key.touch(mode=0o600)
            key.write_bytes(parse_ssh_key(SSH_KEY).openssh_private())
            trusting = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
            return url, {"GIT_SSH_COMMAND": f"ssh -q -F none -i {key} -o IdentitiesOnly=yes {trusting}"}
        return url, {}

    @contextmanager
    def line(self) -> Iterator[Line]:
        """A way to the git server that can be broken: a bad line, or the folder itself in another place."""
        if self.transport == "path":
            folder = self.repository.path
            away = folder.with_name(f"{folder.name}.away")
            yield Line(None, lambda: folder.rename(away), lambda: away.rename(folder))
            return
        port = self.servers.https.port if self.transport == "https" else self.servers.sshd.port
        with BadLine(port) as line:
            yield Line(line.port, lambda: line.spoil("cut", limit=0), line.mend)

    def commits(self) -> list[str]:
        """All commits of the branch, the oldest first."""
        return git("rev-list", "--reverse", self.repository.branch, cwd=self.repository.path).splitlines()

    def zone(self, commit: str | None = None) -> Zone:
        """The zone as a commit has it."""
        text = git("show", f"{commit or self.repository.branch}:mirage", cwd=self.repository.path)
        zone, findings = read_zone(f"{text}\n".encode(), ZONE, "mirage")
        assert zone is not None, findings
        return zone

    def times_added(self) -> Counter[str]:
        """How many commits of the history added an address to each name."""
        log = ["log", "--unified=0", "--patch", self.repository.branch, "--", "mirage"]
        diffs = git(*log, cwd=self.repository.path)
        return Counter(_ADDED.findall(diffs))

    def check(self, primaries: Iterable[Primary], acknowledged: Iterable[str]) -> None:
        """All that must be true, whatever has happened."""
        self.repository.fsck()
        times = self.times_added()
        wrong = {name: times[name] for name in acknowledged if times[name] != 1}
        assert not wrong, f"acknowledged, but not once in the history: {wrong}"
        self.check_serials()
        for primary in primaries:
            wait_until("what is served to be what is in git", lambda: self.is_served(primary))  # noqa: B023

    def check_serials(self) -> None:
        """The serial never goes back, and the last one of each content is forward of those before.

        Operators may forget the serial: then a commit of ours follows, that raises it.
        """
        versions = [self.zone(commit) for commit in self.commits()]
        for old, new in pairwise(versions):
            assert old.serial == new.serial or is_forward(old.serial, new.serial)
        newest = versions[-1]
        assert all(
            is_forward(old.serial, newest.serial) or old.same_but_serial(newest) for old in versions[:-1]
        )

    def is_served(self, primary: Primary) -> bool:
        """Whether a primary serves what git has."""
        served = dns.zone.Zone(ZONE, relativize=False)
        query, _ = dns.xfr.make_query(served, keyring=KEY)
        dns.query.inbound_xfr(LOOPBACK, served, query, port=primary.port, lifetime=PATIENCE)
        records = {
            (str(name), rdataset.ttl, dns.rdatatype.to_text(rdataset.rdtype), rdata.to_text())
            for name, rdataset in served.iterate_rdatasets()
            for rdata in rdataset
        }
        return records == set(self.zone().records())
