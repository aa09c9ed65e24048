"""A commit says in the words of a person what an update did with certificates, whose octets say nothing."""

from __future__ import annotations

import pytest

from oakroot.primary.words import Written, commit_message, describe_change
from oakroot.protocol.update_judge import Change
from oakroot.zones.edits import TextRecord

REQUEST, OTHER_REQUEST = "3 255 0 AAAA", "3 255 0 BBBB"
CERTIFICATE, OTHER_CERTIFICATE = "3 0 0 CCCC", "3 0 0 DDDD"
AUTHORITY, OTHER_AUTHORITY = "0 0 0 EEEE", "0 0 0 FFFF"


def records(*rdatas: str, host: str = "www.") -> tuple[TextRecord, ...]:
    return tuple((f"_letsencrypt._tcp.{host}example.org.", 3600, "TLSA", rdata) for rdata in rdatas)


def described(removed: tuple[TextRecord, ...], added: tuple[TextRecord, ...]) -> list[str]:
    return list(describe_change(Change(removed, added), "example.org."))


@pytest.mark.parametrize(
    ("removed", "added", "phrases"),
    [
        ([], [REQUEST], ["request a certificate for www"]),
        ([REQUEST], [OTHER_REQUEST], ["change the certificate request for www"]),
        ([REQUEST], [], ["withdraw the certificate request for www"]),
        ([], [CERTIFICATE, AUTHORITY, OTHER_AUTHORITY], ["add the certificate for www"]),
        ([CERTIFICATE, AUTHORITY], [OTHER_CERTIFICATE, OTHER_AUTHORITY], ["renew the certificate for www"]),
        ([CERTIFICATE, AUTHORITY], [], ["remove the certificate for www"]),
        ([AUTHORITY], [OTHER_AUTHORITY], ["change the authorities' certificates for www"]),
        (
            [REQUEST, CERTIFICATE],
            [OTHER_REQUEST],
            ["change the certificate request for www", "remove the certificate for www"],
        ),
        ([], ["3 1 1 ABCD"], ["add _letsencrypt._tcp.www TLSA 3 1 1 ABCD"]),
        (
            [],
            [REQUEST, "3 1 1 ABCD"],
            ["request a certificate for www", "add _letsencrypt._tcp.www TLSA 3 1 1 ABCD"],
        ),
    ],
)
def test_certificates_are_spoken_of_by_their_hosts(
    removed: list[str], added: list[str], phrases: list[str]
) -> None:
    assert described(records(*removed), records(*added)) == phrases


def test_the_apex_is_a_host_too() -> None:
    assert described((), records(REQUEST, host="")) == ["request a certificate for @"]


def test_a_chain_fits_into_the_subject_of_a_commit() -> None:
    words = tuple(described((), records(CERTIFICATE, AUTHORITY, host="a-host-with-a-long-name.department.")))
    message = commit_message([Written("example.org.", words, "key", "192.0.2.1")], {"example.org.": 7})
    subject = "example.org: add the certificate for a-host-with-a-long-name.department"
    assert message.splitlines()[0] == subject


def test_tlsa_records_of_servers_are_told_as_they_are() -> None:
    added: tuple[TextRecord, ...] = (("_443._tcp.www.example.org.", 3600, "TLSA", "3 0 0 ABCD"),)
    assert described((), added) == ["add _443._tcp.www TLSA 3 0 0 ABCD"]
