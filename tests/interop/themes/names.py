"""Zones about names: wildcards, empty non-terminals, escapes, case, and names as long as can be."""

from __future__ import annotations

from tests.interop.zones import ZoneBuilder


def hosts(zone: ZoneBuilder) -> None:
    """What most zones hold: addresses, mail, services, text."""
    zone.add_apex(zone.random.randrange(1, 4))
    zone.add("@", "MX", "10 mail")
    zone.add("@", "MX", "20 mail.example.net.")
    zone.add("@", "TXT", '"v=spf1 mx -all"')
    zone.add("mail", "A", zone.ipv4())
    for number in range(zone.random.randrange(2, 6)):
        zone.add(f"host{number}", "A", zone.ipv4())
        if zone.random.random() < 0.5:
            zone.add(f"host{number}", "AAAA", zone.ipv6())
    zone.add("_sip._tcp", "SRV", "0 5 5060 host0")
    zone.add("_sip._tcp", "SRV", "1 5 5060 host1.other")
    zone.add("_443._tcp.host0", "TLSA", "3 1 1 " + "ab" * 32)
    zone.add("www", "CNAME", "host0")
    zone.probe("www", "CNAME")
    zone.probe("www", "AAAA")


def wildcards(zone: ZoneBuilder) -> None:
    """Asterisks first, in the middle and doubled, each with names that stop it (RFC 4592 §2.2.1, §4)."""
    zone.add_apex()
    zone.add("*", "TXT", '"any name"')
    zone.add("*", "MX", "10 host")
    zone.add("host", "A", zone.ipv4())
    zone.add("_ssh._tcp.host", "SRV", "0 0 22 host")
    zone.add("*.sub", "A", zone.ipv4())
    zone.add("stop.sub", "TXT", '"stops the wildcard"')
    zone.add("deep.empty.sub", "A", zone.ipv4())
    kind = zone.random.choice(["*.*.twice", "*.middle.*", "below.*.star", "*.a.b.c.d"])
    zone.add(kind, "A", zone.ipv4())
    zone.add(kind, "AAAA", zone.ipv6())
    zone.add(
        "*.alias", "CNAME", zone.random.choice(["host", "x.sub", "nowhere.sub.host", "y.alias", "*.sub"])
    )
    zone.add("*.big", "TXT", " ".join(['"' + "x" * 250 + '"'] * zone.random.randrange(1, 9)))
    for name in ("x", "x.y.z", "host.x", "x.host", "_tcp.host", "x._tcp.host", "empty.sub", "x.empty.sub"):
        zone.probe(name, zone.random.choice(["MX", "A", "TXT"]))
    for name in ("stop.sub", "x.stop.sub", "sub", "twice", "q.twice", "p.q.twice", "o.p.q.twice", "*.twice"):
        zone.probe(name)
    for name in (
        "m.middle.x",
        "m.middle.*",
        "below.x.star",
        "below.*.star",
        "x.below.*.star",
        "x.star",
        "n.a.b.c.d",
    ):
        zone.probe(name)
    for name in ("one.alias", "one.two.alias", "*.alias", "alias"):
        zone.probe(name)
        zone.probe(name, "CNAME")
    zone.probe("x.big", "TXT")


def wildcard_oddities(zone: ZoneBuilder) -> None:
    """Wildcards that own a DNAME (RFC 4592 §4.4), or a CNAME to another wildcard or to itself."""
    zone.add_apex()
    flavour = zone.random.randrange(4)
    if flavour == 0:
        zone.add("*.loop", "CNAME", "next.loop")
    elif flavour == 1:
        zone.add("*.away", "DNAME", zone.random.choice(["there", "example.net."]))
        zone.add("x.there", "A", zone.ipv4())
    elif flavour == 2:
        zone.add("*.one", "CNAME", "x.two")
        zone.add("*.two", "CNAME", "x.three")
        zone.add("*.three", "A", zone.ipv4())
    else:
        zone.add("*", "CNAME", "target")
        zone.add("target", "A", zone.ipv4())
        zone.add("deep.target", "A", zone.ipv4())
    for parent in ("loop", "away", "one", "two", "three"):
        zone.probe(f"x.{parent}")
        zone.probe(f"x.{parent}", "TXT")
        zone.probe(f"x.y.{parent}", "DS")
        zone.probe(f"*.{parent}", "NS")
        zone.probe(f"x.*.{parent}")
    zone.probe("anything", "CNAME")
    zone.probe("x.deep.target")


def wildcard_cuts(zone: ZoneBuilder) -> None:
    """A wildcard that owns NS records, which RFC 4592 §4.2 leaves undefined; BIND refuses such a zone."""
    zone.add_apex()
    zone.add("*.cut", "NS", "ns.example.net.")
    zone.add("*.cut", "TXT", '"beside the NS"')
    zone.add("*.glued", "NS", "ns.x.glued")
    zone.add("ns.x.glued", "A", zone.ipv4())
    for parent in ("cut", "glued"):
        for name in (f"x.{parent}", f"x.y.{parent}", f"*.{parent}", f"x.*.{parent}", parent):
            for type_ in ("A", "TXT", "NS", "DS"):
                zone.probe(name, type_)


def empty_nonterminals(zone: ZoneBuilder) -> None:
    """Names that exist only because something lies below them (RFC 8020)."""
    zone.add_apex(1)
    zone.add("a.b.c.d.e", "A", zone.ipv4())
    zone.add("z.c.d.e", "TXT", '"z"')
    depth = zone.random.randrange(4, 40)
    zone.add(".".join(f"l{level}" for level in range(depth)), "AAAA", zone.ipv6())
    zone.add("_25._tcp.mail", "TLSA", "3 0 1 " + "00" * 32)
    zone.add("below.cut", "NS", "ns.below.cut")
    zone.add("ns.below.cut", "A", zone.ipv4())
    zone.add("ns.deep.inside.cut2", "A", zone.ipv4())
    zone.add("cut2", "NS", "ns.deep.inside.cut2")
    for name in ("e", "d.e", "c.d.e", "b.c.d.e", "x.c.d.e", "x.e", "mail", "_tcp.mail", "x._tcp.mail", "cut"):
        zone.probe(name)
    for name in (
        "inside.cut2",
        "deep.inside.cut2",
        "cut2",
        "x.cut",
        f"l{depth - 2}.l{depth - 1}",
        f"l{depth - 1}",
    ):
        zone.probe(name)
        zone.probe(name, "DS")


def escapes(zone: ZoneBuilder) -> None:
    """Every kind of octet in labels and strings, escaped in every way (RFC 1035 §5.1, RFC 4343 §2.1)."""
    zone.add_apex(1)
    zone.add(r"dot\.ted", "A", zone.ipv4())
    zone.add(r"sp\032ace", "A", zone.ipv4())
    zone.add(r"se\;mi", "A", zone.ipv4())
    zone.add(r"\(paren\)", "A", zone.ipv4())
    zone.add(r"at\@sign", "A", zone.ipv4())
    zone.add(r"quo\"te", "A", zone.ipv4())
    zone.add(r"back\\slash", "A", zone.ipv4())
    zone.add(r"\000\001\255", "A", zone.ipv4())
    zone.add(r"\200\300"[:4] + r"\254", "TXT", r'"\000\255\"\\;()"')
    zone.add(r"lett\101r", "A", zone.ipv4())
    zone.add(r"\*.star", "A", zone.ipv4())
    zone.add(r"a\.b.target", "A", zone.ipv4())
    zone.add("alias", "CNAME", r"a\.b.target")
    zone.add("alias2", "CNAME", r"\000\001\255")
    zone.add("text", "TXT", r'plain "quoted ; not a comment" "" \065\"b')
    zone.add("MiXeD", "A", zone.ipv4())
    zone.add("mixed", "TXT", '"same owner as MiXeD"')
    zone.add("mIxEd.Below", "CNAME", "MIXED")
    zone.add(r"\073", "HINFO", r'"a b" "\""')
    for name in (
        "lettar",
        "LETTAR",
        r"dot.ted",
        r"x.star",
        r"*.star",
        "MIXED.BELOW",
        r"A\.B.TARGET",
        r"x\000.star",
    ):
        zone.probe(name)
    for octet in zone.random.sample(range(256), 12):
        zone.probe(f"\\{octet:03d}")
        zone.probe(f"x\\{octet:03d}y.star")


def long_names(zone: ZoneBuilder) -> None:
    """Labels of 63 octets, names of 255, chains between them, wildcards and DNAMEs that would overflow."""
    zone.add_apex(1)
    room = 255 - _wire_length(zone.apex)
    longest = _name_of(room)
    shorter = _name_of(room - 2, "b")
    zone.add("l" * 63, "A", zone.ipv4())
    zone.add(longest, "A", zone.ipv4())
    zone.add(shorter, "CNAME", longest)
    zone.add(_many_labels(room), "TXT", '"as many labels as fit"')
    zone.add("*.wild", "TXT", '"w"')
    zone.add(
        "short", "DNAME", zone.random.choice(["a-much-longer-name-than-that", "x" * 63 + "." + "y" * 63])
    )
    zone.add("long-name-that-shrinks", "DNAME", "s")
    zone.add("host.s", "A", zone.ipv4())
    zone.probe(longest)
    zone.probe(longest, "TXT")
    zone.probe(shorter, "CNAME")
    zone.probe(shorter)
    zone.probe(_many_labels(room), "TXT")
    for spare in (0, 1, 2, 10, 40, 100):
        zone.probe(f"{_name_of(room - 6 - spare)}.wild", "TXT")
        zone.probe(f"{_name_of(room - 7 - spare)}.short")
        zone.probe(f"{_name_of(room - 24 - spare)}.long-name-that-shrinks")
    zone.probe("host.long-name-that-shrinks")


def _wire_length(apex: str) -> int:
    return len(apex) + 1


def _name_of(octets: int, letter: str = "a") -> str:
    """A relative name that takes this many octets on the wire, length octets included."""
    labels = []
    while octets > 64:
        # A rest of one octet would be a length without a label.
        size = 62 if octets == 65 else 63
        labels.append(letter * size)
        octets -= size + 1
    labels.append(letter * max(octets - 1, 1))
    return ".".join(labels)


def _many_labels(octets: int) -> str:
    return ".".join("xyz"[number % 3] for number in range(octets // 2))
