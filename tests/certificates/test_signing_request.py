"""Only requests that an authority should be asked become values."""

from __future__ import annotations

import ipaddress

import dns.name
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from oakroot.certificates.names import read_name
from oakroot.certificates.rejected import RejectedError
from oakroot.certificates.signing_request import names_outside, read_signing_request
from tests.certificates.minting import new_key, new_request

# What cryptography will not make any more, OpenSSL 3 made: a request for weak.example.org, signed with SHA-1.
SHA1_REQUEST = (
    "3082026030820148020100301b3119301706035504030c107765616b2e6578616d706c652e6f726730820122300d0609"
    "2a864886f70d01010105000382010f003082010a0282010100faf4e7253a309b2aefeed7409e28d4e6f5d1b58571b6d9"
    "f0624ccd436d117a6f848e980fa1416be2b84672cdcb3b433112d7275034dad126754eaddbfb2cb4e9887dae2e9cc78c"
    "57f60cbab6e18ae05b6fbc32b142e8dec05a207463f5fd930b3d1bdfb7d938fd2e5dff44367322b1af14215c91a58823"
    "3e79c9e21a6aa545f4d504e9ea05ea6b922f86fd3262a1983e6145d48b12cdcf42a11cb2e53ce13c3f26f25cd84d8c32"
    "bec5601d4e8ca38d5d34ac39adfde156069ec6a1ec306c57a797b3e82ffd7afff24d8b5e96e0fd5a3db804a3b618ff8a"
    "5cda29a78bfd56bae63c8addb22dba6fdea371a4aa2a0c6212d631c809e49e7f4e69574d215291d42f0203010001a000"
    "300d06092a864886f70d01010505000382010100ab66d1b5d7f7c39567a8d802c258fe017d5709879b9f3046123a185f"
    "0e875379b4ac90404f70e656ab85ea37d18d33204e3c4165eef8c7be89b5713c1ed1d87133f51e6eefcb80d032c05f76"
    "05045b73e8ab582156c191670375bc070e4c4b9e3d008fa72d9a0ee0306061fb1abf9ad786442d3c42270f333d9ad6c3"
    "4087c94d5df86aeeac472852c3d927a22a330f9136f66653a25387ac5949e535df003965bfa194e659d2fb64d1138c90"
    "f8a9f2ca11ade2218584c6741488d5191e5642602ba62659bf4943db497b9ee9c5b938d416f020eead7723b66a5a12c8"
    "faa3d3650e5eff58308d0738e9872ca65c75a8cab8893c660d862d1fd9423417ea5b54cc"
)


@pytest.mark.parametrize("kind", ["p256", "p384", "ed25519", "rsa2048"])
def test_strong_keys_are_taken(kind: str) -> None:
    request = read_signing_request(new_request("www.example.org", kind=kind))
    assert request.names == {read_name("www.example.org")}
    assert request.public_key == _public(new_key(kind))


def test_the_common_name_counts_with_the_alternative_names() -> None:
    request = read_signing_request(new_request("b.example.org", common_name="A.example.org"))
    assert request.names == {read_name("a.example.org"), read_name("b.example.org")}


def test_a_request_of_the_reference_has_a_common_name_alone() -> None:
    request = read_signing_request(new_request(common_name="a.example.org"))
    assert request.names == {read_name("a.example.org")}


def test_a_request_by_a_better_hash_is_taken() -> None:
    assert read_signing_request(new_request("a.example.org", digest=SHA512())).names


def test_a_short_rsa_key_is_refused() -> None:
    with pytest.raises(RejectedError, match="RSA key has 1024 bits"):
        read_signing_request(new_request("a.example.org", kind="rsa1024"))


def test_a_curve_no_authority_knows_is_refused() -> None:
    with pytest.raises(RejectedError, match="kind that no authority certifies"):
        read_signing_request(new_request("a.example.org", kind="secp256k1"))


def test_sha1_is_refused() -> None:
    with pytest.raises(RejectedError, match="signed with sha1"):
        read_signing_request(bytes.fromhex(SHA1_REQUEST))


def test_a_wrong_signature_is_refused() -> None:
    der = bytearray(new_request("a.example.org", kind="rsa2048"))
    der[-1] ^= 1
    with pytest.raises(RejectedError, match="signature is wrong"):
        read_signing_request(bytes(der))


def test_a_hundred_names_are_taken_and_one_more_is_not() -> None:
    names = [f"host-{number}.example.org" for number in range(101)]
    assert len(read_signing_request(new_request(*names[:100])).names) == 100
    with pytest.raises(RejectedError, match="asks for 101 names, and a certificate takes 100"):
        read_signing_request(new_request(*names))


def test_the_same_name_twice_counts_once() -> None:
    request = read_signing_request(new_request(*["a.example.org", "A.EXAMPLE.org"] * 60))
    assert len(request.names) == 1


def test_a_request_without_names_is_refused() -> None:
    with pytest.raises(RejectedError, match="asks for no name"):
        read_signing_request(new_request())


def test_a_common_name_that_is_no_host_is_refused() -> None:
    with pytest.raises(RejectedError, match="'My server' is no name"):
        read_signing_request(new_request("a.example.org", common_name="My server"))


def test_addresses_cannot_be_proved_by_dns() -> None:
    address = x509.IPAddress(ipaddress.ip_address("192.0.2.1"))
    with pytest.raises(RejectedError, match="a name of the kind IPAddress"):
        read_signing_request(new_request("a.example.org", more=[address]))


def test_a_name_beside_the_wildcard_that_covers_it_is_refused() -> None:
    with pytest.raises(RejectedError, match=r"^a\.example\.org is covered by a wildcard"):
        read_signing_request(new_request("a.example.org", "*.example.org", "a.b.example.org"))


def test_a_wildcard_goes_with_its_apex() -> None:
    request = read_signing_request(new_request("*.example.org", "example.org"))
    request.require_host(read_name("example.org"))
    assert len(request.names) == 2


def test_a_request_is_for_the_host_it_is_published_at() -> None:
    request = read_signing_request(new_request("bank.example.org"))
    with pytest.raises(
        RejectedError, match=r"published for a\.example\.org, but asks for bank\.example\.org"
    ):
        request.require_host(read_name("a.example.org"))


@given(st.binary(max_size=200))
def test_garbage_is_refused_in_plain_words(octets: bytes) -> None:
    with pytest.raises(RejectedError, match="octets are no certificate signing request"):
        read_signing_request(octets)


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_damaged_request_never_passes_for_another(position: int, change: int) -> None:
    good = new_request("a.example.org", "b.example.org")
    der = bytearray(good)
    der[position % len(der)] ^= change
    try:
        request = read_signing_request(bytes(der))
    except RejectedError:
        return
    # ECDSA's octets may be written in more than one way; what they sign is the same.
    assert request.names == read_signing_request(good).names
    assert request.public_key == read_signing_request(good).public_key


def test_names_outside_of_the_zones_are_found() -> None:
    zones = [dns.name.from_text("example.org"), dns.name.from_text("example.com")]
    names = [
        read_name(name) for name in ("www.example.org", "example.com", "badexample.org", "*.example.net")
    ]
    assert names_outside(names, zones) == (read_name("*.example.net"), read_name("badexample.org"))
    assert names_outside(names, [dns.name.root]) == ()


def _public(key: CertificateIssuerPrivateKeyTypes) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
