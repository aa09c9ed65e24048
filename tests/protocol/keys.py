"""Keys for the tests of this room."""

from __future__ import annotations

import dns.name

from oakroot.keys.grant import read_grant
from oakroot.keys.key import Algorithm, Key
from oakroot.keys.keyring import GrantedKey, Keyring
from oakroot.keys.secret import Secret

NOW = 1_795_305_600


def name(text: str) -> dns.name.Name:
    return dns.name.from_text(text)


def make_key(
    key_name: str = "k._update.example.org.",
    algorithm: Algorithm = Algorithm.SHA256,
    secret: bytes = b"thirty-two octets that are known",
) -> Key:
    return Key(name(key_name), algorithm, Secret(secret))


def granted(key: Key) -> GrantedKey:
    return GrantedKey(key, read_grant(key.name), "_keys", 1)


def keyring(*keys: Key) -> Keyring:
    return Keyring(map(granted, keys))
