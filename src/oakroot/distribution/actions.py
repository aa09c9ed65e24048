"""What a role decides that this room carries out. Frozen values without behaviour."""

from __future__ import annotations

from typing import Protocol

import dns.name

from oakroot.distribution.fanout import Changed
from oakroot.frozen import frozen
from oakroot.keys.keyring import GrantedKey
from oakroot.protocol.transfer_server import Plan
from oakroot.protocol.tsig import ReplyContext


class Asking(Protocol):
    """A request that the engine handed over, as far as its role knows it."""

    @property
    def peer(self) -> tuple[str, int]:
        """Whom it came from."""


@frozen
class SendTransfer:
    """Send this to who asked, as fast as he takes it."""

    request: Asking
    query: bytes
    plan: Plan
    context: ReplyContext | None


@frozen
class Enlist:
    """Keep this peer's connection, to tell it of changes of the zone; the root: of all its key's."""

    request: Asking
    signer: GrantedKey
    zone: dns.name.Name


@frozen
class Remind:
    """Tell this peer of all zones of its key, where the key or something else says that it listens there."""

    address: str
    signer: GrantedKey


@frozen
class NoteAsked:
    """This peer asked for the zone under a signature: NOTIFYs about it have reached him."""

    address: str
    zone: dns.name.Name


@frozen
class Spread:
    """Tell everybody who should know."""

    news: Changed


Distribute = SendTransfer | Enlist | Remind | NoteAsked | Spread
