"""A key's name is its grant: how names are read, what the operations include, what is allowed where."""

from __future__ import annotations

from ipaddress import ip_address

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.keys.grant import Grant, Operation, read_grant
from oakroot.keys.rejected import KeyRejectedError

NOTIFY, TRANSFER, UPDATE = Operation.NOTIFY, Operation.TRANSFER, Operation.UPDATE


def name(text: str) -> dns.name.Name:
    return dns.name.from_text(text)


@pytest.mark.parametrize(
    ("key_name", "operation", "zone"),
    [
        ("personal._update.mirage.", UPDATE, "mirage."),
        ("foo._transfer.example.org.", TRANSFER, "example.org."),
        ("foo._notify.example.org.", NOTIFY, "example.org."),
        ("_notify.example.org.", NOTIFY, "example.org."),
        ("a.b.c._update.example.org.", UPDATE, "example.org."),
        ("mykey._update.", UPDATE, "."),
        ("_transfer.", TRANSFER, "."),
        # The right-most operation label decides.
        ("_update.foo._transfer.com.", TRANSFER, "com."),
        ("_update._transfer.", TRANSFER, "."),
        ("_transfer._update.com.", UPDATE, "com."),
        ("_notify._transfer._update.example.org.", UPDATE, "example.org."),
        # DNS names have no case.
        ("Personal._UPDATE.Mirage.", UPDATE, "mirage."),
        # Unknown underscore labels and host-like operation words are free text, but what may be a limit.
        ("update._foo._transfer.example.org.", TRANSFER, "example.org."),
        ("k._update.update.example.org.", UPDATE, "update.example.org."),
        ("k._update.2.0.192.in-addr.arpa.", UPDATE, "2.0.192.in-addr.arpa."),
        ("k._update.xn--bcher-kva.example.", UPDATE, "xn--bcher-kva.example."),
        ("k._update._acme-challenge.www.example.org.", UPDATE, "_acme-challenge.www.example.org."),
    ],
)
def test_a_name_is_read_as_operation_and_zone(key_name: str, operation: Operation, zone: str) -> None:
    assert read_grant(name(key_name)) == Grant(operation, name(zone))


@pytest.mark.parametrize(
    ("key_name", "code"),
    [
        ("example.org.", "key-operation"),
        (".", "key-operation"),
        ("update.example.org.", "key-operation"),
        ("_updates.example.org.", "key-operation"),
        ("_key-management.example.org.", "key-operation"),
        ("k._update._only-txt.example.org.", "key-zone"),
        ("k._update._exact.example.org.", "key-zone"),
        ("k._update._.example.org.", "key-zone"),
        ("k._update.a_b.example.org.", "key-zone"),
        ("k._update.-bad.example.org.", "key-zone"),
        ("k._update.bad-.example.org.", "key-zone"),
        ("k._update.ex\\032ample.org.", "key-zone"),
        ("k._update.example\\010.org.", "key-zone"),
        ("k._update.*.example.org.", "key-zone"),
    ],
)
def test_a_name_that_grants_nothing_is_refused(key_name: str, code: str) -> None:
    with pytest.raises(KeyRejectedError) as refusal:
        read_grant(name(key_name))
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("key_name", "primary", "secondary"),
    [
        ("1.1.1.1.2.2.2.2._transfer.mirage.", "1.1.1.1", "2.2.2.2"),
        ("10.0.42.2.10.0.42.3._transfer.", "10.0.42.2", "10.0.42.3"),
        ("2001-db8--1.2001-db8--2._transfer.example.org.", "2001:db8::1", "2001:db8::2"),
        ("2001-DB8--1.192.0.2.2._transfer.example.org.", "2001:db8::1", "192.0.2.2"),
        ("192.0.2.1.2001-db8--2._transfer.example.org.", "192.0.2.1", "2001:db8::2"),
        ("2001-db8-0-0-0-0-0-1._transfer.example.org.", "2001:db8::1", None),
        ("--1._transfer.example.org.", "::1", None),
        ("any.192.0.2.1._transfer.example.org.", "192.0.2.1", None),
        ("any.2001-db8--1._transfer.example.org.", "2001:db8::1", None),
        ("192.0.2.1._transfer.example.org.", "192.0.2.1", None),
        ("2.192.0.2.1._transfer.example.org.", "192.0.2.1", None),
        # A second key for the same pair, while the first is being replaced.
        ("new.192.0.2.1.192.0.2.2._transfer.example.org.", "192.0.2.1", "192.0.2.2"),
        # Free text that is no address.
        ("foo._transfer.example.org.", None, None),
        ("2026._transfer.example.org.", None, None),
        ("key-2._transfer.example.org.", None, None),
        ("dead-beef._transfer.example.org.", None, None),
        ("192.0.2.1.foo._transfer.example.org.", None, None),
        ("_transfer.example.org.", None, None),
    ],
)
def test_a_transfer_key_carries_addresses(key_name: str, primary: str | None, secondary: str | None) -> None:
    grant = read_grant(name(key_name))
    assert grant.primary == (primary and ip_address(primary))
    assert grant.secondary == (secondary and ip_address(secondary))


@pytest.mark.parametrize(
    "key_name",
    [
        "300.1.1.1.2.2.2.2._transfer.mirage.",
        "1.1.1.1.2.2.2.256._transfer.mirage.",
        "192.0.02.1._transfer.mirage.",
        "0.2.1._transfer.mirage.",
        "42.2.10.0.42.3._transfer.mirage.",
        "2001--db8--1._transfer.mirage.",
        "1-2-3-4-5-6-7-88888._transfer.mirage.",
        "abcde--1._transfer.mirage.",
    ],
)
def test_a_transfer_key_with_a_broken_address_is_refused(key_name: str) -> None:
    with pytest.raises(KeyRejectedError) as refusal:
        read_grant(name(key_name))
    assert refusal.value.code == "key-address"


def test_only_transfer_keys_carry_addresses() -> None:
    assert read_grant(name("300.1.1.1._update.mirage.")) == Grant(UPDATE, name("mirage."))


@pytest.mark.parametrize(
    ("granted", "allowed"),
    [
        (NOTIFY, {NOTIFY}),
        (TRANSFER, {NOTIFY, TRANSFER}),
        (UPDATE, {NOTIFY, TRANSFER, UPDATE}),
    ],
)
def test_an_operation_includes_the_lesser_ones(granted: Operation, allowed: set[Operation]) -> None:
    grant = Grant(granted, name("example.org."))
    assert {wanted for wanted in Operation if grant.allows(wanted, name("example.org."))} == allowed


KEYS = (
    "foo._update.one.com.",
    "foo._update.com.",
    "foo._update.",
    "foo._update.foo.one.com.",
    "foo._transfer.one.com.",
    "foo._transfer.",
    "foo._notify.one.com.",
)
NAMES = ("one.com.", "foo.one.com.", "two.com.", "com.", ".", "xone.com.")
#         one.com  foo.one  two     com     .       xone
MATRIX = """
          utn      utn      -       -       -       -
          utn      utn      utn     utn     -       utn
          utn      utn      utn     utn     utn     utn
          -        utn      -       -       -       -
          tn       tn       -       -       -       -
          tn       tn       tn      tn      tn      tn
          n        n        -       -       -       -
"""


@pytest.mark.parametrize(
    ("key_name", "asked", "expected"),
    [
        (key_name, asked, cell)
        for key_name, row in zip(KEYS, MATRIX.strip().splitlines(), strict=True)
        for asked, cell in zip(NAMES, row.split(), strict=True)
    ],
)
def test_the_access_matrix(key_name: str, asked: str, expected: str) -> None:
    grant = read_grant(name(key_name))
    letters = {"u": UPDATE, "t": TRANSFER, "n": NOTIFY}
    allowed = {letter for letter, wanted in letters.items() if grant.allows(wanted, name(asked))}
    assert allowed == set(expected) - {"-"}


LABELS = st.lists(
    st.one_of(
        st.sampled_from([b"_update", b"_transfer", b"_notify", b"_keys", b"--1", b"10", b"300", b"a"]),
        st.binary(min_size=1, max_size=8),
    ),
    max_size=12,
)


@given(LABELS)
def test_any_name_is_a_grant_or_a_refusal(labels: list[bytes]) -> None:
    key_name = dns.name.Name((*labels, b""))
    try:
        grant = read_grant(key_name)
    except KeyRejectedError:
        return
    assert key_name.is_subdomain(grant.zone)
    assert grant.covers(grant.zone)
