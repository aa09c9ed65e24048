"""`python -m bench transfer`: what it costs a primary to send a large zone, or what changed in it."""

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
from bench.reloading import SOME, Version, original, some_records, take, tell, versions, wait_for
from bench.workloads import RECORDS_OF_HEAD, Workload
from tests.peers.nameservers import DaemonNameserver, NameserverError

YARDSTICK = "nsd"
PATIENCE = 30.0
_READ = 1 << 20
_HEAD = b"\x12\x34\0\0\0\x01\0\0"
_AXFR, _IXFR = b"\0\xfc\0\x01", b"\0\xfb\0\x01"
# Owner, type, class, TTL and length, two root names; the serial, and four numbers that nobody reads, follow.
_SOA = b"\xc0\x0c\0\x06\0\x01\0\0\0\0\0\x16\0\0"
CANNOT = ("yadifa",)


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
    help = "what it costs to send a zone of a million records (AXFR), and 1,000 changes of it (IXFR)"
    measurement = Sent
    case_shapes = ("1 zone of * records (AXFR)", "* changes in 1 zone of * records (IXFR)")
    name_shapes = ("Sending {case}", "Sending {case}, CPU s")

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """The size."""
        parser.add_argument("--records", type=int, default=1_000_000, help="of the zone")

    def run(self, options: argparse.Namespace) -> list[Sent]:
        """One server after the other sends the zone, then takes new versions and sends what they change."""
        workload = workloads.one_big_zone(options.directory / "big", options.records)
        first, made = original(workload), versions(workload, some_records, options.rounds)
        found = []
        for kind in senders.installed(options.only):
            take(workload, first)
            server = kind(workload.zones, options.directory / f"send-{kind.name}")
            with server:
                loading.wait_for_last(server, workload)
                for number in range(options.rounds):
                    print(f"sending {workload.name}: {kind.name}, round {number + 1}", file=sys.stderr)
                    found.append(_whole(server, workload))
                if kind.name not in CANNOT:
                    found += _all_differences(server, workload, made)
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
    for case, of_case in cases(sent).items():
        counts = {one.records: one.server for one in of_case}
        if len(counts) > 1:
            message = f"{case}: not all have sent the same: {counts}"
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
                told(spent, "{:.3f}"),
                ratio(median(spent), median(yardstick) if yardstick else None),
                told([one.seconds for one in own], "{:.3f}"),
                f"{own[0].messages}",
                f"{own[0].octets / 2**20:.2f}",
            ]
        )
    head = ["server", "CPU s", f"to {YARDSTICK}", "s", "messages", "MiB"]
    return Table(f"Sending {case}", head, rows)


def _whole(server: DaemonNameserver, workload: Workload) -> Sent:
    query = _HEAD + b"\0\0\0\0" + _name(workload) + _AXFR
    return _transfer(server, f"{workload.name} (AXFR)", query, RECORDS_OF_HEAD)


def _all_differences(server: DaemonNameserver, workload: Workload, made: Sequence[Version]) -> list[Sent]:
    """A transfer after each new version; none of a server that has no differences to send."""
    found = []
    for number, version in enumerate(made, 1):
        print(f"sending changes of {workload.name}: {server.name}, round {number}", file=sys.stderr)
        take(workload, version)
        tell(server)
        try:
            wait_for(server, version.check)
            found.append(_differences(server, workload, serial=number))
        except NameserverError as error:
            print(f"bench: {error}", file=sys.stderr)
            return []
    return found


def _differences(server: DaemonNameserver, workload: Workload, serial: int) -> Sent:
    """What this version differs by from the one of `serial`, which was the newest before."""
    authority = _SOA + serial.to_bytes(4) + bytes(16)
    query = _HEAD + b"\0\x01\0\0" + _name(workload) + _IXFR + authority
    # Each change takes a record away and adds one; so does that of the host by which the version is known.
    wanted = 2 * (SOME + 1) + 4
    sent = _transfer(server, f"{SOME:,} changes in {workload.name} (IXFR)", query, wanted)
    if sent.records != wanted:
        message = f"{server.name} sent {sent.records} records for the {wanted} of the differences"
        raise NameserverError(message)
    return sent


def _name(workload: Workload) -> bytes:
    labels = workload.apexes[0].rstrip(".").split(".")
    return b"".join(len(label).to_bytes() + label.encode() for label in labels) + b"\0"


def _transfer(server: DaemonNameserver, case: str, query: bytes, least: int) -> Sent:
    before = processor(server.process_ids())
    started = time.monotonic()
    try:
        with socket.create_connection(server.address, PATIENCE) as connection:
            connection.sendall(len(query).to_bytes(2) + query)
            messages, octets, records = _receive(connection, server, least)
    except TimeoutError:
        message = f"{server.name} did not come to an end: {case}{server.log_tail()}"
        raise NameserverError(message) from None
    seconds = time.monotonic() - started
    spent = (processor(server.process_ids()) - before).total
    if records < least:
        message = f"{server.name} sent no zone{server.log_tail()}"
        raise NameserverError(message)
    return Sent(case, server.name, seconds, spent, messages, octets, records)


def _receive(connection: socket.socket, server: DaemonNameserver, least: int) -> tuple[int, int, int]:
    """Messages, octets and records, up to the message that ends with the SOA it all began with.

    Fewer than `least` records are no end: within differences that SOA comes, too.
    """
    messages = octets = records = 0
    soa = b""
    for wire in _messages(connection):
        messages, octets = messages + 1, octets + len(wire)
        records += int.from_bytes(wire[6:8])
        soa = soa or _soa_tail(wire)
        if not soa or (wire.endswith(soa) and records >= least):
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
