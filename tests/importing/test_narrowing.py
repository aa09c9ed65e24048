"""No key's name grants in a repository what its key could not do at the source."""

from __future__ import annotations

from itertools import product

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.importing.narrowing import also_transferring, narrowed, widest
from oakroot.importing.permissions import granted_name
from oakroot.importing.setup import Note, Permission
from oakroot.keys.grant import Operation, read_grant
from oakroot.keys.limits import NO_LIMITS, Limits

EXACT, BELOW = Limits(is_exact=True), Limits(is_below=True)
ONLY_TXT = Limits(only=frozenset({16}))
ZONES = ("a.org.", "sub.a.org.", "b.org.")


def update(zone: str, limits: Limits = NO_LIMITS, apex: str | None = None) -> Permission:
    return Permission("k", Operation.UPDATE, zone, limits, apex)


def transfer(zone: str) -> Permission:
    return Permission("k", Operation.TRANSFER, zone)


def left(*permissions: Permission) -> list[Permission]:
    """What stays of these permissions."""
    return [each for each in narrowed(permissions, ZONES) if isinstance(each, Permission)]


@pytest.mark.proves("imports", "BIND", "no key reaches into a zone below that it had no rights in")
@pytest.mark.proves("imports", "Knot DNS", "no key reaches into a zone below that it had no rights in")
@pytest.mark.parametrize(
    "wide",
    [
        update("a.org."),
        transfer("a.org."),
        transfer("."),
        update("a.org.", BELOW),
        update("a.org.", ONLY_TXT),
        update("www.sub.a.org.", EXACT, "a.org."),
        update("www.b.org.", EXACT, "a.org."),
    ],
)
def test_what_would_reach_into_another_zone_is_left_behind_with_a_note(wide: Permission) -> None:
    (note,) = narrowed([wide], ZONES)
    assert isinstance(note, Note)
    assert f"the key k is left behind at {wide.zone}" in note.text


@pytest.mark.parametrize(
    "narrow",
    [
        update("b.org."),
        update("sub.a.org."),
        update("a.org.", EXACT),
        update("www.a.org.", NO_LIMITS, "a.org."),
    ],
)
def test_what_reaches_no_other_zone_stays(narrow: Permission) -> None:
    assert left(narrow) == [narrow]


def test_a_key_with_the_same_rights_below_keeps_them_above() -> None:
    both = [update("a.org."), update("sub.a.org.")]
    assert left(*both) == both
    limited = [update("a.org.", ONLY_TXT), update("sub.a.org.", ONLY_TXT)]
    assert left(*limited) == limited


@pytest.mark.parametrize("below", [transfer("sub.a.org."), update("sub.a.org.", ONLY_TXT)])
def test_a_key_with_fewer_rights_below_is_left_behind_above(below: Permission) -> None:
    assert left(update("a.org."), below) == [below]


def test_what_another_permission_includes_is_not_written() -> None:
    permissions = [transfer("."), transfer("a.org."), update("b.org."), update("b.org.", EXACT)]
    assert list(widest(permissions)) == [transfer("."), update("b.org.")]


def test_updates_that_bring_transfers_along_are_told() -> None:
    assert list(also_transferring([update("a.org.")])) == ["k"]
    assert list(also_transferring([update("a.org."), transfer("a.org.")])) == []
    assert list(also_transferring([update("a.org.", EXACT)])) == []


APEXES = (".", "org.", "a.org.", "sub.a.org.", "b.org.")
NAMES = tuple(
    map(dns.name.from_text, (*APEXES, "net.", "www.a.org.", "x.www.a.org.", "www.sub.a.org.", "c.org."))
)
PERMISSIONS = st.builds(
    lambda operation, zone, limits, apex: Permission(
        "k", operation, zone, limits if operation is Operation.UPDATE else NO_LIMITS, apex
    ),
    st.sampled_from(Operation),
    st.sampled_from([name.to_text() for name in NAMES]),
    st.sampled_from([NO_LIMITS, EXACT, BELOW, ONLY_TXT]),
    st.sampled_from(APEXES),
)


def home(name: dns.name.Name, zones: set[str]) -> str | None:
    """The zone that a name is in."""
    above = [zone for zone in zones if name.is_subdomain(dns.name.from_text(zone))]
    return max(above, key=lambda zone: len(dns.name.from_text(zone)), default=None)


def could(permission: Permission, asked: tuple[Operation, dns.name.Name, str], zones: set[str]) -> bool:
    """Whether the old server allowed an operation at a name, for records of a type."""
    return home(asked[1], zones) == permission.apex and read_grant(granted_name(permission)).allows(*asked)


@given(st.lists(PERMISSIONS, max_size=5), st.sets(st.sampled_from(APEXES)))
def test_no_name_in_any_zone_becomes_open_to_a_key(permissions: list[Permission], zones: set[str]) -> None:
    served = [name for name in NAMES if home(name, zones) is not None]
    stay = [each for each in narrowed(permissions, zones) if isinstance(each, Permission)]
    for each in widest(stay):
        grant = read_grant(granted_name(each))
        for asked in product([each.operation], served, ["TXT", "A"]):
            if grant.allows(*asked):
                assert any(could(old, asked, zones) for old in permissions), (each, asked)


@given(st.lists(PERMISSIONS, max_size=5), st.sets(st.sampled_from(APEXES)))
def test_what_is_not_written_is_included_in_what_is(permissions: list[Permission], zones: set[str]) -> None:
    stay = [each for each in narrowed(permissions, zones) if isinstance(each, Permission)]
    written = [read_grant(granted_name(each)) for each in widest(stay)]
    for each in stay:
        grant = read_grant(granted_name(each))
        for asked in product([each.operation], NAMES, ["TXT", "A"]):
            if grant.allows(*asked):
                assert any(other.allows(*asked) for other in written)
