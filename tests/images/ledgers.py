"""Builders with keys, and a ledger that they write to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from oakroot.git.credentials import Credentials, LoginKey
from oakroot.git.login_key import parse_ssh_key
from oakroot.git.remote import parse_remote
from oakroot.images.ledger import Ledger
from oakroot.images.ledger_repository import LedgerRepository, begin
from oakroot.images.record import Record, record_of
from oakroot.keys.ssh import mint_ssh_key
from tests.images.fake_inputs import fill, made_of

NOON = 1_750_000_000
TOOLS = {"oakroot": "0.1.0"}


@dataclass(frozen=True)
class Builder:
    """Somebody who builds, and the key that is known of them."""

    name: str
    key: LoginKey

    @property
    def line(self) -> str:
        """Among allowed signers."""
        return f"{self.name} {self.key.public_line}\n"


def builder(name: str) -> Builder:
    """With a new key."""
    return Builder(name, parse_ssh_key(mint_ssh_key(os.urandom).notation()))


@dataclass(frozen=True)
class Place:
    """A ledger on this machine."""

    directory: Path

    def opened(self) -> LedgerRepository:
        """Its repository."""
        return LedgerRepository(parse_remote(str(self.directory)), Credentials())

    def add(self, record: Record, who: Builder, now: int = NOON) -> bool:
        """Has a builder record what they made."""
        with self.opened() as repository:
            return repository.append(record, who.name, who.key, TOOLS, lambda: now)

    def read(self, signers: str | None = None, since: str | None = None) -> Ledger:
        """All of it."""
        with self.opened() as repository:
            return repository.read(signers, since)[0]


def new_ledger(directory: Path, *builders: Builder) -> Place:
    """A ledger in which the words of these builders count."""
    begin(directory, "".join(each.line for each in builders), NOON)
    return Place(directory)


def record(inputs: Path, server: bytes = b"serve()\n") -> Record:
    """What an image of a small set of inputs is made of."""
    fill(inputs, server)
    return record_of(made_of(inputs).outputs)


def tampered(honest: Record, changed: Mapping[str, str]) -> Record:
    """The same inputs with other outputs, as a builder has them whose tools are not what they should be."""
    return replace(honest, outputs={**honest.outputs, **changed})
