"""What a planned change means beyond its own lines: for caches, delegations, secondaries and certificates.

Each consequence is a line for the person who is about to push. Nothing is looked up outside of the two
versions; a consequence that depends on the world says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from oakroot._engine import Zone
from oakroot.frozen import frozen
from oakroot.zones.plan import RRsetChange, ZonePlan

Subject = Literal["caches", "delegation", "dnssec", "secondaries", "certificates"]

_ADDRESSES = frozenset({"A", "AAAA"})
_REQUEST_OWNER = "_letsencrypt._tcp."
_CHALLENGE_OWNER = "_acme-challenge."
_REQUEST_FORM = "3 255 0 "
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@frozen
class Consequence:
    """One thing that somebody will feel."""

    about: Subject
    text: str


def consequences(plan: ZonePlan) -> tuple[Consequence, ...]:
    """What follows from the change of one zone; nothing where its file is broken: then nothing changes."""
    if plan.is_broken:
        return ()
    return (*_secondaries(plan), *_delegation(plan), *_dnssec(plan), *_caches(plan), *_certificates(plan))


def duration(seconds: int) -> str:
    """Seconds for a reader, in the units of a zone file: `1d12h`."""
    parts = []
    for unit, size in (("d", _DAY), ("h", _HOUR), ("m", _MINUTE), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2]) or "0s"


def _caches(plan: ZonePlan) -> Iterator[Consequence]:
    old = [change.before.ttl for change in plan.changes if change.before and _answers_differ(change)]
    if old:
        yield Consequence("caches", f"old answers may live on in resolvers for {duration(max(old))}")
    new = any(change.before is None for change in plan.changes)
    if new and plan.before is not None and plan.after is not None:
        absent = _negative_ttl(plan.before)
        yield Consequence(
            "caches", f"who asked too early may hear for {duration(absent)} that it does not exist"
        )


def _answers_differ(change: RRsetChange) -> bool:
    return bool(change.removed or change.added)


def _negative_ttl(zone: Zone) -> int:
    """How long the absence of a name or type is remembered (RFC 2308 §5)."""
    _, ttl, _, rdata = zone.records_of(zone.apex, "SOA")[0]
    return min(ttl, int(rdata.split()[6]))


def _delegation(plan: ZonePlan) -> Iterator[Consequence]:
    if plan.before is None or plan.after is None:
        what = "delegate the zone to its name servers" if plan.before is None else "remove the delegation"
        yield Consequence("delegation", f"at the parent: {what}")
        return
    for change in plan.changes:
        if change.type == "NS" and change.owner == plan.apex and _answers_differ(change):
            parts = [*(f"+{name}" for name in change.added), *(f"-{name}" for name in change.removed)]
            yield Consequence("delegation", f"the parent's NS records must follow: {' '.join(parts)}")
    servers = {rdata for _, _, _, rdata in plan.after.records_of(plan.apex, "NS")}
    for change in plan.changes:
        if change.type in _ADDRESSES and change.owner in servers and _answers_differ(change):
            yield Consequence(
                "delegation",
                f"{change.owner} is a name server of the zone: its glue at the parent must follow",
            )


def _dnssec(plan: ZonePlan) -> Iterator[Consequence]:
    keys = any(change.type == "DNSKEY" and change.owner == plan.apex for change in plan.changes)
    if keys and plan.before is not None:
        yield Consequence("dnssec", "the zone's DNSKEY records change: check that the parent's DS still fits")


def _secondaries(plan: ZonePlan) -> Iterator[Consequence]:
    if plan.before is None:
        yield Consequence(
            "secondaries",
            "Oakroot's with a key for all zones get it by themselves; others must be told of it",
        )
    elif plan.after is None:
        yield Consequence("secondaries", "they drop the zone, or keep it until it expires")
    elif plan.serial.fate == "raised":
        text = f"they see the change because the primary raises the serial to {plan.serial.served}"
        yield Consequence("secondaries", text)


def _certificates(plan: ZonePlan) -> Iterator[Consequence]:
    for change in plan.changes:
        host = change.owner.removeprefix(_REQUEST_OWNER)
        if change.type == "TLSA" and host != change.owner:
            yield from _of_letsencrypt(change, host)
        elif change.type == "CAA" and _answers_differ(change):
            text = f"CAA at {change.owner} decides which authorities may issue for it and below"
            yield Consequence("certificates", text)
        elif change.type == "TXT" and change.owner.startswith(_CHALLENGE_OWNER) and change.removed:
            yield Consequence("certificates", f"a validation that is under way at {change.owner} would fail")


def _of_letsencrypt(change: RRsetChange, host: str) -> Iterator[Consequence]:
    requests = [
        [rdata for rdata in side if rdata.startswith(_REQUEST_FORM)]
        for side in (change.removed, change.added)
    ]
    if requests[0] and not requests[1]:
        yield Consequence("certificates", f"{host} is not renewed any more: its request goes")
    elif requests[1]:
        yield Consequence("certificates", f"the certifier will order a certificate for {host}")
    elif change.removed and not change.added:
        yield Consequence("certificates", f"the certifier will order anew for {host}: its certificate goes")
