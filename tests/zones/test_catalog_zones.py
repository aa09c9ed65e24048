"""Catalog zones: what is written is read again, and what RFC 9432 calls broken is refused."""

from __future__ import annotations

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot._engine import Zone, read_zone
from oakroot.zones.catalog_zones import (
    BrokenCatalogError,
    changed_catalog,
    is_catalog,
    is_group,
    read_catalog,
    unique_label,
    write_catalog,
)

CATALOG = "catalog.invalid."
ONE, TWO = dns.name.from_text("one.example."), dns.name.from_text("two.example.")


def zone(*lines: str, apex: str = CATALOG) -> Zone:
    head = ["$TTL 0", "@ SOA invalid. invalid. 7 3600 600 2147483646 0", "@ NS invalid."]
    made, findings = read_zone("".join(f"{line}\n" for line in [*head, *lines]).encode(), apex, apex)
    assert made is not None, findings
    return made


def test_a_catalog_zone_is_written_as_the_rfc_shows_it() -> None:
    label = unique_label("one.example.")
    assert write_catalog(CATALOG, [("one.example.", "blue")], 7).records() == [
        (CATALOG, 0, "SOA", "invalid. invalid. 7 3600 600 2147483646 0"),
        (CATALOG, 0, "NS", "invalid."),
        (f"version.{CATALOG}", 0, "TXT", '"2"'),
        (f"{label}.zones.{CATALOG}", 0, "PTR", "one.example."),
        (f"group.{label}.zones.{CATALOG}", 0, "TXT", '"blue"'),
    ]


def test_a_zone_has_one_label_for_ever_whatever_its_case() -> None:
    assert (
        unique_label("One.Example.") == unique_label("one.example.") == ("c046afa3a888670fa34fc32a404ec919")
    )


NAMES = st.lists(
    st.text("abc019-_", min_size=1, max_size=8).map(lambda label: f"{label}.example."), unique=True
)


@given(NAMES, NAMES, st.sampled_from([CATALOG, "c.", "catalog.one.example."]))
def test_what_is_written_and_changed_is_read_again(old: list[str], new: list[str], apex: str) -> None:
    first = write_catalog(apex, [(name, None) for name in old], 1)
    gone = [(name, None) for name in old if name not in new]
    come = [(name, None) for name in new if name not in old]
    second = changed_catalog(first, gone, come, 2)
    assert second.records() == write_catalog(apex, [(name, None) for name in new], 2).records()
    assert sorted(name.to_text() for name in read_catalog(second)) == sorted(new)
    assert is_catalog(second)


def test_properties_are_read() -> None:
    member = read_catalog(
        zone(
            'version TXT "2"',
            "abc.zones PTR one.example.",
            'group.abc.zones TXT "blue" "sky"',
            "coo.abc.zones PTR Other.invalid.",
            'colour.ext.abc.zones TXT "left aside"',
            'note.abc.zones TXT "left aside"',
            'group.nobody.zones TXT "left aside"',
            'other TXT "left aside"',
        )
    )[ONE]
    assert (member.label, member.groups) == (b"abc", ("bluesky",))
    assert member.new_owner == dns.name.from_text("other.invalid.")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["a.zones PTR one.example."], "no version"),
        (['version TXT "1"'], 'the version of its schema is "1"'),
        (['version TXT "2"', 'version TXT "3"'], "several versions"),
        (['version TXT "2"', "a.zones PTR one.example.", "a.zones PTR two.example."], "a has several zones"),
        (['version TXT "2"', "a.zones PTR one.example.", "b.zones PTR ONE.example."], "is listed twice"),
        (
            ['version TXT "2"', "a.zones PTR one.example.", "coo.a.zones PTR b.", "coo.a.zones PTR c."],
            "a has several new owners",
        ),
    ],
)
def test_what_the_rfc_calls_broken_is_refused(lines: list[str], reason: str) -> None:
    with pytest.raises(BrokenCatalogError, match=reason):
        read_catalog(zone(*lines))


def test_an_ordinary_zone_is_no_catalog_zone() -> None:
    text = b'@ 60 SOA ns hm 1 1 1 1 1\n@ 60 NS ns\nns 60 A 192.0.2.1\nversion 60 TXT "2"\n'
    made, _ = read_zone(text, "example.org.", "example.org")
    assert made is not None
    assert not is_catalog(made)
    assert not is_catalog(zone("a.zones PTR one.example."))


@pytest.mark.parametrize(("text", "wanted"), [("blue", True), ("", False), ('"', False), ("a b", False)])
def test_groups_are_words(text: str, *, wanted: bool) -> None:
    assert is_group(text) == wanted
