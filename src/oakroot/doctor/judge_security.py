"""Does the chain of trust hold (RFC 4035 §5, RFC 8624), and who may issue certificates (RFC 8659)?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

import dns.dnssec
import dns.exception
import dns.name
import dns.node
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rdtypes.ANY.DNSKEY
import dns.rdtypes.ANY.DS
import dns.rdtypes.ANY.RRSIG
import dns.rrset

from oakroot.doctor.finding import SOON, Finding, date, listed
from oakroot.doctor.observations import Observations, ZoneServer, spoken

DNSKEY = dns.rdtypes.ANY.DNSKEY.DNSKEY
DS = dns.rdtypes.ANY.DS.DS
RRSIG = dns.rdtypes.ANY.RRSIG.RRSIG

SHA1 = 1


def judge_security(seen: Observations) -> Iterator[Finding]:
    """All about DNSSEC and CAA."""
    answering = [server for server in seen.servers if server.keys.is_good]
    if answering:
        yield from _chain(seen, answering)
    yield from _caa(seen)


def _chain(seen: Observations, servers: Sequence[ZoneServer]) -> Iterator[Finding]:
    zone = spoken(seen.zone)
    parents = [each for each in seen.parents if each.trouble is None and each.ds.is_answer]
    if len({frozenset(each.ds.values) for each in parents}) > 1:
        message = f"the name servers of {spoken(seen.parent)} have different DS records"
        yield Finding("warning", "ds-differ", zone, message, "wait until the parent's servers agree")
    ds = sorted({cast("DS", rdata) for each in parents for rdata in each.ds.values})
    if len({frozenset(each.keys.values) for each in servers}) > 1:
        message = "the zone's servers have different DNSKEY records"
        yield Finding("warning", "keys-differ", zone, message, "they have different versions of the zone")
    if not ds:
        yield _without_ds(seen, servers)
        return
    if all(each.digest_type == SHA1 for each in ds):
        message = "the parent's DS records are SHA-1, which more and more validators ignore"
        advice = "have a DS with SHA-256 (digest type 2) entered"
        yield Finding("warning", "weak-ds", zone, message, advice)
    found = [finding for server in servers for finding in _trust(seen, server, ds)]
    yield from _of_all(found, zone, len(servers))


def _of_all(found: Sequence[Finding], zone: str, servers: int) -> Iterator[Finding]:
    """What is said of all servers is said once, of the zone."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in found:
        groups.setdefault((finding.code, finding.message), []).append(finding)
    for group in groups.values():
        about = zone if len(group) == servers else listed(finding.about for finding in group)
        yield replace(group[0], about=about)


def _without_ds(seen: Observations, servers: Sequence[ZoneServer]) -> Finding:
    zone = spoken(seen.zone)
    if any(server.keys.values for server in servers):
        message = "the zone is signed, but nobody can tell: its parent has no DS record"
        advice = f"have the DS of its key entered in {spoken(seen.parent)}"
        return Finding("warning", "no-ds", zone, message, advice)
    return Finding("note", "unsigned", zone, "the zone is not signed with DNSSEC")


def _trust(seen: Observations, server: ZoneServer, ds: Sequence[DS]) -> Iterator[Finding]:
    about, parent = str(server), spoken(seen.parent)
    keys = [cast("DNSKEY", rdata) for rdata in server.keys.values]
    tags = listed(f"{each.key_tag} (algorithm {each.algorithm})" for each in ds)
    if not keys:
        message = f"{parent} has a DS record, key {tags}, but the zone has no keys: validators refuse it"
        advice = f"sign the zone, or have the DS removed from {parent}"
        yield Finding("error", "ds-without-keys", about, message, advice)
        return
    trusted = [key for key in keys if any(_is_digest_of(each, key, seen.zone) for each in ds)]
    if not trusted:
        ours = listed(f"{dns.dnssec.key_id(key)} (algorithm {key.algorithm})" for key in keys)
        message = f"the DS at {parent} is of key {tags}, the zone's are {ours}: validators refuse the zone"
        advice = f"have the DS in {parent} replaced; sign with the old key until that has come about"
        yield Finding("error", "ds-mismatch", about, message, advice)
        return
    stale = [each for each in ds if not any(_is_digest_of(each, key, seen.zone) for key in keys)]
    if stale:
        unknown = listed(each.key_tag for each in stale)
        message = f"the DS of key {unknown} at {parent} is of none of the zone's keys"
        advice = f"if no key is about to be changed, have it removed from {parent}"
        yield Finding("note", "ds-stale", about, message, advice)
    yield from _signatures(seen, server, trusted)


def _signatures(seen: Observations, server: ZoneServer, trusted: Sequence[DNSKEY]) -> Iterator[Finding]:
    about = str(server)
    good = [each for each in server.keys.signatures if _verifies(seen, server, each, trusted)]
    if not good:
        times = [each.expiration for each in server.keys.signatures if each.expiration <= seen.moment]
        ended = f": its signature ended on {date(max(times))}" if times else ""
        message = f"the key that {spoken(seen.parent)} vouches for does not sign the zone's keys{ended}"
        advice = "have the zone signed anew; validators refuse it"
        yield Finding("error", "bad-signature", about, message, advice)
        return
    ends = max(each.expiration for each in good)
    if ends - seen.moment < SOON:
        message = f"the signature of its keys ends on {date(ends)}"
        advice = "see that whoever signs the zone is at work"
        yield Finding("warning", "signature-ends", about, message, advice)
        return
    message = f"the DS at {spoken(seen.parent)} leads to its keys, which are signed until {date(ends)}"
    yield Finding("note", "secure", about, message)


def _is_digest_of(ds: DS, key: DNSKEY, zone: dns.name.Name) -> bool:
    if ds.algorithm != key.algorithm or ds.key_tag != dns.dnssec.key_id(key):
        return False
    try:
        made = dns.dnssec.make_ds(zone, key, ds.digest_type, validating=True)
    except (dns.exception.DNSException, ValueError):
        return False  # a digest that nobody knows proves nothing
    return made.digest == ds.digest


def _verifies(seen: Observations, server: ZoneServer, signature: RRSIG, trusted: Sequence[DNSKEY]) -> bool:
    rrset = dns.rrset.from_rdata_list(seen.zone, server.keys.ttl, server.keys.values)
    keys: dict[dns.name.Name, dns.node.Node | dns.rdataset.Rdataset] = {
        seen.zone: dns.rrset.from_rdata_list(seen.zone, server.keys.ttl, trusted)
    }
    try:
        dns.dnssec.validate_rrsig(rrset, signature, keys, now=seen.moment)
    except (dns.exception.DNSException, ValueError):
        return False
    return True


# --- CAA


def _caa(seen: Observations) -> Iterator[Finding]:
    zone = spoken(seen.zone)
    if not seen.caa or seen.caa_at is None:
        if seen.servers:
            yield Finding(
                "note", "no-caa", zone, "every authority may issue certificates: there is no CAA record"
            )
        return
    tags: dict[str, list[str]] = {}
    for rdata in seen.caa:
        tag = getattr(rdata, "tag", b"").decode("ascii", "replace").lower()
        tags.setdefault(tag, []).append(getattr(rdata, "value", b"").decode("utf-8", "backslashreplace"))
    allowed = [value.split(";")[0].strip() for value in tags.get("issue", [])]
    if "issue" not in tags:
        who = "every authority"
    else:
        who = listed(sorted({each for each in allowed if each})) or "nobody"
    message = f"{who} may issue certificates, by the CAA records at {spoken(seen.caa_at)}"
    yield Finding("note", "caa", zone, message)
