"""A key knows its algorithm and strength, and shows its secret to nobody who did not ask for it."""

from __future__ import annotations

import base64
import copy
import dataclasses
import pprint

import dns.name
import dns.tsig
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.keys.key import Algorithm, Key
from oakroot.keys.mint import mint_key
from oakroot.keys.rejected import KeyRejectedError
from oakroot.keys.secret import Secret

NAME = dns.name.from_text("personal._update.mirage.")
OCTETS = b"a very secret octet string here!"
KEY = Key(NAME, Algorithm.SHA256, Secret(OCTETS))


def test_no_text_of_a_key_shows_the_secret() -> None:
    shown = " ".join(
        [
            repr(KEY),
            str(KEY),
            f"{KEY}",
            repr(KEY.secret),
            str(KEY.secret),
            pprint.pformat(KEY),
            repr(dataclasses.asdict(KEY)),
            repr(copy.replace(KEY) if hasattr(copy, "replace") else dataclasses.replace(KEY)),
        ]
    )
    assert "very secret" not in shown
    assert base64.b64encode(OCTETS).decode()[:12] not in shown
    assert "personal._update.mirage." in shown


def test_keys_are_equal_when_name_algorithm_and_secret_are() -> None:
    assert Key(dns.name.from_text("PERSONAL._update.mirage"), Algorithm.SHA256, Secret(OCTETS)) == KEY
    assert Key(NAME, Algorithm.SHA256, Secret(OCTETS[::-1])) != KEY
    assert Key(NAME, Algorithm.SHA512, Secret(OCTETS)) != KEY


def test_equal_keys_are_one_in_a_set() -> None:
    assert (
        len({KEY, Key(dns.name.from_text("PERSONAL._update.mirage"), Algorithm.SHA256, Secret(OCTETS))}) == 1
    )


def test_a_secret_equals_nothing_but_a_secret() -> None:
    assert Secret(OCTETS) != OCTETS


@given(st.binary(min_size=1, max_size=80))
def test_base64_is_read_back(octets: bytes) -> None:
    assert Secret.from_base64(Secret(octets).base64()).reveal() == octets


@pytest.mark.parametrize(
    "text",
    [
        "",
        "====",
        "QUJ",
        "QUJD=",
        "QUJD QUJD",
        "QUJ*",
        "QUJ\n",
        "QU-_",
        "QUJDé",
        "QR==",
        "\N{FULLWIDTH DIGIT ONE}AAA",
    ],
)
def test_bad_base64_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(KeyRejectedError) as refusal:
        Secret.from_base64(text)
    assert refusal.value.code == "key-secret"
    assert "Q" not in f"{refusal.value} {refusal.value.hint}".replace("A-Z", "")


@pytest.mark.parametrize(
    ("number", "name", "digest_length"),
    [
        (161, "hmac-sha1", 20),
        (162, "hmac-sha224", 28),
        (163, "hmac-sha256", 32),
        (164, "hmac-sha384", 48),
        (165, "hmac-sha512", 64),
    ],
)
def test_an_algorithm_has_number_name_and_length(number: int, name: str, digest_length: int) -> None:
    algorithm = Algorithm[name.removeprefix("hmac-").upper()]
    assert algorithm.value == number
    assert algorithm.text == name
    assert algorithm.digest_length == digest_length == dns.tsig.mac_sizes[algorithm.domain_name]


@pytest.mark.parametrize("text", ["SHA256", "hmac-sha256", "HMAC-SHA256", "hmac-sha256.", "sha256"])
def test_an_algorithm_is_known_by_each_of_its_names(text: str) -> None:
    assert Algorithm.named(text) is Algorithm.SHA256


@pytest.mark.parametrize(
    "text", ["", "md5", "hmac-md5", "hmac-sha256-128", "sha3", "hmac-hmac-sha256", "163"]
)
def test_other_algorithms_are_unknown(text: str) -> None:
    assert Algorithm.named(text) is None


@pytest.mark.parametrize(
    ("algorithm", "length", "weak"),
    [
        (Algorithm.SHA1, 19, True),
        (Algorithm.SHA1, 20, False),
        (Algorithm.SHA256, 31, True),
        (Algorithm.SHA256, 32, False),
        (Algorithm.SHA512, 31, True),
        (Algorithm.SHA512, 32, False),
    ],
)
def test_a_short_secret_is_weak(algorithm: Algorithm, length: int, weak: bool) -> None:  # noqa: FBT001 - a table
    assert (Key(NAME, algorithm, Secret(bytes(length))).weakness is not None) is weak


def test_dnspython_gets_the_same_key() -> None:
    told = KEY.for_dnspython()
    assert (told.name, told.algorithm, told.secret) == (NAME, dns.tsig.HMAC_SHA256, OCTETS)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_new_key_has_a_secret_as_long_as_the_digest(algorithm: Algorithm) -> None:
    key = mint_key(NAME, algorithm, lambda length: b"\x2a" * length)
    assert key == Key(NAME, algorithm, Secret(b"\x2a" * algorithm.digest_length))
    assert key.weakness is None
