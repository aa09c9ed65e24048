"""Octets that must not be seen: compared in constant time, shown only to those who ask by name."""

from __future__ import annotations

import base64
import binascii
import hmac

from oakroot.keys.rejected import KeyRejectedError


class Secret:
    """Secret octets, shown by `reveal` and `base64` and by no `repr`, `str` or `dataclasses.asdict`."""

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes) -> None:
        self._octets = bytes(octets)

    @classmethod
    def from_base64(cls, text: str) -> Secret:
        """Reads RFC 4648 BASE64 with its padding; raises KeyRejectedError without quoting the text."""
        try:
            # What is not ASCII becomes ?, which is no BASE64 either.
            octets = base64.b64decode(text.encode("ascii", "replace"), validate=True)
        except binascii.Error:
            raise KeyRejectedError(
                "key-secret",
                "the secret is not BASE64",
                "a secret is made of A-Z, a-z, 0-9, + and /, padded with = to a multiple of four characters",
            ) from None
        if not octets:
            raise KeyRejectedError("key-secret", "the secret is empty")
        # Python ignores stray bits after the last octet; BIND's tools refuse such a text.
        if base64.b64encode(octets).decode() != text:
            raise KeyRejectedError(
                "key-secret",
                "the secret is BASE64 with stray bits at its end",
                "a character was lost or changed; copy the secret again",
            )
        return cls(octets)

    def reveal(self) -> bytes:
        """The octets themselves, for the one who computes with them."""
        return self._octets

    def base64(self) -> str:
        """The octets as text, for the one who writes them where they belong."""
        return base64.b64encode(self._octets).decode("ascii")

    def __len__(self) -> int:
        return len(self._octets)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._octets, other._octets)

    def __hash__(self) -> int:
        return hash(self._octets)

    def __repr__(self) -> str:
        return "<secret>"
