"""When a certificate will do for a request, and for how long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.certificates.certificate import (
    chain_of,
    is_fresh,
    is_valid,
    matches,
    read_certificate,
    read_chain,
    renewal_due,
    renewal_identifier,
    require_sound,
)
from oakroot.certificates.names import read_name
from oakroot.certificates.rejected import RejectedError
from oakroot.certificates.signing_request import read_signing_request
from tests.certificates.minting import DAY, START, as_pem, new_authority, new_certificate, new_request

REQUEST = read_signing_request(new_request("a.example.org", "b.example.org"))


def test_a_certificate_matches_by_key_and_names() -> None:
    assert matches(read_certificate(new_certificate("b.example.org", "A.example.org")), REQUEST)


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["a.example.org"], "p256"),
        (["a.example.org", "b.example.org", "c.example.org"], "p256"),
        (["a.example.org", "b.example.org"], "other"),
    ],
)
def test_other_names_or_another_key_do_not_match(names: list[str], kind: str) -> None:
    assert not matches(read_certificate(new_certificate(*names, kind=kind)), REQUEST)


@pytest.mark.parametrize("days", [6, 45, 90])
def test_it_is_renewed_at_a_third_of_its_lifetime(days: int) -> None:
    certificate = read_certificate(new_certificate("a.example.org", days=days))
    due = START + days * DAY * 2 / 3
    assert renewal_due(certificate) == pytest.approx(due)
    assert is_fresh(certificate, due - 1)
    assert not is_fresh(certificate, due + 1)
    assert is_valid(certificate, due + 1)


@given(st.floats(min_value=START - 400 * DAY, max_value=START + 400 * DAY))
def test_what_is_fresh_has_not_expired(now: float) -> None:
    certificate = read_certificate(new_certificate("a.example.org"))
    assert not is_fresh(certificate, now) or now < certificate.not_after


def test_one_from_the_future_is_not_ordered_again() -> None:
    certificate = read_certificate(new_certificate("a.example.org", begin=START + 3600))
    assert is_fresh(certificate, START)
    assert not is_valid(certificate, START)


@given(st.binary(max_size=200))
def test_garbage_is_no_certificate(octets: bytes) -> None:
    with pytest.raises(RejectedError, match="octets are no certificate"):
        read_certificate(octets)


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_damaged_certificate_is_refused_or_read(position: int, change: int) -> None:
    der = bytearray(new_certificate("a.example.org"))
    der[position % len(der)] ^= change
    try:
        certificate = read_certificate(bytes(der))
    except RejectedError:
        return
    assert certificate.not_after > 0


def test_a_delivered_chain_is_the_certificate_and_its_authorities() -> None:
    ders = new_certificate("a.example.org"), new_authority("Intermediate", "Root")
    certificate, authorities = read_chain(as_pem(*ders))
    assert certificate.names == {read_name("a.example.org")}
    assert [authority.der for authority in authorities] == [ders[1]]
    assert authorities[0].is_authority


@pytest.mark.parametrize(
    "text", ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_chain_is_refused(text: str) -> None:
    with pytest.raises(RejectedError, match="no chain in PEM"):
        read_chain(text)


def test_the_chain_goes_the_longest_way_up_and_leaves_out_strangers() -> None:
    host = read_certificate(new_certificate("a.example.org"))
    subjects = [
        ("Stranger", "Root"),
        ("Root", "Root"),
        ("Intermediate", "Dead end"),
        ("Intermediate", "Root"),
        ("Other", "Intermediate"),
    ]
    authorities = [read_certificate(new_authority(*pair)) for pair in subjects]
    assert chain_of(host, authorities) == (authorities[3], authorities[1])
    assert chain_of(host, []) == ()


def test_a_circle_of_issuers_ends() -> None:
    host = read_certificate(new_certificate("a.example.org"))
    pairs = [("Intermediate", "Root"), ("Root", "Intermediate")] * 20
    authorities = [read_certificate(new_authority(*pair)) for pair in pairs]
    assert len(chain_of(host, authorities)) == 2


def test_its_pem_is_what_was_delivered() -> None:
    pem = as_pem(new_certificate("a.example.org"))
    assert read_chain(pem)[0].pem == pem


def test_renewal_information_names_it_by_issuer_and_serial() -> None:
    # The example of RFC 9773 §4.1: serial 00:87:65:43:21, key identifier 69:88:5b:6b:...
    issuer = bytes.fromhex("69885B6B87464041E1B37B847BA0AE2CDE01C8D4")
    der = new_certificate("a.example.org", serial=0x87654321, issuer_key=issuer)
    assert renewal_identifier(read_certificate(der)) == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"


def test_one_that_does_not_tell_its_issuers_key_has_no_such_name() -> None:
    assert renewal_identifier(read_certificate(new_certificate("a.example.org"))) is None


def test_a_chain_is_sound_if_each_signs_the_one_before() -> None:
    host = read_certificate(new_certificate("a.example.org"))
    signer = read_certificate(new_authority("Intermediate", "Root"))
    require_sound([host, signer, read_certificate(new_authority("Root", "Root"))])
    require_sound([host])
    with pytest.raises(RejectedError, match=r"CN=a\.example\.org is not signed by what stands behind it"):
        require_sound([host, read_certificate(new_authority("Intermediate", "Root", kind="other"))])
    with pytest.raises(RejectedError, match=r"CN=a\.example\.org is not signed by"):
        require_sound([host, read_certificate(new_authority("Somebody", "Root"))])
