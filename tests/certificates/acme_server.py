"""A server over HTTPS that says what a test wants an ACME authority to say, request by request."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from tests.peers.authority import Authority as PrivateAuthority

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Reply:
    """One response. Each gets a fresh nonce."""

    status: int = 200
    body: object = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None


class ScriptedServer:
    """The server between `__enter__` and `__exit__`; `answer(method, path)` is what it says."""

    def __init__(self, directory: Path, answer: Callable[[str, str], Reply]) -> None:
        authority = PrivateAuthority(directory)
        self.ca_file = authority.file
        self.asked: list[str] = []
        asked, counter = self.asked, iter(range(1_000_000))

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self._reply(with_body=False)

            def do_GET(self) -> None:
                self._reply()

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self._reply()

            def _reply(self, *, with_body: bool = True) -> None:
                asked.append(f"{self.command} {self.path}")
                reply = answer(self.command, self.path)
                body = json.dumps(reply.body).encode() if reply.raw is None else reply.raw
                self.send_response(reply.status)
                for name, value in {"Replay-Nonce": f"nonce{next(counter)}", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if with_body:
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name for it
                pass

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.issue(LOOPBACK))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://{LOOPBACK}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_reason: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def directory(self) -> dict[str, object]:
        """The directory of an authority at this address."""
        resources = ("newNonce", "newAccount", "newOrder", "renewalInfo")
        return {name: f"{self.url}/{name}" for name in resources}
