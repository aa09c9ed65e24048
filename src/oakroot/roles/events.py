"""Events and actions that every role has, and the two clocks they live by. Frozen values, no behaviour."""

from __future__ import annotations

from dataclasses import field
from typing import Literal, Protocol

import dns.name
import dns.rcode

from oakroot._engine import Catalogue
from oakroot.frozen import frozen

Level = Literal["debug", "info", "warning", "error"]
Transport = Literal["udp", "tcp", "tls"]


@frozen
class Moment:
    """One instant on two clocks, in seconds: the world's (TSIG), and one that never jumps (waiting)."""

    wall: float
    monotonic: float


class Request(Protocol):
    """A packet that asks for something."""

    @property
    def wire(self) -> bytes:
        """The message."""

    @property
    def transport(self) -> Transport:
        """What it came over."""

    @property
    def peer(self) -> tuple[str, int]:
        """Whom it came from."""


# --- events ---


@frozen
class PacketReceived:
    """The engine handed over what it does not decide."""

    request: Request


@frozen
class NotifyRequested:
    """The operator wants everybody notified who copies a zone; None: of all zones."""

    apex: str | None = None


@frozen
class TimePassed:
    """The moment that `wake_at` named has come; coming early or often does no harm."""


# --- actions ---


@frozen
class Publish:
    """Serve this from now on."""

    catalogue: Catalogue


@frozen
class SendReply:
    """Send this to where the request came from."""

    request: Request
    wire: bytes = field(repr=False)


@frozen
class Log:
    """Tell the operator."""

    level: Level
    text: str
    zone: str | None = None
    peer: str | None = None
    key: str | None = None
    """The name of the key that the peer signed with."""
    reason: str | None = None
    """Why something was refused, or failed."""


# --- notes: what the operator wants counted, and nobody else hears of ---


class Note:
    """One of the notes below."""

    __slots__ = ()


@frozen
class KeyUsed(Note):
    """A request bore a good signature of this key."""

    key: dns.name.Name


@frozen
class SignatureRefused(Note):
    """A signature was no good, for this TSIG error. None: no key that is known here."""

    key: dns.name.Name | None
    error: int


@frozen
class UpdateAnswered(Note):
    """An update got its answer. `seconds` since it came; None: it was answered at once."""

    rcode: dns.rcode.Rcode
    seconds: float | None = None
