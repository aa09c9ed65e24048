"""Private keys are read, made and kept from sight, and their requests ask for what was wanted."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from oakroot.certificates.names import read_name
from oakroot.certificates.private_key import KeyType, make_private_key, read_private_key
from oakroot.certificates.rejected import RejectedError

NAMES = [read_name("www.example.org"), read_name("*.www.example.org"), read_name("example.org")]


@pytest.mark.parametrize("kind", list(KeyType))
def test_a_key_is_read_as_it_was_written(kind: KeyType) -> None:
    key = make_private_key(kind)
    again = read_private_key(key.pem().encode())
    assert (again, again.type, again.pem()) == (key, kind, key.pem())


@pytest.mark.parametrize("kind", list(KeyType))
def test_a_request_asks_for_the_names_with_the_key(kind: KeyType) -> None:
    key = make_private_key(kind)
    request = key.request_for(NAMES)
    assert (request.names, request.public_key) == (frozenset(NAMES), key.public_key)
    assert x509.load_der_x509_csr(request.der).subject == x509.Name([])


def test_the_format_of_openssl_before_pkcs8_is_read() -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert read_private_key(pem).type is KeyType.P384


def test_a_kind_that_is_not_made_is_kept_if_it_is_there() -> None:
    key = ec.generate_private_key(ec.SECP521R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert read_private_key(pem).type is None


def test_a_curve_that_no_authority_certifies_is_rejected() -> None:
    key = ec.generate_private_key(ec.SECP256K1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(RejectedError, match="of a kind that no authority certifies"):
        read_private_key(pem)


def test_no_text_of_a_key_shows_it() -> None:
    key = make_private_key(KeyType.ED25519)
    secret = key.pem().splitlines()[1]
    assert secret not in f"{key} {key!r}"
