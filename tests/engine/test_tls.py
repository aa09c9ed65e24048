"""DNS over TLS as the engine serves it: OpenSSL's client on a real socket, no role behind it."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import dns.message
import dns.rcode
import pytest

from oakroot._engine import Catalogue, Request, Server, read_zone
from tests.peers.authority import Authority

NAME = "ns1.example.org"
PATIENCE = 20.0
ZONE = b"@ 3600 SOA ns1 host 1 1d 2h 2w 1h\n NS ns1\nns1 A 192.0.2.53\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> bytes:
    return authority.issue(NAME).read_bytes()


@contextmanager
def served(certificate: bytes | None, idle: float = 10.0, connections: int = 100) -> Iterator[Server]:
    """The engine with one zone, speaking TLS."""
    places = [("127.0.0.1", 0)]
    server = Server(places, listen_tls=places, tcp_idle_seconds=idle, tcp_connections=connections)
    zone, _ = read_zone(ZONE, "example.org.", "example.org")
    assert zone is not None
    if certificate is not None:
        server.set_certificate(certificate, certificate)
    server.publish(Catalogue().with_zones([zone]))
    server.start()
    try:
        yield server
    finally:
        server.stop()


def context_of(authority: Authority, alpn: str | None = "dot") -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.file))
    if alpn is not None:
        context.set_alpn_protocols([alpn])
    return context


def plain(server: Server) -> socket.socket:
    return socket.create_connection(server.tls_addresses[0], PATIENCE)


def dial(server: Server, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
    return context.wrap_socket(plain(server), server_hostname=NAME, session=session)


def framed(message: dns.message.Message) -> bytes:
    wire = message.to_wire()
    return len(wire).to_bytes(2) + wire


def receive(connection: socket.socket) -> dns.message.Message:
    length = int.from_bytes(_exactly(connection, 2))
    return dns.message.from_wire(_exactly(connection, length))


def _exactly(connection: socket.socket, count: int) -> bytes:
    octets = b""
    while len(octets) < count:
        piece = connection.recv(count - len(octets))
        if not piece:
            raise EOFError
        octets += piece
    return octets


def ask(connection: socket.socket, name: str = "ns1.example.org.") -> dns.message.Message:
    connection.sendall(framed(dns.message.make_query(name, "A")))
    return receive(connection)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline


def taken(server: Server) -> Request:
    deadline = time.monotonic() + PATIENCE
    while not (requests := server.take(1)):
        assert time.monotonic() < deadline
    return requests[0]


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except OSError:
        return True


def test_a_query_is_answered(authority: Authority, certificate: bytes) -> None:
    with served(certificate) as server, dial(server, context_of(authority)) as connection:
        assert connection.version() == "TLSv1.3"
        assert connection.selected_alpn_protocol() == "dot"
        assert ask(connection).answer[0][0].to_text() == "192.0.2.53"
        counters = server.counters()
        assert (counters["tls_connections"], counters["tls_queries"], counters["tcp_queries"]) == (1, 1, 1)


def test_many_queries_at_once_are_answered_in_order(authority: Authority, certificate: bytes) -> None:
    queries = [dns.message.make_query("ns1.example.org.", "A") for _ in range(2000)]
    with served(certificate) as server, dial(server, context_of(authority)) as connection:
        connection.sendall(b"".join(map(framed, queries)))
        assert [receive(connection).id for _ in queries] == [query.id for query in queries]


def test_a_query_in_small_pieces_is_answered(authority: Authority, certificate: bytes) -> None:
    with served(certificate) as server, dial(server, context_of(authority)) as connection:
        for octet in framed(dns.message.make_query("ns1.example.org.", "A")):
            connection.sendall(bytes([octet]))
        assert receive(connection).rcode() == dns.rcode.NOERROR


def test_a_client_that_offers_no_protocol_is_served(authority: Authority, certificate: bytes) -> None:
    with served(certificate) as server, dial(server, context_of(authority, alpn=None)) as connection:
        assert ask(connection).rcode() == dns.rcode.NOERROR


def test_a_client_that_wants_another_protocol_is_refused(authority: Authority, certificate: bytes) -> None:
    with served(certificate) as server:
        with pytest.raises(ssl.SSLError, match=r"(?i)no.application.protocol"):
            dial(server, context_of(authority, alpn="h2"))
        until(lambda: server.counters()["tls_failures"] == 1)


def test_tls_1_2_is_refused(authority: Authority, certificate: bytes) -> None:
    context = context_of(authority)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with served(certificate) as server, pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
        dial(server, context)


def test_a_session_is_resumed(authority: Authority, certificate: bytes) -> None:
    context = context_of(authority)
    with served(certificate) as server:
        with dial(server, context) as first:
            ask(first)
            session = first.session
        with dial(server, context, session) as second:
            assert ask(second).rcode() == dns.rcode.NOERROR
            assert second.session_reused


@pytest.mark.parametrize(
    "octets", [b"\0\x1d" + bytes(29), b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" * 4000]
)
def test_who_speaks_no_tls_is_hung_up_on(certificate: bytes, octets: bytes) -> None:
    with served(certificate) as server, plain(server) as connection:
        connection.sendall(octets)
        while not is_closed(connection):
            pass
        until(lambda: server.counters()["tls_failures"] == 1)
        assert server.counters()["worker_panics"] == 0


def test_a_handshake_that_does_not_go_on_ends(certificate: bytes) -> None:
    with served(certificate, idle=0.2) as server, plain(server) as connection:
        connection.sendall(b"\x16\x03\x01")
        assert is_closed(connection)
        assert server.counters()["tcp_timed_out"] == 1
        assert server.counters()["tls_failures"] == 1


def test_an_idle_connection_ends_with_a_word(authority: Authority, certificate: bytes) -> None:
    with served(certificate, idle=0.2) as server, dial(server, context_of(authority)) as connection:
        ask(connection)
        assert connection.recv(1) == b""
        assert server.counters()["tls_failures"] == 0


def test_connections_count_for_the_limit_of_all(authority: Authority, certificate: bytes) -> None:
    with served(certificate, connections=2) as server:
        context = context_of(authority)
        with dial(server, context) as first, dial(server, context) as second:
            with dial(server, context) as third:
                assert ask(third).rcode() == dns.rcode.NOERROR
                assert is_closed(first)
            assert ask(second).rcode() == dns.rcode.NOERROR


def test_who_does_not_read_gets_no_more_answers(authority: Authority, certificate: bytes) -> None:
    queries = b"".join(framed(dns.message.make_query("ns1.example.org.", "A")) for _ in range(1000))
    with served(certificate) as server, dial(server, context_of(authority)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(0.5)
        sent = 0
        with suppress(TimeoutError):
            while sent < 2_000_000:
                connection.sendall(queries)
                sent += 1000
        assert sent < 2_000_000
        assert server.counters()["tcp_answers"] < sent


def test_requests_say_that_they_came_by_tls(authority: Authority, certificate: bytes) -> None:
    with served(certificate) as server, dial(server, context_of(authority)) as connection:
        query = dns.message.make_query("example.org.", "AXFR")
        connection.sendall(framed(query))
        request = taken(server)
        assert request.transport == "tls"
        server.reply(request, dns.message.make_response(query).to_wire())
        assert receive(connection).id == query.id


def test_without_an_agreement_to_speak_dns_requests_count_as_tcp(
    authority: Authority, certificate: bytes
) -> None:
    with served(certificate) as server, dial(server, context_of(authority, alpn=None)) as connection:
        connection.sendall(framed(dns.message.make_query("example.org.", "AXFR")))
        assert taken(server).transport == "tcp"


def test_long_replies_report_how_much_waits(authority: Authority, certificate: bytes) -> None:
    """Who sends a transfer goes by this; it must come to zero, though TLS adds octets."""
    message = bytes(12) + bytes(60_000)
    with served(certificate) as server, dial(server, context_of(authority)) as connection:
        connection.sendall(framed(dns.message.make_query("example.org.", "AXFR")))
        request = taken(server)
        sent = 0
        while request.unsent() < 8 * Request.HIGH_BACKLOG:
            server.reply(request, message)
            sent += 1
        for _ in range(sent):
            length = int.from_bytes(_exactly(connection, 2))
            assert _exactly(connection, length) == message
        until(lambda: request.unsent() == 0)


def test_a_new_certificate_is_shown_to_new_connections(authority: Authority, certificate: bytes) -> None:
    newer = authority.issue(NAME).read_bytes()
    context = context_of(authority)
    with served(certificate) as server, dial(server, context) as old:
        server.set_certificate(newer, newer)
        with dial(server, context) as new:
            assert new.getpeercert(binary_form=True) != old.getpeercert(binary_form=True)
            assert ask(old).rcode() == ask(new).rcode() == dns.rcode.NOERROR


def test_without_a_certificate_connections_are_closed() -> None:
    with served(None) as server, plain(server) as connection:
        assert is_closed(connection)
        until(lambda: server.counters()["tcp_refused"] == 1)


@pytest.mark.parametrize(
    ("chain", "key", "complaint"),
    [
        ("", "own", "no certificate"),
        ("own", "", "no private key"),
        ("own", "other", "belongs to another certificate"),
        ("broken", "own", "no PEM text|BadEncoding|invalid"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    authority: Authority, certificate: bytes, chain: str, key: str, complaint: str
) -> None:
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    texts = {"": b"", "own": certificate, "other": authority.issue(NAME).read_bytes(), "broken": broken}
    with served(certificate) as server:
        with pytest.raises(ValueError, match=complaint):
            server.set_certificate(texts[chain], texts[key])
        with dial(server, context_of(authority)) as connection:
            assert ask(connection).rcode() == dns.rcode.NOERROR
