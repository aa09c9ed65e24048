"""Questions for a generated zone: what its theme wants asked, what it holds, and names around all of that.

What must not live here: answers. A query is drawn from a random source of its own, so that one more record
in a zone does not change what other zones are asked.
"""

from __future__ import annotations

from functools import cache
from random import Random

import dns.rdatatype

from tests.interop.wire import ANY, Query
from tests.interop.zones import Zone, from_labels, is_at_or_below, labels

ORDINARY_TYPES = ("A", "AAAA", "TXT", "MX", "NS", "SOA", "CNAME", "DNAME", "DS", "PTR", "TYPE65400", "ANY")
DNSSEC_TYPES = ("DNSKEY", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "CDS")
LONGEST_NAME = 255


@cache
def type_number(type_: str) -> int:
    """The number of a type given by its mnemonic or as TYPEnnn."""
    return int(dns.rdatatype.from_text(type_))


def queries_for(zone: Zone, count: int) -> list[Query]:
    """At least `count` different questions, all that the theme wants among them."""
    random = Random(f"queries for {zone.apex}")
    wanted = dict.fromkeys((name, type_number(type_)) for name, type_ in zone.probes)
    own = list(dict.fromkeys((name, type_number(type_)) for name, type_ in zone.owners))
    wanted.update(dict.fromkeys(random.sample(own, min(len(own), 30))))
    names = _names_around(zone, random)
    # A zone of few names is asked fewer questions rather than the same one for ever.
    for _ in range(20 * count):
        if len(wanted) >= count:
            break
        wanted[random.choice(names), type_number(random.choice(ORDINARY_TYPES))] = None
    is_signed = any(type_ == "RRSIG" for _, type_ in zone.owners)
    if is_signed:
        wanted.update(dict.fromkeys((random.choice(names), type_number(type_)) for type_ in DNSSEC_TYPES))
    return [
        _query(name, type_, random, is_signed=is_signed)
        for name, type_ in wanted
        if len(name) <= LONGEST_NAME
    ]


def queries_outside(apexes: list[bytes], random: Random, count: int) -> list[Query]:
    """Questions for names that are in none of these zones."""
    names = []
    for _ in range(count):
        parts = [f"outside{random.randrange(10**6)}".encode(), random.choice([b"example", b"net", b"zz"])]
        name = from_labels(parts[random.randrange(2) :])
        if not any(is_at_or_below(name, apex) for apex in apexes):
            names.append(name)
    return [
        _query(name, type_number(random.choice(ORDINARY_TYPES)), random, is_signed=False) for name in names
    ]


def _names_around(zone: Zone, random: Random) -> list[bytes]:
    """Owners, their ancestors, children, grandchildren and siblings, wildcards beside them."""
    depth = len(labels(zone.apex_wire))
    found: dict[bytes, None] = {}
    for owner in dict.fromkeys(name for name, _ in zone.owners):
        parts = labels(owner)
        above = len(parts) - depth
        for start in range(min(above, 6) + 1):
            found[from_labels(parts[start:])] = None
        for prefix in ([b"x"], [b"*"], [b"y", b"x"], [b"x", b"*"], [bytes([random.randrange(256)])]):
            found[from_labels(prefix + parts)] = None
        if above:
            for sibling in (b"\0", b"*", parts[0][:62] + b"0", b"zzz"):
                found[from_labels([sibling, *parts[1:]])] = None
    return [name for name in found if len(name) <= LONGEST_NAME]


def _query(name: bytes, type_: int, random: Random, *, is_signed: bool) -> Query:
    """The question, asked in one of the ways it may be asked in."""
    edns = random.choice([None, 512, 1232, 1232, 1232, 1232, 4096])
    return Query(
        name=_in_mixed_case(name, random) if random.random() < 0.15 else name,
        type=type_,
        # Over UDP the answer to ANY is free (RFC 8482); over TCP it is everything.
        transport="tcp" if type_ == ANY or random.random() < 0.12 else "udp",
        edns=edns,
        dnssec_ok=edns is not None and random.random() < (0.85 if is_signed else 0.3),
        recursion_desired=random.random() < 0.2,
        checking_disabled=random.random() < 0.05,
    )


def _in_mixed_case(name: bytes, random: Random) -> bytes:
    parts = labels(name)
    return from_labels(
        [bytes(octet if random.random() < 0.5 else _swapped(octet) for octet in part) for part in parts]
    )


def _swapped(octet: int) -> int:
    return ord(chr(octet).swapcase()) if 65 <= octet <= 90 or 97 <= octet <= 122 else octet
