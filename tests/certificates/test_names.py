"""Which names a certificate may have, and where in DNS their records live."""

from __future__ import annotations

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.certificates.names import (
    challenge_name,
    host_of,
    is_wildcard,
    persistent_name,
    read_name,
    records_name,
    without_wildcard,
    write_name,
    write_names,
)
from oakroot.certificates.rejected import RejectedError

_LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
_HOSTS = st.lists(_LABELS, min_size=1, max_size=6).map(".".join)


@given(_HOSTS, st.booleans())
def test_names_come_back_as_they_were_written(host: str, wildcard: bool) -> None:  # noqa: FBT001 - hypothesis
    text = f"*.{host}" if wildcard else host
    name = read_name(text)
    assert write_name(name) == text
    assert is_wildcard(name) is wildcard
    assert write_name(without_wildcard(name)) == host


@given(_HOSTS)
def test_the_host_is_found_from_where_its_records_live(host: str) -> None:
    assert host_of(records_name(read_name(host))) == read_name(host)


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        name = read_name(text)
    except RejectedError:
        return
    assert read_name(write_name(name)) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "*",
        "*.",
        "a.*.example.org",
        "*.*.example.org",
        "w*.example.org",
        "under_score.example.org",
        "-a.example.org",
        "a-.example.org",
        "a..example.org",
        "www.example.org\n",
        "bücher.example",
        f"{'a' * 64}.example.org",
        ".".join(["a" * 60] * 5),
        "192.0.2.1/24",
    ],
)
def test_what_is_no_host_name_is_refused(text: str) -> None:
    with pytest.raises(RejectedError, match="no name for a certificate"):
        read_name(text)


def test_names_are_read_in_lower_case() -> None:
    assert read_name("WWW.Example.ORG").to_text() == "www.example.org."


def test_a_wildcard_is_published_and_proved_at_the_name_below_it() -> None:
    wildcard = read_name("*.example.org")
    assert records_name(wildcard).to_text() == "_letsencrypt._tcp.example.org."
    assert challenge_name(wildcard).to_text() == "_acme-challenge.example.org."
    assert persistent_name(wildcard).to_text() == "_validation-persist.example.org."


@pytest.mark.parametrize(
    "owner",
    [
        "www.example.org.",
        "_tcp.www.example.org.",
        "_letsencrypt._udp.www.example.org.",
        "_letsencrypt._tcp.",
        "_letsencrypt._tcp.*.example.org.",
        "_letsencrypt._tcp._tcp.example.org.",
    ],
)
def test_other_names_have_no_request(owner: str) -> None:
    assert host_of(dns.name.from_text(owner)) is None


def test_the_labels_are_known_in_any_case() -> None:
    assert host_of(dns.name.from_text("_LetsEncrypt._TCP.WWW.example.org.")) == read_name("www.example.org")


def test_a_name_without_room_for_the_labels_is_refused() -> None:
    long = read_name(".".join(["a" * 60] * 4))
    with pytest.raises(RejectedError, match="too long"):
        records_name(long)


def test_a_list_of_names_keeps_relatives_together() -> None:
    names = map(read_name, ["www.example.org", "example.com", "example.org", "*.example.org"])
    assert write_names(names) == "example.com, example.org, *.example.org, www.example.org"
