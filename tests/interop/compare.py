"""What two responses must have in common, as a value that can be compared, and who agrees with whom.

RFC 1034 leaves a server free in much: optional additional data, NS records beside a positive answer, the
order in an RRset, compression. All of that is taken away here; what is left must be equal. What must not
live here: which side is right when servers disagree (`differences`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from tests.interop import wire
from tests.interop.exchange import Reply
from tests.interop.wire import Query, Record, Response
from tests.interop.worlds import World
from tests.interop.zones import Zone, is_at_or_below

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, YXDOMAIN = 0, 1, 2, 3, 4, 5, 6
ADDRESS_TYPES = (wire.A, wire.AAAA)
DENIAL_TYPES = (wire.NSEC, wire.NSEC3)
ASPECTS = ("header", "rcode", "authoritative", "answer", "order", "authority", "proof", "glue", "edns")

Signature = tuple[bytes, int]


@dataclass(frozen=True)
class Picture:
    """A response without what the server was free to choose; each field is one aspect of it."""

    header: tuple[int, bytes]
    """Flags other than AA and TC, and the question as echoed."""
    rcode: int
    authoritative: bool
    answer: frozenset[Record]
    order: tuple[tuple[bytes, int], ...]
    """Owner and type of the RRsets of a chain, in the order in which they are followed."""
    authority: frozenset[Record]
    """What the answer or referral needs there, proofs aside."""
    proof: frozenset[Record]
    """NSEC and NSEC3 records with their signatures."""
    glue: frozenset[Record]
    """Addresses at or below the cut of a referral, for the name servers named there."""
    edns: tuple[int, int] | None
    """EDNS version and flags."""

    def aspect(self, name: str) -> object:
        """One of `ASPECTS`."""
        return getattr(self, name)


def picture(response: Response, query: Query, apexes: Collection[bytes]) -> Picture:
    """What must be equal in all responses to `query` by servers of zones with these apexes."""
    required = _required_authority(response, apexes)
    proof = frozenset(record for record in required if covered_type(record) in DENIAL_TYPES)
    return Picture(
        header=(response.flags & ~0x060F, response.question),
        rcode=response.rcode,
        authoritative=response.is_authoritative,
        answer=_answer(response, query),
        # An answer to ANY is no chain.
        order=() if query.type == wire.ANY else _order(response.answer),
        authority=required - proof,
        proof=proof,
        glue=_required_glue(required, response.additional),
        edns=None if response.opt is None else (response.opt.ttl >> 16 & 0xFF, response.opt.ttl & 0xFFFF),
    )


def _answer(response: Response, query: Query) -> frozenset[Record]:
    """The answer section; to ANY without DO signatures may be given or not (RFC 3225 §3)."""
    if query.type == wire.ANY and not query.dnssec_ok:
        return frozenset(record for record in response.answer if record.type != wire.RRSIG)
    return frozenset(response.answer)


def _order(records: Iterable[Record]) -> tuple[Signature, ...]:
    return tuple(
        dict.fromkeys((record.owner, record.type) for record in records if record.type != wire.RRSIG)
    )


def _required_authority(response: Response, apexes: Collection[bytes]) -> frozenset[Record]:
    """The authority section without NS records of a zone's own apex, which no answer needs."""
    return frozenset(
        record
        for record in response.authority
        if not (covered_type(record) == wire.NS and record.owner in apexes and response.is_authoritative)
    )


def covered_type(record: Record) -> int:
    """The type of a record, or for a signature the type it signs."""
    return int.from_bytes(record.rdata[:2]) if record.type == wire.RRSIG else record.type


def _required_glue(authority: Iterable[Record], additional: Iterable[Record]) -> frozenset[Record]:
    """In-domain glue, without which nobody can follow the referral (RFC 9471 §2.1)."""
    wanted = [(record.owner, record.rdata) for record in authority if record.type == wire.NS]
    targets = {target for cut, target in wanted if is_at_or_below(target, cut)}
    return frozenset(
        record for record in additional if record.type in ADDRESS_TYPES and record.owner in targets
    )


@dataclass(frozen=True)
class Case:
    """One question, and what each server that loaded the zone answered."""

    world: World
    zone: Zone
    query: Query
    replies: Mapping[str, Reply]

    @cached_property
    def responses(self) -> dict[str, Response]:
        """Answers without the silent servers."""
        return {
            server: reply.response for server, reply in self.replies.items() if reply.response is not None
        }

    @cached_property
    def pictures(self) -> dict[str, Picture]:
        """The answers as they are compared."""
        return {
            server: picture(response, self.query, self.world.apexes)
            for server, response in self.responses.items()
        }

    def camps(self, aspect: str) -> list[list[str]]:
        """Who agrees with whom on an aspect; the silent are a camp of their own."""
        groups: dict[object, list[str]] = {}
        for server in self.replies:
            seen = self.pictures.get(server)
            groups.setdefault("silence" if seen is None else seen.aspect(aspect), []).append(server)
        return list(groups.values())

    @cached_property
    def is_unanimous(self) -> bool:
        """Whether all servers agree on everything."""
        return len(self.pictures) == len(self.replies) and len(set(self.pictures.values())) == 1
