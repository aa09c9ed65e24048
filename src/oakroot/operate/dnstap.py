"""dnstap: a query, and its answer, as the messages that collectors of dnstap take. Pure.

The schema is dnstap.proto: a dozen fields of three kinds, which only have to be written. So they are written
here, rather than by a library with code of its own for them. What must not live here: how they travel.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterator
from typing import Literal, Protocol

import dns.opcode

from oakroot.frozen import frozen
from oakroot.protocol import wire

Messages = Literal["all", "queries", "responses"]
MESSAGES: tuple[Messages, ...] = ("all", "queries", "responses")


class Exchange(Protocol):
    """What is told of: `oakroot._engine.Exchange`, whose contract holds."""

    @property
    def stage(self) -> Literal["settled", "handed-over", "answered", "continued"]:
        """Whether it is settled, or becomes, is or was a request."""

    @property
    def transport(self) -> Literal["udp", "tcp", "tls"]:
        """How it came."""

    @property
    def asked(self) -> int:
        """When it came, in nanoseconds since 1970."""

    @property
    def told(self) -> int:
        """When it was answered."""

    @property
    def peer(self) -> tuple[bytes, int]:
        """Who asked, the address as octets."""

    @property
    def local(self) -> tuple[bytes, int]:
        """What address of ours was asked."""

    @property
    def query(self) -> bytes:
        """What was asked."""

    @property
    def answer(self) -> bytes | None:
        """What was answered."""


class Kind(enum.IntEnum):
    """The kinds of messages that an authoritative server has."""

    AUTH_QUERY = 1
    AUTH_RESPONSE = 2
    UPDATE_QUERY = 13
    UPDATE_RESPONSE = 14


# Numbers of fields in dnstap.proto, and the keys they are written with: of text and octets, of numbers, of
# numbers of 32 bits whose length is fixed.
_VARINT, _OCTETS, _FIXED = 0, 2, 5
_IDENTITY, _VERSION, _MESSAGE, _TYPE = 1, 2, 14, 15
_IS_MESSAGE = 1
_MESSAGE_TYPE, _FAMILY, _PROTOCOL, _QUERY_ADDRESS, _RESPONSE_ADDRESS = 1, 2, 3, 4, 5
_QUERY_PORT, _RESPONSE_PORT, _QUERY_SECONDS, _QUERY_NANOSECONDS, _QUERY_MESSAGE, _QUERY_ZONE = (
    6,
    7,
    8,
    9,
    10,
    11,
)
_RESPONSE_SECONDS, _RESPONSE_NANOSECONDS, _RESPONSE_MESSAGE = 12, 13, 14
_FAMILIES = {4: 1, 16: 2}
_PROTOCOLS = {"udp": 1, "tcp": 2, "tls": 3}
_SECOND = 1_000_000_000
_TYPE_AND_CLASS = 4
_FLAGS_AT = 2


@frozen
class Teller:
    """Who tells, and of what."""

    identity: str = ""
    version: str = ""
    messages: Messages = "all"

    def tell(self, exchange: Exchange) -> Iterator[bytes]:
        """The messages of one exchange: a query, a response, both or none."""
        query, answer = exchange.query, exchange.answer
        # What a peer answers to a NOTIFY of ours comes this way too, and such a NOTIFY leaves by it.
        if is_response(query) or (answer is not None and not is_response(answer)):
            return
        is_update = opcode(query) == dns.opcode.UPDATE
        if exchange.stage in ("settled", "handed-over") and self.messages != "responses":
            kind = Kind.UPDATE_QUERY if is_update else Kind.AUTH_QUERY
            yield self._envelope(_octets(_QUERY_MESSAGE, query), kind, exchange)
        if answer is not None and self.messages != "queries":
            kind = Kind.UPDATE_RESPONSE if is_update else Kind.AUTH_RESPONSE
            seconds, nanoseconds = divmod(exchange.told, _SECOND)
            told = _number(_RESPONSE_SECONDS, seconds) + _fixed(_RESPONSE_NANOSECONDS, nanoseconds)
            yield self._envelope(told + _octets(_RESPONSE_MESSAGE, answer), kind, exchange)

    def _envelope(self, content: bytes, kind: Kind, exchange: Exchange) -> bytes:
        message = _octets(_MESSAGE, _circumstances(kind, exchange) + content)
        about = _octets(_IDENTITY, self.identity.encode()) + _octets(_VERSION, self.version.encode())
        return about + message + _number(_TYPE, _IS_MESSAGE)


def is_response(message: bytes) -> bool:
    """Whether QR is set."""
    return len(message) > _FLAGS_AT and bool(message[_FLAGS_AT] & 0x80)


def opcode(message: bytes) -> int:
    """QUERY (0) where there is not even one."""
    return message[_FLAGS_AT] >> 3 & 0xF if len(message) > _FLAGS_AT else 0


def _circumstances(kind: Kind, exchange: Exchange) -> bytes:
    peer, peer_port = exchange.peer
    local, local_port = exchange.local
    seconds, nanoseconds = divmod(exchange.asked, _SECOND)
    fields = (
        _number(_MESSAGE_TYPE, kind),
        _number(_FAMILY, _FAMILIES[len(peer)]),
        _number(_PROTOCOL, _PROTOCOLS[exchange.transport]),
        _octets(_QUERY_ADDRESS, peer),
        _octets(_RESPONSE_ADDRESS, local),
        _number(_QUERY_PORT, peer_port),
        _number(_RESPONSE_PORT, local_port),
        _number(_QUERY_SECONDS, seconds),
        _fixed(_QUERY_NANOSECONDS, nanoseconds),
        _zone(kind, exchange.query),
    )
    return b"".join(fields)


def _zone(kind: Kind, query: bytes) -> bytes:
    """The zone of an update, which its message names; to know that of a query would mean to look it up."""
    if kind not in (Kind.UPDATE_QUERY, Kind.UPDATE_RESPONSE):
        return b""
    zone = wire.question_octets(query)[:-_TYPE_AND_CLASS]
    return _octets(_QUERY_ZONE, zone) if zone else b""


def _varint(number: int) -> bytes:
    """Seven bits in each octet, the last first; the eighth says that more follow."""
    octets = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)


# Keys of fields, which are always the same few.
_KEYS = {
    (field, kind): _varint(field << 3 | kind) for field in range(16) for kind in (_VARINT, _OCTETS, _FIXED)
}
_FIXED_NUMBER = struct.Struct("<I")


def _number(field: int, number: int) -> bytes:
    return _KEYS[field, _VARINT] + _varint(number)


def _fixed(field: int, number: int) -> bytes:
    return _KEYS[field, _FIXED] + _FIXED_NUMBER.pack(number)


def _octets(field: int, octets: bytes) -> bytes:
    return _KEYS[field, _OCTETS] + _varint(len(octets)) + octets
