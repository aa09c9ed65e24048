"""What updates make of a zone: by example, and beside a naive model of RFC 2136."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import dns.rcode
import dns.update
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot._engine import Zone, read_zone
from oakroot.protocol.update import (
    Add,
    DeleteName,
    DeleteRecord,
    DeleteRrset,
    Denied,
    NameInUse,
    NameNotInUse,
    RrsetAbsent,
    RrsetExists,
    RrsetIs,
    Update,
    read,
)
from oakroot.protocol.update_judge import Change, judge

APEX = "mirage."
TEXT = """\
$TTL 300
@      SOA  ns1 hostmaster 7 1 2 3 4
@      NS   ns1
@      NS   ns2
@      MX   10 www
ns1    A    192.0.2.1
ns2    A    192.0.2.2
www    A    192.0.2.80
www    A    192.0.2.81
WWW    AAAA 2001:db8::80
alias  CNAME www
a.b.c  TXT  "below nothing"
sub    NS   ns.sub
ns.sub A    192.0.2.53
"""
Build = Callable[[dns.update.UpdateMessage], object]


def zone_of(text: str = TEXT) -> Zone:
    zone, findings = read_zone(text.encode(), APEX, "mirage")
    assert zone is not None, findings
    return zone


ZONE = zone_of()


def outcome(*parts: Build, zone: Zone = ZONE) -> Change | Denied:
    message = dns.update.UpdateMessage(APEX)
    for part in parts:
        part(message)
    update = read(message.to_wire())
    assert isinstance(update, Update), update
    return judge(update, zone)


def change(*parts: Build, zone: Zone = ZONE) -> Change:
    found = outcome(*parts, zone=zone)
    assert isinstance(found, Change), found
    return found


def lines(found: Change) -> list[str]:
    """As a diff."""
    removed = [f"- {owner} {ttl} {kind} {rdata}" for owner, ttl, kind, rdata in found.removed]
    return removed + [f"+ {owner} {ttl} {kind} {rdata}" for owner, ttl, kind, rdata in found.added]


@pytest.mark.parametrize(
    ("part", "rcode"),
    [
        (lambda m: m.present("www"), None),
        (lambda m: m.present("nope"), "NXDOMAIN"),
        (lambda m: m.present("b.c"), "NXDOMAIN"),
        (lambda m: m.present("ns.sub"), None),
        (lambda m: m.absent("nope"), None),
        (lambda m: m.absent("b.c"), None),
        (lambda m: m.absent("WWW"), "YXDOMAIN"),
        (lambda m: m.present("www", "A"), None),
        (lambda m: m.present("www", "TXT"), "NXRRSET"),
        (lambda m: m.absent("www", "TXT"), None),
        (lambda m: m.absent("www", "AAAA"), "YXRRSET"),
        (lambda m: m.present("www", "A", "192.0.2.81", "192.0.2.80"), None),
        (lambda m: m.present("www", "A", "192.0.2.80"), "NXRRSET"),
        (lambda m: m.present("www", "A", "192.0.2.80", "192.0.2.81", "192.0.2.82"), "NXRRSET"),
        (lambda m: m.present("nope", "A", "192.0.2.80"), "NXRRSET"),
        (lambda m: m.present("alias", "CNAME", "WWW.mirage."), None),
        (lambda m: m.present("@", "SOA", "ns1 hostmaster 7 1 2 3 4"), None),
        (lambda m: m.present("@", "SOA", "ns1 hostmaster 6 1 2 3 4"), "NXRRSET"),
    ],
)
def test_a_prerequisite_holds_or_has_its_rcode(part: Build, rcode: str | None) -> None:
    found = outcome(part)
    assert (dns.rcode.to_text(found.rcode) if isinstance(found, Denied) else None) == rcode


@pytest.mark.parametrize(
    ("parts", "diff"),
    [
        ([lambda m: m.add("new", 60, "A", "192.0.2.9")], ["+ new.mirage. 60 A 192.0.2.9"]),
        ([lambda m: m.add("www", 300, "A", "192.0.2.80")], []),
        ([lambda m: m.add("www", 300, "A", "192.0.2.82")], ["+ www.mirage. 300 A 192.0.2.82"]),
        # One TTL for all of an RRset (RFC 2181 §5.2).
        (
            [lambda m: m.add("www", 60, "A", "192.0.2.80")],
            [
                "- www.mirage. 300 A 192.0.2.80",
                "- www.mirage. 300 A 192.0.2.81",
                "+ www.mirage. 60 A 192.0.2.80",
                "+ www.mirage. 60 A 192.0.2.81",
            ],
        ),
        ([lambda m: m.delete("www", "AAAA")], ["- www.mirage. 300 AAAA 2001:db8::80"]),
        ([lambda m: m.delete("www", "A", "192.0.2.80")], ["- www.mirage. 300 A 192.0.2.80"]),
        ([lambda m: m.delete("www", "A", "192.0.2.99"), lambda m: m.delete("nope")], []),
        (
            [lambda m: m.delete("www")],
            [
                "- www.mirage. 300 A 192.0.2.80",
                "- www.mirage. 300 A 192.0.2.81",
                "- www.mirage. 300 AAAA 2001:db8::80",
            ],
        ),
        ([lambda m: m.delete("@")], ["- mirage. 300 MX 10 www.mirage."]),
        ([lambda m: m.delete("@", "NS", "ns1")], ["- mirage. 300 NS ns1.mirage."]),
        (
            [lambda m: m.replace("alias", 300, "CNAME", "ns1")],
            ["- alias.mirage. 300 CNAME www.mirage.", "+ alias.mirage. 300 CNAME ns1.mirage."],
        ),
        (
            [lambda m: m.add("alias", 300, "CNAME", "ns1")],
            ["- alias.mirage. 300 CNAME www.mirage.", "+ alias.mirage. 300 CNAME ns1.mirage."],
        ),
        ([lambda m: m.add("new", 60, "A", "192.0.2.9"), lambda m: m.delete("new")], []),
        ([lambda m: m.delete("www", "AAAA"), lambda m: m.add("www", 300, "AAAA", "2001:DB8:0::80")], []),
        (
            [lambda m: m.delete("www"), lambda m: m.add("www", 60, "CNAME", "ns1")],
            [
                "- www.mirage. 300 A 192.0.2.80",
                "- www.mirage. 300 A 192.0.2.81",
                "- www.mirage. 300 AAAA 2001:db8::80",
                "+ www.mirage. 60 CNAME ns1.mirage.",
            ],
        ),
        (
            [lambda m: m.add("@", 300, "SOA", "ns1 hostmaster 8 1 2 3 5")],
            [
                "- mirage. 300 SOA ns1.mirage. hostmaster.mirage. 7 1 2 3 4",
                "+ mirage. 300 SOA ns1.mirage. hostmaster.mirage. 8 1 2 3 5",
            ],
        ),
    ],
)
def test_operations_make_this_change(parts: list[Build], diff: list[str]) -> None:
    found = change(*parts)
    assert sorted(lines(found)) == sorted(diff)
    assert not found.ignored


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (lambda m: m.add("alias", 60, "A", "192.0.2.9"), "the name is an alias"),
        (lambda m: m.add("www", 60, "CNAME", "ns1"), "the name has other records, A, AAAA"),
        (lambda m: m.add("www", 60, "SOA", "ns1 hostmaster 8 1 2 3 4"), "belongs to the name of the zone"),
        (lambda m: m.add("@", 60, "SOA", "ns1 hostmaster 7 1 2 3 4"), "its serial 7 is not forward of 7"),
        (lambda m: m.add("@", 60, "SOA", "ns1 hostmaster 2147483655 1 2 3 4"), "is not forward of 7"),
        (lambda m: m.delete("@", "SOA"), "the SOA records of a zone"),
        (lambda m: m.delete("@", "NS"), "the NS records of a zone"),
        (lambda m: m.delete("@", "SOA", "ns1 hostmaster 7 1 2 3 4"), "the SOA of a zone is not deleted"),
    ],
)
def test_what_is_left_out_silently_by_the_rfc_is_told(part: Build, words: str) -> None:
    found = change(part)
    assert not found
    assert words in found.ignored[0]


def test_the_last_name_server_of_a_zone_stays() -> None:
    found = change(lambda m: m.delete("@", "NS", "ns1"), lambda m: m.delete("@", "NS", "ns2"))
    assert lines(found) == ["- mirage. 300 NS ns1.mirage."]
    assert "the last name server" in found.ignored[0]


def test_name_servers_can_be_exchanged_when_new_ones_come_first() -> None:
    found = change(
        lambda m: m.add("@", 300, "NS", "new"),
        lambda m: m.delete("@", "NS", "ns1"),
        lambda m: m.delete("@", "NS", "ns2"),
    )
    assert sorted(lines(found)) == [
        "+ mirage. 300 NS new.mirage.",
        "- mirage. 300 NS ns1.mirage.",
        "- mirage. 300 NS ns2.mirage.",
    ]


def test_one_soa_takes_the_place_of_another_though_serials_wrap() -> None:
    zone = zone_of(TEXT.replace(" 7 1 2 3 4", " 4294967295 1 2 3 4"))
    assert change(lambda m: m.add("@", 300, "SOA", "ns1 hostmaster 5 1 2 3 4"), zone=zone)


@pytest.mark.parametrize("kind", ["RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "ZONEMD"])
def test_records_of_the_signer_are_refused(kind: str) -> None:
    found = outcome(lambda m: m.delete("@", kind))
    assert isinstance(found, Denied)
    assert dns.rcode.to_text(found.rcode) == "REFUSED"


def test_a_tsig_key_is_refused_and_not_repeated() -> None:
    found = outcome(lambda m: m.add("x._update", 60, "DNSKEY", "0 3 163 c2VjcmV0"))
    assert isinstance(found, Denied)
    assert "would be served to everybody" in found.reason.text
    assert "c2VjcmV0" not in found.reason.text


# --- beside a naive model ---

NAMES = ["@", "www", "alias", "new", "a.new", "sub"]
VALUES = [
    ("A", "192.0.2.80"),
    ("A", "192.0.2.9"),
    ("AAAA", "2001:db8::80"),
    ("CNAME", "www.mirage."),
    ("CNAME", "new.mirage."),
    ("NS", "ns1.mirage."),
    ("NS", "ns2.mirage."),
    ("NS", "ns9.mirage."),
    ("MX", "10 www.mirage."),
    ("TXT", '"text"'),
    ("SOA", "ns1.mirage. hostmaster.mirage. 8 1 2 3 4"),
    ("SOA", "ns1.mirage. hostmaster.mirage. 5 1 2 3 4"),
]
KINDS = sorted({kind for kind, _ in VALUES})


@dataclass
class Model:
    """RFC 2136 as its pseudocode has it, over a plain dictionary."""

    rrsets: dict[tuple[str, str], tuple[int, set[str]]] = field(default_factory=dict)

    def types(self, owner: str) -> set[str]:
        return {kind for name, kind in self.rrsets if name == owner}

    def holds(self, update: Update) -> bool:
        return all(map(self._holds, update.prerequisites))

    def _holds(self, prerequisite: object) -> bool:
        match prerequisite:
            case NameInUse(owner):
                return bool(self.types(owner.lower()))
            case NameNotInUse(owner):
                return not self.types(owner.lower())
            case RrsetExists(owner, kind):
                return (owner.lower(), kind) in self.rrsets
            case RrsetAbsent(owner, kind):
                return (owner.lower(), kind) not in self.rrsets
            case RrsetIs(owner, kind, values):
                return self.rrsets.get((owner.lower(), kind), (0, set()))[1] == values
        raise AssertionError(prerequisite)

    def apply(self, operation: object) -> None:
        match operation:
            case Add(owner, ttl, kind, rdata):
                self._add(owner.lower(), ttl, kind, rdata)
            case DeleteName(owner):
                for kind in self.types(owner.lower()):
                    if not (owner == APEX and kind in {"SOA", "NS"}):
                        del self.rrsets[owner.lower(), kind]
            case DeleteRrset(owner, kind):
                if not (owner == APEX and kind in {"SOA", "NS"}):
                    self.rrsets.pop((owner.lower(), kind), None)
            case DeleteRecord(owner, kind, rdata):
                self._delete(owner.lower(), kind, rdata)

    def _add(self, owner: str, ttl: int, kind: str, rdata: str) -> None:
        others = self.types(owner) - {kind}
        if (kind == "CNAME" and others) or "CNAME" in others:
            return
        if kind == "SOA" and (
            owner != APEX or self._serial(rdata) <= self._serial(*self.rrsets[owner, kind][1])
        ):
            return
        known = set() if kind in {"SOA", "CNAME"} else self.rrsets.get((owner, kind), (0, set()))[1]
        self.rrsets[owner, kind] = (ttl, known | {rdata})

    def _delete(self, owner: str, kind: str, rdata: str) -> None:
        ttl, known = self.rrsets.get((owner, kind), (0, set()))
        if rdata not in known or (owner == APEX and (kind == "SOA" or (kind == "NS" and len(known) == 1))):
            return
        self.rrsets[owner, kind] = (ttl, known - {rdata})
        if not known - {rdata}:
            del self.rrsets[owner, kind]

    def _serial(self, rdata: str) -> int:
        return int(rdata.split()[2])


def model_of(zone: Zone) -> Model:
    model = Model()
    for owner, ttl, kind, rdata in zone.records():
        known = model.rrsets.get((owner.lower(), kind), (ttl, set()))[1]
        model.rrsets[owner.lower(), kind] = (ttl, known | {rdata})
    return model


PARTS: list[st.SearchStrategy[Build]] = [
    st.builds(
        lambda name, value, ttl: lambda m: m.add(name, ttl, *value),
        st.sampled_from(NAMES),
        st.sampled_from(VALUES),
        st.sampled_from([60, 300]),
    ),
    st.builds(lambda name: lambda m: m.delete(name), st.sampled_from(NAMES)),
    st.builds(
        lambda name, kind: lambda m: m.delete(name, kind), st.sampled_from(NAMES), st.sampled_from(KINDS)
    ),
    st.builds(
        lambda name, value: lambda m: m.delete(name, *value), st.sampled_from(NAMES), st.sampled_from(VALUES)
    ),
]
NEEDS: list[st.SearchStrategy[Build]] = [
    st.builds(lambda name: lambda m: m.present(name), st.sampled_from(NAMES)),
    st.builds(lambda name: lambda m: m.absent(name), st.sampled_from(NAMES)),
    st.builds(
        lambda name, kind: lambda m: m.present(name, kind), st.sampled_from(NAMES), st.sampled_from(KINDS)
    ),
    st.builds(
        lambda name, kind: lambda m: m.absent(name, kind), st.sampled_from(NAMES), st.sampled_from(KINDS)
    ),
    st.builds(
        lambda name, value: lambda m: m.present(name, *value), st.sampled_from(NAMES), st.sampled_from(VALUES)
    ),
]
UPDATES = st.builds(
    lambda needs, parts: [*needs, *parts],
    st.lists(st.one_of(NEEDS), max_size=2),
    st.lists(st.one_of(PARTS), max_size=5),
)


@given(st.lists(UPDATES, min_size=1, max_size=4))
def test_updates_one_after_another_are_what_a_naive_model_makes(updates: list[list[Build]]) -> None:
    zone, model = ZONE, model_of(ZONE)
    for parts in updates:
        message = dns.update.UpdateMessage(APEX)
        for part in parts:
            part(message)
        update = read(message.to_wire())
        assert isinstance(update, Update)
        found = judge(update, zone)
        assert isinstance(found, Change) == model.holds(update)
        if isinstance(found, Change):
            for operation in update.operations:
                model.apply(operation)
            zone = zone.changed(found.removed, found.added)
        assert model_of(zone) == model
