"""Small random zones over three labels: what no theme's author thought of is drawn here.

Few labels make names collide, so that wildcards, cuts, aliases and empty non-terminals end up above, below
and beside each other. Only what every server refuses to load is avoided.
"""

from __future__ import annotations

from itertools import product

from tests.interop.zones import ZoneBuilder

LABELS = ("a", "b", "*")
_TYPES = ("A", "A", "TXT", "CNAME", "CNAME", "DNAME", "NS", "MX", "DS", "AAAA")


def mixture(zone: ZoneBuilder) -> None:
    """Six to sixteen random records at names of one to three labels."""
    zone.add_apex(0)
    zone.add("@", "NS", "ns.example.net.")
    for _ in range(zone.random.randrange(6, 17)):
        _add_random(zone, _random_name(zone), zone.random.choice(_TYPES))
    names = [".".join(parts) for size in (1, 2, 3) for parts in product(LABELS, repeat=size)]
    names += ["c", "c.a", "c.b.a", "a.c", "c.c", "c.*", "c.*.a", "a.b.a.b"]
    for name in zone.random.sample(names, 24):
        zone.probe(name)
        zone.probe(name, zone.random.choice(["TXT", "CNAME", "NS", "DS", "DNAME", "MX", "AAAA", "SOA"]))


def _random_name(zone: ZoneBuilder) -> str:
    size = zone.random.choice([1, 2, 2, 3])
    return ".".join(zone.random.choice(LABELS) for _ in range(size))


def _add_random(zone: ZoneBuilder, owner: str, type_: str) -> None:
    if not _may_stand(zone, owner, type_):
        return
    target = zone.random.choice(
        [_random_name(zone), _random_name(zone), _random_name(zone), "@", "x.example.net."]
    )
    rdata = {
        "A": zone.ipv4(),
        "AAAA": zone.ipv6(),
        "TXT": '"t"',
        "MX": f"10 {target}",
        "DS": "1 13 2 " + "00" * 32,
    }.get(type_, target)
    zone.add(owner, type_, rdata)


def _may_stand(zone: ZoneBuilder, owner: str, type_: str) -> bool:
    """Whether every server would load the zone with this record: RFC 1034 §3.6.2, RFC 6672 §2.3 and §2.4."""
    parts = owner.split(".")
    above = [".".join(parts[start:]) for start in range(1, len(parts))]
    return not (
        (type_ == "CNAME" and zone.has(owner))
        or (type_ != "CNAME" and zone.has(owner, "CNAME"))
        or (type_ in ("DNAME", "NS") and any(zone.has(owner, other) for other in ("DNAME", "NS")))
        or any(zone.has(name, "DNAME") for name in above)
        or (type_ == "DNAME" and zone.has_below(owner))
        # BIND refuses a wildcard that owns NS; `names.wildcard_cuts` asks the others about it.
        or (type_ == "NS" and owner.startswith("*"))
        # A DS without its NS is refused by some, and RFC 4035 §2.4 wants none.
        or (type_ == "DS" and not zone.has(owner, "NS"))
    )
