"""What happens to a secondary, and what it decides to do: the two lists that are its table of contents.

Events are in the past tense, actions in the imperative. All are frozen values; nothing here has behaviour.
A *link* is the connection that is kept to a primary: questions go out over it, and the primary's NOTIFYs may
come in over it, also through a NAT.
"""

from __future__ import annotations

from dataclasses import field

import dns.name

from oakroot._engine import Zone
from oakroot.distribution.actions import Distribute
from oakroot.frozen import frozen
from oakroot.protocol.transfer_client import Failed, Received
from oakroot.roles.events import (
    Log,
    Moment,
    Note,
    NotifyRequested,
    PacketReceived,
    Publish,
    Request,
    SendReply,
    TimePassed,
    Transport,
)
from oakroot.roles.followers import TransferRules
from oakroot.secondary.sources import Plan, Server, Source

__all__ = [
    "Action",
    "AskLink",
    "CloseLink",
    "Distribute",
    "Event",
    "ForgetZone",
    "LinkClosed",
    "LinkHeard",
    "LinkOpened",
    "LinkRequest",
    "Log",
    "Moment",
    "Note",
    "NotifyRequested",
    "OpenLink",
    "PacketReceived",
    "Publish",
    "RefreshRequested",
    "Replanned",
    "Request",
    "RetransferRequested",
    "SendReply",
    "StartTransfer",
    "Started",
    "StoreCheck",
    "StoreZone",
    "StoredZone",
    "TimePassed",
    "TransferEnded",
]


@frozen
class StoredZone:
    """A version that was kept over a restart, and when a primary last said that it is the newest."""

    zone: Zone
    checked: float
    """On the world's clock."""


@frozen
class LinkRequest:
    """A request that a primary sent over its link."""

    server: Server
    wire: bytes = field(repr=False)

    @property
    def transport(self) -> Transport:
        """Links are TCP, whether there is TLS over it or not."""
        return "tcp"

    @property
    def peer(self) -> tuple[str, int]:
        """The primary."""
        return self.server.address, self.server.port


# --- events ---


@frozen
class Started:
    """The service is up; these zones were kept."""

    stored: tuple[StoredZone, ...] = ()


@frozen
class LinkOpened:
    """The connection is there."""

    server: Server


@frozen
class LinkHeard:
    """A message came over the link, of any octets."""

    server: Server
    wire: bytes = field(repr=False)


@frozen
class LinkClosed:
    """The connection is gone, or could not be had."""

    server: Server
    reason: str


@frozen
class TransferEnded:
    """A transfer came to its end. `doubts` is why differences were given up on the way."""

    number: int
    outcome: Received | Failed
    seconds: float
    doubts: tuple[str, ...] = ()


@frozen
class RefreshRequested:
    """The operator asked for a check of a zone; None: of all (SIGHUP)."""

    apex: str | None = None


@frozen
class RetransferRequested:
    """The operator wants the whole zone transferred anew, whatever its serial is."""

    apex: str


@frozen
class Replanned:
    """The operator has decided anew, while the service runs: keys, and how zones are transferred."""

    plan: Plan
    transfers: int
    transfer_rules: TransferRules


Event = (
    Started
    | LinkOpened
    | LinkHeard
    | LinkClosed
    | TransferEnded
    | PacketReceived
    | RefreshRequested
    | RetransferRequested
    | NotifyRequested
    | Replanned
    | TimePassed
)


# --- actions ---


@frozen
class OpenLink:
    """Connect: ends in LinkOpened or LinkClosed. `local` is the address to come from, if it matters."""

    server: Server
    local: str | None = None


@frozen
class AskLink:
    """Send this over the link."""

    server: Server
    wire: bytes = field(repr=False)


@frozen
class CloseLink:
    """Hang up. No LinkClosed follows."""

    server: Server


@frozen
class StartTransfer:
    """Transfer the zone: ends in TransferEnded with this number."""

    number: int
    zone: dns.name.Name
    source: Source
    base: Zone | None


@frozen
class StoreZone:
    """Keep this version over restarts."""

    zone: Zone
    checked: float


@frozen
class StoreCheck:
    """Keep that a primary has just said: the version that is kept is the newest."""

    apex: str
    serial: int
    checked: float


@frozen
class ForgetZone:
    """Keep nothing of this zone any more."""

    apex: str


Action = (
    OpenLink
    | AskLink
    | CloseLink
    | StartTransfer
    | StoreZone
    | StoreCheck
    | ForgetZone
    | Distribute
    | Publish
    | SendReply
    | Log
    | Note
)
