"""OctoDNS's YAML: the same records as OctoDNS itself reads of it, and what cannot come along is told."""

from __future__ import annotations

from pathlib import Path

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from octodns.provider.yaml import YamlProvider  # type: ignore[import-untyped] # it has no types
from octodns.zone import Zone  # type: ignore[import-untyped] # the same

from oakroot._engine import read_zone
from oakroot.importing.octodns import read_octodns
from tests.importing.sources import reading, told
from tests.peers.commands import oakroot

APEX = "example.org."
DIGEST = "0d6fce3320315023ff499a3f3de1362c88f8380311ac8c036890dab13243aed6"
YAML = (
    r"""
---
? ''
: - octodns:
      lenient: true
    type: A
    values: [192.0.2.1, 192.0.2.2]
  - ttl: 600
    type: AAAA
    value: 2001:db8::1
  - type: CAA
    values:
      - {flags: 0, tag: issue, value: ca.example}
      - {flags: 0, tag: iodef, value: 'mailto:a@example.org'}
  - type: MX
    values:
      - {preference: 10, exchange: mail.example.org.}
      - {preference: 20, exchange: mail.example.net.}
  - type: NS
    values: [ns1.example.org., ns2.example.net.]
  - type: TXT
    values:
      - v=spf1 -all
      - v=DKIM1\; k=rsa\; p=LONG
      - with "quotes" in it
10:
  type: PTR
  value: host.example.net.
'*':
  type: CNAME
  value: www.example.org.
_25._tcp.mail:
  type: TLSA
  value:
    certificate_usage: 3
    selector: 1
    matching_type: 1
    certificate_association_data: DIGEST
_sip._tcp:
  type: SRV
  values:
    - {priority: 0, weight: 5, port: 5060, target: sip.example.net.}
https:
  type: HTTPS
  value: {svcpriority: 1, targetname: ., svcparams: {alpn: [h2, h3], ipv4hint: [192.0.2.1]}}
host:
  type: SSHFP
  value: {algorithm: 4, fingerprint_type: 2, fingerprint: DIGEST}
naptr:
  type: NAPTR
  value:
    {order: 10, preference: 100, flags: S, service: SIP+D2U, regexp: '!^.*$!sip:a@example!', replacement: .}
ns1:
  type: A
  value: 192.0.2.53
sub:
  - type: NS
    value: ns.example.net.
  - type: DS
    value: {key_tag: 1, algorithm: 13, digest_type: 2, digest: DIGEST}
www:
  ttl: 60
  type: A
  value: 192.0.2.80
""".replace("LONG", "x" * 300)
    .replace("DIGEST", DIGEST)
    .replace("\\\\;", "\\;")
)

Rows = set[tuple[str, int, str, bytes]]


def as_row(owner: str, ttl: int, rtype: str, rdata: str) -> tuple[str, int, str, bytes]:
    parsed = dns.rdata.from_text(dns.rdataclass.IN, rtype, rdata, dns.name.from_text(APEX), relativize=False)
    return owner.lower(), ttl, rtype, parsed.to_digestable()


def of_octodns(folder: Path) -> Rows:
    """What OctoDNS itself makes of it."""
    zone = Zone(APEX, [])
    provider = YamlProvider("yaml", str(folder), enforce_order=False, escaped_semicolons=True)
    provider.populate(zone, lenient=True)
    rrsets = [(record._type, record.to_rrset()) for record in zone.records]  # noqa: SLF001 - it has no other name
    return {as_row(each.name, each.ttl, kind, rdata) for kind, each in rrsets for rdata in each.rdatas}


def of_import(text: str, *nameservers: str) -> tuple[Rows, list[str]]:
    """What import makes of it, the SOA aside; and its notes."""
    setup, texts = read_octodns("y", ["example.org.yaml"], reading({"y/example.org.yaml": text}), nameservers)
    rows: Rows = set()
    for file in texts.values():
        zone, _ = read_zone(file, APEX, "zone")
        if zone is not None:
            rows |= {as_row(*record) for record in zone.records() if record[2] != "SOA"}
    return rows, told(setup)


@pytest.mark.proves("imports", "OctoDNS, YAML", "the same records as OctoDNS itself reads, of each type")
def test_the_records_are_those_that_octodns_reads(tmp_path: Path) -> None:
    (tmp_path / "example.org.yaml").write_text(YAML)
    expected = of_octodns(tmp_path)
    assert len(expected) > 20
    found, notes = of_import(YAML)
    assert found == expected
    (note,) = notes
    assert "example.org. gets a SOA with serial 1" in note


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            "{type: ALIAS, value: a.example.}",
            "ALIAS at w of example.org. is left out: it is no record",
        ),
        ("{type: A, value: 192.0.2.1, octodns: {ignored: true}}", "OctoDNS ignores it, too"),
        ("{type: A, value: 192.0.2.1, octodns: {excluded: [route53]}}", "everybody is answered it"),
        ("{type: A, value: 192.0.2.1, dynamic: {pools: {}}}", "dynamic is left behind"),
        ("{type: CNAME, value: www}", "www has no final dot"),
        ("{type: A, value: 192.0.2.256}", "is left out: w.example.org. 3600 A 192.0.2.256: "),
        ("{type: A}", "None is no value"),
        ("{type: MX, value: {exchange: a.}}", "it has no preference"),
        ("{type: TXT, value: 1}", "1 is no text: put it in quotes"),
        ("{type: LOC, value: {}}", "records of type LOC are not read from YAML"),
        ("{value: 192.0.2.1}", "it has no type"),
        ("{type: A, ttl: 1h, value: 192.0.2.1}", "'1h' is no TTL"),
        ("nonsense", "it has no type"),
        ("{type: A, value: 192.0.2.1, octodns: [1]}", "octodns: [1] has no settings by their names"),
        (
            "{type: SVCB, value: {svcpriority: 1, targetname: ., svcparams: [1]}}",
            "svcparams: [1] has no values by their keys",
        ),
        (
            r'{type: SVCB, value: {svcpriority: 1, targetname: ., svcparams: {"port=1\ne A 1.2.3.4 ;": 1}}}',
            "is no value",
        ),
    ],
)
def test_what_does_not_come_along_is_told(entry: str, expected: str) -> None:
    _, notes = of_import(f"w: {entry}\n", "ns.example.net.")
    assert any(expected in note for note in notes), notes


@pytest.mark.parametrize(
    "text",
    [
        "a: &x {ttl: 60, type: A, value: 192.0.2.1}\nb: {<<: *x, ttl: 5}\nc: {<<: *x}\n",
        "a: &x {ttl: 9, type: A, value: 192.0.2.1}\nb: {<<: [*x, {value: 192.0.2.2}]}\nc: {ttl: 5, <<: *x}\n",
        "a: {<<: &x {<<: &y {ttl: 60, type: A}, ttl: 5}, value: 192.0.2.1}\nb: {<<: *x, value: 192.0.2.3}\n",
        *(
            f"w: {{type: TXT, value: '{value}'}}\n"
            for value in ("end\\", r"a\065b", r"c:\dir", r"a\; \"b\"", "é")
        ),
    ],
)
def test_merges_and_backslashes_are_read_as_octodns_reads_them(tmp_path: Path, text: str) -> None:
    (tmp_path / "example.org.yaml").write_text(text)
    found, _ = of_import(text, "ns.example.net.")
    assert {row for row in found if row[2] != "NS"} == of_octodns(tmp_path)


def test_a_lenient_record_may_lack_final_dots() -> None:
    rows, _ = of_import("w: {type: CNAME, value: a.example, octodns: {lenient: true}}\n", "ns.example.net.")
    assert as_row("w.example.org.", 3600, "CNAME", "a.example.") in rows


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [\n", "y/example.org.yaml:2: left out: "),
        ("a: {type: A, value: 192.0.2.1}\na: {type: A, value: 192.0.2.2}\n", "'a' is there twice"),
        ("- a\n", "it has no names with records"),
        (
            'w: {type: TXT, value: "a \\ud800 b"}\n',
            "y/example.org.yaml:1: left out: \\uD800 to \\uDFFF are no",
        ),
        ("a: !include other.yaml\n", "could not determine a constructor"),
        ("a: !!python/object/apply:os.system [id]\n", "could not determine a constructor"),
        ("www: {type: A, value: 192.0.2.1}\n", "give --nameserver NAME"),
    ],
)
def test_a_file_that_is_no_zone_is_told_with_its_place(text: str, expected: str) -> None:
    rows, notes = of_import(text)
    assert rows == set()
    assert any(expected in note for note in notes), notes


def test_the_command_writes_zone_files(tmp_path: Path) -> None:
    source = tmp_path / "config"
    source.mkdir()
    (source / "example.org.yaml").write_text(YAML)
    (source / "example.net.yaml").write_text("www: {type: A, value: 192.0.2.1}\n")
    (source / "bad.example.yaml").write_text("www: {type: A, value: nowhere}\n")
    done = oakroot("import", "octodns", source, "--nameserver", "ns1.example.org", "--out", tmp_path / "new")
    assert done.code == 1
    assert "the zone bad.example. is left out" in done.errors
    assert "2 zones, 0 keys" in done.output
    assert "NS      ns1.example.org." in (tmp_path / "new" / "example.net").read_text()
    assert oakroot("check", tmp_path / "new").code == 0
