"""When a row of `differences` applies: what was asked, and what is to be seen in the answers.

Each function takes the case and the peer that stands apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.interop import wire
from tests.interop.claims import unproven
from tests.interop.compare import SERVFAIL, YXDOMAIN, Case
from tests.interop.wire import Record
from tests.interop.zones import is_at_or_below, labels

META_TYPES = (wire.OPT, 249, 253, 254)
"""OPT, TKEY, MAILB, MAILA: meta types that are asked for in no transfer."""
KNOTS_LONGEST_CHAIN = 5


def _answers(case: Case) -> Iterator[Record]:
    """All records in all answer sections."""
    for response in case.responses.values():
        yield from response.answer


def asked_for(*types: int) -> Callable[[Case, str], bool]:
    return lambda case, _peer: case.query.type in types


def asked_with_cd(case: Case, _peer: str) -> bool:
    return case.query.checking_disabled


def chain_given_up(case: Case, peer: str) -> bool:
    """Whether the peer says SERVFAIL and how far it came."""
    picture = case.pictures.get(peer)
    return picture is not None and picture.rcode == SERVFAIL and bool(picture.answer)


def five_aliases_given(case: Case, peer: str) -> bool:
    response = case.responses.get(peer)
    if response is None:
        return False
    return sum(record.type == wire.CNAME for record in response.answer) >= KNOTS_LONGEST_CHAIN


def dname_leads_below_itself(case: Case, _peer: str) -> bool:
    return any(
        record.type == wire.DNAME and is_at_or_below(record.rdata, record.owner) for record in _answers(case)
    )


def chain_leaves_the_zone(case: Case, _peer: str) -> bool:
    return any(
        record.type == wire.CNAME and case.world.crosses(record.owner, record.rdata)
        for record in _answers(case)
    )


def hidden_by_a_child(case: Case, _peer: str) -> bool:
    return case.world.is_hidden_by_a_child(case.query.name)


def name_gets_too_long(case: Case, _peer: str) -> bool:
    return any(picture.rcode == YXDOMAIN for picture in case.pictures.values())


def dname_at_asterisk_used(case: Case, _peer: str) -> bool:
    return any(record.type == wire.DNAME and labels(record.owner)[:1] == [b"*"] for record in _answers(case))


def owner_comes_twice(case: Case, peer: str) -> bool:
    picture = case.pictures.get(peer)
    owners = [] if picture is None else [owner for owner, _ in picture.order]
    return len(owners) != len(set(owners))


def glue_left_out(case: Case, peer: str) -> bool:
    """Whether somebody has more glue than the peer's datagram, which was sent as whole."""
    reply, picture = case.replies.get(peer), case.pictures.get(peer)
    if reply is None or picture is None or reply.was_truncated or case.query.transport == "tcp":
        return False
    return any(picture.glue < other.glue for other in case.pictures.values())


def soa_left_out(case: Case, peer: str) -> bool:
    """Whether the peer's datagram, sent as whole, has no authority section where others have the SOA."""
    reply, picture = case.replies.get(peer), case.pictures.get(peer)
    if reply is None or picture is None or reply.was_truncated or case.query.transport == "tcp":
        return False
    return not picture.authority and any(
        record.type == wire.SOA for other in case.pictures.values() for record in other.authority
    )


def below_wildcard_ns(case: Case, _peer: str) -> bool:
    return case.zone.theme.startswith("wildcard cuts")


def nsec_asked_at_alias(case: Case, _peer: str) -> bool:
    return case.query.type == wire.NSEC and any(record.type == wire.CNAME for record in _answers(case))


def proof_incomplete(case: Case, peer: str) -> bool:
    """Whether the peer's NSEC or NSEC3 records leave a claim of its answer open."""
    response = case.responses.get(peer)
    return response is not None and bool(unproven(response, case.query, case.world))


def proof_has_more(case: Case, peer: str) -> bool:
    """Whether another server proves the same answer with fewer records."""
    own = case.pictures.get(peer)
    return own is not None and any(
        (other.rcode, other.answer, other.authority) == (own.rcode, own.answer, own.authority)
        and other.proof < own.proof
        and not unproven(case.responses[server], case.query, case.world)
        for server, other in case.pictures.items()
    )
