"""Looks at a zone from outside: who is asked what, all servers side by side. `judge` says what it means."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import dns.message
import dns.name
import dns.rdatatype

from oakroot.doctor.asking import MUCH_ROOM, Question, hear, hear_all, send
from oakroot.doctor.observations import (
    Heard,
    Host,
    Name,
    Observations,
    ParentServer,
    Place,
    ZoneServer,
    ns_targets,
)
from oakroot.doctor.walk import ROOT_SERVERS, Cut, Guide, LostError, Shortcut, Walk, delegation

PARENTS_LIMIT = 6
"""Addresses of the parent's servers that are asked: a large parent has dozens, which say the same."""
SERVERS_LIMIT = 32
_THREADS = 16
_ELSEWHERE = dns.name.from_text("oakroot-doctor.invalid.")


@dataclass(frozen=True, slots=True)
class Means:
    """What the operator lets us ask, and with how much patience."""

    seconds: float = 3.0
    roots: tuple[str, ...] = ()
    """None: those of the world."""
    resolver: str | None = None
    port: int = 53
    ipv6: bool = True
    tell: Callable[[str], None] = lambda _: None
    """Hears what is being done now."""

    def place(self, address: str) -> Place:
        """Where this server is asked."""
        return address, self.port

    def guide(self) -> Guide:
        """Who knows the way."""
        if self.resolver is not None:
            return Shortcut(self.resolver, lambda *asked: self._ask(*asked, recursion=True))
        given = {dns.name.root: self.roots} if self.roots else None
        known = {dns.name.from_text(name): addresses for name, addresses in ROOT_SERVERS.items()}
        usable = {name: self.usable(addresses) for name, addresses in (given or known).items()}
        return Walk(usable, self._ask)

    def usable(self, addresses: Iterable[str]) -> tuple[str, ...]:
        """Those that this machine may reach."""
        return tuple(address for address in addresses if self.ipv6 or ":" not in address)

    def _ask(
        self, address: str, name: Name, rdtype: dns.rdatatype.RdataType, *, recursion: bool = False
    ) -> dns.message.Message | None:
        question = Question(name, rdtype, wants_recursion=recursion)
        reply = send(self.place(address), question, self.seconds)
        if not isinstance(reply, str) and reply.flags & dns.flags.TC:
            reply = send(self.place(address), question, self.seconds, tcp=True)
        return None if isinstance(reply, str) else reply


def examine(zone: Name, means: Means, given: Sequence[str] = ()) -> Observations:
    """All that can be seen. `given` are addresses of servers that are asked besides those that are found."""
    seen = Observations(zone, time.time(), is_public=not means.roots and means.resolver is None)
    guide = means.guide()
    means.tell(f"looking for the parent of {zone}")
    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            cut = guide.parent(zone)
        except LostError as lost:
            seen = replace(seen, trouble=str(lost))
        else:
            means.tell(f"asking name servers of {cut.name}")
            parents = tuple(pool.map(lambda each: _ask_parent(zone, each, means), _some(cut, means)))
            seen = replace(seen, parent=cut.name, parents=parents)
        seen = _with_servers(seen, guide, means, given, pool)
    return _with_caa(seen, guide)


def _some(cut: Cut, means: Means) -> list[tuple[Name, str]]:
    """Each server once before any is asked at another address."""
    pairs = [
        (index, name, address)
        for name, addresses in cut.servers.items()
        for index, address in enumerate(means.usable(addresses))
    ]
    ordered = sorted(pairs, key=lambda pair: pair[0])
    return [(name, address) for _, name, address in ordered[:PARENTS_LIMIT]]


def _ask_parent(zone: Name, server: tuple[Name, str], means: Means) -> ParentServer:
    name, address = server
    place = means.place(address)
    reply = send(place, Question(zone, dns.rdatatype.NS), means.seconds)
    if isinstance(reply, str):
        return ParentServer(name, address, trouble=reply)
    if reply.flags & dns.flags.TC:
        whole = send(place, Question(zone, dns.rdatatype.NS), means.seconds, tcp=True)
        reply = reply if isinstance(whole, str) else whole
    names, glue = delegation(reply, zone)
    ds = hear_all(place, Question(zone, dns.rdatatype.DS, wants_signatures=True), means.seconds)
    trouble = None
    if not names and dns.rcode.to_text(reply.rcode()) not in {"NOERROR", "NXDOMAIN"}:
        trouble = f"it answers {dns.rcode.to_text(reply.rcode())}"
    return ParentServer(name, address, trouble, names, glue, ds)


def _with_servers(
    seen: Observations, guide: Guide, means: Means, given: Sequence[str], pool: ThreadPoolExecutor
) -> Observations:
    """Asks the servers that the parent names, then those that only they themselves name."""
    names = frozenset(name for parent in seen.parents for name in parent.names)
    hosts: dict[Name, Host] = {}
    skipped: set[str] = set()
    servers: tuple[ZoneServer, ...] = ()
    places: list[tuple[Name | None, str]] = [(None, address) for address in given]
    while names or places:
        for name in sorted(names):
            hosts[name] = _host(name, seen, servers, guide)
            addresses = set(hosts[name].addresses).union(*(each.glue.get(name, ()) for each in seen.parents))
            skipped |= addresses.difference(means.usable(addresses))
            places += [(name, address) for address in means.usable(sorted(addresses))]
        known = {(each.name, each.address) for each in servers}
        room = SERVERS_LIMIT - len(servers)
        fresh = [each for each in dict.fromkeys(places) if each not in known][:room]
        means.tell(f"asking {len(fresh)} name servers of {seen.zone}")
        servers += tuple(pool.map(lambda each: _ask_server(seen.zone, each[0], each[1], means), fresh))
        named = {target for server in servers for target in ns_targets(server.names)}
        names, places = frozenset(named - hosts.keys()), []
    servers = _with_hosts(seen.zone, hosts, servers, means, pool)
    return replace(seen, hosts=hosts, servers=servers, skipped=frozenset(skipped))


def _host(name: Name, seen: Observations, servers: Sequence[ZoneServer], guide: Guide) -> Host:
    """A name within the zone leads through the zone itself, which may be what is broken."""
    host = guide.host(name)
    if host.addresses or not name.is_subdomain(seen.zone):
        return host
    glue = frozenset[str]().union(*(each.glue.get(name, frozenset()) for each in seen.parents))
    return host if glue or not servers else replace(host, trouble=host.trouble or "it has no address")


def _with_hosts(
    zone: Name,
    hosts: Mapping[Name, Host],
    servers: Sequence[ZoneServer],
    means: Means,
    pool: ThreadPoolExecutor,
) -> tuple[ZoneServer, ...]:
    """With what each server says of the addresses of name servers within the zone."""
    within = [name for name in hosts if name.is_subdomain(zone)]

    def ask(server: ZoneServer) -> ZoneServer:
        if not server.soa.is_good:
            return server
        found: dict[Name, frozenset[str]] = {}
        for name in within:
            heard = [
                hear(means.place(server.address), Question(name, rdtype), means.seconds)
                for rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA)
            ]
            if all(each.is_good for each in heard):
                found[name] = frozenset(rdata.to_text() for each in heard for rdata in each.values)
        return replace(server, hosts=found)

    return tuple(pool.map(ask, servers))


def _ask_server(zone: Name, name: Name | None, address: str, means: Means) -> ZoneServer:
    place, seconds = means.place(address), means.seconds

    def ask(rdtype: dns.rdatatype.RdataType) -> Heard:
        return hear_all(place, Question(zone, rdtype), seconds)

    soa_question = Question(zone, dns.rdatatype.SOA)
    server = ZoneServer(name, address, hear(place, soa_question, seconds))
    tcp = hear(place, soa_question, seconds, tcp=True)
    if not server.soa.is_answer:
        plain = hear(place, replace(soa_question, room=None), seconds)
        return replace(server, plain=plain, tcp=tcp)
    keys = Question(zone, dns.rdatatype.DNSKEY, wants_signatures=True)
    return replace(
        server,
        tcp=tcp,
        names=ask(dns.rdatatype.NS),
        keys=hear_all(place, keys, seconds),
        large=hear(place, replace(keys, room=MUCH_ROOM), seconds),
        recursion=hear(place, Question(_ELSEWHERE, dns.rdatatype.A, wants_recursion=True), seconds),
        caa=ask(dns.rdatatype.CAA),
    )


def _with_caa(seen: Observations, guide: Guide) -> Observations:
    """The CAA records that count: those of the zone, or of the nearest name above it (RFC 8659 §3)."""
    own = next((server.caa.values for server in seen.servers if server.caa.values), ())
    if own:
        return replace(seen, caa_at=seen.zone, caa=own)
    name = seen.zone
    while name != dns.name.root:
        name = name.parent()
        if name == dns.name.root:
            break
        try:
            found = guide.values(name, dns.rdatatype.CAA)
        except LostError:
            break
        if found is not None:
            return replace(seen, caa_at=name, caa=tuple(found))
    return seen
