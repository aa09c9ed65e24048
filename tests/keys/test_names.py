"""Comparing names by labels says what dnspython says."""

from __future__ import annotations

import dns.name
from hypothesis import given
from hypothesis import strategies as st

from oakroot.keys.names import folded, is_within

NAMES = st.lists(st.sampled_from([b"a", b"A", b"b", b"a.b", b"\xc4"]), max_size=4).map(
    lambda labels: dns.name.Name((*labels, b""))
)


@given(NAMES, NAMES)
def test_names_are_compared_as_dnspython_compares_them(one: dns.name.Name, other: dns.name.Name) -> None:
    assert is_within(one, other) == one.is_subdomain(other)
    assert (folded(one) == folded(other)) == (one == other)
