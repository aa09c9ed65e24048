"""Folders as git writes them: what differs between two is what is in one of them only."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.git.entries import Entry, Folder, difference, entries
from oakroot.git.errors import RepositoryBroken

# Names and ids that look like the octets between them.
names = st.sampled_from([b"a", b"b", b"100644 a", b"q100644 a", b"100644 100644 a", b"zone%d" * 3, b"\xff"])
ids = st.sampled_from(
    [b"100644 a".ljust(20, b"\x00"), b"\x00" * 20, b"100644 a\x00100644 b\x00aa", b"x" * 20]
)
folders = st.dictionaries(names, st.tuples(st.sampled_from([0o100644, 0o100755, 0o40000]), ids))


def written(folder: dict[bytes, tuple[int, bytes]]) -> bytes:
    return b"".join(
        b"%o %b\x00%b" % (mode, name, content) for name, (mode, content) in sorted(folder.items())
    )


def read(folder: dict[bytes, tuple[int, bytes]]) -> dict[bytes, Entry]:
    return {name: Entry(mode, content.hex()) for name, (mode, content) in folder.items()}


# So many entries before and behind, all alike, that whole stretches of them are passed over.
def padded(folder: dict[bytes, tuple[int, bytes]], count: int) -> dict[bytes, tuple[int, bytes]]:
    rest = {
        b"%b%05d" % (end, number): (0o100644, b"y" * 20) for end in (b"!", b"~") for number in range(count)
    }
    return rest | folder


@given(st.lists(folders, min_size=2, max_size=4), st.sampled_from([0, 3, 400]))
def test_the_difference_is_what_is_in_one_of_them_only(
    versions: list[dict[bytes, tuple[int, bytes]]], count: int
) -> None:
    written_down = [Folder(written(padded(version, count))) for version in versions]
    for (before, after), (older, newer) in zip(pairwise(versions), pairwise(written_down), strict=True):
        found = difference(older, newer)
        old, new = read(before), read(after)
        assert found.gone == {name: entry for name, entry in old.items() if new.get(name) != entry}
        assert found.come == {name: entry for name, entry in new.items() if old.get(name) != entry}


def test_where_entries_begin_is_looked_for_once() -> None:
    folder = {b"zone%05d" % number: (0o100644, b"%020d" % number) for number in range(1000)}
    older = Folder(written(folder))
    for number in (900, 10, 500):
        folder[b"zone%05d" % number] = (0o100644, b"x" * 20)
        newer = Folder(written(folder))
        assert list(difference(older, newer).come) == [b"zone%05d" % number]
        assert len(newer.starts) > 10
        starts = {newer.octets.index(name) - len(b"100644 ") for name in folder}
        assert starts.issuperset(newer.starts)
        older = newer


@given(folders)
def test_all_entries_are_read(folder: dict[bytes, tuple[int, bytes]]) -> None:
    assert dict(entries(written(folder))) == read(folder)


@pytest.mark.parametrize("octets", [b"100644 a", b"100644 a\x00short", b"no mode\x00" + b"x" * 20, b"x"])
def test_octets_that_are_no_folder_are_refused(octets: bytes) -> None:
    with pytest.raises(RepositoryBroken):
        list(entries(octets))
    with pytest.raises(RepositoryBroken):
        difference(Folder(b""), Folder(octets))
