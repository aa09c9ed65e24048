"""A TSIG key: name, algorithm and secret (RFC 8945 §2). The only place that hands a secret to dnspython."""

from __future__ import annotations

import enum
from dataclasses import field
from typing import Self

import dns.name
import dns.tsig

from oakroot.frozen import frozen
from oakroot.keys.secret import Secret

# RFC 2104 §3 discourages secrets shorter than the hash; 256 random bits are beyond guessing for any of them.
_STRONG_SECRET = 32


class Algorithm(enum.Enum):
    """The HMACs a key may use; the values are the algorithm numbers of key files.

    HMAC-MD5 is left out on purpose: RFC 8945 §6 keeps it only for old peers.
    """

    SHA1 = 161, "sha1", 20
    SHA224 = 162, "sha224", 28
    SHA256 = 163, "sha256", 32
    SHA384 = 164, "sha384", 48
    SHA512 = 165, "sha512", 64

    digest: str
    """The hash function, as hashlib calls it."""
    digest_length: int
    """Octets of an untruncated MAC."""
    domain_name: dns.name.Name
    """The name that stands in a TSIG record (RFC 8945 §6)."""
    octets: bytes
    """The same in canonical form: every signed message needs it."""

    def __new__(cls, number: int, digest: str, digest_length: int) -> Self:
        """The member with this number."""
        self = object.__new__(cls)
        self._value_ = number
        self.digest, self.digest_length = digest, digest_length
        self.domain_name = dns.name.from_text(f"hmac-{digest}")
        self.octets = self.domain_name.to_digestable()
        return self

    @property
    def text(self) -> str:
        """The name that DNS servers and their tools use, such as `hmac-sha256`."""
        return f"hmac-{self.digest}"

    @classmethod
    def named(cls, text: str) -> Algorithm | None:
        """The algorithm called `hmac-sha256`, `SHA256` or `hmac-sha256.`, in any case; None for others."""
        return _BY_NAME.get(text.lower().removesuffix(".").removeprefix("hmac-"))


_BY_NAME = {algorithm.digest: algorithm for algorithm in Algorithm}


@frozen
class Key:
    """A TSIG key. Its texts never show the secret."""

    name: dns.name.Name
    algorithm: Algorithm
    secret: Secret
    octets: bytes = field(init=False, repr=False, compare=False)
    """The name in canonical form, which every signature covers (RFC 8945 §4.3.3)."""
    text: str = field(init=False, repr=False, compare=False)
    """The name as it is spoken of, without its final dot."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "octets", self.name.to_digestable())
        object.__setattr__(self, "text", self.name.to_text(omit_final_dot=True))

    def __str__(self) -> str:
        return f"{self.name} ({self.algorithm.text})"

    @property
    def weakness(self) -> str | None:
        """Why this key is weaker than it should be, or None."""
        needed = min(self.algorithm.digest_length, _STRONG_SECRET)
        if len(self.secret) >= needed:
            return None
        return f"the secret has {len(self.secret)} octets; {self.algorithm.text} wants {needed} or more"

    def for_dnspython(self) -> dns.tsig.Key:
        """The key as dnspython takes it. Never log the result: its repr holds the secret."""
        return dns.tsig.Key(self.name, self.secret.reveal(), self.algorithm.domain_name)
