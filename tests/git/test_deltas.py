"""Deltas: whatever changed, the other side makes of it what we have."""

from __future__ import annotations

import random

from dulwich.pack import apply_delta
from hypothesis import given
from hypothesis import strategies as st

from oakroot.git.deltas import make_delta

LINES = [f"h{number} 3600 IN A 192.0.2.{number % 256}\n".encode() for number in range(5000)]
ZONE = b"".join(LINES)


def check(old: bytes, new: bytes) -> int:
    """The length of the delta."""
    delta = make_delta(old, new)
    assert delta is not None
    assert b"".join(apply_delta(old, delta)) == new
    return len(delta)


@given(st.lists(st.sampled_from(LINES[:20])), st.lists(st.sampled_from(LINES[:20])))
def test_any_lines_become_any_others(old: list[bytes], new: list[bytes]) -> None:
    check(b"".join(old), b"".join(new))


@given(st.binary(), st.binary())
def test_any_octets_become_any_others(old: bytes, new: bytes) -> None:
    check(old, new)


@given(st.data())
def test_a_few_changed_lines_are_a_short_delta(data: st.DataObject) -> None:
    lines = list(LINES)
    places = data.draw(st.lists(st.integers(0, len(lines) - 1), min_size=1, max_size=8))
    for place in places:
        change = data.draw(
            st.sampled_from([b"", b"new 60 A 192.0.2.1\n", lines[place] + b"more A 192.0.2.2\n"])
        )
        lines[place] = change
    assert check(ZONE, b"".join(lines)) < 100 * (len(places) + 1)


def test_a_file_of_many_copies_keeps_to_what_one_instruction_holds() -> None:
    long = random.Random(1).randbytes(300_000)
    assert check(long, long + b"end\n") < 60
    assert check(long[:65536], long[:65536]) < 20
    assert check(long, b"") < 10


def test_what_has_little_in_common_is_not_told_as_a_change() -> None:
    other = b"".join(f"other{number} TXT {number:064}\n".encode() for number in range(5000))
    assert make_delta(ZONE, other) is None
