"""Frame Streams, the way in which dnstap travels: octets of frames and of the words around them. No sockets.

A stream to a file is START, data, STOP. To a collector the writer says READY and waits for ACCEPT before
that, and for FINISH after it.
"""

from __future__ import annotations

import enum
import struct
from typing import Self

from oakroot.frozen import frozen

CONTENT_TYPE = b"protobuf:dnstap.Dnstap"
CONTROL_LIMIT = 512
"""Octets of the longest control frame that anybody has to take."""

_CONTENT_TYPE_FIELD = 1
_NUMBER = struct.Struct("!I")
_FIELD = struct.Struct("!II")


class StreamError(Exception):
    """The other side does not speak Frame Streams, or not of dnstap."""


class Control(enum.IntEnum):
    """The words around the data."""

    ACCEPT = 1
    START = 2
    STOP = 3
    READY = 4
    FINISH = 5


def data(payload: bytes) -> bytes:
    """A frame of data; its payload is not empty."""
    return _NUMBER.pack(len(payload)) + payload


def control(word: Control) -> bytes:
    """A control frame; all but STOP and FINISH say what the data is."""
    body = _NUMBER.pack(word)
    if word not in (Control.STOP, Control.FINISH):
        body += _FIELD.pack(_CONTENT_TYPE_FIELD, len(CONTENT_TYPE)) + CONTENT_TYPE
    return _FIELD.pack(0, len(body)) + body


@frozen
class Heard:
    """What the other side has said: the word, if all of it has come, and the octets behind it."""

    word: Control | None
    rest: bytes

    @classmethod
    def of(cls, octets: bytes) -> Self:
        """Reads one control frame. StreamError: it is none, or of other data."""
        if len(octets) < _FIELD.size:
            return cls(None, octets)
        escape, length = _FIELD.unpack_from(octets)
        if escape or not _NUMBER.size <= length <= CONTROL_LIMIT:
            raise StreamError("it does not speak Frame Streams")
        end = _FIELD.size + length
        if len(octets) < end:
            return cls(None, octets)
        return cls(_word(octets[_FIELD.size : end]), octets[end:])


def _word(body: bytes) -> Control:
    (number,) = _NUMBER.unpack_from(body)
    try:
        word = Control(number)
    except ValueError:
        raise StreamError(f"it sent a control frame of the unknown kind {number}") from None
    types = list(_content_types(body[_NUMBER.size :]))
    # Who names no type takes any.
    if word is Control.ACCEPT and types and CONTENT_TYPE not in types:
        raise StreamError("it does not take dnstap")
    return word


def _content_types(fields: bytes) -> list[bytes]:
    types, at = [], 0
    while at < len(fields):
        if len(fields) < at + _FIELD.size:
            raise StreamError("a control frame is cut off")
        kind, length = _FIELD.unpack_from(fields, at)
        at += _FIELD.size
        if len(fields) < at + length:
            raise StreamError("a control frame is cut off")
        if kind == _CONTENT_TYPE_FIELD:
            types.append(fields[at : at + length])
        at += length
    return types
