"""Does each name server answer as it must: with authority, over UDP and TCP, the newest version?"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from oakroot.doctor.finding import SOON, Finding, date, listed
from oakroot.doctor.observations import ROOM, Observations, ZoneServer, spoken
from oakroot.zones.serials import is_forward


def judge_servers(seen: Observations) -> Iterator[Finding]:
    """All about the name servers, one after the other, then about what they have."""
    for server in seen.servers:
        yield from _reachability(server, seen)
        yield from _recursion(server)
        yield from _encryption(server, seen)
    yield from _serials(seen)
    if seen.skipped:
        message = f"{listed(sorted(seen.skipped))} was not asked: this machine has no IPv6"
        yield Finding("note", "not-asked", spoken(seen.zone), message)


def _reachability(server: ZoneServer, seen: Observations) -> Iterator[Finding]:
    about, zone = str(server), spoken(seen.zone)
    if seen.is_public and server.name is not None and not ipaddress.ip_address(server.address).is_global:
        message = "nobody outside reaches this address"
        advice = "give the name server its public address, here and in the parent's glue"
        yield Finding("error", "private-address", about, message, advice)
    if not server.soa.is_answer:
        yield _no_answer(server)
        return
    if not server.soa.is_good:
        message = f"it is no name server of {zone}: it answers {server.soa.told()}"
        advice = (
            "let it serve the zone (`oakroot status` there says why it does not), or remove its NS records"
        )
        yield Finding("error", "lame", about, message, advice)
        return
    if not server.soa.has_edns:
        advice = "replace the server, or the firewall that takes EDNS away (RFC 6891)"
        yield Finding("warning", "no-edns", about, "it does not speak EDNS", advice)
    if not server.tcp.is_answer:
        message = f"it does not answer over TCP: {server.tcp.trouble}"
        advice = "open TCP port 53: answers that do not fit into a datagram are lost (RFC 7766)"
        yield Finding("error", "no-tcp", about, message, advice)
    if server.keys.is_good and not server.large.is_answer:
        message = f"answers of more than {ROOM} octets over UDP do not arrive"
        advice = f"let it send at most {ROOM} octets (Oakroot does), or let fragments through the firewall"
        yield Finding("error", "fragments", about, message, advice)
    elif server.large.octets > ROOM:
        message = f"it sends answers of {server.large.octets} octets over UDP, in fragments that may get lost"
        yield Finding("warning", "large-answers", about, message, f"let it send at most {ROOM} octets")


def _no_answer(server: ZoneServer) -> Finding:
    about = str(server)
    if server.plain.is_answer:
        message = "it answers questions without EDNS only, and drops others"
        advice = "a firewall takes EDNS for an attack, or the server is ancient; resolvers give up on it"
        return Finding("error", "edns-dropped", about, message, advice)
    if server.tcp.is_answer:
        advice = "open UDP port 53"
        return Finding("error", "no-udp", about, f"it does not answer over UDP: {server.soa.trouble}", advice)
    advice = "start it, or see to the network; if it is gone for good, remove its NS records"
    return Finding("error", "silent", about, f"it does not answer: {server.soa.trouble}", advice)


def _recursion(server: ZoneServer) -> Iterator[Finding]:
    heard = server.recursion
    if heard.is_answer and heard.offers_recursion and heard.rcode in {"NOERROR", "NXDOMAIN"}:
        message = "it resolves names for anybody"
        advice = "turn recursion off, or narrow it to your own clients: it serves attacks on others"
        yield Finding("error", "open-resolver", str(server), message, advice)


def _encryption(server: ZoneServer, seen: Observations) -> Iterator[Finding]:
    if server.tls is None or not (server.soa.is_answer or server.tls.soa.is_answer):
        return
    about, until = str(server), server.tls.valid_until
    if not server.tls.soa.is_good:
        message = f"it does not answer over TLS: {server.tls.soa.told()}"
        advice = "let it listen there (`--listen-tls`), and open TCP port 853"
        yield Finding("warning", "no-tls", about, message, advice)
    if until is not None and until - seen.moment < SOON:
        ends = "ended" if until <= seen.moment else "ends"
        message = f"the certificate that it shows over TLS {ends} on {date(until)}"
        advice = "have it renewed: who looks at certificates, as secondaries do, speaks to it no more"
        yield Finding("warning", "tls-certificate-ends", about, message, advice)


def _serials(seen: Observations) -> Iterator[Finding]:
    serials = [(each, _serial(each)) for each in seen.servers if each.soa.is_good and each.soa.values]
    values = {serial for _, serial in serials}
    if len(values) <= 1:
        return
    newest = max(values, key=lambda serial: sum(is_forward(other, serial) for other in values))
    with_newest = listed(server for server, serial in serials if serial == newest)
    for server, serial in serials:
        if serial != newest:
            message = f"it has serial {serial}, while {with_newest} has {newest}"
            advice = (
                "if that lasts longer than a minute: does NOTIFY reach it, may it transfer (key, TCP), "
                "what does its log say? `oakroot renotify` at the primary tells it again"
            )
            yield Finding("warning", "behind", str(server), message, advice)


def _serial(server: ZoneServer) -> int:
    return int(getattr(server.soa.values[0], "serial", 0))
