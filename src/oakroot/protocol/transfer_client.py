"""Receiving a zone: the client's side of AXFR (RFC 5936) and IXFR (RFC 1995), signed by RFC 8945.

Sans I/O: the caller connects, sends what `begin` gives, and hands in each message that comes. Differences
are asked for where there is a version to start from; whatever is wrong with them, the whole zone is asked for
next, once, on a connection of its own. Nothing of a transfer is used before its end has come, all of it is
signed, and the zone has passed the engine's checks. Any octets whatever give a verdict.

What must not live here: sockets and time-outs. When patience ends the caller says so with `cut`.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass

import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from oakroot._engine import Incoming, TransferError, Zone
from oakroot.frozen import frozen
from oakroot.keys.key import Key
from oakroot.protocol.message import read_reply
from oakroot.protocol.soa_client import describe_flaw, describe_refusal, told
from oakroot.protocol.tsig_client import (
    Authentic,
    ReplyExpectation,
    SignatureRefused,
    sign_request,
    verify_reply,
)
from oakroot.protocol.wire import (
    Header,
    MalformedError,
    name_octets,
    read_header,
    read_question,
    write_question,
)
from oakroot.zones.serials import is_forward

_REASONS_LIMIT = 5
_SOA_FIELDS = struct.Struct("!HHIH")


@frozen
class Limits:
    """What one connection of a transfer may cost. The caller sees to those of time."""

    octets: int = 1 << 32
    messages: int = 1 << 24
    seconds: float = 7200.0
    idle_seconds: float = 60.0
    """The longest wait for the next message."""


class Style(enum.Enum):
    """How a version was asked for."""

    AXFR = "AXFR"
    IXFR = "IXFR"


class Progress(enum.Enum):
    """What the caller does next."""

    MORE = "hand in the next message"
    ANEW = "close the connection, open another one and begin again"


@frozen
class Received:
    """A new version that may be served; None: the version we have is the newest."""

    zone: Zone | None
    style: Style
    messages: int
    octets: int


@frozen
class Failed:
    """The transfer brought nothing; the reason tells what the primary did."""

    reason: str


Step = Progress | Received | Failed


class Transfer:
    """One transfer of one zone from one primary, of one or two attempts."""

    def __init__(self, zone: dns.name.Name, key: Key | None, base: Zone | None, limits: Limits) -> None:
        """`base` is the version that there is, None: none. Without a key nothing is signed, here or there."""
        self._zone = zone
        self._key = key
        self._base = base
        self._limits = limits
        self._style = Style.AXFR if base is None else Style.IXFR
        self._attempt: _Attempt | None = None
        self.doubts: list[str] = []
        """Why differences were given up for the whole zone."""

    @property
    def style(self) -> Style:
        """What the attempt under way asks for."""
        return self._style

    def begin(self, identifier: int, now: int) -> bytes:
        """The request to send on a connection that was just opened."""
        base = self._base if self._style is Style.IXFR else None
        request = _build_request(self._zone, base, identifier)
        signed, expected = (request, None) if self._key is None else sign_request(request, self._key, now)
        incoming = Incoming(self._zone.to_text(), base, allowance=self._limits.octets)
        self._attempt = _Attempt(request, expected, incoming)
        return signed

    def receive(self, wire: bytes, now: int) -> Step:
        """Takes the next message."""
        attempt = self._attempt
        if attempt is None:
            raise AssertionError("a message comes after `begin`")
        attempt.messages += 1
        attempt.octets += len(wire)
        if attempt.messages > self._limits.messages:
            return self._doubt(f"the transfer has more than {self._limits.messages} messages")
        if self._key is None or attempt.expected is None:
            return self._read(attempt, wire)
        match verify_reply(wire, attempt.expected, now):
            case Authentic(message, following):
                attempt.expected = following
                return self._read(attempt, message)
            case SignatureRefused() as refusal:
                # It would take the signature of another request no more than this one's.
                return Failed(describe_refusal(refusal, self._key, now))
            case flawed:
                return self._doubt(describe_flaw(flawed.flaw, read_reply(attempt.request, wire)))

    def cut(self, reason: str) -> Step:
        """The connection ended, or the patience of the caller; `reason` says which."""
        received = 0 if self._attempt is None else self._attempt.messages
        return self._doubt(f"{reason} after {received} message{'' if received == 1 else 's'}")

    def _read(self, attempt: _Attempt, message: bytes) -> Step:
        reason = _objection(attempt.request, message)
        if reason is not None:
            return self._doubt(reason)
        try:
            if not attempt.incoming.feed(message):
                return Progress.MORE
        except TransferError as error:
            _, reason = error.args
            return self._doubt(reason)
        if attempt.expected is not None and not attempt.expected.is_settled:
            return self._doubt("the last message is not signed")
        zone, reasons = attempt.incoming.outcome()
        if zone is not None and self._style is Style.IXFR and self._base is not None:
            # A zone that arrives whole was checked as a whole; a changed one is, where it changed.
            reasons = zone.faults_since(self._base)
        if reasons:
            return self._doubt("the zone cannot be served: " + _listed(reasons))
        return self._judge(attempt, zone)

    def _judge(self, attempt: _Attempt, zone: Zone | None) -> Step:
        base = self._base
        if zone is not None and base is not None and not is_forward(base.serial, zone.serial):
            if zone.serial != base.serial:
                return Failed(f"it sent serial {zone.serial}, which is behind ours, {base.serial}")
            zone = None
        return Received(zone, self._style, attempt.messages, attempt.octets)

    def _doubt(self, reason: str) -> Step:
        """After any doubt about differences the whole zone is asked for."""
        if self._style is Style.AXFR:
            return Failed(reason)
        self.doubts.append(reason)
        self._style = Style.AXFR
        self._attempt = None
        return Progress.ANEW


@dataclass(slots=True)
class _Attempt:
    """How far the messages of one connection have come."""

    request: bytes
    expected: ReplyExpectation | None
    incoming: Incoming
    messages: int = 0
    octets: int = 0


def _build_request(zone: dns.name.Name, base: Zone | None, identifier: int) -> bytes:
    """A request without EDNS, which some servers do not expect here.

    The SOA of an IXFR request is there for its serial (RFC 1995 §3); servers look at nothing else of it, and
    so it has nothing else, just as what dig sends.
    """
    kind = dns.rdatatype.AXFR if base is None else dns.rdatatype.IXFR
    head = struct.pack("!6H", identifier, 0, 1, 0, 0 if base is None else 1, 0)
    question = write_question(zone, kind)
    if base is None:
        return head + question
    rdata = b"\0\0" + struct.pack("!5I", base.serial, 0, 0, 0, 0)
    fields = _SOA_FIELDS.pack(dns.rdatatype.SOA, dns.rdataclass.IN, 0, len(rdata))
    return head + question + name_octets(zone) + fields + rdata


def _objection(request: bytes, message: bytes) -> str | None:
    """What is wrong with a message as a reply to this request; the engine looks at its records.

    Messages after the first may leave out the question (RFC 5936 §2.2.1), and there are servers that leave it
    out of the first.
    """
    try:
        asked, header = read_header(request), read_header(message)
        if not header.is_response or header.opcode != dns.opcode.QUERY:
            return "it sent something that is no response"
        if header.identifier != asked.identifier:
            return "a message has another identifier than the request"
        if header.question_count and read_question(message) != read_question(request):
            return "it answered another question"
    except MalformedError as error:
        return f"a message is malformed: {error}"
    return _complaint(request, message, header)


def _complaint(request: bytes, message: bytes, header: Header) -> str | None:
    """What the primary itself says is wrong."""
    if header.flags & 0xF != dns.rcode.NOERROR:
        reply = read_reply(request, message)
        return "it answered with an error" if reply is None else f"it answered {told(reply)}"
    return "it truncated a message" if header.is_truncated else None


def _listed(reasons: list[str]) -> str:
    more = len(reasons) - _REASONS_LIMIT
    shown = "; ".join(reasons[:_REASONS_LIMIT])
    return f"{shown}; and {more} more" if more > 0 else shown
