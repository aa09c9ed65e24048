"""What a response to a question with DO claims is not there, and whether it proves that.

Three claims need a proof: that a name or a type does not exist, that nothing is nearer than the wildcard an
answer was made from, and that a delegation is insecure (RFC 4035 §3.1.3, RFC 5155 §7.2). What must not live
here: how NSEC and NSEC3 prove things (`proof`).
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.interop import wire
from tests.interop.compare import NXDOMAIN
from tests.interop.proof import denial_by
from tests.interop.wire import Query, Record, Response
from tests.interop.worlds import World
from tests.interop.zones import from_labels, label_starts, labels


def unproven(response: Response, query: Query, world: World) -> list[str]:
    """The claims without proof, in words; none for questions without DO and for zones without signatures."""
    if not query.dnssec_ok:
        return []
    return [*_unproven_expansions(response), *_unproven_end(response, query, world)]


def _unproven_expansions(response: Response) -> Iterator[str]:
    for record in response.answer:
        if record.type != wire.RRSIG:
            continue
        signed_labels = record.rdata[3]
        own = labels(record.owner)
        if len(own) - (own[:1] == [b"*"]) > signed_labels:
            encloser = from_labels(own[len(own) - signed_labels :])
            denial = denial_by(response.authority, _signer(record))
            if not denial.denies_closer_match(record.owner, encloser):
                yield f"nothing is nearer to {record.owner!r} than a wildcard of {encloser!r}"


def _signer(record: Record) -> bytes:
    end = 18
    while record.rdata[end]:
        end += 1 + record.rdata[end]
    return record.rdata[18 : end + 1]


def _unproven_end(response: Response, query: Query, world: World) -> Iterator[str]:
    """What is claimed about the name at the end of the chain in the answer."""
    name = chain_end(response, query)
    if name is None:
        return
    soa = next((record for record in response.authority if record.type == wire.SOA), None)
    if soa is not None:
        if not world.apexes[soa.owner].is_signed:
            return
        denial = denial_by(response.authority, soa.owner)
        if response.rcode == NXDOMAIN and not denial.denies_name(name):
            yield f"{name!r} does not exist"
        if response.rcode != NXDOMAIN and not denial.denies_type(name, query.type):
            yield f"{name!r} has no such type"
        return
    cuts = {record.owner for record in response.authority if record.type == wire.NS} - world.apexes.keys()
    for cut in cuts:
        apex = world.apex_of(cut)
        has_ds = any(record.type == wire.DS and record.owner == cut for record in response.authority)
        if apex is None or has_ds or not world.apexes[apex].is_signed:
            continue
        if not denial_by(response.authority, apex).denies_secure_delegation(cut):
            yield f"{cut!r} is delegated without DS"


def chain_end(response: Response, query: Query) -> bytes | None:
    """The last name of the chain in the answer section; None when it is answered, or the chain is a loop."""
    held = {(record.owner, record.type): record for record in response.answer}
    name = query.name.lower()
    if query.type in (wire.ANY, wire.RRSIG):
        return None if any(owner == name for owner, _ in held) else name
    seen = set()
    while (name, query.type) not in held:
        link = held.get((name, wire.CNAME))
        if link is None:
            return name
        if name in seen:
            return None
        seen.add(name)
        name = link.rdata
    return None


def uses_dname(response: Response, name: bytes) -> bool:
    """Whether a DNAME above this name is in the answer."""
    owners = {record.owner for record in response.answer if record.type == wire.DNAME}
    return any(name[start:] in owners for start in label_starts(name)[1:])
