"""What is kept on disk comes back as it was, or not at all."""

from __future__ import annotations

import hashlib

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.secondary.storage import (
    Check,
    UnreadableError,
    file_stem,
    read_check,
    read_zone,
    write_check,
    write_zone,
)
from tests.secondary.authority import hosts, make_zone

CONTENT = b"".join(write_zone(make_zone(7, *hosts(400)), 1_795_348_800.25))


def resealed(content: bytes) -> bytes:
    """With a checksum that is right for what was changed."""
    return content[:-32] + hashlib.sha256(content[:-32]).digest()


def test_a_zone_comes_back_as_it_was() -> None:
    zone = make_zone(7, *hosts(400), "*.w MX 10 mail", "sub NS ns.sub", "ns.sub A 192.0.2.9")
    stored = read_zone(b"".join(write_zone(zone, 1_795_348_800.25)))
    assert stored.zone.records() == zone.records()
    assert stored.checked == 1_795_348_800.25


def test_the_root_zone_comes_back_too() -> None:
    stored = read_zone(b"".join(write_zone(make_zone(1, apex="."), 1.0)))
    assert stored.zone.apex == "."


@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
def test_a_changed_octet_is_noticed(position: int, change: int) -> None:
    spoiled = bytearray(CONTENT)
    spoiled[position] ^= change
    with pytest.raises(UnreadableError):
        read_zone(bytes(spoiled))


@given(st.integers(0, len(CONTENT) - 1))
def test_a_file_that_was_cut_is_noticed(length: int) -> None:
    with pytest.raises(UnreadableError):
        read_zone(CONTENT[:length])


@given(st.integers(0, len(CONTENT) - 33), st.binary(max_size=40))
def test_a_file_that_somebody_made_up_does_no_harm(position: int, octets: bytes) -> None:
    spoiled = resealed(CONTENT[:position] + octets + CONTENT[position + len(octets) :])
    try:
        stored = read_zone(spoiled)
    except UnreadableError:
        return
    assert stored.zone.serial == 7


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"serial 7\n", b"serial 8\n", "should hold serial 8"),
        (b"oakroot zone 1", b"oakroot zone 2", "does not begin"),
        (b"zone example.org.\n", b"zone example.com.\n", "not in the zone"),
        (b"zone example.org.\n", b"zone ..\n", "malformed"),
    ],
)
def test_a_head_that_does_not_fit_is_refused(old: bytes, new: bytes, words: str) -> None:
    with pytest.raises(UnreadableError, match=words):
        read_zone(resealed(CONTENT.replace(old, new)))


def test_a_check_comes_back_as_it_was() -> None:
    check = Check("example.org.", 7, 1_795_348_800.5)
    assert read_check(write_check(check)) == check


def test_one_kind_of_file_is_not_taken_for_the_other() -> None:
    with pytest.raises(UnreadableError):
        read_check(CONTENT)
    with pytest.raises(UnreadableError):
        read_zone(write_check(Check("example.org.", 7, 1.0)))


@given(st.binary(max_size=200))
def test_any_octets_are_refused(octets: bytes) -> None:
    for read in (read_zone, read_check):
        with pytest.raises(UnreadableError):
            read(octets)
        with pytest.raises(UnreadableError):
            read(resealed(octets + bytes(32)))


@pytest.mark.parametrize(
    ("apex", "stem"),
    [
        (".", "@"),
        ("example.org.", "example.org"),
        ("0/25.2.0.192.in-addr.arpa.", "0%2F25.2.0.192.in-addr.arpa"),
        ("a\\.b.example.org.", "a%5C.b.example.org"),
    ],
)
def test_files_are_named_after_their_zones(apex: str, stem: str) -> None:
    assert file_stem(apex) == stem


labels = st.lists(st.binary(min_size=1, max_size=63), min_size=1, max_size=3)


@given(labels, labels)
def test_zones_with_other_names_have_files_with_other_names(one: list[bytes], other: list[bytes]) -> None:
    names = [dns.name.Name([*parts, b""]).canonicalize().to_text() for parts in (one, other)]
    stems = [file_stem(name) for name in names]
    assert (stems[0] == stems[1]) == (names[0] == names[1])
    for stem in stems:
        assert "/" not in stem
        assert "\0" not in stem
        assert len(stem) <= 200
