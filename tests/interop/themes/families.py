"""Zones that belong together: parents and children in one server, some generations missing."""

from __future__ import annotations

from tests.interop.themes.cuts import DS_RDATA
from tests.interop.zones import ZoneBuilder


def parent(zone: ZoneBuilder) -> None:
    """Delegates `child`, `signed` and `elsewhere`; says nothing of `orphan`, which is served all the same."""
    zone.add_apex()
    zone.add("child", "NS", "ns1.child")
    zone.add("ns1.child", "A", zone.ipv4())
    zone.add("hidden.child", "TXT", '"the child zone does not know me"')
    zone.add("signed", "NS", "ns1.signed")
    zone.add("signed", "DS", DS_RDATA)
    zone.add("ns1.signed", "A", zone.ipv4())
    zone.add("elsewhere", "NS", "ns.child")
    zone.add("x.orphan", "TXT", '"hidden by the orphan zone"')
    zone.add("orphan", "TXT", '"hidden too"')
    zone.add("*", "TXT", '"the parent\'s wildcard"')
    zone.add("to-child", "CNAME", "www.child")
    zone.add("to-childs-nothing", "CNAME", "nothing.child")
    zone.add("to-child-apex", "CNAME", "child")
    zone.add("to-grandchild", "CNAME", "www.deep.child")
    zone.add("moved", "DNAME", "child")
    for name in ("child", "signed", "orphan", "elsewhere", "deep.child", "cut.child"):
        for type_ in ("DS", "NS", "SOA", "A"):
            zone.probe(name, type_)
    for name in ("hidden.child", "ns1.child", "x.orphan", "nothing.child", "nothing.orphan", "www.elsewhere"):
        zone.probe(name, "TXT")
    for name in (
        "to-child",
        "to-childs-nothing",
        "to-child-apex",
        "to-grandchild",
        "www.moved",
        "www.deep.moved",
    ):
        zone.probe(name)
        zone.probe(name, zone.random.choice(["DS", "TXT", "NS"]))


def child(zone: ZoneBuilder) -> None:
    """A zone below another served zone; delegates `deep` and `cut` on."""
    zone.add_apex()
    zone.add("www", "A", zone.ipv4())
    zone.add("deep", "NS", "ns1.deep")
    zone.add("ns1.deep", "A", zone.ipv4())
    zone.add("deep", "DS", DS_RDATA)
    zone.add("cut", "NS", "ns.cut")
    zone.add("ns.cut", "AAAA", zone.ipv6())
    zone.add("up", "CNAME", "ns1." + zone.apex.split(".", 1)[1])
    zone.add("*.wild", "CNAME", "www")
    for name in ("deep", "cut", "@", "www", "ns1.deep", "x.wild", "up", "nothing"):
        zone.probe(name)
        zone.probe(name, "DS")


def family(apex: str) -> tuple[tuple[str, str], ...]:
    """Apex and role of each zone of a family; one grandchild has no parent in between."""
    return (
        (apex, "parent"),
        (f"child.{apex}", "child"),
        (f"signed.{apex}", "child"),
        (f"deep.child.{apex}", "child"),
        (f"orphan.{apex}", "child"),
        (f"far.below.elsewhere.{apex}", "child"),
    )


def root(zone: ZoneBuilder) -> None:
    """The root zone: every name there is lies in it."""
    zone.add("@", "SOA", "a.root-servers.example. hostmaster.example. 1 1800 900 604800 86400")
    for letter in "abc":
        zone.add("@", "NS", f"{letter}.root-servers.example.")
        zone.add(f"{letter}.root-servers.example.", "A", zone.ipv4())
    for number in range(zone.random.randrange(5, 15)):
        owner = f"tld{number}"
        zone.add(owner, "NS", f"ns1.nic.{owner}")
        zone.add(owner, "NS", zone.random.choice(["ns.example.", f"ns2.nic.tld{number // 2}"]))
        zone.add(f"ns1.nic.{owner}", "A", zone.ipv4())
        if zone.random.random() < 0.6:
            zone.add(owner, "DS", DS_RDATA)
    zone.add("example", "NS", "ns1.example.")
    zone.add("ns1.example", "A", zone.ipv4())
    zone.add("text", "TXT", '"a leaf right below the root"')
    zone.add("alias", "CNAME", "text")
    zone.add("out", "CNAME", "www.tld0")
    zone.add("old", "DNAME", "tld1")
    zone.add("deep.empty", "TXT", '"e"')
    if zone.random.random() < 0.5:
        zone.add("*.wild", "TXT", '"w"')
    for name in (
        "@",
        "tld0",
        "www.tld0",
        "tld3",
        "text",
        "alias",
        "out",
        "x.old",
        "empty",
        "x.wild",
        "nic.tld1",
    ):
        for type_ in ("A", "NS", "DS", "TXT", "SOA", "DNSKEY"):
            zone.probe(name, type_)
    for name in ("*", "zzzz", "aaa", "ns1.example", "root-servers.example", "a.b.c.d.e.f", r"\000", r"\255"):
        zone.probe(name)
        zone.probe(name, "DS")
