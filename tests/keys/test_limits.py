"""Limits in a key's name: what each lets through, and that no misspelling lets more through."""

from __future__ import annotations

from dataclasses import replace

import dns.name
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oakroot.keys.grant import Grant, Operation, read_grant
from oakroot.keys.limits import Limits, is_like_limit
from oakroot.keys.rejected import KeyRejectedError
from oakroot.zones.keyfiles import read_key_file

SECRET = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
NAMES = ("", "a.", "_acme-challenge.", "_acme-challenge.a.", "x._acme-challenge.")
TYPES = ("A", "AAAA", "TXT", "NS", "SOA", "TYPE65280", None)


def grant(limits: str) -> Grant:
    return read_grant(dns.name.from_text(f"k.{limits}{'.' if limits else ''}_update.www.example.org."))


def name(prefix: str) -> dns.name.Name:
    return dns.name.from_text(f"{prefix}www.example.org.")


def allowed(granted: Grant) -> set[tuple[str, str | None]]:
    """The updates that it allows, of these names and types; None stands for a name as a whole."""
    return {
        (prefix, rtype)
        for prefix in NAMES
        for rtype in TYPES
        if granted.allows(Operation.UPDATE, name(prefix), rtype)
    }


@pytest.mark.parametrize(
    ("limits", "names", "types"),
    [
        ("", NAMES, TYPES),
        ("_acme-challenge", ("_acme-challenge.", "_acme-challenge.a."), ("TXT",)),
        ("_only-txt", NAMES, ("TXT",)),
        ("_only-a-aaaa", NAMES, ("A", "AAAA")),
        ("_only-TYPE65280", NAMES, ("TYPE65280",)),
        ("_not-ns-soa", NAMES, ("A", "AAAA", "TXT", "TYPE65280")),
        ("_exact", ("",), TYPES),
        ("_below", NAMES[1:], TYPES),
        ("_exact._only-txt", ("",), ("TXT",)),
        ("_only-txt._exact", ("",), ("TXT",)),
        ("_below._not-ns", NAMES[1:], ("A", "AAAA", "TXT", "SOA", "TYPE65280")),
    ],
)
def test_a_limit_lets_through_what_it_names(
    limits: str, names: tuple[str, ...], types: tuple[str | None, ...]
) -> None:
    assert allowed(grant(limits)) == {(prefix, rtype) for prefix in names for rtype in types}


@pytest.mark.parametrize("limits", ["_acme-challenge", "_only-txt", "_not-ns", "_exact", "_below"])
def test_a_key_with_limits_is_for_updates_alone(limits: str) -> None:
    granted = grant(limits)
    assert granted.may(Operation.UPDATE)
    for operation in (Operation.TRANSFER, Operation.NOTIFY):
        assert not granted.may(operation)
        assert not granted.allows(operation, name(""))


@pytest.mark.parametrize(
    "limits",
    [
        "_onyl-txt",
        "_only-",
        "_only-text",
        "_only-txt-",
        "_only-any",
        "_only-opt",
        "_only-axfr",
        "_only-txt a",
        "_only",
        "_not-nss",
        "_exactly",
        "_acme-chalenge",
        "_acme-challenge._only-a",
        "_only-a._only-aaaa",
        "_only-a._not-ns",
        "_exact._below",
        "_acme-challenge._exact",
        "_only-txt.laptop",
        "_foo.laptop",
        "_only-txt._notify",
    ],
)
def test_what_is_no_limit_grants_nothing(limits: str) -> None:
    with pytest.raises(KeyRejectedError) as refusal:
        grant(limits)
    assert refusal.value.code == "key-limit"


@pytest.mark.parametrize("limits", ["_only-nsap-ptr", "_not-nsap-ptr", "_only-a-NSAP-PTR-txt"])
def test_words_that_may_be_one_type_or_two_are_refused_with_what_to_write(limits: str) -> None:
    with pytest.raises(KeyRejectedError, match=r"write TYPE23, or the two the other way round"):
        grant(limits)


@pytest.mark.parametrize(("limits", "types"), [("_only-type23", {23}), ("_only-ptr-nsap", {12, 22})])
def test_what_to_write_instead_means_one_thing(limits: str, types: set[int]) -> None:
    assert grant(limits).limits.only == frozenset(types)


@pytest.mark.parametrize("operation", ["_transfer", "_notify"])
def test_only_updates_have_limits(operation: str) -> None:
    with pytest.raises(KeyRejectedError, match="a limit stands left of"):
        read_grant(dns.name.from_text(f"k._only-txt.{operation}.example.org."))


def test_a_limit_without_its_underscore_is_a_free_word_and_told() -> None:
    line = f"laptop.acme-challenge._update.example.org DNSKEY 0 3 163 {SECRET}\n"
    read = read_key_file(line.encode(), "_keys", None)
    assert [(finding.severity, finding.code) for finding in read.findings] == [("warning", "key-limit-doubt")]
    assert not read.keys[0].grant.limits


@pytest.mark.parametrize("free", ["laptop", "not-mine", "only-me", "exact.laptop"])
def test_free_words_that_are_no_limit_are_not_doubted(free: str) -> None:
    line = f"{free}._update.exact.example DNSKEY 0 3 163 {SECRET}\n"
    assert read_key_file(line.encode(), "_keys", None).findings == ()


def test_a_key_file_with_a_misspelt_limit_says_so_and_has_no_key() -> None:
    line = f"laptop._onyl-txt._update.example.org DNSKEY 0 3 163 {SECRET}\n"
    read = read_key_file(line.encode(), "_keys", None)
    assert read.keys == ()
    assert [finding.code for finding in read.findings] == ["key-limit"]


WORDS = st.sampled_from(
    b"_acme-challenge _exact _below _only-txt _ONLY-TXT _only-a-aaaa _not-ns-soa _not-type9"
    b" _onyl-txt _foo only-txt laptop _notify _transfer _update".split()
)
LABELS = st.lists(st.one_of(WORDS, st.binary(min_size=1, max_size=12)), max_size=5)


@given(LABELS)
@example([b"_transfer"])
def test_no_label_left_of_update_widens_a_grant(labels: list[bytes]) -> None:
    plain = grant("")
    key_name = dns.name.Name((*labels, b"_update", b"www", b"example", b"org", b""))
    try:
        narrowed = read_grant(key_name)
    except KeyRejectedError:
        return
    assert allowed(narrowed) <= allowed(plain)
    for operation in Operation:
        assert not narrowed.may(operation) or plain.may(operation)
    marked = [label for label in labels if label.startswith(b"_") and label.lower() not in _OPERATIONS]
    assert bool(narrowed.limits) == bool(marked)


_OPERATIONS = {operation.label.encode() for operation in Operation}


@given(WORDS, WORDS, st.binary(min_size=1, max_size=12))
def test_one_limit_more_never_widens(one: bytes, other: bytes, free: bytes) -> None:
    tail = (b"_update", b"www", b"example", b"org", b"")
    try:
        first = read_grant(dns.name.Name((one, *tail)))
        both = read_grant(dns.name.Name((free, other, one, *tail)))
    except KeyRejectedError:
        return
    assert allowed(both) <= allowed(first)


TYPE_SETS = st.frozensets(
    st.one_of(st.integers(1, 127), st.integers(256, 65535)).filter(lambda number: number != 41),
    min_size=1,
    max_size=4,
)


NAME_LIMITS = st.sampled_from([Limits(), Limits(is_exact=True), Limits(is_below=True)])


@given(NAME_LIMITS, st.one_of(st.builds(dict, only=TYPE_SETS), st.builds(dict, never=TYPE_SETS)))
@example(Limits(), {"only": frozenset({23})})
def test_limits_are_written_as_they_are_read(names: Limits, types: dict[str, frozenset[int]]) -> None:
    limits = replace(names, only=types.get("only"), never=types.get("never", frozenset()))
    key_name = dns.name.Name((*limits.labels, b"_update", b"example", b"org", b""))
    assert read_grant(key_name).limits == limits
    assert all(map(is_like_limit, limits.labels))
