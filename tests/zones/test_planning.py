"""What a change does, RRset by RRset: two trees in, a plan out."""

from __future__ import annotations

from collections.abc import Mapping

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot._engine import read_zone
from oakroot.zones.consequences import consequences, duration
from oakroot.zones.guard import Guard
from oakroot.zones.plan import Plan, RRset, ZonePlan
from oakroot.zones.planning import LISTED_RECORDS, Rules, make_plan, zone_changes
from oakroot.zones.serials import SerialPolicy
from tests.zones.repositories import BROKEN, KEY_LINE, tree_of, zone_text

Files = Mapping[str, bytes | str]


def plan(before: Files, after: Files, policy: SerialPolicy = "increment") -> Plan:
    changed = {path for path in {**before, **after} if before.get(path) != after.get(path)}
    return make_plan(tree_of(before), tree_of(after), changed, Rules(policy))


def zone_plan(before: Files, after: Files, policy: SerialPolicy = "increment") -> ZonePlan:
    (zone,) = plan(before, after, policy).zones
    return zone


def said(zone: ZonePlan) -> list[str]:
    return [f"{each.about}: {each.text}" for each in consequences(zone)]


def test_equal_trees_make_an_empty_plan() -> None:
    assert plan({"mirage": zone_text()}, {"mirage": zone_text()}).is_empty


def test_a_changed_record_is_one_rrset_before_and_after() -> None:
    zone = zone_plan({"mirage": zone_text(1, "www A 192.0.2.1")}, {"mirage": zone_text(2, "www A 192.0.2.2")})
    (change,) = zone.changes
    assert (change.owner, change.type) == ("www.mirage.", "A")
    assert (change.removed, change.added) == (("192.0.2.1",), ("192.0.2.2",))


def test_an_rrset_that_grows_keeps_what_it_has() -> None:
    before, after = zone_text(1, "www A 192.0.2.1"), zone_text(2, "www A 192.0.2.1", "www A 192.0.2.2")
    (change,) = zone_plan({"mirage": before}, {"mirage": after}).changes
    assert change.after == RRset(3600, ("192.0.2.1", "192.0.2.2"))
    assert (change.removed, change.added) == ((), ("192.0.2.2",))


def test_another_ttl_alone_is_a_change() -> None:
    before, after = zone_text(1, "www 60 A 192.0.2.1"), zone_text(2, "www 300 A 192.0.2.1")
    (change,) = zone_plan({"mirage": before}, {"mirage": after}).changes
    assert change.changes_ttl
    assert (change.removed, change.added) == ((), ())


def test_a_serial_alone_changes_no_rrset() -> None:
    zone = zone_plan({"mirage": zone_text(1)}, {"mirage": zone_text(2)})
    assert zone.changes == ()
    assert (zone.serial.before, zone.serial.served) == (1, 2)


def test_another_layout_of_the_same_zone_is_no_change() -> None:
    assert plan({"mirage": zone_text()}, {"mirage": b"; hello\n" + zone_text()}).is_empty


def test_a_serial_that_was_forgotten_is_raised_by_the_primary() -> None:
    zone = zone_plan({"mirage": zone_text(7)}, {"mirage": zone_text(7, "www A 192.0.2.1")})
    assert (zone.serial.fate, zone.serial.served) == ("raised", 8)
    assert not zone.is_broken


def test_a_serial_that_was_forgotten_is_refused_by_a_primary_that_must_not_raise_it() -> None:
    zone = zone_plan({"mirage": zone_text(7)}, {"mirage": zone_text(7, "www A 192.0.2.1")}, "manual")
    assert zone.serial.fate == "refused"
    assert zone.is_broken


def test_a_broken_file_leaves_the_version_before() -> None:
    zone = zone_plan({"mirage": zone_text(1)}, {"mirage": BROKEN})
    assert zone.is_broken
    assert (zone.serial.served, zone.deleted) == (1, 0)
    assert consequences(zone) == ()


def test_a_new_zone_lists_its_records() -> None:
    zone = zone_plan({}, {"mirage": zone_text()})
    assert [(change.type, change.before) for change in zone.changes] == [
        ("SOA", None),
        ("NS", None),
        ("A", None),
    ]


def test_a_large_new_zone_is_only_counted() -> None:
    records = [f"host{number} A 192.0.2.1" for number in range(LISTED_RECORDS)]
    zone = zone_plan({}, {"mirage": zone_text(1, *records)})
    assert zone.changes == ()
    assert zone.after is not None
    assert zone.after.record_count == LISTED_RECORDS + 3


def test_a_removed_zone_loses_all_its_records() -> None:
    zone = zone_plan({"mirage": zone_text()}, {})
    assert (zone.after, zone.deleted, zone.present) == (None, 3, 3)


def test_a_zone_is_touched_by_what_it_includes() -> None:
    text = zone_text(1, "$INCLUDE parts/web")
    before: Files = {"mirage": text, "parts/web": "www A 192.0.2.1\n", "example.org": zone_text()}
    # Files in folders are found when they are asked for; the listing of a test's tree has them all.
    zone = zone_plan(before, {**before, "parts/web": "www A 192.0.2.2\n"})
    assert zone.apex == "mirage."
    assert zone.changes[0].added == ("192.0.2.2",)


def test_of_two_files_for_one_zone_the_first_counts() -> None:
    before = {"Mirage": zone_text(1, "www A 192.0.2.1"), "mirage": zone_text(1)}
    zone = zone_plan(before, {"mirage": zone_text(2)})
    assert zone.path == "mirage"
    assert [change.owner for change in zone.changes] == ["www.mirage."]


def test_keys_that_come_go_and_are_renewed_are_named_without_their_secrets() -> None:
    key = KEY_LINE.format(zone="mirage.")
    other = "other._notify.mirage. DNSKEY 0 3 163 cDK6sKyvlt8UBerZlmxuD84ih2KookJGDagJlLVNo20=\n"
    renewed = key.replace(
        "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=", "cDK6sKyvlt8UBerZlmxuD84ih2KookJGDagJlLVNo20="
    )
    first = plan({}, {"mirage._keys": key})
    assert [(change.name, change.kind, change.operation) for change in first.keys] == [
        ("personal._update.mirage.", "added", "update")
    ]
    second = plan({"mirage._keys": key}, {"mirage._keys": renewed + other})
    assert [change.kind for change in second.keys] == ["added", "renewed"]
    assert "cDK6" not in repr(second)
    assert [change.kind for change in plan({"mirage._keys": other}, {}).keys] == ["removed"]


def test_a_share_beyond_the_guard_is_told() -> None:
    hosts = [f"host{number} A 192.0.2.1" for number in range(17)]
    change = plan({"mirage": zone_text(1, *hosts)}, {"mirage": zone_text(2, *hosts[:10])})
    assert list(change.beyond(Guard())) == ["mirage. loses 7 of 20 records (35%)"]
    assert list(change.beyond(Guard(0.35))) == []


def test_a_small_zone_may_lose_any_share() -> None:
    change = plan({"mirage": zone_text(1, "www A 192.0.2.1")}, {"mirage": zone_text(2)})
    assert list(change.beyond(Guard(0.1))) == []


def test_too_many_zones_that_go_are_beyond_the_guard() -> None:
    files = {f"zone{number}.example": zone_text() for number in range(12)}
    change = plan(files, dict(list(files.items())[:8]))
    assert list(change.beyond(Guard())) == ["4 of 12 zones are removed"]
    assert list(plan(files, dict(list(files.items())[:9])).beyond(Guard())) == []


def test_replaced_records_are_not_deleted() -> None:
    before = zone_text(1, "a A 192.0.2.1", "b A 192.0.2.1", "b A 192.0.2.2", "c A 192.0.2.1")
    after = zone_text(2, "a 60 A 192.0.2.9", "b A 192.0.2.9", "d A 192.0.2.1")
    assert zone_plan({"mirage": before}, {"mirage": after}).deleted == 2


def test_caches_keep_what_was_for_its_old_ttl() -> None:
    before, after = zone_text(1, "www 5400 A 192.0.2.1"), zone_text(2, "www 60 A 192.0.2.2")
    assert "caches: old answers may live on in resolvers for 1h30m" in said(
        zone_plan({"mirage": before}, {"mirage": after})
    )


def test_absence_is_remembered_for_the_smaller_of_ttl_and_minimum() -> None:
    before = zone_text(1).replace(b"1048576\t3600", b"1048576\t900")
    after = zone_text(2, "new A 192.0.2.1").replace(b"1048576\t3600", b"1048576\t900")
    assert "caches: who asked too early may hear for 15m that it does not exist" in said(
        zone_plan({"mirage": before}, {"mirage": after})
    )


def test_the_parent_must_follow_name_servers_and_their_addresses() -> None:
    after = zone_text(2, "@ NS ns2", "ns2 A 192.0.2.2").replace(b"192.0.2.1\n", b"192.0.2.7\n")
    told = said(zone_plan({"mirage": zone_text(1)}, {"mirage": after}))
    assert "delegation: the parent's NS records must follow: +ns2.mirage." in told
    assert "delegation: ns1.mirage. is a name server of the zone: its glue at the parent must follow" in told


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            [],
            ["_letsencrypt._tcp.www TLSA 3 255 0 3082"],
            "the certifier will order a certificate for www.mirage.",
        ),
        (
            ["_letsencrypt._tcp.www TLSA 3 255 0 3082"],
            [],
            "www.mirage. is not renewed any more: its request goes",
        ),
        (
            ["_letsencrypt._tcp.www TLSA 3 255 0 3082", "_letsencrypt._tcp.www TLSA 3 0 0 3082"],
            ["_letsencrypt._tcp.www TLSA 3 255 0 3082"],
            "the certifier will order anew for www.mirage.: its certificate goes",
        ),
        (
            ["_acme-challenge.www TXT abc"],
            [],
            "a validation that is under way at _acme-challenge.www.mirage. would fail",
        ),
        (
            [],
            ['@ CAA 0 issue "ca.example.net"'],
            "CAA at mirage. decides which authorities may issue for it and below",
        ),
    ],
)
def test_certificates_feel_changes_of_their_records(
    before: list[str], after: list[str], expected: str
) -> None:
    zone = zone_plan({"mirage": zone_text(1, *before)}, {"mirage": zone_text(2, *after)})
    assert f"certificates: {expected}" in said(zone)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59, "59s"), (3600, "1h"), (90061, "1d1h"), (1209600, "14d")]
)
def test_durations_read_as_in_a_zone_file(seconds: int, text: str) -> None:
    assert duration(seconds) == text


HOSTS = st.dictionaries(
    st.sampled_from(["a", "b", "c.d", "*.e", "@"]),
    st.sets(st.integers(1, 5), min_size=1, max_size=3),
    max_size=5,
)


def test_changes_are_told_in_canonical_order() -> None:
    owners = ["@", "a", "z.a", "\\.b.a", "*.c", "b", "a.b", "x\\032y"]
    before, _ = read_zone(zone_text(1), "mirage.", "mirage")
    after, _ = read_zone(zone_text(2, *(f"{owner} TXT 1" for owner in owners)), "mirage.", "mirage")
    assert before is not None
    assert after is not None
    changes, _ = zone_changes(before, after)
    names = [dns.name.from_text(change.owner) for change in changes]
    assert names == sorted(names)
    assert len(names) == len(owners)


@given(HOSTS, HOSTS)
def test_taking_what_is_removed_and_adding_what_is_added_gives_the_version_after(
    old: dict[str, set[int]], new: dict[str, set[int]]
) -> None:
    def records(hosts: dict[str, set[int]]) -> list[str]:
        return [f"{owner} TXT {number}" for owner, numbers in hosts.items() for number in sorted(numbers)]

    before, _ = read_zone(zone_text(1, *records(old)), "mirage.", "mirage")
    after, _ = read_zone(zone_text(2, *records(new)), "mirage.", "mirage")
    assert before is not None
    assert after is not None
    changes, deleted = zone_changes(before, after)
    assert deleted == before.records_lost(after)
    rrsets = {(owner, rtype, rdata) for owner, _, rtype, rdata in before.records() if rtype != "SOA"}
    for change in changes:
        rrsets -= {(change.owner, change.type, rdata) for rdata in change.removed}
        rrsets |= {(change.owner, change.type, rdata) for rdata in change.added}
    assert rrsets == {(owner, rtype, rdata) for owner, _, rtype, rdata in after.records() if rtype != "SOA"}
