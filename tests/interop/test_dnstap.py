"""dnstap as others read it: fstrm_capture collects, dnstap-read and Go's dnstap print what was asked."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.message
import dns.query
import dns.update
import pytest

from oakroot.keys.dnskey import write_dnskey
from tests.peers.commands import Primary
from tests.peers.git_servers import PATIENCE, BareRepository, wait_until
from tests.peers.ports import free_port
from tests.protocol.keys import make_key
from tests.zones.repositories import zone_text

KEY = make_key("personal._update.mirage.")
LINE = re.compile(
    r"\S+ \S+ (?P<kind>A|U)(?P<side>[QR]) \S+:(?P<port>\d+) .. \S+:\d+ (?P<by>\w+) \d+b (?P<what>\S+)"
)
ASKED = [
    ("AQ", "UDP", "mirage/IN/SOA"),
    ("AR", "UDP", "mirage/IN/SOA"),
    ("AQ", "TCP", "nothing.mirage/IN/AAAA"),
    ("AR", "TCP", "nothing.mirage/IN/AAAA"),
    ("UQ", "UDP", "mirage/IN/SOA"),
    ("UR", "UDP", "mirage/IN/SOA"),
]


@pytest.fixture
def repository(tmp_path: Path) -> BareRepository:
    repository = BareRepository(tmp_path / "zones.git")
    key = f"{write_dnskey(KEY)}\n".encode()
    repository.commit({"mirage": zone_text(1), "mirage._keys": key})
    return repository


@contextmanager
def capturing(program: str, place: list[str], socket: Callable[[], bool], file: Path) -> Iterator[None]:
    """fstrm_capture, whose file is whole when the block has ended."""
    command = [program, "-t", "protobuf:dnstap.Dnstap", *place, "-w", str(file)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until("fstrm_capture to listen", socket)
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)


def ask(primary: Primary) -> None:
    """A query over UDP, one over TCP, and an update."""
    primary.said("zones served: 1")
    server, port = "127.0.0.1", primary.port
    dns.query.udp(dns.message.make_query("mirage.", "SOA"), server, PATIENCE, port)
    dns.query.tcp(dns.message.make_query("nothing.mirage.", "AAAA"), server, PATIENCE, port)
    update = dns.update.UpdateMessage("mirage.")
    update.add("new", 60, "A", "192.0.2.9")
    update.use_tsig(KEY.for_dnspython())
    assert dns.query.udp(update, server, PATIENCE, port).rcode() == 0


def shown(reader: str, file: Path) -> list[tuple[str, str, str]]:
    """(what it is, transport, question) of each message."""
    printed = subprocess.run(
        [reader, str(file)], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    return [
        (found["kind"] + found["side"], found["by"], found["what"]) for found in LINE.finditer(printed.stdout)
    ]


def test_a_collector_at_a_unix_socket(
    tmp_path: Path, repository: BareRepository, require: Callable[[str], str]
) -> None:
    socket, file = tmp_path / "tap.sock", tmp_path / "captured"
    with capturing(require("fstrm_capture"), ["-u", str(socket)], socket.exists, file):
        with Primary(
            ["--remote", str(repository.path), "--dnstap", f"unix:{socket}"], tmp_path / "log"
        ) as primary:
            ask(primary)
        assert "cannot be written to" not in primary.log
    assert sorted(shown(require("dnstap-read"), file)) == sorted(ASKED)


def test_a_collector_by_tcp(
    tmp_path: Path, repository: BareRepository, require: Callable[[str], str]
) -> None:
    port, file = free_port(), tmp_path / "captured"
    place = ["-a", "127.0.0.1", "-p", str(port)]
    with capturing(require("fstrm_capture"), place, file.exists, file):
        arguments = ["--remote", str(repository.path), "--dnstap", f"tcp:127.0.0.1:{port}"]
        with Primary([*arguments, "--dnstap-messages", "responses"], tmp_path / "log") as primary:
            ask(primary)
    responses = [message for message in ASKED if message[0].endswith("R")]
    assert sorted(shown(require("dnstap-read"), file)) == sorted(responses)


def test_files_that_sighup_begins_anew(
    tmp_path: Path, repository: BareRepository, require: Callable[[str], str]
) -> None:
    file, rotated = tmp_path / "tap", tmp_path / "tap.1"
    with Primary(["--remote", str(repository.path), "--dnstap", f"file:{file}"], tmp_path / "log") as primary:
        ask(primary)
        wait_until("frames", lambda: b"\3new" in file.read_bytes())
        file.rename(rotated)
        primary.hang_up()
        wait_until("a new file", file.exists)
        ask_again = dns.message.make_query("again.mirage.", "TXT")
        dns.query.udp(ask_again, "127.0.0.1", port=primary.port, timeout=PATIENCE)
    reader = require("dnstap-read")
    assert ("AQ", "UDP", "again.mirage/IN/TXT") in shown(reader, file)
    assert len(shown(reader, rotated)) + len(shown(reader, file)) == len(ASKED) + 2


def test_the_program_of_dnstap_itself_reads_all_of_it(
    tmp_path: Path, repository: BareRepository, require: Callable[[str], str]
) -> None:
    file, reader = tmp_path / "tap", require("dnstap")
    arguments = [
        "--remote",
        str(repository.path),
        "--dnstap",
        f"file:{file}",
        "--identity",
        "ns1.example.org",
    ]
    with Primary(arguments, tmp_path / "log") as primary:
        ask(primary)
    printed = subprocess.run(
        [reader, "-j", "-r", file], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    frames = [json.loads(line) for line in printed.stdout.splitlines()]
    assert {frame["identity"] for frame in frames} == {"ns1.example.org"}
    assert {frame["version"] for frame in frames} == {"Oakroot 0.1.0"}
    kinds = [frame["message"]["type"] for frame in frames]
    assert sorted(kinds) == sorted(["AUTH_QUERY", "AUTH_RESPONSE"] * 2 + ["UPDATE_QUERY", "UPDATE_RESPONSE"])
    updates = [frame["message"] for frame in frames if frame["message"]["type"].startswith("UPDATE")]
    assert {message["query_zone"] for message in updates} == {"mirage."}
