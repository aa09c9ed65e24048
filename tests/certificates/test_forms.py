"""Requests and certificates as TLSA records, in the forms of OCaml-DNS."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot._engine import canonical_rdata
from oakroot.certificates.certificate import read_certificate
from oakroot.certificates.forms import (
    TYPE,
    Published,
    certificate_records,
    read_records,
    replacement,
    request_record,
    request_replacement,
)
from oakroot.certificates.rejected import RejectedError
from oakroot.certificates.signing_request import read_signing_request
from tests.certificates.minting import DAY, START, new_authority, new_certificate, new_request

REQUEST = read_signing_request(new_request("a.example.org"))
HOST = read_certificate(new_certificate("a.example.org"))
INTERMEDIATE = read_certificate(new_authority("Intermediate", "Root"))
ROOT = read_certificate(new_authority("Root", "Root"))

_OCTETS = st.lists(st.binary(min_size=1, max_size=40), max_size=4, unique=True).map(sorted).map(tuple)


def test_the_forms_are_those_of_the_reference() -> None:
    assert request_record(REQUEST) == f"3 255 0 {REQUEST.der.hex().upper()}"
    assert certificate_records([HOST, INTERMEDIATE, ROOT]) == (
        f"3 0 0 {HOST.der.hex().upper()}",
        f"0 0 0 {INTERMEDIATE.der.hex().upper()}",
        f"0 0 0 {ROOT.der.hex().upper()}",
    )


def test_they_are_written_as_the_engine_writes_them() -> None:
    for rdata in (request_record(REQUEST), *certificate_records([HOST, INTERMEDIATE])):
        assert canonical_rdata(TYPE, rdata) == rdata


@given(_OCTETS, _OCTETS, _OCTETS)
def test_records_are_sorted_by_form(
    requests: tuple[bytes, ...], certificates: tuple[bytes, ...], authorities: tuple[bytes, ...]
) -> None:
    rdatas = [f"3 255 0 {data.hex()}" for data in requests]
    rdatas += [f"03 000 0 {data.hex(' ')}" for data in certificates]
    rdatas += [f"0 0 0 {data.hex().upper()}" for data in authorities]
    assert read_records([*reversed(rdatas), "3 1 1 ABCD"]) == Published(
        requests, certificates, authorities, ("3 1 1 ABCD",)
    )


@pytest.mark.parametrize("rdata", ["", "3 255 0", "3 255 zero AB", "3 255 0 ABC", "3 255 0 XY"])
def test_text_that_is_no_tlsa_is_refused(rdata: str) -> None:
    with pytest.raises(RejectedError, match="a TLSA record"):
        read_records([rdata])


@given(st.text(max_size=30))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        read_records([text])
    except RejectedError:
        return


def test_one_request_is_read() -> None:
    assert read_records([request_record(REQUEST)]).request() == REQUEST
    assert read_records(certificate_records([HOST])).request() is None


def test_two_requests_at_one_name_are_refused() -> None:
    other = read_signing_request(new_request("a.example.org", kind="other"))
    with pytest.raises(RejectedError, match="2 requests are published"):
        read_records([request_record(REQUEST), request_record(other)]).request()


def test_the_matching_certificate_comes_with_its_chain() -> None:
    stranger = read_certificate(new_certificate("b.example.org"))
    old = read_certificate(new_certificate("a.example.org", begin=START - 60 * DAY))
    rdatas = [
        *certificate_records([stranger, ROOT]),
        *certificate_records([old, INTERMEDIATE]),
        *certificate_records([HOST, INTERMEDIATE]),
        "3 0 0 ABCDEF",
    ]
    assert read_records(rdatas).chain_for(REQUEST) == (HOST, INTERMEDIATE, ROOT)


def test_without_a_match_there_is_no_chain() -> None:
    stranger = read_certificate(new_certificate("b.example.org"))
    assert read_records(certificate_records([stranger, INTERMEDIATE])).chain_for(REQUEST) == ()


def test_a_new_chain_takes_the_place_of_the_old_and_touches_nothing_else() -> None:
    old = read_certificate(new_certificate("a.example.org", begin=START - 60 * DAY))
    published = read_records(
        ["3 1 1 ABCD", request_record(REQUEST), *certificate_records([old, INTERMEDIATE, ROOT])]
    )
    delete, add = replacement(published, [HOST, INTERMEDIATE])
    old_record, _, root_record = certificate_records([old, INTERMEDIATE, ROOT])
    assert set(delete) == {old_record, root_record}
    assert add == certificate_records([HOST])


def test_a_chain_that_is_published_needs_no_change() -> None:
    published = read_records(certificate_records([HOST, INTERMEDIATE]))
    assert replacement(published, [HOST, INTERMEDIATE]) == ((), ())


OTHER_REQUEST = read_signing_request(new_request("a.example.org", kind="other"))
SAME_REQUEST = read_signing_request(new_request("a.example.org"))
LATER_REQUEST = read_signing_request(new_request("a.example.org", "b.example.org"))


def test_a_first_request_is_added() -> None:
    assert request_replacement(Published(), REQUEST) == ((), (request_record(REQUEST),))


def test_a_request_for_the_same_stays() -> None:
    assert SAME_REQUEST.der != REQUEST.der
    assert request_replacement(Published((SAME_REQUEST.der,)), REQUEST) == ((), ())


def test_requests_for_something_else_go() -> None:
    old = (OTHER_REQUEST.der, LATER_REQUEST.der, b"garbage")
    delete, add = request_replacement(Published(old), REQUEST)
    assert set(delete) == {f"3 255 0 {der.hex().upper()}" for der in old}
    assert add == (request_record(REQUEST),)


def test_of_several_requests_for_the_same_one_stays() -> None:
    delete, add = request_replacement(Published((REQUEST.der, SAME_REQUEST.der)), REQUEST)
    assert (delete, add) == ((request_record(SAME_REQUEST),), ())


def test_a_request_leaves_certificates_alone_unless_they_are_to_be_renewed() -> None:
    published = Published((REQUEST.der,), (HOST.der,), (INTERMEDIATE.der,), ("3 1 1 AB",))
    assert request_replacement(published, REQUEST) == ((), ())
    assert request_replacement(published, REQUEST, renew=True) == (
        certificate_records([HOST, INTERMEDIATE]),
        (),
    )
