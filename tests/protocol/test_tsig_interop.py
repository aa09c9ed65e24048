"""TSIG as others understand it: dig, kdig, nsupdate and knsupdate; BIND, Knot DNS and NSD."""

from __future__ import annotations

import re
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator

import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import pytest

from oakroot.keys.key import Algorithm, Key
from oakroot.keys.snippets import write_for
from oakroot.protocol.notify import build_notify
from oakroot.protocol.tsig import Unsigned, Verified
from oakroot.protocol.tsig_client import Authentic, SignatureRefused, sign_request, verify_reply
from oakroot.protocol.wire import Section, read_layout
from tests.peers.nameservers import Bind, DaemonNameserver, Knot, Nsd, ZoneFile
from tests.protocol.keys import keyring, make_key, name
from tests.protocol.signed_server import Behaviour, SignedServer

KEY = make_key()
STRANGER = make_key("stranger._update.example.org.")
LIAR = make_key(secret=b"another secret of the same sizes")
HONEST = Behaviour()

Require = Callable[[str], str]


def notation(key: Key) -> str:
    return f"{key.algorithm.text}:{key.name}:{key.secret.base64()}"


def run(*command: str, script: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=script, capture_output=True, check=False, text=True, timeout=30)


def dig(require: Require, server: SignedServer, key: Key, *words: str) -> str:
    """What dig prints; it complains on standard output."""
    port = str(server.address[1])
    words = words or ("www.example.org", "A")
    command = [require("dig"), "@127.0.0.1", "-p", port, "-y", notation(key), "+tries=1", "+time=10", *words]
    return run(*command).stdout


def kdig(require: Require, server: SignedServer, key: Key, *words: str) -> str:
    """What kdig prints; it complains on standard error."""
    port = str(server.address[1])
    words = words or ("www.example.org", "A")
    command = [require("kdig"), "@127.0.0.1", "-p", port, "-y", notation(key), "+retry=0", "+time=10", *words]
    ended = run(*command)
    return ended.stdout + ended.stderr


def update_script(server: SignedServer) -> str:
    add = "update add host.example.org 60 A 192.0.2.7"
    return f"server 127.0.0.1 {server.address[1]}\nzone example.org\n{add}\nsend\n"


@pytest.fixture(params=[HONEST], ids=["honest"])
def server(request: pytest.FixtureRequest) -> Iterator[SignedServer]:
    known = [make_key(f"k{each.value}._update.example.org.", each) for each in Algorithm]
    with SignedServer(keyring(KEY, *known), request.param) as started:
        yield started


def behaving(behaviour: Behaviour, label: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("server", [behaviour], indirect=True, ids=[label])


@pytest.mark.parametrize("algorithm", Algorithm)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_dig_and_kdig_believe_a_signed_answer(
    algorithm: Algorithm, transport: str, server: SignedServer, require: Require
) -> None:
    key = make_key(f"k{algorithm.value}._update.example.org.", algorithm)
    option = "+tcp" if transport == "tcp" else "+notcp"
    for told in (
        dig(require, server, key, option, "www.example.org", "A"),
        kdig(require, server, key, option, "www.example.org", "A"),
    ):
        assert "192.0.2.1" in told
        assert "NOERROR" in told
        assert "verif" not in told
        assert "validated" not in told
    verdicts = server.verdicts
    assert [isinstance(verdict, Verified) and verdict.signer.key == key for verdict in verdicts] == [True] * 2


def test_dig_and_kdig_believe_every_message_of_a_transfer(server: SignedServer, require: Require) -> None:
    told = dig(require, server, KEY, "example.org", "AXFR")
    assert "XFR size: 6 records (messages 4" in told
    assert "verif" not in told
    told = kdig(require, server, KEY, "example.org", "AXFR")
    assert "(4 messages, 6 records)" in told
    assert "verif" not in told


def test_nsupdate_and_knsupdate_believe_a_signed_reply(server: SignedServer, require: Require) -> None:
    for tool in ("nsupdate", "knsupdate"):
        ended = run(require(tool), "-y", notation(KEY), script=update_script(server))
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert all(isinstance(verdict, Verified) for verdict in server.verdicts)


def test_host_is_answered_as_before_since_it_does_not_sign(server: SignedServer, require: Require) -> None:
    told = run(
        require("host"), "-t", "A", "-p", str(server.address[1]), "www.example.org", "127.0.0.1"
    ).stdout
    assert "www.example.org has address 192.0.2.1" in told
    assert server.verdicts == [Unsigned()]


def test_digs_notify_is_acknowledged(server: SignedServer, require: Require) -> None:
    told = dig(require, server, KEY, "+opcode=notify", "example.org", "SOA")
    assert "opcode: NOTIFY, status: NOERROR" in told
    assert "verif" not in told


def test_digs_unsigned_notify_is_refused_with_the_rule(server: SignedServer, require: Require) -> None:
    command = ["@127.0.0.1", "-p", str(server.address[1]), "+opcode=notify", "example.org", "SOA"]
    told = run(require("dig"), *command).stdout
    assert "status: REFUSED" in told
    assert "EDE: 18 (Prohibited): (a NOTIFY must be signed" in told
    assert server.verdicts == [Unsigned()]


@pytest.mark.parametrize(("key", "error"), [(STRANGER, "BADKEY"), (LIAR, "BADSIG")])
def test_a_wrong_key_is_told_by_its_error(
    key: Key, error: str, server: SignedServer, require: Require
) -> None:
    told = dig(require, server, key)
    assert "status: NOTAUTH" in told
    assert f" {error} 0" in told
    assert "EDE: 0 (Other): " in told
    assert f"status: {error}" in kdig(require, server, key)
    assert (
        f"NOTAUTH({error})"
        in run(require("nsupdate"), "-y", notation(key), script=update_script(server)).stderr
    )


@behaving(Behaviour(clock_error=5000), "clock ahead")
def test_a_wrong_clock_is_told_in_a_signed_reply(server: SignedServer, require: Require) -> None:
    told = dig(require, server, KEY)
    assert "status: NOTAUTH" in told
    assert " BADTIME 6 " in told
    # dig says this only of a reply whose MAC it found right.
    assert "clocks are unsynchronized" in told
    # A second may pass on the way.
    assert re.search("500[01] s behind ours", told)
    told = kdig(require, server, KEY)
    assert "status: BADTIME" in told
    assert "TSIG out of time window" in told


@behaving(Behaviour(spoils_replies=True), "spoilt")
def test_the_tools_would_notice_a_wrong_signature(server: SignedServer, require: Require) -> None:
    assert "tsig verify failure" in dig(require, server, KEY)
    assert "failed to verify TSIG" in kdig(require, server, KEY)


class SignedBind(Bind):
    """BIND that gives transfers to who has the key."""

    def configuration(self, port: int) -> str:
        transfers = f'type primary; allow-transfer {{ key "{KEY.name}"; }};'
        return write_for("bind", KEY) + super().configuration(port).replace("type primary;", transfers)


class SignedKnot(Knot):
    """Knot DNS that gives transfers to who has the key."""

    def configuration(self, port: int) -> str:
        rule = f"acl:\n  - id: signed\n    key: {KEY.name}\n    action: [transfer, notify]\n"
        return write_for("knot", KEY) + rule + super().configuration(port) + "    acl: signed\n"


class SignedNsd(Nsd):
    """NSD that gives transfers to who has the key."""

    def configuration(self, port: int) -> str:
        key_name = KEY.name.to_text(omit_final_dot=True)
        return (
            write_for("nsd", KEY) + super().configuration(port) + f"    provide-xfr: 127.0.0.1 {key_name}\n"
        )


PROGRAMS: dict[str, type[DaemonNameserver]] = {"named": SignedBind, "knotd": SignedKnot, "nsd": SignedNsd}
RECORDS = 30_000
APEX = "@ SOA ns hostmaster 1 7200 600 1209600 3600\n@ NS ns\nns A 192.0.2.1\n"


@pytest.fixture(scope="module", params=PROGRAMS)
def nameserver(
    request: pytest.FixtureRequest, require: Require, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DaemonNameserver]:
    """A server of others with a zone large enough for a transfer of many messages."""
    require(request.param)
    directory = tmp_path_factory.mktemp(request.param)
    zone = ZoneFile("example.org.", directory / "zone")
    hosts = "".join(f"host{number} TXT {'x' * 60}\n" for number in range(RECORDS))
    zone.path.write_text(f"$ORIGIN example.org.\n$TTL 60\n{APEX}{hosts}")
    with PROGRAMS[request.param]([zone], directory / "run") as started:
        yield started


def ask(server: DaemonNameserver, wire: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(20)
        udp.sendto(wire, server.address)
        return udp.recv(65535)


def test_a_signed_query_is_answered_by_others_and_believed(nameserver: DaemonNameserver) -> None:
    now = int(time.time())
    query = dns.message.make_query("example.org.", "SOA")
    wire, expected = sign_request(query.to_wire(), KEY, now)
    verdict = verify_reply(ask(nameserver, wire), expected, now)
    assert isinstance(verdict, Authentic)
    reply = dns.message.from_wire(verdict.message)
    assert (reply.rcode(), len(reply.answer)) == (dns.rcode.NOERROR, 1)


@pytest.mark.parametrize(("key", "error"), [(STRANGER, "BADKEY"), (LIAR, "BADSIG")])
def test_the_refusal_of_others_is_read(key: Key, error: str, nameserver: DaemonNameserver) -> None:
    now = int(time.time())
    wire, expected = sign_request(dns.message.make_query("example.org.", "SOA").to_wire(), key, now)
    verdict = verify_reply(ask(nameserver, wire), expected, now)
    assert isinstance(verdict, SignatureRefused)
    assert verdict.error_text == error


def test_the_badtime_of_others_is_read(nameserver: DaemonNameserver) -> None:
    now = int(time.time()) - 5000
    wire, expected = sign_request(dns.message.make_query("example.org.", "SOA").to_wire(), KEY, now)
    verdict = verify_reply(ask(nameserver, wire), expected, now)
    assert isinstance(verdict, SignatureRefused)
    # NSD 4.6 leaves BADTIME unsigned, against RFC 8945 §5.2.3.
    assert (verdict.error_text, verdict.authentic) == ("BADTIME", nameserver.name != "nsd")
    assert verdict.server_time is not None
    assert 4990 <= verdict.server_time - now <= 5060


def test_a_transfer_of_many_messages_from_others_is_believed(nameserver: DaemonNameserver) -> None:
    now = int(time.time())
    query = dns.message.make_query("example.org.", "AXFR")
    wire, expected = sign_request(query.to_wire(), KEY, now)
    messages = records = starts = 0
    with (
        socket.create_connection(nameserver.address, timeout=20) as tcp,
        tcp.makefile("rb") as stream,
    ):
        tcp.sendall(struct.pack("!H", len(wire)) + wire)
        while starts < 2:
            message = stream.read(int.from_bytes(stream.read(2)))
            verdict = verify_reply(message, expected, now)
            assert isinstance(verdict, Authentic), f"message {messages}"
            expected = verdict.following
            layout = read_layout(verdict.message)
            messages += 1
            records += layout.header.record_counts[0]
            starts += len(layout.of_type(dns.rdatatype.SOA, Section.ANSWER))
    assert expected.is_settled
    assert messages > 10
    assert records == RECORDS + 4


def test_our_notify_is_understood_by_others(nameserver: DaemonNameserver) -> None:
    now = int(time.time())
    wire, expected = sign_request(build_notify(name("example.org."), 77), KEY, now)
    verdict = verify_reply(ask(nameserver, wire), expected, now)
    assert isinstance(verdict, Authentic)
    # None of these is a secondary of the zone, and each says so in words of its own.
    reply = dns.message.from_wire(verdict.message)
    assert (reply.opcode(), reply.id) == (dns.opcode.NOTIFY, 77)
    assert reply.rcode() != dns.rcode.FORMERR
