"""A zone under change is what its changes, made one after the other, would leave."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from oakroot._engine import Zone, read_zone
from oakroot.zones.changing import ChangingZone
from oakroot.zones.edits import TextRecord

TEXT = b"""$TTL 60
@ SOA ns1 hostmaster 1 3600 600 86400 60
@ NS ns1
ns1 A 192.0.2.1
www A 192.0.2.2
www A 192.0.2.3
www TXT "web"
"""
OWNERS = ("www.mirage.", "ns1.mirage.", "new.mirage.")
RECORDS: list[TextRecord] = [
    *((owner, 60, "A", f"192.0.2.{number}") for owner in OWNERS for number in (1, 2, 3)),
    *((owner, 60, "TXT", '"web"') for owner in OWNERS),
]


def zone() -> Zone:
    found, _ = read_zone(TEXT, "mirage.", "mirage")
    assert found is not None
    return found


@given(st.lists(st.sampled_from(RECORDS)))
def test_it_is_what_its_changes_leave(toggled: list[TextRecord]) -> None:
    before = version = zone()
    changing = ChangingZone(before)
    for record in toggled:
        there = record in version.records_of(record[0], record[2])
        remove, add = ([record], []) if there else ([], [record])
        version = version.changed(remove, add)
        changing.change(remove, add)
        for owner in OWNERS:
            assert sorted(changing.types_of(owner.upper())) == sorted(version.types_of(owner))
            for kind in ("A", "TXT"):
                assert sorted(changing.records_of(owner, kind)) == sorted(version.records_of(owner, kind))
    removed, added = changing.difference()
    assert before.changed(removed, added).difference(version) == ([], [])
    assert len(removed) + len(added) == sum(map(len, before.difference(version)))
