"""Metrics of packets, out of the engine's counters. Pure; each reader takes a `Scene` and gives samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import dns.rcode
import dns.rdatatype

from oakroot.operate.samples import Metric, Read, Sample, Scene

_QUESTION, _CODE = "question_", "code_"


def _one(counter: str) -> Read:
    """The sample of one counter."""
    return lambda scene: (Sample(scene.overview.engine.get(counter, 0)),)


def _each(**counters: str) -> Read:
    """A sample for each value of a label, from the counter that belongs to it."""
    pairs = [(label.replace("_", "-"), counter) for label, counter in counters.items()]
    return lambda scene: [Sample(scene.overview.engine.get(counter, 0), (label,)) for label, counter in pairs]


def _queries(scene: Scene) -> Iterator[Sample]:
    engine = scene.overview.engine
    tls = engine.get("tls_queries", 0)
    yield Sample(engine.get("udp_queries", 0), ("udp",))
    yield Sample(engine.get("tcp_queries", 0) - tls, ("tcp",))
    yield Sample(tls, ("tls",))


def _connections(scene: Scene) -> Iterator[Sample]:
    engine = scene.overview.engine
    tls = engine.get("tls_connections", 0)
    yield Sample(engine.get("tcp_connections", 0) - tls, ("tcp",))
    yield Sample(tls, ("tls",))


def _cookies(scene: Scene) -> Iterator[Sample]:
    engine = scene.overview.engine
    good = engine.get("cookies_good", 0)
    yield Sample(good, ("good",))
    yield Sample(engine.get("cookies", 0) - good, ("new",))


def _numbered(prefix: str, name_of: Callable[[int], str]) -> Read:
    """A sample for each number that was counted, under its mnemonic."""

    def read(scene: Scene) -> Iterator[Sample]:
        for counter, value in scene.overview.engine.items():
            if counter.startswith(prefix):
                number = counter.removeprefix(prefix)
                yield Sample(value, (name_of(int(number)) if number.isdigit() else number,))

    return read


def _type(number: int) -> str:
    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(number))


def _rcode(number: int) -> str:
    return dns.rcode.to_text(dns.rcode.Rcode.make(number))


TABLE: tuple[Metric, ...] = (
    Metric("queries_total", "counter", "Messages received.", _queries, ("transport",)),
    Metric(
        "queries_by_type_total",
        "counter",
        "Queries that the engine answered, by the type asked for; not those of oakroot_handed_over_total.",
        _numbered(_QUESTION, _type),
        ("type",),
    ),
    Metric(
        "responses_total",
        "counter",
        "Answers of the engine, by response code; not those to what oakroot_handed_over_total counts.",
        _numbered(_CODE, _rcode),
        ("rcode",),
    ),
    Metric(
        "responses_by_transport_total",
        "counter",
        "Answers sent by the engine, by transport; TLS counts as tcp.",
        _each(udp="udp_answers", tcp="tcp_answers"),
        ("transport",),
    ),
    Metric(
        "responses_truncated_total", "counter", "Answers sent with the TC bit.", _one("truncated_answers")
    ),
    Metric(
        "dropped_total",
        "counter",
        "Messages that got no answer: malformed or oversized, or the queue of what Python decides was full.",
        _each(malformed="malformed_silent", oversized="udp_oversized", queue_full="handover_dropped"),
        ("reason",),
    ),
    Metric(
        "rate_limited_total",
        "counter",
        "Answers that rate limiting dropped, or sent truncated (slipped).",
        _each(dropped="rate_limited_dropped", slipped="rate_limited_slipped"),
        ("action",),
    ),
    Metric(
        "cookies_total",
        "counter",
        "Queries with a DNS cookie: good ones prove the client's address, new ones get a cookie.",
        _cookies,
        ("state",),
    ),
    Metric(
        "socket_errors_total",
        "counter",
        "Receiving and sending over UDP that failed.",
        _each(receive="udp_receive_errors", send="udp_send_errors"),
        ("call",),
    ),
    Metric("tcp_connections_total", "counter", "Connections accepted.", _connections, ("transport",)),
    Metric(
        "tcp_closed_total",
        "counter",
        "Connections that the server closed: at a limit, for a newer one, idle too long, or an empty frame.",
        _each(
            refused="tcp_refused",
            evicted="tcp_evicted",
            timed_out="tcp_timed_out",
            empty_frame="tcp_empty_frames",
        ),
        ("reason",),
    ),
    Metric("tls_handshake_failures_total", "counter", "TLS handshakes that failed.", _one("tls_failures")),
    Metric(
        "handed_over_total",
        "counter",
        "Messages that the engine does not answer itself: signed queries, NOTIFY, UPDATE, transfers. What "
        "came of them tell oakroot_tsig_requests_total, oakroot_tsig_failures_total, oakroot_updates_total.",
        _one("handed_over"),
    ),
    Metric(
        "tapped_total",
        "counter",
        "Queries and answers put down for dnstap and the query log, and those for which there was no room.",
        _each(kept="tapped", dropped="tap_dropped"),
        ("result",),
    ),
    Metric("worker_panics_total", "counter", "Defects met while answering.", _one("worker_panics")),
)
