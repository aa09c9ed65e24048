"""What deletes too much at once is held back: the last good version stays, until the deletion is meant."""

from __future__ import annotations

import pytest

from oakroot.zones.guard import Guard, is_meant
from oakroot.zones.load import SerialRules, load
from oakroot.zones.loaded import Loaded, Loading
from oakroot.zones.starting import load_first
from tests.zones.repositories import NOON, tree_of, zone_text

HOSTS = [f"host{number} A 192.0.2.1" for number in range(17)]
FULL = {"mirage": zone_text(1, *HOSTS)}
EMPTY = {"mirage": zone_text(2)}
GUARD = Guard()
MANY = {f"zone{number}.example": zone_text() for number in range(12)}


def loads(*versions: tuple[dict[str, bytes], Guard | None]) -> Loading:
    """The outcome of loading versions one after the other, each with its guard."""
    loading = None
    loaded = Loaded.nothing()
    for files, guard in versions:
        loading = load(tree_of(files), loaded, SerialRules("increment", NOON), guard)
        loaded = loading.loaded
    assert loading is not None
    return loading


def serial(loading: Loading) -> int | None:
    zone = loading.loaded.catalogue.zone("mirage.")
    return None if zone is None else zone.serial


def test_a_change_that_deletes_too_much_is_held_back_and_told() -> None:
    loading = loads((FULL, GUARD), (EMPTY, GUARD))
    assert serial(loading) == 1
    (finding,) = loading.findings
    assert finding.brief == "mirage: the change deletes 17 of 20 records (85%), and is held back"
    assert not loading.loaded.zones["mirage."].is_current


def test_a_deletion_that_is_meant_is_served_although_its_file_was_held_back_before() -> None:
    loading = loads((FULL, GUARD), (EMPTY, GUARD), (EMPTY, None))
    assert serial(loading) == 2
    assert loading.loaded.zones["mirage."].findings == ()


def test_records_that_come_back_are_served() -> None:
    back = {"mirage": zone_text(3, *HOSTS, "new A 192.0.2.2")}
    assert serial(loads((FULL, GUARD), (EMPTY, GUARD), (back, GUARD))) == 3


def test_other_zones_go_on() -> None:
    other = {"other": zone_text(1)}
    loading = loads(({**FULL, **other}, GUARD), ({**EMPTY, "other": zone_text(2)}, GUARD))
    assert loading.loaded.zones["other."].is_current


def first(files: dict[str, bytes], earlier: dict[str, bytes] | None, guard: Guard | None = GUARD) -> Loading:
    """The first load after a start."""
    before = None if earlier is None else tree_of(earlier)
    return load_first(tree_of(files), before, SerialRules("increment", NOON), guard)


def test_a_first_load_is_compared_with_the_commit_before() -> None:
    loading = first(EMPTY, FULL)
    assert serial(loading) == 1
    assert [finding.code for finding in loading.findings] == ["mass-deletion"]
    assert [(change.before, change.after and change.after.serial) for change in loading.changes] == [
        (None, 1)
    ]


@pytest.mark.parametrize(
    ("earlier", "guard"), [(None, GUARD), (FULL, None), (FULL, Guard(1.0)), (EMPTY, GUARD), ({}, GUARD)]
)
def test_a_first_load_without_a_mass_deletion_is_as_ever(
    earlier: dict[str, bytes] | None, guard: Guard | None
) -> None:
    assert serial(first(EMPTY, earlier, guard)) == 2


def test_zones_that_go_before_a_start_stay_if_they_are_many() -> None:
    few = dict(list(MANY.items())[:8])
    assert len(first(few, MANY).loaded.catalogue) == 12
    assert len(first(few, dict(list(MANY.items())[:10])).loaded.catalogue) == 8


def test_a_zone_whose_file_is_renamed_before_a_start_has_not_gone() -> None:
    renamed = {name.upper(): text for name, text in MANY.items()}
    loading = first(renamed, MANY)
    assert loading.findings == ()
    assert {zone.path for zone in loading.loaded.zones.values()} == set(renamed)


def test_what_a_start_held_back_is_served_once_it_is_meant() -> None:
    held = first(EMPTY, FULL)
    loading = load(tree_of(EMPTY), held.loaded, SerialRules("increment", NOON), None)
    assert serial(loading) == 2


def test_many_zones_that_go_at_once_stay() -> None:
    few = dict(list(MANY.items())[:8])
    loading = loads((MANY, GUARD), (few, GUARD))
    assert len(loading.loaded.catalogue) == 12
    assert {finding.message for finding in loading.findings} == {
        "the change removes 4 of 12 zones, and is held back"
    }
    again = loads((MANY, GUARD), (few, GUARD), (few, GUARD))
    assert again.findings == ()
    assert len(again.loaded.catalogue) == 12


def test_many_zones_that_are_meant_to_go_go() -> None:
    few = dict(list(MANY.items())[:8])
    loading = loads((MANY, GUARD), (few, GUARD), (few, None))
    assert len(loading.loaded.catalogue) == 8


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        ("Give up\n\nOakroot-Force: yes\n", True),
        ("Give up\n\noakroot-force: YES", True),
        ("Oakroot-Force: yesterday", False),
        ("Say Oakroot-Force: yes", False),
        ("", False),
    ],
)
def test_a_commit_says_that_it_is_meant_in_a_line_of_its_own(message: str, *, meant: bool) -> None:
    assert is_meant(message) is meant
