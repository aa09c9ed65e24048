"""Every notation of a key is read as what it is; a text that is none is refused without showing any of it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace

import dns.name
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oakroot.keys.key import Algorithm, Key
from oakroot.keys.notation import read_key, read_keys
from oakroot.keys.rejected import KeyRejectedError
from oakroot.keys.secret import Secret

BASE64 = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
NAME = "personal._update.mirage"
KEY = Key(dns.name.from_text(NAME), Algorithm.SHA256, Secret.from_base64(BASE64))

BIND = f'key "{NAME}" {{\n\talgorithm hmac-sha256;\n\tsecret "{BASE64}";\n}};\n'
KNOT = f"key:\n  - id: {NAME}\n    algorithm: hmac-sha256\n    secret: {BASE64}\n"
NSD = f'key:\n    name: "{NAME}"\n    algorithm: hmac-sha256\n    secret: "{BASE64}"\n'
RECORD = f"{NAME}. DNSKEY 0 3 163 {BASE64}\n"


@pytest.mark.parametrize(
    "text",
    [
        f"{NAME}:SHA256:{BASE64}",
        f"{NAME}.:hmac-sha256:{BASE64}",
        f"hmac-sha256:{NAME}:{BASE64}",
        f"SHA256:{NAME}.:{BASE64}",
        f"{NAME}:{BASE64}",
        f"hmac-sha256:{NAME}:{BASE64}\n",
        f"# for kdig -k\nhmac-sha256:{NAME}:{BASE64}\n",
        BIND,
        BIND.replace('"', ""),
        BIND.replace("\n", " "),
        f"/* made\nby hand */ // twice\n# thrice\n{BIND}",
        f'key "{NAME}" {{ secret "{BASE64[:20]} {BASE64[20:]}"; algorithm "hmac-sha256."; }};',
        KNOT,
        f"# hmac-sha256:{NAME}:{BASE64}\n{KNOT}",
        KNOT.replace("- id", "  id"),
        KNOT.replace(NAME, f'"{NAME}."').replace(BASE64, f"'{BASE64}'  # the secret"),
        NSD,
        f"# hmac-sha256:{NAME}:{BASE64}\n",
        RECORD,
        RECORD.upper().replace(BASE64.upper(), BASE64),
        f"; personal key\n\n{NAME} 3600 IN DNSKEY 0 3 163 {BASE64[:10]} {BASE64[10:]} ; a comment",
        f"{NAME}.\tIN\tDNSKEY\t0\t3\t163\t{BASE64}",
    ],
)
def test_every_notation_gives_the_same_key(text: str) -> None:
    assert read_key(text) == KEY


@pytest.mark.parametrize(
    "text",
    [
        BIND + BIND.replace(NAME, "other"),
        KNOT + KNOT.replace(NAME, "other").removeprefix("key:\n"),
        KNOT + KNOT.replace(NAME, "other"),
        NSD + NSD.replace(NAME, "other"),
        RECORD + RECORD.replace(NAME, "other"),
    ],
)
def test_a_file_may_hold_several_keys(text: str) -> None:
    other = Key(dns.name.from_text("other"), KEY.algorithm, KEY.secret)
    assert read_keys(text) == (KEY, other)
    with pytest.raises(KeyRejectedError, match="2 keys where one is wanted"):
        read_key(text)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_every_algorithm_is_read_by_name_and_by_number(algorithm: Algorithm) -> None:
    key = Key(KEY.name, algorithm, KEY.secret)
    assert read_key(f"{NAME}:{algorithm.name}:{BASE64}") == key
    assert read_key(RECORD.replace("163", str(algorithm.value))) == key


def test_a_key_named_key_is_no_stanza() -> None:
    assert read_key(f"key:SHA256:{BASE64}").name == dns.name.from_text("key")


def test_a_key_named_like_an_algorithm_is_ambiguous_in_one_word() -> None:
    with pytest.raises(KeyRejectedError, match="either may be the key's name"):
        read_key(f"sha1:hmac-sha256:{BASE64}")


def test_the_output_of_keymgr_is_read(require: Callable[[str], str]) -> None:
    made = subprocess.run(
        [require("keymgr"), "-t", NAME, "hmac-sha512"], capture_output=True, check=True, text=True
    )
    key = read_key(made.stdout)
    assert (key.name, key.algorithm, len(key.secret)) == (KEY.name, Algorithm.SHA512, 64)


def test_the_output_of_tsig_keygen_is_read(require: Callable[[str], str]) -> None:
    made = subprocess.run([require("tsig-keygen"), NAME], capture_output=True, check=True, text=True)
    assert (read_key(made.stdout).name, read_key(made.stdout).algorithm) == (KEY.name, Algorithm.SHA256)


REFUSED = [
    ("", "key-form"),
    ("# nothing but a comment", "key-form"),
    (BASE64, "key-form"),
    (f"{NAME}:SHA256:{BASE64}:more", "key-form"),
    (f"{NAME}:MD5:{BASE64}", "key-algorithm"),
    (f"{NAME}:SHA265:{BASE64}", "key-algorithm"),
    (f"{BASE64}:SHA256:{NAME}", "key-secret"),
    (f":SHA256:{BASE64}", "key-name"),
    (f"a..b:SHA256:{BASE64}", "key-name"),
    (f"{'a' * 64}:{BASE64}", "key-name"),
    (f"{NAME}:SHA256:{BASE64[1:]}", "key-secret"),
    (f"{NAME}:SHA256:", "key-secret"),
    (f"{NAME}:SHA256:{BASE64} {BASE64}", "key-secret"),
    (f"{NAME}\n{BASE64}\n", "key-form"),
    (BIND.removesuffix(";\n"), "key-form"),
    (BIND.replace('";', '"'), "key-form"),
    (BIND.replace(f'secret "{BASE64}";', ""), "key-form"),
    (BIND.replace("secret", "sekret"), "key-form"),
    (BIND.replace("algorithm", "secret"), "key-form"),
    (BIND.replace(f'{BASE64}"', BASE64), "key-form"),
    (BIND.replace("sha256", "sha265"), "key-algorithm"),
    (BIND + "options { };", "key-form"),
    (f"/* {BASE64}", "key-form"),
    (f'key "{NAME}"', "key-form"),
    ("key", "key-form"),
    ("/* nothing but a comment */", "key-form"),
    ("key:\n", "key-form"),
    (KNOT.replace("secret", "sekret"), "key-form"),
    (KNOT.replace("algorithm: hmac-sha256", f"secret: {BASE64}"), "key-form"),
    (KNOT + "server:\n", "key-form"),
    (KNOT.replace("    secret", "secret"), "key-form"),
    (KNOT.replace("hmac-", "hmak-"), "key-algorithm"),
    (RECORD.replace("0 3", "257 3"), "key-flags"),
    (RECORD.replace("0 3", "0 2"), "key-protocol"),
    (RECORD.replace("163", "157"), "key-algorithm"),
    (RECORD.replace("163", "13"), "key-algorithm"),
    (RECORD.replace("163", "+163"), "key-algorithm"),
    (f"{NAME}. DNSKEY 0 3 163\n", "key-rdata"),
    (RECORD + f"{NAME} TXT {BASE64}", "key-form"),
]


@pytest.mark.parametrize(("text", "code"), REFUSED)
def test_what_is_no_key_is_refused_without_quoting_it(text: str, code: str) -> None:
    with pytest.raises(KeyRejectedError) as refusal:
        read_keys(text)
    told = f"{refusal.value} {refusal.value.hint}"
    assert refusal.value.code == code
    for start in range(len(BASE64) - 7):
        assert BASE64[start : start + 8] not in told
    assert NAME not in told


def test_the_line_of_an_error_is_named() -> None:
    with pytest.raises(KeyRejectedError, match="line 5:"):
        read_keys(BIND + "options { };")
    with pytest.raises(KeyRejectedError, match="line 5:"):
        read_keys(KNOT + "server:\n")


MARKS = [
    "key",
    '"',
    "{",
    "}",
    ";",
    ":",
    "\n",
    " ",
    "#",
    "//",
    "/*",
    "*/",
    "- ",
    "\0",
    "\N{SNOWMAN}",
    "\x85",
    "=",
    "@",
]
WORDS = ["id", "name", "algorithm", "secret", "hmac-sha256", "DNSKEY", "0 3 163", BASE64, NAME]
PIECES = st.lists(st.sampled_from([*MARKS, *WORDS]), max_size=24).map("".join)


@given(st.one_of(PIECES, st.text(max_size=60)))
@example("key\n")
@example("key:\n  id:\n")
@example(f"{BASE64}:{BASE64}")
def test_any_text_is_keys_or_a_refusal(text: str) -> None:
    try:
        keys = read_keys(text)
    except KeyRejectedError as refusal:
        told = f"{refusal} {refusal.hint}"
    else:
        # A name is no secret, even where it reads as one.
        told = repr([replace(key, name=KEY.name) for key in keys])
        assert keys
    assert BASE64 not in told
