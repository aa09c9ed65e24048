"""Zones about aliases: CNAME and DNAME, chains, loops, dead ends, and where they lead to."""

from __future__ import annotations

from tests.interop.zones import ZoneBuilder


def cname_targets(zone: ZoneBuilder) -> None:
    """A CNAME to each kind of name there is."""
    zone.add_apex()
    zone.add("host", "A", zone.ipv4())
    zone.add("host", "AAAA", zone.ipv6())
    zone.add("b.ent", "TXT", '"b"')
    zone.add("*.wild", "A", zone.ipv4())
    zone.add("*.wildalias", "CNAME", "x.wild")
    zone.add("cut", "NS", "ns.cut")
    zone.add("cut", "NS", "ns.example.net.")
    zone.add("ns.cut", "A", zone.ipv4())
    zone.add("moved", "DNAME", "new")
    zone.add("a.new", "A", zone.ipv4())
    neighbour = zone.random.choice(zone.neighbours) if zone.neighbours else "example.net."
    targets = {
        "to-host": "host",
        "to-apex": "@",
        "to-ent": "ent",
        "to-nothing": "nothing",
        "to-below-host": "x.host",
        "to-wild": "x.wild",
        "to-wildcard-itself": "*.wild",
        "to-wildalias": "y.wildalias",
        "to-cut": "cut",
        "to-below-cut": "www.cut",
        "to-glue": "ns.cut",
        "to-dname": "moved",
        "to-below-dname": "a.moved",
        "to-nothing-below-dname": "q.moved",
        "to-outside": "www.example.net.",
        "to-neighbour": f"ns1.{neighbour}",
        "to-neighbours-nothing": f"nothing.{neighbour}",
        "to-neighbours-apex": neighbour,
        "to-parent": "test.",
        "to-root": ".",
    }
    for owner, target in targets.items():
        zone.add(owner, "CNAME", target)
        zone.probe(owner, zone.random.choice(["A", "TXT", "NS", "DS", "CNAME", "MX", "SOA"]))
        zone.probe(owner)
        zone.probe(owner, "TXT")


def cname_chains(zone: ZoneBuilder) -> None:
    """Chains from one to thirteen links, with different ends."""
    zone.add_apex(1)
    length = zone.random.choice([1, 2, 3, 5, 7, 8, 9, 10, 11, 12, 13])
    _chain(zone, "c", length)
    end = zone.random.choice(["host", "nothing", "x.wild", "cut", "ent", "www.example.net.", "c0"])
    zone.add(f"c{length}", "CNAME", end)
    zone.add("host", "A", zone.ipv4())
    zone.add("below.ent", "A", zone.ipv4())
    zone.add("*.wild", "A", zone.ipv4())
    zone.add("cut", "NS", "ns.cut")
    zone.add("ns.cut", "AAAA", zone.ipv6())
    for link in range(length + 1):
        zone.probe(f"c{link}", zone.random.choice(["A", "AAAA"]))
    zone.probe("c0", "CNAME")
    zone.probe("c0", "TXT")


def long_chains(zone: ZoneBuilder) -> None:
    """Chains of up to the 16 links that Oakroot follows; no RFC has a limit, and every server has another."""
    zone.add_apex(1)
    length = zone.random.choice([14, 15, 16])
    _chain(zone, "c", length)
    zone.add(f"c{length}", "A", zone.ipv4())
    for link in range(0, length, 2):
        zone.probe(f"c{link}")
    zone.probe("c0", "CNAME")


def _chain(zone: ZoneBuilder, prefix: str, length: int) -> None:
    for link in range(length):
        zone.add(f"{prefix}{link}", "CNAME", f"{prefix}{link + 1}")


def cname_loops(zone: ZoneBuilder) -> None:
    """Aliases that come back to where they were: directly, by a longer way, through wildcards and DNAMEs."""
    zone.add_apex(1)
    zone.add("self", "CNAME", "self")
    zone.add("one", "CNAME", "two")
    zone.add("two", "CNAME", "one")
    length = zone.random.randrange(3, 10)
    for link in range(length):
        zone.add(f"r{link}", "CNAME", f"r{(link + 1) % length}")
    zone.add("into", "CNAME", "r1")
    zone.add("*.wild", "CNAME", "x.wild")
    zone.add("*.grow", "CNAME", "x.y.grow")
    zone.add("d", "DNAME", "e")
    zone.add("x.e", "CNAME", "x.d")
    for name in (
        "self",
        "one",
        "two",
        "r0",
        "r1",
        "into",
        "x.wild",
        "y.wild",
        "*.wild",
        "z.grow",
        "x.d",
        "x.e",
        "y.d",
    ):
        zone.probe(name)
        zone.probe(name, zone.random.choice(["CNAME", "TXT", "DNAME", "NS"]))


def dnames(zone: ZoneBuilder) -> None:
    """A DNAME to each kind of place (RFC 6672 §3)."""
    zone.add_apex()
    neighbour = zone.random.choice(zone.neighbours) if zone.neighbours else "example.net."
    zone.add("old", "DNAME", "new")
    zone.add("old", "TXT", '"beside the DNAME"')
    zone.add("old", "A", zone.ipv4())
    zone.add("host.new", "A", zone.ipv4())
    zone.add("ns1.new", "AAAA", zone.ipv6())
    zone.add("alias.new", "CNAME", "host.new")
    zone.add("x.deep.new", "A", zone.ipv4())
    targets = {
        "out": "example.net.",
        "next": neighbour,
        "root": ".",
        "none": "nothing",
        "twice": "old",
        "third": "twice",
        "wild": "w",
        "tocut": "cut",
        "intocut": "in.cut",
        "up": "@",
    }
    for owner, target in targets.items():
        zone.add(owner, "DNAME", target)
        for label in ("host", "ns1", "x.deep"):
            zone.probe(f"{label}.{owner}")
    zone.add("*.w", "A", zone.ipv4())
    zone.add("cut", "NS", "ns.cut")
    zone.add("ns.cut", "A", zone.ipv4())
    zone.add("pointer", "CNAME", "host.old")
    for name in ("old", "out", "root", "deep.old", "x.old", "alias.old", "pointer", "a.b.c.old", "org.root"):
        zone.probe(name, "A")
        zone.probe(name, zone.random.choice(["DNAME", "CNAME", "NS", "DS", "TXT"]))


def dname_loops(zone: ZoneBuilder) -> None:
    """DNAMEs below themselves, into each other, and growing until the name is too long."""
    zone.add_apex(1)
    zone.add("a", "DNAME", "b")
    zone.add("b", "DNAME", "a")
    zone.add("self", "DNAME", "self")
    zone.add("grow", "DNAME", "x.grow" if zone.random.random() < 0.5 else "y.y.y.grow")
    zone.add("wide", "DNAME", "w" * 60 + ".wide2")
    zone.add("wide2", "DNAME", "v" * 60 + ".wide")
    zone.add("start", "CNAME", "x.a")
    for owner in ("a", "b", "self", "grow", "wide", "wide2"):
        zone.probe(f"x.{owner}")
        zone.probe(f"x.y.{owner}", "CNAME")
        zone.probe(owner, "DNAME")
    zone.probe("start")


def dname_at_apex(zone: ZoneBuilder) -> None:
    """The whole zone is elsewhere; only the apex's own records stay (RFC 6672 §2.3)."""
    zone.add_apex(0)
    zone.add("@", "NS", "ns.example.net.")
    zone.add("@", "MX", "10 mail.example.net.")
    neighbour = zone.random.choice(zone.neighbours) if zone.neighbours else "example.net."
    zone.add("@", "DNAME", zone.random.choice(["example.net.", neighbour, "example.test."]))
    for name in ("@", "x", "x.y", "ns1", "host0", "*"):
        for type_ in ("A", "DNAME", "DS", "NS", "MX", "TXT"):
            zone.probe(name, type_)


def dname_with_occluded(zone: ZoneBuilder) -> None:
    """Records below a DNAME, which RFC 6672 §2.4 forbids; most servers refuse such a zone."""
    zone.add_apex(1)
    zone.add("old", "DNAME", "new")
    zone.add("host.old", "A", zone.ipv4())
    zone.add("*.old", "TXT", '"occluded"')
    zone.add("host.new", "AAAA", zone.ipv6())
    for name in ("host.old", "x.old", "host.new", "old", "x.host.old"):
        zone.probe(name)
        zone.probe(name, "TXT")
