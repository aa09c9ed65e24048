"""git-http-backend behind Python's http server: TLS, Basic authentication, and the whims servers have."""

from __future__ import annotations

import base64
import http.server
import io
import os
import ssl
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self, cast

from tests.peers.git_servers import NOBODYS_CONFIG, PATIENCE, git
from tests.peers.ports import LOOPBACK


@dataclass(frozen=True)
class HttpRules:
    """What the server is like: who may come in, and its whims."""

    user: str = ""
    password: str = ""
    read_only: bool = False
    status: int = 0
    redirect_to: str = ""
    web_page: bool = False
    old_protocol: bool = False


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    base: Path
    rules: HttpRules
    seen: list[str]


class HttpGit:
    """Serves the bare repositories below `base` until `__exit__`; `rules` may change in between."""

    def __init__(self, base: Path, certificate: Path | None, rules: HttpRules | None = None) -> None:
        self._server = _Server((LOOPBACK, 0), _Handler)
        self._server.base, self._server.rules, self._server.seen = base, rules or HttpRules(), []
        self.port: int = self._server.server_address[1]
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            # A handshake that hangs must hold up its own connection only.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def rules(self) -> HttpRules:
        return self._server.rules

    @rules.setter
    def rules(self, rules: HttpRules) -> None:
        self._server.rules = rules

    @property
    def seen(self) -> list[str]:
        """The Authorization header of every request so far."""
        return self._server.seen

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_reason: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server
    timeout = PATIENCE

    def handle(self) -> None:
        with suppress(OSError):  # clients that hang up are part of the tests
            super().handle()
            if isinstance(self.request, ssl.SSLSocket):
                self.request.unwrap()  # git believes no answer whose end was not told

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self._body())

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _serve(self, body: bytes) -> None:
        rules = self.server.rules
        if not self._may_come_in():
            self._plain(401, ("WWW-Authenticate", 'Basic realm="git"'))
        elif rules.status:
            self._plain(rules.status, ("Retry-After", "3600"))
        elif rules.redirect_to:
            self._plain(302, ("Location", rules.redirect_to + self.path))
        elif rules.web_page:
            self._plain(200, ("Content-Type", "text/html"), b"<html>Please log in</html>")
        elif rules.read_only and "receive-pack" in self.path:
            self._plain(403, ("X-Reason", "read only"))
        else:
            self._answer_from_backend(body)

    def _may_come_in(self) -> bool:
        rules = self.server.rules
        given = self.headers.get("Authorization", "")
        self.server.seen.append(given)
        login = base64.b64encode(f"{rules.user}:{rules.password}".encode()).decode()
        return not rules.password or given == f"Basic {login}"

    def _plain(self, status: int, header: tuple[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header(*header)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer_from_backend(self, body: bytes) -> None:
        program = Path(git("--exec-path")) / "git-http-backend"
        with subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self._cgi_environment(len(body))
        ) as backend:
            question, answer = cast("IO[bytes]", backend.stdin), cast("IO[bytes]", backend.stdout)
            feeder = threading.Thread(target=_feed, args=(question, body))
            feeder.start()
            self._relay(answer)
            feeder.join(PATIENCE)

    def _cgi_environment(self, length: int) -> dict[str, str]:
        path, _, query = self.path.partition("?")
        return {
            **os.environ,
            **NOBODYS_CONFIG,
            "GIT_PROJECT_ROOT": str(self.server.base),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "tester",
            "REMOTE_ADDR": LOOPBACK,
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(length),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": "" if self.server.rules.old_protocol else self.headers.get("Git-Protocol", ""),
        }

    def _relay(self, answer: IO[bytes]) -> None:
        status, headers = 200, []
        while line := answer.readline().strip().decode():
            name, _, value = line.partition(": ")
            if name == "Status":
                status = int(value.split()[0])
            else:
                headers.append((name, value))
        self.send_response(status)
        for header in headers:
            self.send_header(*header)
        self.end_headers()
        while chunk := cast("io.BufferedReader", answer).read1(65536):
            self.wfile.write(chunk)

    def log_message(self, *_arguments: object) -> None:
        """Tests have their own log."""


def _feed(question: IO[bytes], body: bytes) -> None:
    with suppress(BrokenPipeError), question:
        question.write(body)
