"""The record of dns-persist-01 says what the draft says, is read as it was written, and grants no more."""

from __future__ import annotations

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.certificates.names import read_name
from oakroot.certificates.persistent import (
    ANY_DOMAIN,
    Account,
    PersistentRecord,
    find_permission,
    hash_account,
    read_persistent,
    write_persistent,
    write_strings,
)
from oakroot.certificates.rejected import RejectedError

URL = "https://ca.example/acct/123"
PREFIX = "https://ca.example/account-hash/"
THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
ACCOUNT = Account(("authority.example",), URL)
HOST = read_name("example.com")
NOW = 1_800_000_000.0

LABELS = st.sampled_from(["a", "ca", "x--1", "authority", "example", "0"])
TAGS = st.sampled_from(["later", "a-b", "Policy2", "0", "x"])
VALUES = st.text("".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != ";"), max_size=40)


@st.composite
def records(draw: st.DrawFn) -> PersistentRecord:
    return PersistentRecord(
        ".".join(draw(st.lists(LABELS, min_size=1, max_size=4))),
        draw(VALUES.filter(bool)) * draw(st.sampled_from([1, 9])),
        draw(st.booleans()),
        draw(st.none() | st.integers(0, 2**40)),
        tuple(draw(st.dictionaries(TAGS, VALUES, max_size=3)).items()),
    )


@given(records())
def test_what_is_written_is_read_back(record: PersistentRecord) -> None:
    assert read_persistent(write_persistent(record)) == record


@given(st.text(max_size=80))
def test_any_text_is_a_record_or_rejected(text: str) -> None:
    try:
        record = read_persistent(text)
    except RejectedError:
        return
    assert read_persistent(write_persistent(record)) == record


@given(records())
def test_the_strings_of_a_record_hold_its_text(record: PersistentRecord) -> None:
    text = write_persistent(record)
    rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.TXT, write_strings(text))
    assert b"".join(rdata.strings).decode() == text  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "record"),
    [
        (f"authority.example; accounturi={URL}", PersistentRecord("authority.example", URL)),
        (f" authority.example ;accounturi = {URL} ", PersistentRecord("authority.example", URL)),
        (f"Authority.Example;accounturi={URL};", PersistentRecord("authority.example", URL)),
        (
            f"authority.example; accounturi={URL}; policy=WILDCARD; persistUntil=1721952000",
            PersistentRecord("authority.example", URL, wildcard=True, until=1_721_952_000),
        ),
        (
            f"authority.example; accounturi={URL}; policy=narrow; later=1",
            PersistentRecord("authority.example", URL, other=(("policy", "narrow"), ("later", "1"))),
        ),
    ],
)
def test_records_are_read_as_the_draft_has_them(text: str, record: PersistentRecord) -> None:
    assert read_persistent(text) == record


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "account"),
        ("authority.example", "account"),
        ("authority.example; accounturi=", "account"),
        (f"; accounturi={URL}", "issuer"),
        (f"-a.example; accounturi={URL}", "issuer"),
        (f"a.example; accounturi={URL}; accounturi={URL}", "parameter"),
        (f"a.example; accounturi={URL}; policy", "parameter"),
        (f"a.example;; accounturi={URL}", "parameter"),
        (f"a.example; accounturi={URL} x=1", "parameter"),
        (f"a.example; accounturi={URL}; persistUntil=tomorrow", "until"),
        (f"a.example; accounturi={URL}; persistUntil=-1", "until"),
    ],
)
def test_what_an_authority_would_not_take_is_rejected(text: str, code: str) -> None:
    with pytest.raises(RejectedError) as rejection:
        read_persistent(text)
    assert rejection.value.code == f"persistent-{code}"


def test_the_hashes_are_those_of_the_draft() -> None:
    at_host = hash_account(PREFIX, "example.com", THUMBPRINT, URL)
    anywhere = hash_account(PREFIX, ANY_DOMAIN, THUMBPRINT, URL)
    assert at_host == f"{PREFIX}sha-256/5SQm7n6tPh2-PlLbCKGnViTXX5z19SCN4cPGQHSk-kw"
    assert anywhere == f"{PREFIX}sha-256/NpDnSwUthQK8zCgFdefYxAdAVPnygMLbs9US6oO-5ug"


@pytest.mark.parametrize(
    ("at", "wanted", "wildcard", "authorizes"),
    [
        ("example.com", "example.com", False, True),
        ("example.com", "www.example.com", False, False),
        ("example.com", "*.example.com", False, False),
        ("example.com", "example.com", True, True),
        ("example.com", "*.example.com", True, True),
        ("example.com", "server.dept.example.com", True, True),
        ("example.com", "*.dept.example.com", True, True),
        ("example.com", "otherexample.com", True, False),
        ("www.example.com", "example.com", True, False),
    ],
)
def test_a_record_is_good_for_its_host_and_with_the_policy_below(
    at: str, wanted: str, *, wildcard: bool, authorizes: bool
) -> None:
    record = PersistentRecord("authority.example", URL, wildcard=wildcard)
    assert record.authorizes(read_name(at), read_name(wanted), NOW) == authorizes


def test_a_record_ends() -> None:
    record = PersistentRecord("authority.example", URL, until=int(NOW))
    assert record.authorizes(HOST, HOST, NOW)
    assert not record.authorizes(HOST, HOST, NOW + 1)


PLAIN = f"authority.example; accounturi={URL}"


@pytest.mark.parametrize(
    ("texts", "wanted", "account", "is_found"),
    [
        ([PLAIN], "example.com", ACCOUNT, True),
        (["v=spf1 -all", PLAIN], "example.com", ACCOUNT, True),
        ([PLAIN], "*.example.com", ACCOUNT, False),
        ([f"{PLAIN}; policy=wildcard"], "*.example.com", ACCOUNT, True),
        ([f"{PLAIN}; persistUntil=1"], "example.com", ACCOUNT, False),
        ([PLAIN], "example.com", Account(("other.example",), URL), False),
        ([PLAIN], "example.com", Account(("authority.example",), f"{URL}4"), False),
        ([], "example.com", ACCOUNT, False),
    ],
)
def test_permission_is_found_for_the_right_account_and_name(
    texts: list[str], wanted: str, account: Account, *, is_found: bool
) -> None:
    assert (find_permission(texts, read_name(wanted), account, NOW) is not None) == is_found


@pytest.mark.parametrize(("domain", "is_found"), [("example.com", True), ("*", True), ("example.net", False)])
def test_a_hashed_account_is_good_at_its_own_domain(domain: str, *, is_found: bool) -> None:
    account = Account(("authority.example",), URL, THUMBPRINT, PREFIX)
    text = f"authority.example; accounturi={hash_account(PREFIX, domain, THUMBPRINT, URL)}"
    assert (find_permission([text], HOST, account, NOW) is not None) == is_found


@pytest.mark.parametrize("name", [dns.name.root, read_name("example.org")])
def test_an_account_without_hashes_is_named_by_its_url(name: dns.name.Name) -> None:
    assert ACCOUNT.names_at(name) == (URL,)
