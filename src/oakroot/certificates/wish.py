"""What certificate somebody wants, in words and as a value."""

from __future__ import annotations

from collections.abc import Iterable

import dns.name

from oakroot.certificates.names import is_wildcard, read_name, without_wildcard, write_name
from oakroot.certificates.private_key import KeyType, PrivateKey, make_private_key
from oakroot.certificates.rejected import RejectedError
from oakroot.frozen import frozen


@frozen
class Wish:
    """What certificate is wanted, and with which key.

    `host`: where it is published, and its first name; no wildcard. `additional`: more names, also wildcards.
    `key_type`: None keeps a key of any kind, and makes P-256. `renew`: not even a good certificate will do.
    `new_key`: a new key, too. An invalid one cannot be built: RejectedError.
    """

    host: dns.name.Name
    names: frozenset[dns.name.Name]
    key_type: KeyType | None = None
    renew: bool = False
    new_key: bool = False

    @classmethod
    def of(
        cls,
        host: str,
        additional: Iterable[str] = (),
        *,
        key_type: KeyType | None = None,
        renew: bool = False,
        new_key: bool = False,
    ) -> Wish:
        """A wish in text."""
        first = read_name(host)
        if is_wildcard(first):
            raise RejectedError(
                "host",
                f"{host} is no host: where would its certificate be published?",
                f"ask for {write_name(without_wildcard(first))}, with {host} as an additional name",
            )
        return cls(first, frozenset([first, *map(read_name, additional)]), key_type, renew, new_key)

    def accepts(self, key: PrivateKey) -> bool:
        """Whether the key may be used again."""
        return self.key_type in {None, key.type}

    def make_key(self) -> PrivateKey:
        """A new key of the kind that is wanted."""
        return make_private_key(self.key_type or KeyType.P256)
