"""What the zone asks its parent for by CDS and CDNSKEY records (RFC 7344, RFC 8078)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import dns.dnssec
import dns.exception
import dns.name
import dns.rdata
import dns.rdtypes.ANY.CDNSKEY
import dns.rdtypes.ANY.CDS

from oakroot.doctor.finding import Finding, listed
from oakroot.doctor.observations import Heard, Observations, ZoneServer, spoken

_DELETE = 0
"""The algorithm of the records that ask for none (RFC 8078 §4)."""

Wanted = tuple[int, int, int, bytes]
"""Key tag, algorithm, digest type and digest: a DS record."""


def judge_requests(seen: Observations) -> Iterator[Finding]:
    """All about CDS and CDNSKEY; nothing where the zone asks for nothing."""
    servers = [each for each in seen.servers if each.cds.is_good and each.cdnskey.is_good]
    asking = [each for each in servers if each.cds.values or each.cdnskey.values]
    if not asking:
        return
    zone = spoken(seen.zone)
    if len({(frozenset(each.cds.values), frozenset(each.cdnskey.values)) for each in servers}) > 1:
        message = "the zone's servers have different CDS or CDNSKEY records: a careful parent does nothing"
        advice = "they have different versions of the zone"
        yield Finding("warning", "cds-servers-differ", zone, message, advice)
        return
    server = asking[0]
    if not _agree(server, seen.zone):
        message = "its CDS and CDNSKEY records are of different keys, which RFC 7344 forbids"
        yield Finding("warning", "cds-contradicts", zone, message, "have whoever signs the zone write both")
        return
    if _asks_removal(server.cds) or _asks_removal(server.cdnskey):
        yield from _removal(seen)
        return
    yield from _change(seen, server)


def _removal(seen: Observations) -> Iterator[Finding]:
    if _ds(seen):
        message = f"it asks {spoken(seen.parent)} to remove its DS records, which is not done yet"
        yield Finding("note", "cds-pending", spoken(seen.zone), message)


def _change(seen: Observations, server: ZoneServer) -> Iterator[Finding]:
    zone, parent = spoken(seen.zone), spoken(seen.parent)
    keys = server.keys.values
    wanted = {cast("dns.rdtypes.ANY.CDS.CDS", each) for each in server.cds.values}
    made = {_as_ds(each, key, seen.zone) for each in wanted for key in keys}
    if wanted and not any(_ds_of(each) in made for each in wanted):
        tags = listed(sorted({each.key_tag for each in wanted}))
        message = f"it asks for a DS of key {tags}, which the zone does not have: done, it breaks the zone"
        advice = "have the zone signed anew, or the CDS removed"
        yield Finding("error", "cds-without-key", zone, message, advice)
        return
    present = _ds(seen)
    if wanted and present is not None and {_ds_of(each) for each in wanted} != present:
        tags = listed(sorted({each.key_tag for each in wanted}))
        message = f"it asks {parent} for the DS of key {tags} (CDS), and {parent} has another or none"
        advice = f"if {parent} does not look at CDS, or not within days, have it entered by hand"
        yield Finding("note", "cds-pending", zone, message, advice)


def _ds(seen: Observations) -> set[Wanted] | None:
    """What the parent has; None where nobody said."""
    parents = [each for each in seen.parents if each.trouble is None and each.ds.is_answer]
    if not parents:
        return None
    return {_ds_of(rdata) for each in parents for rdata in each.ds.values}


def _ds_of(rdata: dns.rdata.Rdata) -> Wanted:
    each = cast("dns.rdtypes.ANY.CDS.CDS", rdata)
    return each.key_tag, each.algorithm, each.digest_type, each.digest


def _asks_removal(heard: Heard) -> bool:
    return any(getattr(rdata, "algorithm", None) == _DELETE for rdata in heard.values)


def _agree(server: ZoneServer, zone: dns.name.Name) -> bool:
    """Where both are there, they are of the same keys (RFC 7344 §4)."""
    cds, cdnskey = server.cds.values, server.cdnskey.values
    if not cds or not cdnskey:
        return True
    if _asks_removal(server.cds) or _asks_removal(server.cdnskey):
        return _asks_removal(server.cds) and _asks_removal(server.cdnskey)
    made = [[_as_ds(each, key, zone) == _ds_of(each) for each in cds] for key in cdnskey]
    return all(any(row) for row in made) and all(any(column) for column in zip(*made, strict=True))


def _as_ds(cds: dns.rdata.Rdata, key: dns.rdata.Rdata, zone: dns.name.Name) -> Wanted | None:
    """The DS of a key with the digest of this CDS; None for one that nobody knows."""
    wanted, known = cast("dns.rdtypes.ANY.CDS.CDS", cds), cast("dns.rdtypes.ANY.CDNSKEY.CDNSKEY", key)
    try:
        return _ds_of(dns.dnssec.make_ds(zone, known, wanted.digest_type, validating=True))
    except (dns.exception.DNSException, ValueError):
        return None
