"""A TSIG key: name, algorithm and secret (RFC 8945 §2). The only place that hands a secret to dnspython."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import dns.name
import dns.tsig

from oakroot.keys.secret import Secret

# RFC 2104 §3 discourages secrets shorter than the hash; 256 random bits are beyond guessing for any of them.
_STRONG_SECRET = 32


class Algorithm(enum.Enum):
    """The HMACs a key may use; the values are the algorithm numbers of key files.

    HMAC-MD5 is left out on purpose: RFC 8945 §6 keeps it only for old peers.
    """

    SHA1 = 161
    SHA224 = 162
    SHA256 = 163
    SHA384 = 164
    SHA512 = 165

    @property
    def text(self) -> str:
        """The name that DNS servers and their tools use, such as `hmac-sha256`."""
        return f"hmac-{self.name.lower()}"

    @property
    def domain_name(self) -> dns.name.Name:
        """The name that stands in a TSIG record (RFC 8945 §6)."""
        return _DOMAIN_NAMES[self]

    @property
    def digest_length(self) -> int:
        """Octets of an untruncated MAC."""
        return _DIGEST_LENGTHS[self]

    @classmethod
    def named(cls, text: str) -> Algorithm | None:
        """The algorithm called `hmac-sha256`, `SHA256` or `hmac-sha256.`, in any case; None for others."""
        return _BY_NAME.get(text.lower().removesuffix(".").removeprefix("hmac-"))


_DIGEST_LENGTHS = {
    Algorithm.SHA1: 20,
    Algorithm.SHA224: 28,
    Algorithm.SHA256: 32,
    Algorithm.SHA384: 48,
    Algorithm.SHA512: 64,
}
_DOMAIN_NAMES = {algorithm: dns.name.from_text(algorithm.text) for algorithm in Algorithm}
_BY_NAME = {algorithm.name.lower(): algorithm for algorithm in Algorithm}


@dataclass(frozen=True, slots=True)
class Key:
    """A TSIG key. Its texts never show the secret."""

    name: dns.name.Name
    algorithm: Algorithm
    secret: Secret

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
