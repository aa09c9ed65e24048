"""Requests are signed as RFC 8555 wants it, and the account's key has its name."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from oakroot.certificates.jose import AccountKey, ExternalAccount, decode, dns_value, encode
from oakroot.certificates.rejected import RejectedError
from tests.certificates.minting import new_key

URL = "https://ca.example/acme/new-order"


@given(st.binary(max_size=60))
def test_octets_come_back(octets: bytes) -> None:
    text = encode(octets)
    assert decode(text) == octets
    assert not set(text) & set("+/=")


@pytest.mark.parametrize("kind", ["p256", "p384", "rsa2048"])
def test_a_request_is_signed_by_the_key(kind: str) -> None:
    key = _account(kind)
    body = json.loads(key.sign(URL, "a-nonce", {"hello": 1}, "https://ca.example/account/1"))
    header = json.loads(decode(body["protected"]))
    assert header["url"] == URL
    assert header["nonce"] == "a-nonce"
    assert header["kid"] == "https://ca.example/account/1"
    assert "jwk" not in header
    assert json.loads(decode(body["payload"])) == {"hello": 1}
    _verify(key, f"{body['protected']}.{body['payload']}".encode(), decode(body["signature"]))


def test_without_an_account_the_key_is_in_the_request() -> None:
    key = _account("p256")
    header = json.loads(decode(json.loads(key.sign(URL, "n", {}, None))["protected"]))
    assert header["jwk"] == key.public
    assert "kid" not in header


def test_a_mere_question_has_an_empty_payload_and_an_empty_object_is_no_question() -> None:
    assert json.loads(_account("p256").sign(URL, "n", None, None))["payload"] == ""
    assert json.loads(_account("p256").sign(URL, "n", {}, None))["payload"] == encode(b"{}")


def test_the_thumbprint_is_that_of_rfc_7638() -> None:
    key = _account("p256")
    members = key.public
    text = f'{{"crv":"P-256","kty":"EC","x":"{members["x"]}","y":"{members["y"]}"}}'
    assert key.thumbprint == encode(hashlib.sha256(text.encode()).digest())


def test_the_value_of_a_challenge_is_the_hash_of_token_and_thumbprint() -> None:
    digest = hashlib.sha256(b"a-token.a-thumbprint").digest()
    assert dns_value("a-token", "a-thumbprint") == encode(digest)
    assert len(dns_value("a-token", "a-thumbprint")) == 43


def test_an_external_account_signs_the_key_with_its_secret() -> None:
    key = _account("p256")
    binding = ExternalAccount("kid-1", b"s" * 32).binding("https://ca.example/new-account", key)
    header = json.loads(decode(str(binding["protected"])))
    assert header == {"alg": "HS256", "kid": "kid-1", "url": "https://ca.example/new-account"}
    assert json.loads(decode(str(binding["payload"]))) == key.public
    signed = f"{binding['protected']}.{binding['payload']}".encode()
    assert decode(str(binding["signature"])) == hmac.digest(b"s" * 32, signed, "sha256")


def test_keys_that_authorities_do_not_take_are_refused() -> None:
    with pytest.raises(RejectedError, match="no account key of this kind"):
        _account("secp256k1")
    with pytest.raises(RejectedError, match="no account key of this kind"):
        _account("rsa1024")


def test_secrets_do_not_show() -> None:
    assert "private" not in repr(_account("p256"))
    assert "topsecret" not in repr(ExternalAccount("kid-1", b"topsecret"))


def _account(kind: str) -> AccountKey:
    private = new_key(kind)
    assert isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    return AccountKey(private)


def _verify(key: AccountKey, text: bytes, signature: bytes) -> None:
    if isinstance(key.private, rsa.RSAPrivateKey):
        key.private.public_key().verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
        return
    half = len(signature) // 2
    pair = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
    digest = hashes.SHA256() if key.private.curve.name == "secp256r1" else hashes.SHA384()
    key.private.public_key().verify(pair, text, ec.ECDSA(digest))
