"""A server over HTTPS that says what a test wants an ACME authority to say, request by request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.peers.authority import Authority as PrivateAuthority
from tests.peers.ports import LOOPBACK
from tests.peers.web import Reply, Request, WebServer


class ScriptedServer(WebServer):
    """`say(method, path)` is what it says between `__enter__` and `__exit__`, with fresh nonces."""

    def __init__(self, directory: Path, say: Callable[[str, str], Reply]) -> None:
        authority = PrivateAuthority(directory)
        super().__init__(authority.issue(LOOPBACK))
        self.ca_file = authority.file
        self.asked: list[str] = []
        self._say = say

    def answer(self, request: Request) -> Reply:
        """What the test wants."""
        self.asked.append(f"{request.method} {request.path}")
        reply = self._say(request.method, request.path)
        return replace(reply, headers={"Replay-Nonce": f"nonce{len(self.asked)}", **reply.headers})

    def directory(self) -> dict[str, object]:
        """The directory of an authority at this address."""
        resources = ("newNonce", "newAccount", "newOrder", "renewalInfo")
        return {name: f"{self.url}/{name}" for name in resources}
