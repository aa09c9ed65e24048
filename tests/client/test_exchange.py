"""A request reaches its server by UDP or TCP, again if need be, and the reply is the first one that fits."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

import pytest

from oakroot.client import exchange
from oakroot.client.exchange import Deadline
from oakroot.client.server import Server, ServerError

REQUEST = b"\x12\x34" + bytes(10)
REPLY = b"\x12\x34\x80" + bytes(9)
TRUNCATED = b"\x12\x34\x82" + bytes(9)
STRAY = b"\x99\x99\x80" + bytes(9)
PATIENCE = 20.0


def judge(octets: bytes) -> bytes | None:
    return octets if octets[:2] == REQUEST[:2] else None


@dataclass
class ScriptedServer:
    """Answers the n-th datagram with the n-th list of `udp`, a TCP request with `tcp`; None: hangs up."""

    udp: Sequence[Sequence[bytes]] = ()
    tcp: Sequence[bytes] | None = ()
    hangs_up: int = 0
    """On so many requests by TCP, before it answers others."""
    datagrams: list[bytes] = field(default_factory=list)
    streams: list[bytes] = field(default_factory=list)
    address: tuple[str, int] = ("127.0.0.1", 0)

    def __enter__(self) -> Self:
        self._tcp = socket.create_server(self.address)
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(self._tcp.getsockname())
        self._threads = [threading.Thread(target=self._serve_udp), threading.Thread(target=self._serve_tcp)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._udp.sendto(b"", self._udp.getsockname())
        socket.create_connection(self._tcp.getsockname()).close()
        for thread in self._threads:
            thread.join()
        self._udp.close()
        self._tcp.close()

    @property
    def server(self) -> Server:
        return Server("127.0.0.1", self._tcp.getsockname()[1])

    def _serve_udp(self) -> None:
        while True:
            octets, peer = self._udp.recvfrom(65535)
            if not octets:
                return
            self.datagrams.append(octets)
            for reply in self.udp[len(self.datagrams) - 1 : len(self.datagrams)]:
                for datagram in reply:
                    self._udp.sendto(datagram, peer)

    def _serve_tcp(self) -> None:
        while True:
            connection, _ = self._tcp.accept()
            with connection, connection.makefile("rb") as stream, contextlib.suppress(ConnectionError):
                length = stream.read(2)
                if not length:
                    return
                self.streams.append(stream.read(int.from_bytes(length)))
                if len(self.streams) <= self.hangs_up:
                    continue
                for reply in self.tcp or ():
                    connection.sendall(struct.pack("!H", len(reply)) + reply)
                if self.tcp is not None:
                    stream.read(1)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "FIRST_PAUSE", 0.05)


def ask(server: Server, *, seconds: float = PATIENCE, tcp: bool = False) -> bytes:
    return exchange.exchange(server, REQUEST, judge, Deadline.after(seconds), tcp=tcp)


def test_a_reply_by_udp_needs_no_tcp() -> None:
    with ScriptedServer(udp=[[REPLY]]) as script:
        assert ask(script.server) == REPLY
    assert (script.datagrams, script.streams) == ([REQUEST], [])


def test_a_lost_datagram_is_sent_again() -> None:
    with ScriptedServer(udp=[[], [], [REPLY]]) as script:
        assert ask(script.server) == REPLY
    assert script.datagrams == [REQUEST] * 3


def test_a_stray_datagram_is_passed_over() -> None:
    with ScriptedServer(udp=[[STRAY, b"", REPLY]]) as script:
        assert ask(script.server) == REPLY


def test_a_truncated_reply_is_fetched_by_tcp() -> None:
    with ScriptedServer(udp=[[TRUNCATED]], tcp=[REPLY]) as script:
        assert ask(script.server) == REPLY
    assert script.streams == [REQUEST]


def test_silence_by_udp_leads_to_tcp() -> None:
    with ScriptedServer(tcp=[REPLY]) as script:
        assert ask(script.server) == REPLY
    assert (script.datagrams, script.streams) == ([REQUEST] * 3, [REQUEST])


def test_tcp_at_once_when_asked_for() -> None:
    with ScriptedServer(tcp=[STRAY, b"", REPLY]) as script:
        assert ask(script.server, tcp=True) == REPLY
    assert script.datagrams == []


def test_a_host_name_is_looked_up() -> None:
    with ScriptedServer(udp=[[REPLY]], tcp=[REPLY]) as script:
        assert ask(Server("localhost", script.server.port)) == REPLY


def test_a_server_that_hangs_up_is_told_from_one_that_is_silent() -> None:
    with ScriptedServer(tcp=None) as script, pytest.raises(ServerError, match="closed the connection"):
        ask(script.server, tcp=True)
    with ScriptedServer(tcp=()) as script, pytest.raises(ServerError, match="no reply in time"):
        ask(script.server, tcp=True, seconds=0.2)


def test_a_request_whose_answer_was_lost_is_sent_again_as_it_was() -> None:
    with ScriptedServer(tcp=[REPLY], hangs_up=2) as script:
        assert ask(script.server, tcp=True) == REPLY
    assert script.streams == [REQUEST] * 3


def test_a_server_that_always_hangs_up_is_not_asked_for_ever() -> None:
    with ScriptedServer(tcp=None) as script, pytest.raises(ServerError, match="closed the connection"):
        ask(script.server, tcp=True, seconds=600)
    assert script.streams == [REQUEST] * exchange.LOST_LIMIT


def test_a_server_that_starts_anew_with_the_request_is_waited_for() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()

    def serve() -> None:
        connection, _ = listener.accept()
        listener.close()
        connection.recv(2 + len(REQUEST))
        connection.close()
        with ScriptedServer(tcp=[REPLY], address=address) as script:
            done.wait(PATIENCE)
        streams.extend(script.streams)

    streams: list[bytes] = []
    done = threading.Event()
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        assert ask(Server(*address), tcp=True) == REPLY
    finally:
        done.set()
        thread.join()
    assert streams == [REQUEST]


def test_a_server_that_is_silent_everywhere_costs_no_more_than_the_patience() -> None:
    with ScriptedServer() as script, pytest.raises(ServerError, match="does not answer"):
        ask(script.server, seconds=0.5)
    assert script.datagrams[0] == REQUEST


def test_patience_that_is_over_asks_nobody() -> None:
    with ScriptedServer(tcp=[REPLY]) as script, pytest.raises(ServerError, match="no reply in time"):
        ask(script.server, tcp=True, seconds=0)


def test_an_address_that_cannot_be_reached_is_told_at_once() -> None:
    with pytest.raises(ServerError, match=r"255\.255\.255\.255:9 does not answer: "):
        ask(Server("255.255.255.255", 9), seconds=600)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that nobody listens on, kept by a socket that is bound and does not listen."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
        tcp.bind(("127.0.0.1", 0))
        yield tcp.getsockname()[1]


def test_a_port_that_refuses_is_told_at_once(closed_port: int) -> None:
    with pytest.raises(ServerError, match="Connection refused") as refusal:
        ask(Server("127.0.0.1", closed_port), seconds=600)
    assert str(closed_port) in refusal.value.message


@pytest.mark.parametrize("host", ["host.invalid", "a..b", "x" * 300])
def test_a_host_that_cannot_be_found_is_named(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def without_network(name: str, *arguments: object, **options: object) -> object:
        if name == "host.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        resolve: Callable[..., object] = real
        return resolve(name, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", without_network)
    with pytest.raises(ServerError, match="cannot find the address of"):
        ask(Server(host))


def test_a_deadline_is_never_negative() -> None:
    assert Deadline.after(-5).left == 0
    assert Deadline.after(100).but_within(1).left <= 1
    assert Deadline.after(1).but_within(100).left <= 1
