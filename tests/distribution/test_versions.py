"""Which versions are kept for IXFR."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot._engine import Zone
from oakroot.distribution import versions
from oakroot.distribution.versions import VERSIONS_LIMIT, Versions
from oakroot.zones.loaded import ZoneChange
from oakroot.zones.serials import is_forward
from tests.secondary.authority import ZONE, make_zone


def history(*zones: Zone | None) -> Versions:
    """What is kept once the zones have been served one after the other; None: not at all."""
    kept, before = Versions(), None
    for zone in zones:
        kept = kept.after([ZoneChange(ZONE, before, zone)])
        before = zone
    return kept


def serials(kept: Versions, newest: Zone) -> list[int]:
    return [zone.serial for zone in kept.of(newest)]


def test_a_zone_that_never_changed_has_one_version() -> None:
    zone = make_zone(1)
    assert Versions().of(zone) == (zone,)


def test_versions_are_kept_in_order() -> None:
    zones = [make_zone(serial) for serial in (1, 2, 7)]
    assert history(*zones).of(zones[-1]) == tuple(zones)


def test_only_so_many_are_kept() -> None:
    zones = [make_zone(serial) for serial in range(1, 40)]
    assert serials(history(*zones), zones[-1]) == list(range(39 - VERSIONS_LIMIT, 40))


def test_of_a_large_zone_fewer_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "RECORDS_LIMIT", 10)
    zones = [make_zone(serial) for serial in range(1, 10)]
    assert serials(history(*zones), zones[-1]) == [6, 7, 8, 9]


def test_of_the_largest_zone_one_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "RECORDS_LIMIT", 1)
    zones = [make_zone(serial) for serial in range(1, 10)]
    assert serials(history(*zones), zones[-1]) == [8, 9]


def test_what_the_newest_is_not_forward_of_is_dropped_with_all_before_it() -> None:
    zones = [make_zone(serial) for serial in (1, 20, 5, 6)]
    assert serials(history(*zones), zones[-1]) == [5, 6]


def test_a_zone_that_was_removed_begins_anew() -> None:
    zone = make_zone(3)
    assert history(make_zone(1), make_zone(2), None, zone).of(zone) == (zone,)


def test_other_zones_keep_theirs() -> None:
    kept = history(make_zone(1), make_zone(2))
    other = make_zone(1, apex="example.com.")
    kept = kept.after([ZoneChange("example.com.", None, other)])
    assert serials(kept, make_zone(2)) == [1, 2]


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=30))
def test_the_newest_is_forward_of_all_that_is_kept(serials_served: list[int]) -> None:
    base = make_zone(1)
    zones = [base.with_serial(serial) for serial in serials_served]
    chain = history(*zones).of(zones[-1])
    assert all(is_forward(zone.serial, chain[-1].serial) for zone in chain[:-1])
