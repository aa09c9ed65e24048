"""A small HTTP server for what is read-only: GET and HEAD, one answer a connection, everything bounded.

It runs in the event loop of the role and never keeps it: connections, the octets of a request and the time
for all of it are limited, and what takes long to write is written in a thread, one at a time. What must not
live here: what is shown.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import field
from http import HTTPStatus

from oakroot.frozen import frozen

_log = logging.getLogger(__name__)

CONNECTIONS_LIMIT = 32
REQUEST_OCTETS = 8192
REQUEST_SECONDS = 10.0
ANSWER_SECONDS = 30.0
"""For the whole of a connection, until the last octet is taken."""

_END = b"\r\n\r\n"
_PARTS = 3
# Nothing here is to be framed, sniffed, kept, or told to others by a Referer.
_ALWAYS = {
    "Cache-Control": "no-store",
    "Connection": "close",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@frozen
class Request:
    """What was asked for. Names of headers are in lower case."""

    path: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def header(self, name: str) -> str:
        """Its value, or nothing."""
        return self.headers.get(name, "")


@frozen
class Answer:
    """What is answered."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def text(cls, text: str, status: HTTPStatus = HTTPStatus.OK) -> Answer:
        """Plain text."""
        return cls(f"{text}\n".encode(), status=status)


Handler = Callable[[Request], Awaitable[Answer]]


class _BadRequestError(Exception):
    """The request cannot be answered; the argument is the status that says why."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class WebServer:
    """Answers by path."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = handlers
        self._connections: set[asyncio.Task[None]] = set()
        self.refused = 0
        """Connections that were one too many."""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from the request to the end."""
        task = asyncio.current_task()
        if task is None or len(self._connections) >= CONNECTIONS_LIMIT:
            self.refused += 1
            writer.transport.abort()
            return
        self._connections.add(task)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._converse(reader, writer)
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (OSError, EOFError, TimeoutError):
            # Whoever asked has gone, or never says what he wants.
            writer.transport.abort()
        except asyncio.CancelledError:
            # The server ends: nobody is told of it, least of all by an error in the log.
            writer.transport.abort()
        finally:
            self._connections.discard(task)

    async def close(self) -> None:
        """Ends what is under way."""
        connections = tuple(self._connections)
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        # A connection that was aborted is closed at the loop's next turn.
        await asyncio.sleep(0)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                head = await reader.readuntil(_END)
            method, request = _read(head)
            answer = await self._answer(request)
        except asyncio.LimitOverrunError:
            method, answer = "GET", _refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        except _BadRequestError as error:
            method, answer = "GET", _refusal(error.status)
        writer.write(_head(answer))
        if method != "HEAD":
            writer.write(answer.body)

    async def _answer(self, request: Request) -> Answer:
        handler = self._handlers.get(request.path)
        if handler is None:
            raise _BadRequestError(HTTPStatus.NOT_FOUND)
        try:
            return await handler(request)
        except Exception:  # noqa: BLE001 - the role goes on; the log keeps what is needed to mend it
            _log.exception("this is a bug in Oakroot, please report it")
            raise _BadRequestError(HTTPStatus.INTERNAL_SERVER_ERROR) from None


@asynccontextmanager
async def listening(
    handlers: Mapping[str, Handler], address: tuple[str, int]
) -> AsyncIterator[tuple[str, int]]:
    """Serves while the block runs; gives the address with its port. OSError: it cannot be bound."""
    host, port = address
    # A process that takes over from another one listens while that still does.
    web = WebServer(handlers)
    server = await asyncio.start_server(web, host, port, limit=REQUEST_OCTETS, backlog=64, reuse_port=True)
    try:
        bound: tuple[str, int] = server.sockets[0].getsockname()[:2]
        yield bound
    finally:
        server.close()
        await web.close()


def _read(head: bytes) -> tuple[str, Request]:
    """Method and request (RFC 9112 §3); the body of a GET has no meaning, and is not read."""
    lines = head.removesuffix(_END).decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != _PARTS or not parts[2].startswith("HTTP/1."):
        raise _BadRequestError(HTTPStatus.BAD_REQUEST)
    if parts[0] not in {"GET", "HEAD"}:
        raise _BadRequestError(HTTPStatus.METHOD_NOT_ALLOWED)
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise _BadRequestError(HTTPStatus.BAD_REQUEST)
        headers[name.lower()] = value.strip()
    return parts[0], Request(parts[1].partition("?")[0], headers)


def _refusal(status: HTTPStatus) -> Answer:
    headers = {"Allow": "GET, HEAD"} if status is HTTPStatus.METHOD_NOT_ALLOWED else {}
    text = Answer.text(f"{status.value} {status.phrase}", status)
    return Answer(text.body, text.content_type, status, headers)


def _head(answer: Answer) -> bytes:
    headers = {
        **_ALWAYS,
        "Content-Type": answer.content_type,
        "Content-Length": str(len(answer.body)),
        **answer.headers,
    }
    lines = [f"HTTP/1.1 {answer.status.value} {answer.status.phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
