"""A primary without sockets, for tests: octets of a request in, octets of its signed replies out.

It keeps every version of its zones, and so answers SOA, AXFR and IXFR. Tests spoil what it says by `spoil`.
What must not live here: anything a secondary decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from oakroot._engine import Catalogue, Outgoing, Zone, read_zone
from oakroot.keys.key import Key
from oakroot.keys.keyring import Keyring
from oakroot.protocol.message import response
from oakroot.protocol.tsig import Refused, ReplyContext, Unsigned, sign_next, verify
from oakroot.protocol.wire import RecordPlace, Section, read_layout, read_question
from tests.protocol.keys import granted, make_key

ZONE = "example.org."
KEY = make_key("127.0.0.1.127.0.0.2._transfer.example.org.")

Spoil = Callable[[list[bytes]], list[bytes]]


def zone_text(serial: int, *records: str, times: str = "86400 7200 1048576 3600") -> str:
    """A small zone; names are relative to the apex."""
    lines = [
        "$TTL 3600",
        f"@ SOA ns1 hostmaster {serial} {times}",
        "@ NS ns1",
        "ns1 A 192.0.2.1",
        *records,
    ]
    return "".join(f"{line}\n" for line in lines)


def make_zone(serial: int, *records: str, apex: str = ZONE, times: str = "86400 7200 1048576 3600") -> Zone:
    """The zone of that text."""
    zone, findings = read_zone(zone_text(serial, *records, times=times).encode(), apex, apex)
    assert zone is not None, findings
    return zone


def make_catalog(serial: int, *lines: str, apex: str, version: str | None = "2") -> Zone:
    """A catalog zone with these lines."""
    schema = [] if version is None else [f'version 0 TXT "{version}"']
    head = [f"@ 0 SOA invalid. invalid. {serial} 3600 600 2147483646 0", "@ 0 NS invalid.", *schema]
    text = "".join(f"{line}\n" for line in ("$TTL 0", *head, *lines))
    zone, findings = read_zone(text.encode(), apex, apex)
    assert zone is not None, findings
    return zone


def hosts(count: int, first: int = 0) -> list[str]:
    """Records that make a zone larger."""
    return [f"host{number} TXT {'x' * 200}" for number in range(first, first + count)]


@dataclass
class Authority:
    """A primary. `clock_error` is how many seconds its clock is ahead."""

    keys: Sequence[Key] = (KEY,)
    versions: dict[str, list[Zone]] = field(default_factory=dict)
    clock_error: int = 0
    unsigned: bool = False
    offers_ixfr: bool = True
    records_per_message: int | None = None
    spoil: dict[int, Spoil] = field(default_factory=dict)
    """By type of question: what is done to the unsigned replies before they are signed."""
    spoil_signed: Spoil | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)
    """(zone, type) of each question."""

    def serve(self, zone: Zone) -> None:
        """Adds a version of a zone."""
        self.versions.setdefault(zone.apex, []).append(zone)

    def drop(self, apex: str) -> None:
        """No longer serves the zone."""
        del self.versions[apex]

    def replies(self, wire: bytes, now: int) -> list[bytes]:
        """What it sends for these octets."""
        now += self.clock_error
        verdict = verify(wire, Keyring(map(granted, self.keys)), now)
        if isinstance(verdict, Refused):
            return [] if verdict.response is None else [verdict.response]
        if isinstance(verdict, Unsigned):
            return _present(response(wire, dns.rcode.REFUSED))
        unsigned = self._answer(verdict.query, verdict.context.reserve)
        if self.records_per_message is not None:
            unsigned = split(unsigned, self.records_per_message)
        spoil = self.spoil.get(read_question(verdict.query).type)
        unsigned = unsigned if spoil is None else spoil(unsigned)
        signed = unsigned if self.unsigned else sign_all(unsigned, verdict.context, now)
        return signed if self.spoil_signed is None else self.spoil_signed(signed)

    def _answer(self, query: bytes, reserve: int) -> list[bytes]:
        question = read_question(query)
        apex = question.name.to_text()
        self.asked.append((apex, dns.rdatatype.to_text(dns.rdatatype.RdataType.make(question.type))))
        versions = self.versions.get(apex)
        if versions is None:
            return _present(response(query, dns.rcode.NOTAUTH, reserve=reserve))
        if question.type == dns.rdatatype.AXFR:
            return list(Outgoing.whole(query, versions[-1], reserve=reserve))
        if question.type == dns.rdatatype.IXFR:
            return self._differences(query, versions, reserve)
        return _present(
            Catalogue().with_zones([versions[-1]]).answer(query, transport="tcp", reserve=reserve)
        )

    def _differences(self, query: bytes, versions: Sequence[Zone], reserve: int) -> list[bytes]:
        if not self.offers_ixfr:
            return _present(response(query, dns.rcode.NOTIMP))
        soa = read_layout(query).of_type(dns.rdatatype.SOA, Section.AUTHORITY)[0]
        known = [number for number, zone in enumerate(versions) if zone.serial == _serial(query, soa)]
        if not known:
            return list(Outgoing.whole(query, versions[-1], reserve=reserve))
        return list(Outgoing.steps(query, versions[known[0] :], reserve=reserve))


def split(messages: Sequence[bytes], size: int) -> list[bytes]:
    """The same records in the same order, so many to a message: chains need no large zones."""
    parsed = [dns.message.from_wire(wire, one_rr_per_rrset=True) for wire in messages]
    records = [record for message in parsed for record in message.answer]
    parts = []
    for start in range(0, max(len(records), 1), size):
        part = dns.message.QueryMessage(id=parsed[0].id)
        part.flags, part.question = parsed[0].flags, parsed[0].question
        part.set_rcode(parsed[0].rcode())
        part.answer = records[start : start + size]
        parts.append(part.to_wire())
    return parts


def sign_all(messages: Sequence[bytes], context: ReplyContext, now: int) -> list[bytes]:
    """A chain: every message with its signature."""
    signed = []
    for message in messages:
        wire, context = sign_next(message, context, now)
        signed.append(wire)
    return signed


def _present(wire: bytes | None) -> list[bytes]:
    return [] if wire is None else [wire]


def _serial(wire: bytes, soa: RecordPlace) -> int:
    return int.from_bytes(wire[soa.end - 20 : soa.end - 16])


def name(text: str) -> dns.name.Name:
    """The name of this text."""
    return dns.name.from_text(text)
