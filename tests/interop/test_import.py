"""`oakroot import` from real servers: what was imported answers as the source does, record by record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rrset
import pytest

from tests.cli.operator_repository import OperatorRepository
from tests.peers.commands import Primary, oakroot
from tests.peers.git_servers import wait_until
from tests.peers.nameservers import PEERS, Bind, DaemonNameserver, Nameserver, ZoneFile

KEY = 'key "laptop" { algorithm hmac-sha256; secret "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="; };\n'
ZONE = """\
; by hand
$TTL 1h
@       SOA   ns1 hostmaster 7 1d 2h 2w 15m
        NS    ns1
        NS    ns.example.net.
        MX    10 mail
        TXT   "v=spf1 -all" "second string"
        CAA   0 issue "ca.example.net"
ns1     A     192.0.2.53
mail    A     192.0.2.25
ftp     CNAME www
*.deep  A     192.0.2.9
sub     NS    ns.sub
ns.sub  A     192.0.2.99
_sip._tcp SRV 0 5 5060 mail
"""
DUMPS = {"example.org": "example.org.", "example.net": "example.net.zone"}
REVERSE = """\
$TTL 1h
@   SOA ns1.example.org. hostmaster.example.org. 7 1d 2h 2w 1h
    NS  ns1.example.org.
1   PTR www.example.org.
53  PTR ns1.example.org.
"""


class OpenBind(Bind):
    """BIND that transfers to everybody, and has a key for updates of one zone."""

    def configuration(self, port: int) -> str:
        """As an operator would have it: a key, and a zone that lists what it may do."""
        text = super().configuration(port).replace("allow-transfer { none; };", "allow-transfer { any; };")
        return KEY + text.replace(
            'zone "example.org." { type primary;',
            'zone "example.org." { type primary; allow-update { key "laptop"; };',
        )


@pytest.fixture
def zones(tmp_path: Path) -> tuple[ZoneFile, ...]:
    """Zones as files in a server's folder; one includes a part."""
    folder = tmp_path / "served"
    (folder / "parts").mkdir(parents=True)
    (folder / "parts" / "web").write_text("www 300 A 192.0.2.80\n    AAAA 2001:db8::80\n")
    (folder / "db.example.org").write_text(ZONE + "$INCLUDE parts/web\n")
    (folder / "reverse").write_text(REVERSE)
    (folder / "small").write_text(ZONE)
    files = {"example.org.": "db.example.org", "2.0.192.in-addr.arpa.": "reverse", "small.example.": "small"}
    return tuple(ZoneFile(apex, folder / name) for apex, name in files.items())


def start(server: type[DaemonNameserver], zones: tuple[ZoneFile, ...]) -> DaemonNameserver:
    # The servers look for included files in different places; their folder and that of the files are one.
    return server(zones, zones[0].path.parent)


def questions(apex: str) -> Iterator[dns.message.QueryMessage]:
    for name in ("@", "www", "ftp", "nothing", "_sip._tcp", "a.b.deep", "x.sub", "deep", "53"):
        owner = dns.name.from_text(name, dns.name.from_text(apex))
        for rtype in ("SOA", "NS", "A", "AAAA", "MX", "TXT", "CNAME", "PTR", "SRV", "CAA"):
            yield dns.message.make_query(owner, rtype)


def answers(address: tuple[str, int], apex: str) -> list[tuple[str, int, bool, list[bytes]]]:
    """Of each question: response code, AA, and the records that matter, in canonical wire form."""
    found: list[tuple[str, int, bool, list[bytes]]] = []
    host, port = address
    for question in questions(apex):
        response = dns.query.udp(question, host, port=port, timeout=5)
        # What goes with a positive answer is left to the server (RFC 1034 §4.3.2).
        sections = response.answer or response.authority
        asked = question.question[0].to_text()
        records = sorted(map(_canonical, sections))
        found.append((asked, response.rcode(), bool(response.flags & dns.flags.AA), records))
    return found


def _canonical(rrset: dns.rrset.RRset) -> bytes:
    records = sorted(rdata.to_digestable() for rdata in rrset)
    head = f"{rrset.name.canonicalize()} {rrset.ttl} {rrset.rdtype} ".encode()
    return head + b" ".join(records)


def assert_answers_alike(source: Nameserver, folder: Path, scratch: Path) -> None:
    """Serves an imported repository, and asks both about all zones."""
    repository = OperatorRepository(folder)
    repository.git("config", "core.hooksPath", "/dev/null")
    repository.commit("Move in", {})
    host, port = source.address
    with Primary(["--remote", folder], scratch) as primary:
        primary.said(f"zones served: {len(source.zones)}")
        for zone in source.zones:
            wait_until(f"{zone.apex} to be served", partial(is_served, source, zone.apex))
            ours = answers((host, primary.port), zone.apex)
            assert answers((host, port), zone.apex) == ours, zone.apex


def is_served(source: Nameserver, apex: str) -> bool:
    host, port = source.address
    return dns.query.udp(dns.message.make_query(apex, "SOA"), host, port=port, timeout=5).rcode() == 0


@pytest.mark.proves(
    "imports", "BIND", "three zones of a running server, with includes, answer alike, record by record"
)
@pytest.mark.proves(
    "imports", "Knot DNS", "three zones of a running server, with includes, answer alike, record by record"
)
@pytest.mark.proves(
    "imports", "NSD", "three zones of a running server, with includes, answer alike, record by record"
)
@pytest.mark.parametrize("server", PEERS, ids=lambda peer: peer.name)
def test_imported_zones_answer_as_the_source_does(
    server: type[DaemonNameserver],
    zones: tuple[ZoneFile, ...],
    tmp_path: Path,
    require: Callable[[str], str],
) -> None:
    require(server.program)
    with start(server, zones) as source:
        configuration = source.directory / f"{server.name}.conf"
        done = oakroot("import", server.name, configuration, "--out", tmp_path / "new")
        assert done.code == 0, done.errors
        assert_answers_alike(source, tmp_path / "new", tmp_path / "log")


@pytest.mark.proves(
    "imports", "any server, by AXFR", "zones of a running BIND answer alike, record by record"
)
def test_zones_taken_by_transfer_answer_as_the_source_does(
    zones: tuple[ZoneFile, ...], tmp_path: Path, require: Callable[[str], str]
) -> None:
    require("named")
    with start(OpenBind, zones) as source:
        host, port = source.address
        apexes = [zone.apex for zone in source.zones]
        done = oakroot("import", "axfr", f"{host}:{port}", *apexes, "--out", tmp_path / "new")
        assert done.code == 0, done.errors
        planned = oakroot("plan", tmp_path / "new", "--against", f"{host}:{port}")
        assert (planned.code, planned.output) == (0, "no changes\n"), planned.errors
        assert_answers_alike(source, tmp_path / "new", tmp_path / "log")


@pytest.mark.proves("imports", "any server, by AXFR", "a refusal is told and leaves nothing")
def test_a_transfer_that_is_refused_leaves_nothing(
    zones: tuple[ZoneFile, ...], tmp_path: Path, require: Callable[[str], str]
) -> None:
    require("named")
    with start(Bind, zones[:1]) as source:
        host, port = source.address
        done = oakroot("import", "axfr", f"{host}:{port}", zones[0].apex, "--out", tmp_path / "new")
    assert done.code == 1
    assert "REFUSED" in done.errors
    assert "must allow transfers" in done.errors
    assert not (tmp_path / "new").exists()


class PowerDnsWithFiles(DaemonNameserver):
    """PowerDNS with the bind backend, whose zones are files."""

    name = "pdns"
    program = "pdns_server"

    def configuration(self, port: int) -> str:
        """The text of pdns.conf; beside it lies the named.conf that it names."""
        zones = [f'zone "{zone.apex}" {{ type native; file "{zone.path}"; }};\n' for zone in self.zones]
        named = KEY + f'options {{ directory "{self.directory}"; }};\n' + "".join(zones)
        (self.directory / "named.conf").write_text(named)
        return f"""
launch=bind
bind-config={self.directory}/named.conf
local-address=127.0.0.1
local-port={port}
socket-dir={self.directory}
daemon=no
guardian=no
security-poll-suffix=
"""

    def arguments(self, configuration_file: Path) -> tuple[str, ...]:
        """It looks for pdns.conf in the directory."""
        return (f"--config-dir={configuration_file.parent}",)


@pytest.mark.proves(
    "imports",
    "PowerDNS, bind backend",
    "three zones of a running server, with includes, answer alike, record by record",
)
def test_zones_of_powerdns_answer_as_the_source_does(
    zones: tuple[ZoneFile, ...], tmp_path: Path, require: Callable[[str], str]
) -> None:
    require(PowerDnsWithFiles.program)
    with start(PowerDnsWithFiles, zones) as source:
        done = oakroot("import", "powerdns", source.directory / "pdns.conf", "--out", tmp_path / "new")
        assert done.code == 0, done.errors
        assert "keys that no zone grants anything are left behind: laptop" in done.errors
        assert_answers_alike(source, tmp_path / "new", tmp_path / "log")


@pytest.mark.proves(
    "imports",
    "zone files, as OctoDNS and DNSControl write them",
    "dumps of both answer as BIND does with them, record by record",
)
def test_dumps_of_octodns_and_dnscontrol_answer_as_bind_does_with_them(
    project_root: Path, tmp_path: Path, require: Callable[[str], str]
) -> None:
    """The dump of OctoDNS was made by its ZoneFileProvider, that of DNSControl is written as it writes."""
    require("named")
    dumps = project_root / "tests/importing/dumps"
    served = tmp_path / "served"
    served.mkdir()
    files = tuple(ZoneFile(f"{zone}.", dumps / name) for zone, name in DUMPS.items())
    with Bind(files, served) as source:
        done = oakroot("import", "files", dumps, "--out", tmp_path / "new")
        assert done.code == 0, done.errors
        assert_answers_alike(source, tmp_path / "new", tmp_path / "log")
