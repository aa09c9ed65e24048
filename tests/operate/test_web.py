"""The little HTTP server: what it answers, and that nobody can hold it up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from oakroot.operate import web
from oakroot.operate.web import Answer, Request, listening

Talk = Callable[[tuple[str, int]], Awaitable[None]]


async def hello(request: Request) -> Answer:
    return Answer.text(f"hello {request.header('x-name')}")


async def broken(_request: Request) -> Answer:
    raise RuntimeError("the secret is hunter2")


def talk(conversation: Talk) -> None:
    async def run() -> None:
        async with listening({"/": hello, "/broken": broken}, ("127.0.0.1", 0)) as address:
            await conversation(address)

    asyncio.run(run())


async def said(address: tuple[str, int], request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()


async def is_let_go(address: tuple[str, int], request: bytes) -> bool:
    """Whether the connection ends without a word."""
    try:
        return await said(address, request) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    ("request_", "status", "body"),
    [
        (b"GET /?a=b HTTP/1.1\r\nX-Name: you\r\n\r\n", b"200 OK", b"hello you\n"),
        (b"HEAD / HTTP/1.0\r\n\r\n", b"200 OK", b""),
        (b"GET /nowhere HTTP/1.1\r\n\r\n", b"404 Not Found", b"404 Not Found\n"),
        (b"POST / HTTP/1.1\r\n\r\n", b"405 Method Not Allowed", b"405 Method Not Allowed\n"),
        (b"nonsense\r\n\r\n", b"400 Bad Request", b"400 Bad Request\n"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"400 Bad Request", b"400 Bad Request\n"),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", b"431 Request Header Fields Too Large", None),
    ],
)
def test_requests_are_answered_by_their_worth(request_: bytes, status: bytes, body: bytes | None) -> None:
    async def conversation(address: tuple[str, int]) -> None:
        head, _, rest = (await said(address, request_)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 " + status)
        assert b"X-Content-Type-Options: nosniff" in head
        assert body is None or rest == body

    talk(conversation)


def test_a_defect_is_answered_500_and_shows_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def conversation(address: tuple[str, int]) -> None:
        reply = await said(address, b"GET /broken HTTP/1.1\r\n\r\n")
        assert reply.startswith(b"HTTP/1.1 500")
        assert b"hunter2" not in reply
        assert (await said(address, b"GET / HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 200")

    talk(conversation)
    assert "bug in Oakroot" in caplog.text


def test_who_says_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "REQUEST_SECONDS", 0.05)

    async def conversation(address: tuple[str, int]) -> None:
        assert await is_let_go(address, b"GET / HT")

    talk(conversation)


def test_connections_are_bounded_and_the_next_one_finds_room_again() -> None:
    async def conversation(address: tuple[str, int]) -> None:
        idle = [await asyncio.open_connection(*address) for _ in range(web.CONNECTIONS_LIMIT)]
        assert await is_let_go(address, b"GET / HTTP/1.1\r\n\r\n")
        for _, writer in idle:
            writer.close()
        async with asyncio.timeout(10):
            while await is_let_go(address, b"GET / HTTP/1.1\r\n\r\n"):
                pass

    talk(conversation)
