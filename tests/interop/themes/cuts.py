"""Zones about delegation: glue of all kinds, DS at the parent's side, and what lies hidden below a cut."""

from __future__ import annotations

from tests.interop.zones import ZoneBuilder

DS_RDATA = "12345 13 2 " + "0123456789abcdef" * 4


def glue(zone: ZoneBuilder) -> None:
    """In-domain, sibling, foreign, missing, one-family and shared glue (RFC 9471 §2)."""
    zone.add_apex()
    _delegate(zone, "in-domain", ["ns1.in-domain", "ns2.in-domain"], ["ns1.in-domain", "ns2.in-domain"])
    _delegate(zone, "at-cut", ["at-cut"], ["at-cut"])
    _delegate(zone, "sibling", ["ns1.in-domain", "ns.sibling2"], [])
    _delegate(zone, "sibling2", ["ns.sibling2"], ["ns.sibling2"])
    _delegate(zone, "foreign", ["ns.example.net.", "ns.example.com."], [])
    _delegate(zone, "missing", ["ns1.missing", "ns2.missing"], zone.random.choice([[], ["ns2.missing"]]))
    _delegate(zone, "parents", ["ns1", "nowhere"], [])
    _delegate(zone, "deep", ["a.b.c.deep", "ns1.in-domain"], ["a.b.c.deep"])
    _delegate(zone, "cyclic1", ["ns.cyclic2"], ["ns.cyclic1"])
    _delegate(zone, "cyclic2", ["ns.cyclic1"], ["ns.cyclic2"])
    zone.add("*.wild", "A", zone.ipv4())
    _delegate(zone, "by-wildcard", ["ns.wild", "www"], [])
    zone.add("www", "CNAME", "ns1")
    for owner in (
        "in-domain",
        "at-cut",
        "sibling",
        "foreign",
        "missing",
        "parents",
        "deep",
        "by-wildcard",
        "cyclic1",
    ):
        zone.probe(owner, "NS")
        zone.probe(f"www.{owner}")
        zone.probe(owner, zone.random.choice(["DS", "A", "SOA", "MX"]))
    zone.probe("ns1.in-domain")
    zone.probe("b.c.deep")
    zone.probe("a.b.c.deep", "AAAA")


def _delegate(zone: ZoneBuilder, owner: str, servers: list[str], with_address: list[str]) -> None:
    for server in servers:
        zone.add(owner, "NS", server)
    for server in with_address:
        family = zone.random.choice(["4", "6", "46"])
        if "4" in family:
            zone.add(server, "A", zone.ipv4())
        if "6" in family:
            zone.add(server, "AAAA", zone.ipv6())


def ds_at_cuts(zone: ZoneBuilder) -> None:
    """DS records at cuts and their absence; DS asked everywhere else too (RFC 4035 §3.1.4.1)."""
    zone.add_apex()
    _delegate(zone, "secure", ["ns.secure"], ["ns.secure"])
    zone.add("secure", "DS", DS_RDATA)
    zone.add("secure", "DS", "54321 8 2 " + "ff" * 32)
    _delegate(zone, "insecure", ["ns.insecure"], ["ns.insecure"])
    _delegate(zone, "deep.secure2", ["ns.example.net."], [])
    zone.add("deep.secure2", "DS", DS_RDATA)
    zone.add("to-secure", "CNAME", "secure")
    zone.add("host", "A", zone.ipv4())
    zone.add("*.wild", "TXT", '"w"')
    for name in (
        "secure",
        "insecure",
        "deep.secure2",
        "secure2",
        "@",
        "host",
        "x.wild",
        "nothing",
        "to-secure",
    ):
        zone.probe(name, "DS")
        zone.probe(name, "NS")
    for name in ("x.secure", "x.insecure", "ns.secure", "y.deep.secure2"):
        zone.probe(name, "DS")
        zone.probe(name)


def occluded(zone: ZoneBuilder) -> None:
    """Everything that is not to be answered from because a cut is above it (RFC 2136 §7.18)."""
    zone.add_apex(1)
    zone.add("cut", "NS", "ns.cut")
    zone.add("cut", "NS", "alias.cut")
    zone.add("cut", "TXT", '"beside the cut"')
    zone.add("cut", "MX", "10 host.cut")
    zone.add("ns.cut", "A", zone.ipv4())
    zone.add("ns.cut", "TXT", '"beside the glue"')
    zone.add("alias.cut", "CNAME", "ns1")
    zone.add("host.cut", "A", zone.ipv4())
    zone.add("*.cut", "A", zone.ipv4())
    zone.add("deeper.cut", "NS", "ns.deeper.cut")
    zone.add("ns.deeper.cut", "A", zone.ipv4())
    zone.add("ns.deeper.cut", "AAAA", zone.ipv6())
    zone.add("deeper.cut", "DS", DS_RDATA)
    zone.add("other", "NS", "ns.deeper.cut")
    zone.add("a.b.c.other", "A", zone.ipv4())
    zone.add("to-occluded", "CNAME", "host.cut")
    if zone.random.random() < 0.5:
        zone.add("moved.cut", "DNAME", "ns1")
    if zone.random.random() < 0.5:
        zone.add("*", "TXT", '"the zone has a wildcard too"')
    for name in (
        "cut",
        "ns.cut",
        "alias.cut",
        "host.cut",
        "x.cut",
        "deeper.cut",
        "ns.deeper.cut",
        "x.deeper.cut",
    ):
        zone.probe(name)
        zone.probe(name, zone.random.choice(["TXT", "MX", "NS", "DS", "CNAME", "ANY"]))
    for name in ("other", "b.c.other", "to-occluded", "x.moved.cut", "moved.cut", "*.cut"):
        zone.probe(name)
        zone.probe(name, "DS")
