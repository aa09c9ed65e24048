"""Waits: what the SOA says, within reason, doubled after failures, a little spread."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from oakroot.secondary.timers import (
    LONGEST_WAIT,
    SHORTEST_WAIT,
    Dice,
    Timers,
    read_timers,
    refresh_wait,
    retry_wait,
)
from tests.secondary.authority import make_zone

numbers = st.integers(0, 2**32 - 1)


def test_the_timers_are_those_of_the_soa() -> None:
    assert read_timers(make_zone(5, times="86400 7200 1048576 60")) == Timers(86400, 7200, 1048576)


def test_the_timers_of_the_root_zone_are_read_too() -> None:
    assert read_timers(make_zone(5, apex=".", times="1 2 3 4")) == Timers(1, 2, 3)


def test_retries_are_doubled_up_to_refresh() -> None:
    timers = Timers(refresh=1000, retry=100, expire=9999)
    assert [retry_wait(timers, failures) for failures in range(1, 7)] == [100, 200, 400, 800, 1000, 1000]


def test_a_retry_longer_than_refresh_is_kept() -> None:
    assert retry_wait(Timers(refresh=10, retry=100, expire=9999), 5) == 100


@given(numbers, numbers, st.integers(1, 10_000))
def test_waits_are_within_reason(refresh: int, retry: int, failures: int) -> None:
    timers = Timers(refresh, retry, 0)
    assert SHORTEST_WAIT <= refresh_wait(timers) <= LONGEST_WAIT
    assert SHORTEST_WAIT <= retry_wait(timers, failures) <= LONGEST_WAIT


@given(st.integers(), st.floats(0, 1e9), st.text())
def test_spread_takes_up_to_a_tenth_and_is_no_accident(seed: int, seconds: float, label: str) -> None:
    spread = Dice(seed).spread(seconds, label)
    assert seconds * 0.9 <= spread <= seconds
    assert spread == Dice(seed).spread(seconds, label)


def test_zones_are_pulled_apart() -> None:
    waits = {round(Dice(1).spread(86400, f"{number}.example.", 0.0) / 86) for number in range(1000)}
    assert len(waits) > 80
