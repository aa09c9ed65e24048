"""What servers in images need around them: a repository, a primary to transfer from, keys, somebody who asks.

What must not live here: containers and machines.
"""

from __future__ import annotations

import base64
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

import dns.exception
import dns.message
import dns.query

from oakroot.images.contents import Role
from tests.peers.git_servers import BareRepository, Daemon, git_daemon
from tests.peers.nameservers import NameserverError
from tests.peers.ports import LOOPBACK, free_port

APEX = "example.org."
HOSTS = 10
PATIENCE = 300.0
SECRETS = "/run/secrets"
"""Where images look for what belongs on no command line."""
_PAUSE = 0.02


def zone() -> str:
    """The zone that all serve."""
    hosts = "".join(f"host{number} A 192.0.2.{number}\n" for number in range(1, HOSTS + 1))
    head = f"$ORIGIN {APEX}\n$TTL 3600\n@ SOA ns1 hostmaster 1 86400 7200 1048576 3600\n"
    return f"{head}@ NS ns1\nns1 A 192.0.2.53\n{hosts}"


class World:
    """A repository behind `git daemon`, and a primary that has it, while it is entered."""

    def __init__(self, directory: Path) -> None:
        self.keys = directory / "keys"
        """A file for each role that needs a key, readable for everybody: they are made for this run."""
        self.keys.mkdir()
        self._directory = directory
        self._running = ExitStack()

    def __enter__(self) -> Self:
        repository = BareRepository(self._directory / "git" / "zones.git")
        repository.commit({"example.org": zone().encode(), "_keys": self._key_file()})
        self._git = self._running.enter_context(git_daemon(repository.path.parent))
        port = free_port()
        listen = f"{LOOPBACK}:{port}"
        program = Path(sys.executable).with_name("oakroot")
        command = [program, "primary", "--remote", repository.path, "--listen", listen]
        self._primary = self._running.enter_context(
            Daemon([str(each) for each in command], port, self._directory / "primary.log")
        )
        wait_until_served(port, "the primary", lambda: None)
        return self

    def __exit__(self, *_reason: object) -> None:
        self._running.close()

    def arguments(self, role: Role, host: str) -> list[str]:
        """What a server of this role is told, to which this machine is `host`."""
        primary, key = f"{host}:{self._primary.port}", f"@{SECRETS}/{role}.key"
        match role:
            case Role.PRIMARY:
                return ["--remote", f"git://{host}:{self._git.port}/zones.git"]
            case Role.SECONDARY:
                return ["--primary", primary, "--key", key]
            case Role.CERTIFIER:
                # Nobody listens there, and as there is no request, nobody is asked.
                authority = [
                    "--directory",
                    f"https://{host}:1/",
                    "--account-key",
                    "/var/lib/oakroot/account.pem",
                ]
                return ["--server", primary, "--key", key, *authority]

    def key(self, role: Role) -> Path | None:
        """The file of a role's key."""
        file = self.keys / f"{role}.key"
        return file if file.exists() else None

    def _key_file(self) -> bytes:
        text = ""
        for role, operation in ((Role.SECONDARY, "transfer"), (Role.CERTIFIER, "update")):
            secret = base64.b64encode(os.urandom(32)).decode()
            line = f"bench._{operation}.{APEX} DNSKEY 0 3 163 {secret}\n"
            (self.keys / f"{role}.key").write_text(line)
            text += line
        return text.encode()


def is_served(port: int, *, over_tcp: bool = False) -> bool:
    """Whether the last host of the zone is told there as it is written."""
    question = dns.message.make_query(f"host{HOSTS}.{APEX}", "A")
    ask = dns.query.tcp if over_tcp else dns.query.udp
    with suppress(dns.exception.DNSException, OSError, EOFError):
        answer = ask(question, LOOPBACK, 1 if over_tcp else 0.2, port)
        return [str(each) for rrset in answer.answer for each in rrset] == [f"192.0.2.{HOSTS}"]
    return False


def wait_until_served(port: int, what: str, look: Callable[[], None], patience: float = PATIENCE) -> None:
    """Asks until the zone is served.

    `look` may raise why it never will be. NameserverError if it takes long.
    """
    deadline = time.monotonic() + patience
    while not is_served(port):
        look()
        if time.monotonic() > deadline:
            message = f"{what} did not answer within {patience:.0f} s"
            raise NameserverError(message)
        time.sleep(_PAUSE)
