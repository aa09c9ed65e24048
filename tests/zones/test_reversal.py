"""Undoing a change on top of later ones, as records."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot._engine import Zone, read_zone
from oakroot.zones.reversal import Reversal, SerialRule, reverse
from tests.zones.repositories import NOON, zone_text

RULE = SerialRule("increment", NOON)


def zone(serial: int, *records: str) -> Zone:
    read, findings = read_zone(zone_text(serial, *records), "mirage.", "mirage")
    assert read is not None, findings
    return read


def undo(now: Zone, before: Zone, after: Zone) -> tuple[Zone, Reversal]:
    reversal = reverse(now, before, after, RULE)
    return now.changed(reversal.remove, reversal.add), reversal


def records(version: Zone) -> set[tuple[str, int, str, str]]:
    return {record for record in version.records() if record[2] != "SOA"}


def test_what_was_added_goes_and_what_was_removed_comes_back() -> None:
    before, after = zone(1, "a A 192.0.2.1", "b A 192.0.2.2"), zone(2, "b A 192.0.2.2", "c A 192.0.2.3")
    result, reversal = undo(after, before, after)
    assert records(result) == records(before)
    assert result.serial == 3
    assert reversal.conflicts == ()


def test_what_came_later_stays() -> None:
    before, after = zone(1), zone(2, "a A 192.0.2.1")
    now = zone(3, "a A 192.0.2.1", "a A 192.0.2.9", "b A 192.0.2.2")
    result, _ = undo(now, before, after)
    assert records(result) == records(zone(1, "a A 192.0.2.9", "b A 192.0.2.2"))
    assert result.serial == 4


def test_another_ttl_goes_back() -> None:
    before, after = zone(1, "a 60 A 192.0.2.1"), zone(2, "a 300 A 192.0.2.1")
    result, _ = undo(after, before, after)
    assert records(result) == records(before)


def test_other_fields_of_the_soa_go_back_and_the_serial_does_not() -> None:
    text = zone_text(2).replace(b"86400", b"43200")
    after, _ = read_zone(text, "mirage.", "mirage")
    assert after is not None
    result, _ = undo(after, zone(1), after)
    (soa,) = result.records_of("mirage.", "SOA")
    assert soa[3].split()[2:4] == ["3", "86400"]


def test_what_was_changed_again_is_a_conflict_and_stays() -> None:
    before, after, now = zone(1, "a A 192.0.2.1"), zone(2, "a A 192.0.2.2"), zone(3, "a A 192.0.2.3")
    result, reversal = undo(now, before, after)
    assert [change.owner for change in reversal.conflicts] == ["a.mirage."]
    assert result.serial == 3


def test_what_is_undone_already_needs_nothing() -> None:
    before, after = zone(1, "a A 192.0.2.1"), zone(2, "a A 192.0.2.2")
    reversal = reverse(zone(3, "a A 192.0.2.1"), before, after, RULE)
    assert reversal == Reversal((), (), (), ())


@pytest.mark.parametrize("now", ["a 900 A 192.0.2.1"])
def test_a_ttl_that_was_changed_again_is_a_conflict(now: str) -> None:
    before, after = zone(1, "a 60 A 192.0.2.1"), zone(2, "a 300 A 192.0.2.1")
    assert len(reverse(zone(3, now), before, after, RULE).conflicts) == 1


HOSTS = st.dictionaries(
    st.sampled_from("abc"), st.sets(st.integers(1, 4), min_size=1, max_size=3), max_size=3
)


def made(serial: int, hosts: dict[str, set[int]]) -> Zone:
    return zone(serial, *(f"{owner} A 192.0.2.{last}" for owner in hosts for last in sorted(hosts[owner])))


@given(HOSTS, HOSTS)
def test_undoing_the_newest_change_gives_the_version_before(
    old: dict[str, set[int]], new: dict[str, set[int]]
) -> None:
    before, after = made(1, old), made(2, new)
    result, reversal = undo(after, before, after)
    assert records(result) == records(before)
    assert reversal.conflicts == ()


@given(HOSTS, HOSTS, HOSTS)
def test_undoing_touches_only_what_the_change_touched(
    old: dict[str, set[int]], new: dict[str, set[int]], latest: dict[str, set[int]]
) -> None:
    before, after, now = made(1, old), made(2, new), made(3, latest)
    result, _ = undo(now, before, after)
    touched = records(before) ^ records(after)
    assert records(result) ^ records(now) <= touched
