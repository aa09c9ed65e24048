"""The table of zones is a mapping whose changed copies leave the others alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from oakroot.secondary.table import Table

keys = st.sampled_from([f"zone{number}.example." for number in range(600)])
changes = st.lists(st.tuples(keys, st.none() | st.integers()), max_size=60)


@given(changes)
def test_it_is_what_a_dict_would_be(steps: list[tuple[str, int | None]]) -> None:
    table, model = Table[int](), dict[str, int]()
    versions = []
    for key, value in steps:
        if value is not None:
            table, model = table.with_item(key, value), {**model, key: value}
        elif key in table:
            table = table.without(key)
            model = {other: kept for other, kept in model.items() if other != key}
        versions.append((table, model))
    for earlier, wanted in versions:
        assert dict(earlier) == wanted
        assert len(earlier) == len(wanted)
        assert all((key in earlier) == (key in wanted) for key, _ in steps)
