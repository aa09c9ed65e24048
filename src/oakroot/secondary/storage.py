"""How a zone is kept in files: as the messages of its transfer, with a head and a checksum.

A zone has two files. `NAME.zone` holds a version; `NAME.checked` the time at which a primary last confirmed
it, which changes often, while a large zone should not be written again for it. Pure: octets in, octets out.

    oakroot zone 1                      oakroot check 1
    zone example.org.                   zone example.org.
    serial 7                            serial 7
    checked 1795348800.0                checked 1795435200.0
    (empty line, then messages, each    (empty line, then SHA-256 of all
    after its length in two octets;     octets before)
    SHA-256 of all octets before)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import dns.exception
import dns.name
import dns.rdatatype

from oakroot._engine import Incoming, Outgoing, TransferError, Zone
from oakroot.frozen import frozen
from oakroot.protocol.message import request_message
from oakroot.protocol.wire import write_question
from oakroot.secondary.events import StoredZone

ZONE_SUFFIX = ".zone"
CHECK_SUFFIX = ".checked"
_DIGEST_LENGTH = 32
_NAME_LIMIT = 200
HEAD_LIMIT = 4096
DIGITS = 3
"""Of the second in which a zone was checked."""
_ODD_OCTET = re.compile(rb"[^a-z0-9._-]")
_HEAD = re.compile(
    rb"oakroot (?P<kind>zone|check) 1\nzone (?P<zone>[^\n]+)\nserial (?P<serial>[0-9]{1,10})\n"
    rb"checked (?P<checked>[0-9]{1,15}\.[0-9]{1,9})\n\n"
)


class UnreadableError(Exception):
    """A file that does not hold what was written into it."""


@frozen
class Check:
    """When the version of this serial was last confirmed."""

    apex: str
    serial: int
    checked: float


def file_stem(apex: str) -> str:
    """What the names of a zone's files begin with: the zone's, where that can be a file name."""
    if apex == ".":
        return "@"
    text = apex.removesuffix(".").encode()
    stem = _ODD_OCTET.sub(lambda octet: b"%%%02X" % octet[0][0], text).decode()
    # Most file systems take names of 255 octets; the zone's name stands in the file.
    return stem if len(stem) <= _NAME_LIMIT else hashlib.sha256(text).hexdigest()


def write_zone(zone: Zone, checked: float) -> Iterator[bytes]:
    """The content of a zone's file, in pieces."""
    digest = hashlib.sha256()
    for piece in _zone_pieces(zone, checked):
        digest.update(piece)
        yield piece
    yield digest.digest()


def read_zone(content: bytes) -> StoredZone:
    """The version in the file; raises UnreadableError."""
    head, body = _open(content, b"zone")
    incoming = Incoming(head.apex)
    at, is_complete = 0, False
    while at < len(body):
        end = at + 2 + int.from_bytes(body[at : at + 2])
        try:
            is_complete = incoming.feed(bytes(body[at + 2 : end]))
        except TransferError as error:
            raise UnreadableError(error.args[1]) from None
        at = end
    zone, reasons = incoming.outcome() if is_complete else (None, ["it ends too early"])
    if zone is None:
        raise UnreadableError("; ".join(reasons))
    if zone.serial != head.serial:
        raise UnreadableError(f"it should hold serial {head.serial} and holds {zone.serial}")
    return StoredZone(zone, head.checked)


def write_check(check: Check) -> bytes:
    """The content of the file that goes with the zone's."""
    head = _head("check", check.apex, check.serial, check.checked)
    return head + hashlib.sha256(head).digest()


def read_check(content: bytes) -> Check:
    """The time in the file; raises UnreadableError."""
    head, body = _open(content, b"check")
    if body:
        raise UnreadableError("octets are left over")
    return head


def checked_at(content: bytes) -> float | None:
    """The time in the head of either file, of which the first octets are enough; nothing else is judged."""
    found = _HEAD.match(content)
    return None if found is None else float(found["checked"])


def _zone_pieces(zone: Zone, checked: float) -> Iterator[bytes]:
    yield _head("zone", zone.apex, zone.serial, checked)
    question = write_question(dns.name.from_text(zone.apex), dns.rdatatype.AXFR)
    for message in Outgoing.whole(request_message(0, 0, question), zone):
        yield len(message).to_bytes(2) + message


def _head(kind: str, apex: str, serial: int, checked: float) -> bytes:
    return f"oakroot {kind} 1\nzone {apex}\nserial {serial}\nchecked {checked:.{DIGITS}f}\n\n".encode()


def _open(content: bytes, kind: bytes) -> tuple[Check, memoryview]:
    """The head, and what lies between it and the checksum."""
    body, digest = content[:-_DIGEST_LENGTH], content[-_DIGEST_LENGTH:]
    if hashlib.sha256(body).digest() != digest:
        raise UnreadableError("the checksum is wrong")
    found = _HEAD.match(body[:HEAD_LIMIT])
    if found is None or found["kind"] != kind:
        raise UnreadableError("it does not begin as it should")
    try:
        apex = dns.name.from_text(found["zone"].decode("ascii")).canonicalize().to_text()
    except (dns.exception.DNSException, ValueError):
        raise UnreadableError("the zone's name is malformed") from None
    check = Check(apex, int(found["serial"]), float(found["checked"]))
    return check, memoryview(body)[found.end() :]
