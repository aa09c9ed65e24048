"""Serials move forward, around the wrap too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.zones.serials import MODULUS, SerialPolicy, add, is_forward, next_serial

serials = st.integers(0, MODULUS - 1)
NOON = 1_795_348_800.0  # 2026-11-22 12:00 UTC


@pytest.mark.parametrize(
    ("old", "new", "forward"),
    [
        (1, 2, True),
        (2, 1, False),
        (7, 7, False),
        (MODULUS - 1, 0, True),
        (0, MODULUS - 1, False),
        (0, 2**31 - 1, True),
        (0, 2**31, False),
        (2**31, 0, False),
    ],
)
def test_forward_is_what_rfc_1982_says(old: int, new: int, *, forward: bool) -> None:
    assert is_forward(old, new) is forward


@given(serials, serials)
def test_of_two_serials_at_most_one_is_forward_of_the_other(one: int, other: int) -> None:
    assert not (is_forward(one, other) and is_forward(other, one))


@given(serials, st.integers(1, 2**31 - 1))
def test_adding_moves_forward(serial: int, amount: int) -> None:
    assert is_forward(serial, add(serial, amount))


def test_half_of_the_circle_cannot_be_added() -> None:
    with pytest.raises(ValueError, match="not by 2147483648"):
        add(1, 2**31)


@given(
    st.sampled_from(["increment", "unixtime", "date"]),
    serials,
    st.floats(min_value=0, max_value=2_000_000_000, allow_nan=False),
)
def test_the_next_serial_is_forward_of_the_served_one(policy: SerialPolicy, served: int, now: float) -> None:
    assert is_forward(served, next_serial(policy, served, now))


@pytest.mark.parametrize(
    ("policy", "served", "serial"),
    [
        ("increment", 41, 42),
        ("increment", MODULUS - 1, 1),
        ("unixtime", 41, 1_795_348_800),
        ("unixtime", 1_795_348_800, 1_795_348_801),
        ("unixtime", 2_026_112_200, 2_026_112_201),
        ("date", 41, 2_026_112_200),
        ("date", 2_026_112_200, 2_026_112_201),
        ("date", 2_026_112_299, 2_026_112_300),
        ("date", 2_027_010_100, 2_027_010_101),
    ],
)
def test_each_policy_has_its_next_serial(policy: SerialPolicy, served: int, serial: int) -> None:
    assert next_serial(policy, served, NOON) == serial


def test_the_manual_policy_makes_no_serials() -> None:
    with pytest.raises(ValueError, match="operator"):
        next_serial("manual", 1, NOON)
