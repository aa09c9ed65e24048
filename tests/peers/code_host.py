"""GitLab and Forgejo, as far as comments of a merge request go, as the documentation of their APIs has it.

GitLab: docs.gitlab.com, "Notes API". Forgejo: the routes `issueGetComments`, `issueCreateComment` and
`issueEditComment` of its OpenAPI description. What must not live here: what a workflow asks them.
"""

from __future__ import annotations

import json
import re
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

from tests.peers.ports import LOOPBACK

TOKEN = "glpat-example-token"
PAGE = 20
_NOTES = re.compile(r"/api/v4/projects/42/merge_requests/7/notes(?:/(?P<id>[0-9]+))?")
_COMMENTS = re.compile(r"/api/v1/repos/example/zones/issues/(?:7/comments|comments/(?P<id>[0-9]+))")


class CodeHost:
    """Both, with one request for a merge, between `__enter__` and `__exit__`."""

    def __init__(self) -> None:
        self.comments: list[str] = []
        """What was written, first one first; the first one's number is 1."""
        self.methods: list[str] = []
        """How it was asked."""
        host = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                body = self.rfile.read(length)
                host.methods.append(self.command)
                status, content = host.answer(self, body)
                octets = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets)

            do_GET = do_POST = do_PUT = do_PATCH = _answer  # noqa: N815 - the library's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name for it
                pass

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self.url = f"http://{LOOPBACK}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_reason: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[HTTPStatus, object]:
        """Status and content."""
        url = urlsplit(request.path)
        if (route := _NOTES.fullmatch(url.path)) is not None:
            edit, is_known = "PUT", request.headers["PRIVATE-TOKEN"] == TOKEN
        elif (route := _COMMENTS.fullmatch(url.path)) is not None:
            edit, is_known = "PATCH", request.headers["Authorization"] == f"token {TOKEN}"
        else:
            return HTTPStatus.NOT_FOUND, {"message": "404 Not Found"}
        if not is_known:
            return HTTPStatus.UNAUTHORIZED, {"message": "401 Unauthorized"}
        if request.command == "GET" and not route["id"]:
            shown = [self._shown(number) for number in range(1, len(self.comments) + 1)]
            return HTTPStatus.OK, shown if edit == "PATCH" else _page(shown, parse_qs(url.query))
        if request.headers["Content-Type"] != "application/json":
            return HTTPStatus.UNSUPPORTED_MEDIA_TYPE, {}
        return self._written(request.command == edit, route["id"], json.loads(body)["body"])

    def _written(self, is_edited: bool, known: str | None, text: str) -> tuple[HTTPStatus, object]:  # noqa: FBT001 - a fact of the request
        if is_edited and known:
            self.comments[int(known) - 1] = text
            return HTTPStatus.OK, self._shown(int(known))
        if is_edited or known:
            return HTTPStatus.METHOD_NOT_ALLOWED, {}
        self.comments.append(text)
        return HTTPStatus.CREATED, self._shown(len(self.comments))

    def _shown(self, number: int) -> dict[str, object]:
        return {"id": number, "body": self.comments[number - 1]}


def _page(shown: list[dict[str, object]], query: dict[str, list[str]]) -> list[dict[str, object]]:
    """GitLab gives the newest ones first, and few, unless it is asked for others."""
    ordered = shown if query.get("sort") == ["asc"] else shown[::-1]
    return ordered[: int(query.get("per_page", [str(PAGE)])[0])]
