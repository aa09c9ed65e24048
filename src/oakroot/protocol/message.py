"""Responses that carry a verdict and no data, and what a client reads of a response beyond its data.

What must not live here: zones and answers. Those are the engine's.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import dns.edns
import dns.flags
import dns.rcode
import dns.rdatatype

from oakroot.frozen import frozen
from oakroot.protocol.wire import (
    ADDITIONAL_COUNT_AT,
    HEADER_LENGTH,
    Header,
    Layout,
    MalformedError,
    is_opt,
    question_octets,
    read_header,
    read_layout,
    read_question,
)

UDP_PAYLOAD = 1232
"""What crosses the Internet in one piece (the flag day of 2020), told to peers and kept to."""
SMALLEST_PAYLOAD = 512

_OPT_FIELDS = struct.Struct("!BHHIH")
_OPTION_FIELDS = struct.Struct("!HH")
_DNSSEC_OK = 0x8000
# Opcode, RD and CD come back as they came (RFC 1035 §4.1.1, RFC 4035 §3.1.6). Plain numbers: with those of
# dnspython, which are enums, a response takes twice as long.
_ECHOED_FLAGS = int(0x7800 | dns.flags.RD | dns.flags.CD)
_QR, _AA = int(dns.flags.QR), int(dns.flags.AA)


@frozen
class ExtendedError:
    """An extended DNS error (RFC 8914): a code, and words for the human at the other end."""

    code: int
    text: str = ""

    def __str__(self) -> str:
        told = dns.edns.EDECode.make(self.code).name.replace("_", " ").capitalize()
        return f"{told}: {self.text}" if self.text else told


def response(
    request: bytes,
    rcode: int,
    *,
    authoritative: bool = False,
    extended: ExtendedError | None = None,
    reserve: int = 0,
) -> bytes | None:
    """The response with this rcode and no records; None where silence is the only answer.

    Identifier, opcode, RD and the question come from the request. `extended` is told to peers that speak
    EDNS, its text shortened to what fits their payload with `reserve` octets left for a TSIG record. A
    request too short for a header gets silence, and so does a response: two servers must not keep each other
    busy.
    """
    try:
        header = read_header(request)
    except MalformedError:
        return None
    if header.is_response:
        return None
    flags = _QR | (header.flags & _ECHOED_FLAGS) | (rcode & 0xF)
    if authoritative:
        flags |= _AA
    question = question_octets(request)
    room = HEADER_LENGTH + len(question) + reserve
    options = _write_opt(request, rcode, extended, room)
    counts = (1 if question else 0, 0, 0, 1 if options else 0)
    return struct.pack("!6H", header.identifier, flags, *counts) + question + options


def error_response(request: bytes, rcode: int, extended: ExtendedError | None = None) -> bytes | None:
    """`response` as it is needed most: FORMERR, REFUSED, NOTIMP, SERVFAIL."""
    return response(request, rcode, extended=extended)


def request_message(
    identifier: int,
    flags: int,
    question: bytes,
    answers: Sequence[bytes] = (),
    authorities: Sequence[bytes] = (),
) -> bytes:
    """A request with one question that speaks EDNS, without which no server would tell an extended error."""
    opt = _OPT_FIELDS.pack(0, dns.rdatatype.OPT, UDP_PAYLOAD, 0, 0)
    header = struct.pack("!6H", identifier, flags, 1, len(answers), len(authorities), 1)
    return b"".join([header, question, *answers, *authorities, opt])


def _write_opt(request: bytes, rcode: int, extended: ExtendedError | None, used: int) -> bytes:
    """An OPT record where the request has one (RFC 6891 §7), or nothing."""
    if not request[ADDITIONAL_COUNT_AT] and not request[ADDITIONAL_COUNT_AT + 1]:
        return b""
    try:
        opts = [record for record in read_layout(request).records if is_opt(record)]
    except MalformedError:
        return b""
    if len(opts) != 1:
        return b""
    payload = min(max(opts[0].class_, SMALLEST_PAYLOAD), UDP_PAYLOAD)
    option = b""
    if extended is not None:
        room = payload - used - _OPT_FIELDS.size - _OPTION_FIELDS.size - 2
        option = _write_extended_error(extended, room)
    ttl = (rcode >> 4) << 24 | (opts[0].ttl & _DNSSEC_OK)
    return _OPT_FIELDS.pack(0, dns.rdatatype.OPT, UDP_PAYLOAD, ttl, len(option)) + option


def _write_extended_error(extended: ExtendedError, room: int) -> bytes:
    if room < 0:
        return b""
    # Cut between characters: half a character is no UTF-8, which RFC 8914 §2 demands.
    text = extended.text.encode("utf-8", "replace")[:room].decode("utf-8", "ignore").encode()
    return (
        _OPTION_FIELDS.pack(dns.edns.OptionType.EDE, 2 + len(text)) + struct.pack("!H", extended.code) + text
    )


@frozen
class Reply:
    """What a response says beyond its data."""

    header: Header
    rcode: int
    extended_errors: tuple[ExtendedError, ...]

    @property
    def rcode_text(self) -> str:
        """The rcode as it is spoken of."""
        return dns.rcode.to_text(dns.rcode.Rcode.make(self.rcode))


def read_reply(request: bytes, reply: bytes) -> Reply | None:
    """The reply to this request; None where the octets are no reply to it, and the client goes on waiting."""
    try:
        asked, layout = read_header(request), read_layout(reply)
        header = layout.header
        if not header.is_response or (header.identifier, header.opcode) != (asked.identifier, asked.opcode):
            return None
        # A server that could not read the request has no question to repeat.
        refused_unread = header.question_count == 0 and dns.rcode.from_flags(header.flags, 0) != 0
        if not refused_unread and read_question(reply) != read_question(request):
            return None
    except MalformedError:
        return None
    rcode, extended = _read_opt(reply, layout)
    return Reply(header, rcode, extended)


def _read_opt(wire: bytes, layout: Layout) -> tuple[int, tuple[ExtendedError, ...]]:
    """(rcode with its upper bits, extended errors)."""
    rcode = layout.header.flags & 0xF
    opt = next((record for record in layout.records if is_opt(record)), None)
    if opt is None:
        return rcode, ()
    rcode |= (opt.ttl >> 24) << 4
    errors = []
    at = opt.rdata_start
    while at + _OPTION_FIELDS.size <= opt.end:
        code, length = _OPTION_FIELDS.unpack_from(wire, at)
        at += _OPTION_FIELDS.size
        content = wire[at : min(at + length, opt.end)]
        if code == dns.edns.OptionType.EDE and len(content) >= 2:  # noqa: PLR2004 - the info code's octets
            # Some servers end the text with a NUL (RFC 8914 §2 allows for it).
            text = content[2:].decode("utf-8", "replace").rstrip("\0")
            errors.append(ExtendedError(int.from_bytes(content[:2]), text))
        at += length
    return rcode, tuple(errors)
