"""`python -m bench transfer`: what it costs a primary to send a large zone (AXFR, unsigned)."""

from __future__ import annotations

import argparse
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from bench import loading, senders, workloads
from bench.part import Part, Table, Target, cases, ratio, servers, told
from bench.processes import processor
from bench.workloads import RECORDS_OF_HEAD, Workload
from tests.peers.nameservers import DaemonNameserver, NameserverError

YARDSTICK = "nsd"
PATIENCE = 120.0
_READ = 1 << 20
_QUERY_HEAD = b"\x12\x34\0\0\0\x01\0\0\0\0\0\0"
_AXFR_IN = b"\0\xfc\0\x01"


@dataclass(frozen=True)
class Sent:
    """One transfer."""

    case: str
    server: str
    seconds: float
    """From the query to the last message."""
    processor_seconds: float
    """Of the server."""
    messages: int
    octets: int
    records: int


class TransferPart(Part[Sent]):
    """See the head of the file."""

    name = "transfer"
    help = "what it costs to send a zone of a million records (AXFR)"
    measurement = Sent

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """The size."""
        parser.add_argument("--records", type=int, default=1_000_000, help="of the zone")

    def run(self, options: argparse.Namespace) -> list[Sent]:
        """All servers are up; each sends once in each round."""
        workload = workloads.one_big_zone(options.directory / "big", options.records)
        found = []
        for kind in senders.installed(options.only):
            server = kind(workload.zones, options.directory / f"send-{kind.name}")
            with server:
                loading.wait_for_last(server, workload)
                for number in range(options.rounds):
                    print(f"sending {workload.name}: {kind.name}, round {number + 1}", file=sys.stderr)
                    found.append(_transfer(server, workload))
        _check_same(found)
        return found

    def tables(self, measurements: Sequence[Sent]) -> list[Table]:
        """One of each size."""
        return [_table(case, sent) for case, sent in cases(measurements).items()]

    def targets(self, measurements: Sequence[Sent]) -> list[Target]:
        """No more processor time than the best peer."""
        targets = []
        for case, sent in cases(measurements).items():
            spent = {
                name: median(one.processor_seconds for one in own) for name, own in servers(sent).items()
            }
            ours = spent.pop("oakroot", None)
            if spent:
                targets.append(Target(f"Sending {case}, CPU s", min(spent.values()), ours, "s"))
        return targets


def _check_same(sent: Sequence[Sent]) -> None:
    """Raises unless all have sent as many records: a server that skips work wins nothing."""
    counts = {one.records: one.server for one in sent}
    if len(counts) > 1:
        message = f"not all have sent the same: {counts}"
        raise NameserverError(message)


def _table(case: str, sent: Sequence[Sent]) -> Table:
    of_server = servers(sent)
    yardstick = [one.processor_seconds for one in of_server.get(YARDSTICK, [])]
    rows = []
    for server, own in of_server.items():
        spent = [one.processor_seconds for one in own]
        rows.append(
            [
                server,
                told(spent, "{:.2f}"),
                ratio(median(spent), median(yardstick) if yardstick else None),
                told([one.seconds for one in own], "{:.2f}"),
                f"{own[0].messages}",
                f"{own[0].octets / 2**20:.1f}",
            ]
        )
    head = ["server", "CPU s", f"to {YARDSTICK}", "s", "messages", "MiB"]
    return Table(f"Sending {case} (AXFR)", head, rows)


def _transfer(server: DaemonNameserver, workload: Workload) -> Sent:
    apex = workload.apexes[0]
    name = b"".join(len(label).to_bytes() + label.encode() for label in apex.rstrip(".").split("."))
    query = _QUERY_HEAD + name + b"\0" + _AXFR_IN
    before = processor(server.process_ids())
    started = time.monotonic()
    with socket.create_connection(server.address, PATIENCE) as connection:
        connection.sendall(len(query).to_bytes(2) + query)
        messages, octets, records = _receive(connection, server)
    seconds = time.monotonic() - started
    spent = (processor(server.process_ids()) - before).total
    if records < RECORDS_OF_HEAD:
        message = f"{server.name} sent no zone{server.log_tail()}"
        raise NameserverError(message)
    return Sent(workload.name, server.name, seconds, spent, messages, octets, records)


def _receive(connection: socket.socket, server: DaemonNameserver) -> tuple[int, int, int]:
    """Messages, octets and records, up to the message that ends with the SOA it all began with."""
    messages = octets = records = 0
    soa = b""
    for wire in _messages(connection):
        messages, octets = messages + 1, octets + len(wire)
        records += int.from_bytes(wire[6:8])
        soa = soa or _soa_tail(wire)
        if not soa or (wire.endswith(soa) and records > 1):
            return messages, octets, records
    message = f"{server.name} closed the connection after {messages} messages{server.log_tail()}"
    raise NameserverError(message)


def _messages(connection: socket.socket) -> Iterator[bytes]:
    """What comes, until the connection is closed."""
    buffer = bytearray()
    while piece := connection.recv(_READ):
        buffer += piece
        at = 0
        while len(buffer) - at > 2:
            end = at + 2 + int.from_bytes(buffer[at : at + 2])
            if end > len(buffer):
                break
            yield bytes(buffer[at + 2 : end])
            at = end
        del buffer[:at]


def _soa_tail(message: bytes) -> bytes:
    """The five numbers that end the first SOA: they end the last message, too. Empty without one."""
    at = message.find(b"\0\x06\0\x01", 12 + 4)
    if at < 0:
        return b""
    end = at + 10 + int.from_bytes(message[at + 8 : at + 10])
    return message[end - 20 : end]


PART = TransferPart()
