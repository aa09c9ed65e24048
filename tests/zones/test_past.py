"""Which earlier versions are certain: those whose serial was served with this content and no other."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from oakroot._engine import Zone, read_zone
from oakroot.zones.past import Content, Lineage, earlier_versions
from oakroot.zones.serials import is_forward


def version(serial: int, content: str) -> Zone:
    text = f"@ 60 SOA ns hm {serial} 1 1 1 1\n@ 60 NS ns\nns 60 A 192.0.2.1\n@ 60 TXT {content}\n"
    zone, findings = read_zone(text.encode(), "example.org.", "example.org")
    assert zone is not None, findings
    return zone


def found(history: Mapping[str, str | None], limit: int = 16) -> list[tuple[int, str]]:
    """Of a history `{"7B": "6A"}`, newest first, each text with what it was made of; "!" is broken.

    An older text that is in no line of its own is one whose origin was not looked at.
    """
    lineage = Lineage()
    for newer, origins in history.items():
        for older in [None] if origins is None else origins.split():
            lineage.add(None if older is None else (older,), (newer,))

    def read(content: Content) -> Zone | None:
        assert content[0] is not None
        return None if content[0] == "!" else version(int(content[0][:-1]), content[0][-1])

    newest = next(iter(history))
    zones = earlier_versions(version(int(newest[:-1]), newest[-1]), (newest,), lineage, read, limit)
    return [(zone.serial, zone.records_of("example.org.", "TXT")[0][3].strip('"')) for zone in zones]


def test_versions_of_an_orderly_history_are_found() -> None:
    assert found({"9D": "8C", "8C": "7B", "7B": "6A", "6A": None}) == [(6, "A"), (7, "B"), (8, "C")]


def test_the_limit_keeps_the_newest() -> None:
    assert found({"9D": "8C", "8C": "7B", "7B": "6A", "6A": None}, limit=1) == [(8, "C")]


def test_the_oldest_is_not_certain_where_nobody_looked_further() -> None:
    assert found({"9D": "8C", "8C": "7B"}) == [(8, "C")]


def test_broken_versions_are_passed_over() -> None:
    assert found({"9D": "!", "!": "7B", "7B": None}) == [(7, "B")]
    assert found({"9D": "8C", "8C": "!", "!": "7B"}) == [(8, "C")]
    assert found({"9D": "8C", "8C": "!"}) == []


def test_a_forgotten_serial_counts_for_no_version_but_leaves_those_before_it() -> None:
    assert found({"8B": "7B", "7B": "7A", "7A": None}) == []
    assert found({"8B": "7B", "7B": "7A", "7A": "6Z", "6Z": None}) == [(6, "Z")]


def test_a_serial_that_went_back_and_was_raised_is_no_version() -> None:
    assert found({"8B": "3B", "3B": "7A", "7A": None}) == [(7, "A")]


def test_where_serials_were_raised_in_memory_only_nothing_is_certain() -> None:
    assert found({"8D": "6C", "6C": "5B", "5B": "5A", "5A": None}) == []
    assert found({"8C": "3B", "3B": "7A", "7A": None}) == []
    assert found({"5B": "5A", "5A": "4Z", "4Z": None}) == []


def test_a_version_that_another_one_with_its_content_followed_was_perhaps_never_served() -> None:
    """As after a forced push: its serial had been served with other content, and so was raised."""
    assert found({"9Z": "7Y", "7Y": "6Y", "6Y": "5A", "5A": None}) == [(5, "A"), (7, "Y")]


def test_of_two_branches_the_versions_with_a_serial_of_their_own_are_certain() -> None:
    merge = {"8M": "7B 6C", "7B": "6B", "6B": "5A", "6C": "5A", "5A": None}
    assert found(merge) == [(5, "A"), (7, "B")]


def test_a_merge_that_dropped_a_branch_with_its_serial_leaves_a_doubt() -> None:
    assert found({"8D": "7B", "7B": "7C 6A", "7C": "6A", "6A": None}) == []


def test_comments_make_no_version() -> None:
    lineage = Lineage()
    for older, newer in (("b", "c"), ("a", "b")):
        lineage.add((older,), (newer,))
    lineage.add(None, ("a",))
    texts = {"a": version(1, "A"), "b": version(1, "A"), "c": version(2, "B")}
    zones = earlier_versions(texts["c"], ("c",), lineage, lambda content: texts[str(content[0])], 16)
    assert [zone.serial for zone in zones] == [1]


def test_serials_wrap_around() -> None:
    assert found({"2C": "4294967295B", "4294967295B": "4294967290A", "4294967290A": None}) == [
        (4294967290, "A"),
        (4294967295, "B"),
    ]


@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from("ABC")), min_size=1, max_size=8), st.booleans())
def test_no_version_contradicts_what_a_primary_served(history: list[tuple[int, str]], pushes: bool) -> None:  # noqa: FBT001
    """A primary saw every commit, raised what had to be, and pushed that or could not."""
    served: dict[int, set[str]] = {}
    serial, content, commits = 0, "", list[str]()
    for written, text in history:
        if commits and commits[-1] == f"{written}{text}":
            continue
        commits.append(f"{written}{text}")
        if not commits[:-1] or is_forward(serial, written):
            serial, content = written, text
        elif text != content:
            serial, content = serial + 1, text
            if pushes:
                commits.append(f"{serial}{text}")
        served.setdefault(serial, set()).add(content)
    newest = commits[-1]
    lineage = Lineage()
    for older, newer in zip([None, *commits], commits, strict=False):
        lineage.add(None if older is None else (older,), (newer,))
    zones = earlier_versions(
        version(int(newest[:-1]), newest[-1]),
        (newest,),
        lineage,
        lambda each: version(int(str(each[0])[:-1]), str(each[0])[-1]),
        16,
    )
    for zone in zones:
        told = zone.records_of("example.org.", "TXT")[0][3].strip('"')
        # A serial that was never served is nobody's; one that was must be this content alone.
        assert served.get(zone.serial, {told}) == {told}
