"""What an authority says becomes values, or is refused for its shape."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.certificates.names import read_name
from oakroot.certificates.orders import (
    Fault,
    MalformedAnswerError,
    Status,
    read_authorization,
    read_order,
    read_problem,
    read_renewal_window,
)

URL = "https://ca.example/order/1"
ORDER = {
    "status": "pending",
    "identifiers": [{"type": "dns", "value": "*.example.org"}, {"type": "dns", "value": "example.org"}],
    "authorizations": ["https://ca.example/authz/1"],
    "finalize": "https://ca.example/finalize/1",
}
AUTHORIZATION = {
    "status": "pending",
    "identifier": {"type": "dns", "value": "example.org"},
    "wildcard": True,
    "challenges": [
        {"type": "dns-01", "url": "https://ca.example/chall/1", "status": "pending", "token": "abc"},
        {
            "type": "dns-persist-01",
            "url": "https://ca.example/chall/2",
            "status": "pending",
            "issuer-domain-names": ["ca.example"],
        },
    ],
}
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ORDER, *AUTHORIZATION]), inner)
    ),
    max_leaves=12,
)


def test_an_order_is_read() -> None:
    order = read_order({**ORDER, "certificate": "https://ca.example/cert/1"}, URL, 3.0)
    assert order.status is Status.PENDING
    assert order.names == {read_name("*.example.org"), read_name("example.org")}
    assert order.certificate_url == "https://ca.example/cert/1"
    assert order.retry_after == 3.0


def test_an_authorization_is_read_with_its_challenges() -> None:
    authorization = read_authorization(AUTHORIZATION, "https://ca.example/authz/1")
    assert authorization.wildcard
    first = authorization.challenge("dns-01")
    assert first is not None
    assert first.token == "abc"
    persistent = authorization.challenge("dns-persist-01")
    assert persistent is not None
    assert persistent.issuers == ("ca.example",)
    assert authorization.challenge("http-01") is None


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("status", "happy"),
        ("status", None),
        ("identifiers", "example.org"),
        ("identifiers", [{"type": "dns", "value": "under_score"}]),
        ("authorizations", ["http://ca.example/authz/1"]),
        ("finalize", "ftp://ca.example"),
    ],
)
def test_an_order_of_another_shape_is_refused(member: str, value: object) -> None:
    with pytest.raises(MalformedAnswerError):
        read_order({**ORDER, member: value}, URL)


@given(_JSON)
def test_no_answer_breaks_the_readers(body: object) -> None:
    for read in (read_order, read_authorization):
        try:
            read(body, URL)
        except MalformedAnswerError:
            continue
    read_problem(body, 400)


@pytest.mark.parametrize(
    ("code", "http_status", "fault"),
    [
        ("rateLimited", 429, Fault.RATE_LIMITED),
        ("accountDoesNotExist", 400, Fault.ACCOUNT),
        ("unauthorized", 403, Fault.ACCOUNT),
        ("rejectedIdentifier", 400, Fault.REFUSED),
        ("caa", 403, Fault.REFUSED),
        ("serverInternal", 500, Fault.UNAVAILABLE),
        ("somethingNew", 503, Fault.UNAVAILABLE),
        ("somethingNew", 429, Fault.RATE_LIMITED),
    ],
)
def test_a_problem_has_its_meaning(code: str, http_status: int, fault: Fault) -> None:
    problem = read_problem({"type": f"urn:ietf:params:acme:error:{code}", "detail": "No."}, http_status, 7.0)
    assert problem.fault is fault
    assert str(problem) == f"No. ({code})"
    assert problem.retry_after == 7.0


def test_subproblems_name_their_names() -> None:
    body = {
        "type": "urn:ietf:params:acme:error:malformed",
        "detail": "Some of the identifiers requested were rejected",
        "subproblems": [{"identifier": {"type": "dns", "value": "a.example"}, "detail": "Forbidden"}],
    }
    assert "; a.example: Forbidden" in str(read_problem(body, 403))


def test_a_strangers_words_stay_on_one_line_and_command_no_terminal() -> None:
    text = str(read_problem({"detail": "bad\n\x1b[31mthing" + "x" * 9999}, 400))
    assert text.startswith("bad [31mthing")
    assert len(text) <= 500


def test_a_page_that_is_no_problem_is_told_by_its_status() -> None:
    problem = read_problem(None, 502)
    assert (problem.fault, str(problem)) == (Fault.UNAVAILABLE, "HTTP status 502 (HTTP 502)")


def test_a_failed_proof_is_no_fault_of_the_account() -> None:
    error = {"type": "urn:ietf:params:acme:error:unauthorized", "detail": "Wrong TXT", "status": 403}
    order = read_order({**ORDER, "status": "invalid", "error": error}, URL)
    assert order.problem is not None
    assert order.problem.fault is Fault.REFUSED


def test_a_renewal_window_is_read() -> None:
    window = {"start": "2027-01-02T00:00:00Z", "end": "2027-01-03T00:00:00+00:00"}
    found = read_renewal_window({"suggestedWindow": window, "explanationURL": "https://ca.example/why"}, 60.0)
    assert found.end - found.start == 86400
    assert found.explanation == "https://ca.example/why"


@pytest.mark.parametrize(
    "window",
    [
        {"start": "2027-01-03T00:00:00Z", "end": "2027-01-02T00:00:00Z"},
        {"start": "2027-01-03T00:00:00", "end": "2027-01-04T00:00:00"},
        {"start": "soon", "end": "later"},
        {},
    ],
)
def test_a_window_that_is_none_is_refused(window: object) -> None:
    with pytest.raises(MalformedAnswerError):
        read_renewal_window({"suggestedWindow": window}, 60.0)
