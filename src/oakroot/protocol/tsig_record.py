"""The TSIG record itself (RFC 8945 §4.2): finding it, its MAC, putting it behind a message.

Every signed message passes here twice, and with dnspython's records that took five times as long, so the
octets are read and written here; the tests compare with dnspython and with other servers.

What must not live here: judgement. Whether a MAC is good enough, who may sign what and what is answered is
decided by `tsig` for servers and by `tsig_client` for clients.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Sequence

import dns.name
import dns.rdataclass
import dns.rdatatype

from oakroot.frozen import frozen
from oakroot.keys.key import Key
from oakroot.protocol.wire import (
    ADDITIONAL_COUNT_AT,
    HEADER_LENGTH,
    MalformedError,
    RecordPlace,
    Section,
    name_octets,
    read_header,
    read_layout,
    read_name,
)

FUDGE = 300
"""Seconds that clocks may differ (RFC 8945 §10); also the most that a request may allow."""
MESSAGE_LIMIT = 65535

_FIXED_FIELDS = struct.Struct("!HHIH")
# The time has 48 bits: its upper 16, its lower 32. Then the fudge, and what follows the MAC.
_TIMERS = struct.Struct("!HIH")
_MAC_LENGTH = struct.Struct("!H")
_AFTER_MAC = struct.Struct("!HHH")
_ERROR_FIELDS = struct.Struct("!HH")
# Time signed, fudge, MAC size, original ID, error, other length (RFC 8945 §4.2).
_RDATA_FIXED_LENGTH = _TIMERS.size + _MAC_LENGTH.size + _AFTER_MAC.size
_CLASS_AND_TTL = struct.pack("!HI", dns.rdataclass.ANY, 0)


@frozen
class TsigRdata:
    """The RDATA of a TSIG record."""

    algorithm: bytes
    """The name in canonical form: uncompressed and in lower case (RFC 8945 §4.3.3)."""
    time_signed: int
    fudge: int
    mac: bytes
    original_id: int
    error: int = 0
    other: bytes = b""

    @property
    def timers(self) -> bytes:
        """Time and fudge, as octets."""
        return _TIMERS.pack(self.time_signed >> 32, self.time_signed & 0xFFFFFFFF, self.fudge)

    def octets(self, mac: bytes) -> bytes:
        """As it stands in a message, with this MAC."""
        after = _AFTER_MAC.pack(self.original_id, self.error, len(self.other))
        return b"".join((self.algorithm, self.timers, _counted(mac), after, self.other))


@frozen
class FoundTsig:
    """A TSIG record where it belongs, and the message as it was before it got there."""

    owner: dns.name.Name
    rdata: TsigRdata
    message: bytes


def find_tsig(wire: bytes) -> FoundTsig | None:
    """The TSIG record of a message, or None; raises MalformedError if it or the message is malformed.

    It must be the last record, the only one of its type, of class ANY and TTL 0 (RFC 8945 §4.2, §5.1).
    """
    layout = read_layout(wire)
    places = layout.of_type(dns.rdatatype.TSIG)
    if not places:
        return None
    place = places[0]
    if place is not layout.records[-1] or place.section != Section.ADDITIONAL:
        raise MalformedError("a TSIG record is not the last record, or not the only one")
    if place.class_ != dns.rdataclass.ANY or place.ttl != 0:
        raise MalformedError("the TSIG record's class is not ANY, or its TTL not 0")
    owner, _ = read_name(wire, place.start)
    return FoundTsig(owner, _read_rdata(wire, place), _without_last_record(wire, place.start))


def find_tsig_of(wire: bytes, key: Key) -> FoundTsig | None:
    """`find_tsig` for a message that is likely signed by this key; raises MalformedError.

    A message of a large transfer has thousands of records. They need not be walked where the record stands at
    the end just as everybody writes it: were these octets something else, the MAC would be wrong.
    """
    fixed = _FIXED_FIELDS.pack(dns.rdatatype.TSIG, dns.rdataclass.ANY, 0, 0)
    head = name_octets(key.name) + fixed[:-2]
    start = wire.rfind(head)
    rdata_start = start + len(head) + 2
    ends_there = rdata_start + int.from_bytes(wire[rdata_start - 2 : rdata_start]) == len(wire)
    if start < HEADER_LENGTH or not ends_there or not read_header(wire).record_counts[-1]:
        return find_tsig(wire)
    place = RecordPlace(
        Section.ADDITIONAL, start, dns.rdatatype.TSIG, dns.rdataclass.ANY, 0, rdata_start, len(wire)
    )
    return FoundTsig(key.name, _read_rdata(wire, place), _without_last_record(wire, start))


def compute_mac(message: bytes, key: Key, rdata: TsigRdata, prior_mac: bytes = b"") -> bytes:
    """The whole MAC over a message without its TSIG record (RFC 8945 §4.3).

    Everything else in the digest comes from `rdata`, whose own MAC is not looked at. `prior_mac` is the
    request's MAC where this is a response.
    """
    variables = (
        key.octets,
        _CLASS_AND_TTL,
        rdata.algorithm,
        rdata.timers,
        _ERROR_FIELDS.pack(rdata.error, len(rdata.other)),
        rdata.other,
    )
    prior = _counted(prior_mac) if prior_mac else b""
    return _mac(key, b"".join((prior, _with_identifier(message, rdata.original_id), *variables)))


def compute_following_mac(
    message: bytes, key: Key, rdata: TsigRdata, prior_mac: bytes, unsigned: Sequence[bytes] = ()
) -> bytes:
    """The MAC of a later message of a chain (RFC 8945 §5.3.1): over the MAC before, and the timers only.

    `unsigned` are the messages without TSIG since the one that had `prior_mac`.
    """
    message = _with_identifier(message, rdata.original_id)
    return _mac(key, b"".join((_counted(prior_mac), *unsigned, message, rdata.timers)))


def make_rdata(
    algorithm: bytes,
    time_signed: int,
    identifier: int,
    *,
    fudge: int = FUDGE,
    error: int = 0,
    other: bytes = b"",
) -> TsigRdata:
    """The RDATA of a TSIG record, its MAC still empty."""
    return TsigRdata(algorithm, time_signed, fudge, b"", identifier, error, other)


def append_tsig(message: bytes, owner: dns.name.Name, rdata: TsigRdata, mac: bytes) -> bytes:
    """The message with a TSIG record behind it; raises ValueError where that is too long for a message.

    Neither name in it is compressed (RFC 8945 §4.2), so the record can be taken off again without a trace.
    """
    octets = rdata.octets(mac)
    fixed = _FIXED_FIELDS.pack(dns.rdatatype.TSIG, dns.rdataclass.ANY, 0, len(octets))
    signed = _with_additional_count(message, 1) + name_octets(owner) + fixed + octets
    if len(signed) > MESSAGE_LIMIT:
        raise ValueError("no room for a TSIG record: leave tsig_length(key) octets free")
    return signed


def tsig_length(key: Key, other_length: int = 0) -> int:
    """The octets that a TSIG record of this key takes in a message."""
    names = len(key.octets) + len(key.algorithm.octets)
    return names + _FIXED_FIELDS.size + _RDATA_FIXED_LENGTH + key.algorithm.digest_length + other_length


def _read_rdata(wire: bytes, place: RecordPlace) -> TsigRdata:
    try:
        algorithm, at = _read_algorithm(wire, place.rdata_start)
        upper, lower, fudge = _TIMERS.unpack_from(wire, at)
        mac, at = _read_counted(wire, at + _TIMERS.size)
        original_id, code = _ERROR_FIELDS.unpack_from(wire, at)
        other, at = _read_counted(wire, at + _ERROR_FIELDS.size)
    except struct.error as error:
        raise MalformedError("the TSIG record's RDATA is cut off") from error
    if at != place.end:
        raise MalformedError("the TSIG record's RDATA is malformed")
    return TsigRdata(algorithm, upper << 32 | lower, fudge, mac, original_id, code, other)


def _read_algorithm(wire: bytes, at: int) -> tuple[bytes, int]:
    name, end = read_name(wire, at)
    return name.to_digestable(), end


def _read_counted(wire: bytes, at: int) -> tuple[bytes, int]:
    """Octets behind their number, and where they end; beyond the message where some are missing."""
    (length,) = _MAC_LENGTH.unpack_from(wire, at)
    start = at + _MAC_LENGTH.size
    return wire[start : start + length], start + length


def _counted(octets: bytes) -> bytes:
    return _MAC_LENGTH.pack(len(octets)) + octets


def _mac(key: Key, octets: bytes) -> bytes:
    return hmac.digest(key.secret.reveal(), octets, key.algorithm.digest)


def _with_identifier(message: bytes, identifier: int) -> bytes:
    """A forwarder may have given the message another one, which the digest does not know (RFC 8945 §5.5)."""
    octets = identifier.to_bytes(2)
    return message if message[:2] == octets else octets + message[2:]


def _without_last_record(wire: bytes, start: int) -> bytes:
    return _with_additional_count(wire[:start], -1)


def _with_additional_count(wire: bytes, change: int) -> bytes:
    at = ADDITIONAL_COUNT_AT
    count = int.from_bytes(wire[at : at + 2]) + change
    return wire[:at] + count.to_bytes(2) + wire[at + 2 :]
