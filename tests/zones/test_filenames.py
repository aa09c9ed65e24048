"""Which files of a repository are zones, which are keys, which are neither."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.zones.filenames import Ignored, KeyFile, ZoneFile, classify, may_hold_keys


@pytest.mark.parametrize(
    ("path", "apex"),
    [
        ("mirage", "mirage."),
        ("example.org", "example.org."),
        ("example.org.", "example.org."),
        ("Example.ORG", "example.org."),
        ("@", "."),
        ("2.0.192.in-addr.arpa", "2.0.192.in-addr.arpa."),
        (r"0\04725.2.0.192.in-addr.arpa", "0/25.2.0.192.in-addr.arpa."),
        ("_tcp.example.org", "_tcp.example.org."),
        ("readme.example.org", "readme.example.org."),
        ("makefile", "makefile."),
        ("keys.example.org", "keys.example.org."),
    ],
)
def test_a_file_is_the_zone_of_its_name(path: str, apex: str) -> None:
    assert classify(path) == ZoneFile(apex)


@pytest.mark.parametrize(
    ("path", "zone"),
    [
        ("_keys", None),
        ("example.org._keys", "example.org."),
        ("Example.org._KEYS", "example.org."),
        ("mirage._keys.", "mirage."),
    ],
)
def test_a_name_that_ends_in_the_label_keys_is_a_key_file(path: str, zone: str | None) -> None:
    assert classify(path) == KeyFile(zone)


@pytest.mark.parametrize(
    "path",
    [".gitignore", ".github", "README", "README.md", "LICENSE", "LICENSE.txt", "CHANGELOG.md", "Makefile"],
)
def test_files_about_the_repository_are_ignored_without_surprise(path: str) -> None:
    kind = classify(path)
    assert isinstance(kind, Ignored)
    assert not kind.surprising


def test_files_in_folders_are_no_zones() -> None:
    assert classify("hooks/example.org") == Ignored("it is in a folder")


@pytest.mark.parametrize("path", ["a..b", "a" * 64, ".".join(["a" * 63] * 5), "a\\", "a\\999"])
def test_a_name_that_is_no_domain_name_is_a_surprise(path: str) -> None:
    kind = classify(path)
    assert isinstance(kind, Ignored)
    assert kind.surprising
    assert "no domain name" in kind.reason


def test_a_name_in_another_script_is_told_its_ascii_form() -> None:
    kind = classify("b\u00fccher.example")
    assert isinstance(kind, Ignored)
    assert "xn--bcher-kva.example" in kind.reason


@pytest.mark.parametrize("path", ["_keys~", "example.org._keys.old", "example.org._keys~", "_keys.bak"])
def test_a_copy_of_a_key_file_never_becomes_a_zone(path: str) -> None:
    kind = classify(path)
    assert isinstance(kind, Ignored)
    assert kind.surprising
    assert may_hold_keys(path)


def test_key_files_in_folders_are_known_as_such() -> None:
    assert may_hold_keys("old/example.org._keys")
    assert not may_hold_keys("_keys/example.org")


@given(st.text())
def test_no_file_name_whatever_raises(path: str) -> None:
    assert isinstance(classify(path), ZoneFile | KeyFile | Ignored)
