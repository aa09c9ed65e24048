"""Judgements on made-up observations: what real servers do seldom, or only over days."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest

from oakroot.doctor.judge import judge
from oakroot.doctor.observations import Heard, Host, Observations, OverTls, ParentServer, ZoneServer
from tests.doctor.world import Key

ZONE, PARENT = dns.name.from_text("good.test."), dns.name.from_text("test.")
NS1, NS2 = dns.name.from_text("ns1.good.test."), dns.name.from_text("ns2.good.test.")
ADDRESSES = {NS1: frozenset({"192.0.2.1"}), NS2: frozenset({"192.0.2.2"})}


def rdata(rdtype: str, text: str) -> dns.rdata.Rdata:
    return dns.rdata.from_text(dns.rdataclass.IN, rdtype, text, relativize=False)


def heard(rdtype: str = "SOA", *texts: str) -> Heard:
    values = tuple(rdata(rdtype, text) for text in texts)
    return Heard(rcode="NOERROR", is_authoritative=True, has_edns=True, octets=100, values=values, ttl=300)


def server(name: dns.name.Name, serial: int = 7) -> ZoneServer:
    return ZoneServer(
        name,
        next(iter(ADDRESSES[name])),
        soa=heard("SOA", f"ns1.good.test. root.good.test. {serial} 1 1 1 1"),
        tcp=heard("SOA"),
        names=heard("NS", "ns1.good.test.", "ns2.good.test."),
        hosts=ADDRESSES,
        keys=heard("DNSKEY"),
        large=heard("DNSKEY"),
        recursion=Heard(rcode="REFUSED"),
        caa=heard("CAA"),
        cds=heard("CDS"),
        cdnskey=heard("CDNSKEY"),
    )


def parent(name: str = "a.test.") -> ParentServer:
    return ParentServer(
        dns.name.from_text(name), "192.0.2.9", names=frozenset(ADDRESSES), glue=ADDRESSES, ds=heard("DS")
    )


GOOD = Observations(
    ZONE,
    moment=1_795_348_800.0,
    parent=PARENT,
    parents=(parent(), parent("b.test.")),
    hosts={name: Host(tuple(addresses)) for name, addresses in ADDRESSES.items()},
    servers=(server(NS1), server(NS2)),
)


def codes(seen: Observations) -> set[str]:
    return {finding.code for finding in judge(seen)} - {"no-caa", "unsigned"}


def with_second_server(**changes: Any) -> Observations:  # noqa: ANN401 - of whatever field
    return replace(GOOD, servers=(GOOD.servers[0], replace(GOOD.servers[1], **changes)))


def with_second_parent(**changes: Any) -> Observations:  # noqa: ANN401 - the same
    return replace(GOOD, parents=(GOOD.parents[0], replace(GOOD.parents[1], **changes)))


def test_what_is_good_has_no_findings() -> None:
    assert codes(GOOD) == set()


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (with_second_parent(trouble="no answer"), {"parent-silent"}),
        (with_second_parent(names=frozenset({NS1}), glue={NS1: ADDRESSES[NS1]}), {"parents-differ"}),
        (with_second_parent(glue={NS1: ADDRESSES[NS1]}), {"partial-glue"}),
        (with_second_parent(ds=heard("DS", "1 13 2 " + "00" * 32)), {"ds-differ", "ds-without-keys"}),
        (with_second_server(names=heard("NS", "ns1.good.test.")), {"ns-differ"}),
        (with_second_server(tcp=Heard("no answer over TCP")), {"no-tcp"}),
        (with_second_server(soa=Heard("no answer")), {"no-udp"}),
        (with_second_server(soa=Heard("no answer"), tcp=Heard("no"), plain=heard()), {"edns-dropped"}),
        (with_second_server(soa=Heard("no answer"), tcp=Heard("no"), plain=Heard("no")), {"silent"}),
        (with_second_server(soa=replace(server(NS2).soa, has_edns=False)), {"no-edns"}),
        (with_second_server(soa=replace(server(NS2).soa, is_authoritative=False)), {"lame"}),
        (with_second_server(large=replace(heard(), octets=1500)), {"large-answers"}),
        (with_second_server(large=Heard("no answer")), {"fragments"}),
        (with_second_server(recursion=Heard(rcode="NXDOMAIN", offers_recursion=True)), {"open-resolver"}),
        (with_second_server(recursion=Heard(rcode="REFUSED", offers_recursion=True)), set()),
        (with_second_server(keys=heard("DNSKEY", Key.made().public.to_text())), {"keys-differ", "no-ds"}),
        (replace(GOOD, skipped=frozenset({"2001:db8::1"})), {"not-asked"}),
        (replace(GOOD, is_public=True), {"private-address"}),
        (replace(GOOD, hosts={**GOOD.hosts, NS2: Host(("192.0.2.2",), is_alias=True)}), {"alias"}),
    ],
)
def test_each_fault_has_its_finding_and_no_other(seen: Observations, expected: set[str]) -> None:
    assert codes(seen) == expected


@pytest.mark.parametrize(("serials", "behind"), [((7, 8), NS1), ((2**32 - 1, 3), NS1), ((0, 2**31 - 1), NS1)])
def test_who_is_behind_is_told_by_serial_number_arithmetic(
    serials: tuple[int, int], behind: dns.name.Name
) -> None:
    seen = replace(GOOD, servers=(server(NS1, serials[0]), server(NS2, serials[1])))
    (finding,) = (finding for finding in judge(seen) if finding.code == "behind")
    assert finding.about.startswith(behind.to_text(omit_final_dot=True))


def test_a_name_server_elsewhere_needs_no_glue() -> None:
    elsewhere = dns.name.from_text("ns.example.net.")
    names = heard("NS", "ns.example.net.")
    seen = replace(
        GOOD,
        parents=(replace(parent(), names=frozenset({elsewhere}), glue={}),),
        hosts={elsewhere: Host(("192.0.2.1", "192.0.2.2"))},
        servers=tuple(replace(each, name=elsewhere, names=names, hosts={}) for each in GOOD.servers),
    )
    assert codes(seen) == set()
    lost = replace(seen, hosts={elsewhere: Host(trouble="no name server of example.net. answers")})
    assert codes(lost) == {"no-address"}


def test_a_ds_that_waits_for_its_key_is_a_mere_note() -> None:
    key = Key.made()
    text = key.ds("good.test.").partition(" DS ")[2]
    seen = replace(
        GOOD,
        parents=(replace(parent(), ds=heard("DS", text, "1 13 2 " + "00" * 32)),),
        servers=tuple(replace(each, keys=heard("DNSKEY", key.public.to_text())) for each in GOOD.servers),
    )
    severities = {finding.code: finding.severity for finding in judge(seen)}
    assert severities["ds-stale"] == "note"
    assert severities["bad-signature"] == "error"


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (('0 issue "ca.example; policy=ev"', '0 issuewild ";"'), "ca.example may issue"),
        (('0 issue ";"',), "nobody may issue"),
        (('0 issue "b.example"', '0 issue "a.example"'), "a.example and b.example may issue"),
        (('0 iodef "mailto:a@example.org"',), "every authority may issue"),
    ],
)
def test_who_may_issue_certificates_is_told(records: tuple[str, ...], expected: str) -> None:
    seen = replace(GOOD, caa_at=ZONE, caa=tuple(rdata("CAA", record) for record in records))
    (finding,) = (finding for finding in judge(seen) if finding.code == "caa")
    assert finding.message.startswith(expected)


OLD, NEW = Key.made(), Key.made()
OLD_DS, NEW_DS = (key.ds("good.test.").partition(" DS ")[2] for key in (OLD, NEW))
OLD_KEY, NEW_KEY = (key.public.to_text() for key in (OLD, NEW))


def asking(cds: list[str], cdnskey: list[str], *, ds: str = OLD_DS) -> Observations:
    """The zone has both keys, its parent the DS of one."""
    keys = heard("DNSKEY", OLD_KEY, NEW_KEY)
    first, second = heard("CDS", *cds), heard("CDNSKEY", *cdnskey)
    return replace(
        GOOD,
        parents=tuple(replace(each, ds=heard("DS", *ds.splitlines())) for each in GOOD.parents),
        servers=tuple(replace(each, keys=keys, cds=first, cdnskey=second) for each in GOOD.servers),
    )


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (asking([], []), set()),
        (asking([OLD_DS], [OLD_KEY]), set()),
        (asking([OLD_DS], []), set()),
        (asking([NEW_DS], [NEW_KEY]), {"cds-pending"}),
        (asking([OLD_DS, NEW_DS], [OLD_KEY, NEW_KEY]), {"cds-pending"}),
        (asking([NEW_DS], [OLD_KEY]), {"cds-contradicts"}),
        (asking([NEW_DS], [OLD_KEY, NEW_KEY]), {"cds-contradicts"}),
        (asking([Key.made().ds("good.test.").partition(" DS ")[2]], []), {"cds-without-key"}),
        (asking(["0 0 0 00"], ["0 3 0 AA=="]), {"cds-pending"}),
        (asking(["0 0 0 00"], ["0 3 0 AA=="], ds=""), {"no-ds"}),
        (asking(["0 0 0 00"], [OLD_KEY]), {"cds-contradicts"}),
    ],
)
def test_what_the_zone_asks_its_parent_for_is_told(seen: Observations, expected: set[str]) -> None:
    assert codes(seen) - {"bad-signature"} == expected


def test_servers_that_ask_for_different_things_are_found() -> None:
    seen = asking([OLD_DS], [])
    other = replace(seen.servers[1], cds=heard("CDS", NEW_DS))
    assert "cds-servers-differ" in codes(replace(seen, servers=(seen.servers[0], other)))


@pytest.mark.parametrize(
    ("tls", "expected"),
    [
        (OverTls(heard(), GOOD.moment + 30 * 86400), set()),
        (OverTls(Heard("it refuses the connection")), {"no-tls"}),
        (OverTls(heard(), GOOD.moment + 86400), {"tls-certificate-ends"}),
        (OverTls(heard(), GOOD.moment - 1), {"tls-certificate-ends"}),
    ],
)
def test_what_is_wrong_over_tls_is_told(tls: OverTls, expected: set[str]) -> None:
    assert codes(with_second_server(tls=tls)) == expected


def test_a_server_that_is_silent_everywhere_is_not_blamed_for_tls_as_well() -> None:
    silent = Heard("no answer")
    seen = with_second_server(soa=silent, tcp=silent, plain=silent, tls=OverTls(silent))
    assert codes(seen) == {"silent"}


def test_the_worst_comes_first() -> None:
    seen = with_second_server(tcp=Heard("no"), soa=replace(server(NS2, 6).soa, has_edns=False))
    severities = [finding.severity for finding in judge(seen)]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)
