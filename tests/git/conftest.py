"""Servers for every transport, and one way of asking for a repository behind any of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from oakroot.git.commits import Head, Person
from oakroot.git.credentials import Credentials, parse_authenticator
from oakroot.git.login_key import parse_ssh_key
from oakroot.git.remote import Remote, parse_remote
from oakroot.git.repository import RemoteRepository
from tests.peers.authority import Authority
from tests.peers.git_https import HttpGit, HttpRules
from tests.peers.git_servers import BareRepository, Daemon, HostKeys, git_daemon, login_name, sshd
from tests.peers.ports import LOOPBACK

# The key of the tutorial, and its public half as printed there.
SSH_KEY = "ed25519:nO7ervdJqzPfuvdM/J4qImipwVoI5gl53fpqgjZnv9w="
SSH_PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICyliWbwWWXBc1+DRIzReLQ4UFiVGXJ6Paw1Jts+XQte"
TOKEN = "token-for-tests"
NOW = 1_795_348_800
PRIMARY = Person("Oakroot", "oakroot@ns1.example.org")
UPDATER = Person("personal._update.example.org", "key@example.org")
TRANSPORTS = ("path", "git", "https", "ssh")


@dataclass(frozen=True)
class Place:
    """A repository and how to reach it."""

    repository: BareRepository
    remote: Remote
    credentials: Credentials


Opener = Callable[[Place], RemoteRepository]


@dataclass(frozen=True)
class Servers:
    """One server of each kind over the same folder of repositories."""

    base: Path
    daemon: Daemon
    https: HttpGit
    authority: Authority
    sshd: Daemon
    host_keys: HostKeys

    def url(self, transport: str, name: str) -> str:
        """The address of a repository below `base`."""
        return {
            "path": str(self.base / name),
            "git": f"git://{LOOPBACK}:{self.daemon.port}/{name}",
            "https": f"https://{LOOPBACK}:{self.https.port}/{name}",
            "ssh": f"ssh://{login_name()}@{LOOPBACK}:{self.sshd.port}{self.base / name}",
        }[transport]

    def credentials(self, transport: str) -> Credentials:
        """What opens it."""
        if transport == "ssh":
            pin = parse_authenticator(self.host_keys.fingerprints["ed25519"])
            return Credentials(ssh_key=parse_ssh_key(SSH_KEY), host_key_pin=pin)
        if transport == "https":
            return Credentials(token=TOKEN, ca_file=self.authority.file)
        return Credentials()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory, require: Callable[[str], str]) -> Iterator[Servers]:
    require("git")
    base = tmp_path_factory.mktemp("repositories")
    place = tmp_path_factory.mktemp("servers")
    authority = Authority(place)
    host_keys = HostKeys(place)
    rules = HttpRules(user="oauth2", password=TOKEN)
    with ExitStack() as stack:
        yield Servers(
            base=base,
            daemon=stack.enter_context(git_daemon(base)),
            https=stack.enter_context(HttpGit(base, authority.issue(LOOPBACK), rules)),
            authority=authority,
            sshd=stack.enter_context(
                sshd(require("sshd"), place, host_keys.make("rsa", "ecdsa", "ed25519"), SSH_PUBLIC)
            ),
            host_keys=host_keys,
        )


@pytest.fixture(autouse=True)
def no_proxies_and_no_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine's user has set must not decide a test."""
    for name in ("https_proxy", "http_proxy", "all_proxy", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def make_place(servers: Servers) -> Callable[[str], Place]:
    """`make_place("ssh")` makes an empty repository and says how to reach it over ssh."""
    numbers = itertools.count()

    def make(transport: str) -> Place:
        while (servers.base / (name := f"zones-{next(numbers)}.git")).exists():
            pass
        repository = BareRepository(servers.base / name)
        return Place(repository, parse_remote(servers.url(transport, name)), servers.credentials(transport))

    return make


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    """Each transport in turn."""
    return str(request.param)


@pytest.fixture
def place(transport: str, make_place: Callable[[str], Place]) -> Place:
    """An empty repository, over each transport in turn."""
    return make_place(transport)


def push(copy: RemoteRepository, head: Head, changes: dict[str, bytes], message: str = "change") -> Head:
    """A push as the primary makes it."""
    return copy.commit_and_push(head, changes, author=UPDATER, committer=PRIMARY, message=message, now=NOW)


@pytest.fixture
def open_copy() -> Iterator[Opener]:
    """Opens places, and closes what was opened."""
    with ExitStack() as stack:
        yield lambda place: stack.enter_context(RemoteRepository(place.remote, place.credentials))
