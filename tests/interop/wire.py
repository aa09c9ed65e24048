"""DNS messages for the comparison: queries written, responses read into plain values.

A reader of its own, not the engine's and not dnspython's: the first is what is under test, the second costs
30 times the time. Names and the names inside rdata come out uncompressed and in lower case, so that what
RFC 4343 calls equal is equal here. What must not live here: what a response means.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, DNAME, OPT = 1, 2, 5, 6, 12, 15, 16, 28, 39, 41
DS, RRSIG, NSEC, DNSKEY, NSEC3, NSEC3PARAM, ANY = 43, 46, 47, 48, 50, 51, 255

# Where names stand in rdata: how many octets come before the first name, and how many names follow each
# other. RFC 3597 §4 lets only RFC 1035's types be compressed; the others are listed because peers differ in
# their case.
_NAMES_IN_RDATA = {
    NS: (0, 1),
    3: (0, 1),
    4: (0, 1),
    CNAME: (0, 1),
    SOA: (0, 2),
    7: (0, 1),
    8: (0, 1),
    9: (0, 1),
    PTR: (0, 1),
    14: (0, 2),
    MX: (2, 1),
    17: (0, 2),
    18: (2, 1),
    21: (2, 1),
    26: (2, 2),
    33: (6, 1),
    36: (2, 1),
    DNAME: (0, 1),
    RRSIG: (18, 1),
    NSEC: (0, 1),
    64: (2, 1),
    65: (2, 1),
    107: (2, 1),
}


class MalformedError(Exception):
    """The octets are no DNS message."""


@dataclass(frozen=True)
class Query:
    """One question and how it is asked; `name` is a wire name."""

    name: bytes
    type: int
    transport: str = "udp"
    edns: int | None = 1232
    """The UDP payload size offered, or None for no OPT record."""
    dnssec_ok: bool = False
    recursion_desired: bool = False
    checking_disabled: bool = False
    class_: int = 1

    def to_wire(self) -> bytes:
        """The message, with ID 0."""
        flags = (0x0100 if self.recursion_desired else 0) | (0x0010 if self.checking_disabled else 0)
        header = struct.pack("!6H", 0, flags, 1, 0, 0, 0 if self.edns is None else 1)
        question = self.name + struct.pack("!HH", self.type, self.class_)
        if self.edns is None:
            return header + question
        return (
            header + question + struct.pack("!BHHIH", 0, OPT, self.edns, 0x8000 if self.dnssec_ok else 0, 0)
        )


class Record(NamedTuple):
    """One record of a response, everything in it normalised."""

    owner: bytes
    type: int
    class_: int
    ttl: int
    rdata: bytes


@dataclass(frozen=True)
class Response:
    """A response, taken apart."""

    flags: int
    question: bytes
    """As sent: case matters here."""
    answer: tuple[Record, ...]
    authority: tuple[Record, ...]
    additional: tuple[Record, ...]
    opt: Record | None

    @property
    def rcode(self) -> int:
        """The response code, with its upper bits when there is an OPT record (RFC 6891 §6.1.3)."""
        upper = 0 if self.opt is None else self.opt.ttl >> 24
        return upper << 4 | self.flags & 0xF

    @property
    def is_truncated(self) -> bool:
        """The TC bit."""
        return bool(self.flags & 0x0200)

    @property
    def is_authoritative(self) -> bool:
        """The AA bit."""
        return bool(self.flags & 0x0400)


def read_response(message: bytes) -> Response:
    """Takes a response apart; `MalformedError` says where it is none."""
    try:
        return _Reader(message).response()
    except (struct.error, IndexError) as error:
        text = f"message of {len(message)} octets ends too early: {message.hex()}"
        raise MalformedError(text) from error


class _Reader:
    """A message with the names already read."""

    def __init__(self, message: bytes) -> None:
        self._message = message
        self._names: dict[int, tuple[bytes, int]] = {}
        self._at = 12

    def response(self) -> Response:
        _id, flags, questions, *counts = struct.unpack_from("!6H", self._message)
        start = self._at
        for _ in range(questions):
            self._at = self._name(self._at)[1] + 4
        question = self._message[start : self._at]
        answer, authority, additional = ([self._record() for _ in range(count)] for count in counts)
        if self._at != len(self._message):
            text = f"{len(self._message) - self._at} octets after the last record: {self._message.hex()}"
            raise MalformedError(text)
        options = [record for record in additional if record.type == OPT]
        if len(options) > 1:
            text = f"{len(options)} OPT records: {self._message.hex()}"
            raise MalformedError(text)
        return Response(
            flags=flags,
            question=question,
            answer=tuple(answer),
            authority=tuple(authority),
            additional=tuple(record for record in additional if record.type != OPT),
            opt=options[0] if options else None,
        )

    def _record(self) -> Record:
        owner, at = self._name(self._at)
        type_, class_, ttl, length = struct.unpack_from("!HHIH", self._message, at)
        at += 10
        self._at = at + length
        if self._at > len(self._message):
            raise IndexError
        names = _NAMES_IN_RDATA.get(type_)
        if names is None or not length:
            return Record(owner, type_, class_, ttl, self._message[at : self._at])
        return Record(owner, type_, class_, ttl, self._expanded(at, *names))

    def _expanded(self, at: int, before: int, count: int) -> bytes:
        """Rdata with its names uncompressed and in lower case."""
        parts = [self._message[at : at + before]]
        at += before
        for _ in range(count):
            name, at = self._name(at)
            parts.append(name)
        parts.append(self._message[at : self._at])
        return b"".join(parts)

    def _name(self, at: int) -> tuple[bytes, int]:
        """The name at an offset in lower case, and where the octets after it begin."""
        known = self._names.get(at)
        if known is None:
            known = self._names[at] = self._read_name(at)
        return known

    def _read_name(self, at: int) -> tuple[bytes, int]:
        message = self._message
        start = at
        while length := message[at]:
            if length >= 0xC0:
                target = (length & 0x3F) << 8 | message[at + 1]
                if target >= start:
                    text = f"compression pointer at {at} does not point back: {message.hex()}"
                    raise MalformedError(text)
                # Length octets are below 64 and so never letters: lowering the whole form is right.
                return message[start:at].lower() + self._name(target)[0], at + 2
            at += length + 1
        return message[start : at + 1].lower(), at + 1
