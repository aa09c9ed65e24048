"""New TSIG keys."""

from __future__ import annotations

from collections.abc import Callable

import dns.name

from oakroot.keys.key import Algorithm, Key
from oakroot.keys.secret import Secret


def mint_key(name: dns.name.Name, algorithm: Algorithm, random: Callable[[int], bytes]) -> Key:
    """A key with a new secret as long as the digest (RFC 2104 §3), from this source of random octets."""
    return Key(name, algorithm, Secret(random(algorithm.digest_length)))
