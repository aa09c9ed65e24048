"""Looks at a zone from outside: who is asked what, all servers side by side. `judge` says what it means."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import dns.message
import dns.name
import dns.rdatatype

from oakroot.doctor.asking import MUCH_ROOM, Question, Questioner, send
from oakroot.doctor.observations import (
    NOT_ASKED,
    Host,
    Name,
    Observations,
    ParentServer,
    Place,
    ZoneServer,
    ns_targets,
)
from oakroot.doctor.walk import ADDRESS_TYPES, ROOT_SERVERS, Cut, Guide, LostError, Shortcut, Walk, delegation
from oakroot.frozen import frozen

PARENTS_LIMIT = 6
"""Addresses of the parent's servers that are asked: a large parent has dozens, which say the same."""
SERVERS_LIMIT = 32
_THREADS = 16
"""Servers that are looked at side by side."""
_QUESTIONS = 48
"""Questions side by side, those to all servers together."""
_ELSEWHERE = dns.name.from_text("oakroot-doctor.invalid.")


@frozen
class Means:
    """What the operator lets us ask, and with how much patience."""

    seconds: float = 3.0
    roots: tuple[str, ...] = ()
    """None: those of the world."""
    resolver: Place | None = None
    port: int = 53
    """Where all servers are asked that are found, and those of the root."""
    tls_port: int | None = None
    """Where they are asked over TLS besides; None: nowhere."""
    ipv6: bool = True
    tell: Callable[[str], None] = lambda _: None
    """Hears what is being done now."""

    def place(self, address: str) -> Place:
        """Where this server is asked."""
        return address, self.port

    def guide(self) -> Guide:
        """Who knows the way."""
        if self.resolver is not None:
            address, port = self.resolver
            return Shortcut(address, lambda *asked: self._ask(*asked, port=port, recursion=True))
        given = {dns.name.root: self.roots} if self.roots else None
        known = {dns.name.from_text(name): addresses for name, addresses in ROOT_SERVERS.items()}
        usable = {name: self.usable(addresses) for name, addresses in (given or known).items()}
        return Walk(usable, self._ask)

    def usable(self, addresses: Iterable[str]) -> tuple[str, ...]:
        """Those that this machine may reach."""
        return tuple(address for address in addresses if self.ipv6 or ":" not in address)

    def _ask(
        self,
        address: str,
        name: Name,
        rdtype: dns.rdatatype.RdataType,
        *,
        port: int | None = None,
        recursion: bool = False,
    ) -> dns.message.Message | None:
        place = address, port or self.port
        question = Question(name, rdtype, wants_recursion=recursion)
        reply = send(place, question, self.seconds)
        if not isinstance(reply, str) and reply.flags & dns.flags.TC:
            reply = send(place, question, self.seconds, tcp=True)
        return None if isinstance(reply, str) else reply


def examine(zone: Name, means: Means, given: Sequence[Place] = ()) -> Observations:
    """All that can be seen. `given` are servers that are asked besides those that are found."""
    seen = Observations(zone, time.time(), is_public=not means.roots and means.resolver is None)
    guide = means.guide()
    means.tell(f"looking for the parent of {zone}")
    with ThreadPoolExecutor(_THREADS) as pool, ThreadPoolExecutor(_QUESTIONS) as questions:
        look = _Look(zone, means, pool, Questioner(questions, means.seconds))
        try:
            cut = guide.parent(zone)
        except LostError as lost:
            seen = replace(seen, trouble=str(lost))
        else:
            means.tell(f"asking name servers of {cut.name}")
            parents = tuple(pool.map(look.ask_parent, _some(cut, means)))
            seen = replace(seen, parent=cut.name, parents=parents)
        seen = look.with_servers(seen, guide, given)
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


@frozen
class _Look:
    """What is asked about one zone: `pool` has a thread for each server, `ask` one for each question."""

    zone: Name
    means: Means
    pool: ThreadPoolExecutor
    ask: Questioner

    def ask_parent(self, server: tuple[Name, str]) -> ParentServer:
        """What one server of the parent says of the delegation."""
        name, address = server
        place, seconds = self.means.place(address), self.means.seconds
        ds = self.ask.hear_all(place, Question(self.zone, dns.rdatatype.DS, wants_signatures=True))
        question = Question(self.zone, dns.rdatatype.NS)
        reply = send(place, question, seconds)
        if isinstance(reply, str):
            return ParentServer(name, address, trouble=reply)
        if reply.flags & dns.flags.TC:
            whole = send(place, question, seconds, tcp=True)
            reply = reply if isinstance(whole, str) else whole
        names, glue = delegation(reply, self.zone)
        trouble = None
        if not names and dns.rcode.to_text(reply.rcode()) not in {"NOERROR", "NXDOMAIN"}:
            trouble = f"it answers {dns.rcode.to_text(reply.rcode())}"
        return ParentServer(name, address, trouble, names, glue, ds())

    def with_servers(self, seen: Observations, guide: Guide, given: Sequence[Place]) -> Observations:
        """Asks the servers that the parent names, then those that only they themselves name."""
        means = self.means
        names = frozenset(name for parent in seen.parents for name in parent.names)
        hosts: dict[Name, Host] = {}
        skipped: set[str] = set()
        servers: tuple[ZoneServer, ...] = ()
        places = [
            ZoneServer(None, address, NOT_ASKED, port=None if port == means.port else port)
            for address, port in given
        ]
        while names or places:
            for name in sorted(names):
                hosts[name] = _host(name, seen, servers, guide)
                addresses = set(hosts[name].addresses).union(
                    *(each.glue.get(name, ()) for each in seen.parents)
                )
                skipped |= addresses.difference(means.usable(addresses))
                places += [
                    ZoneServer(name, address, NOT_ASKED) for address in means.usable(sorted(addresses))
                ]
            known = {(each.name, each.address, each.port) for each in servers}
            fresh = [each for each in places if (each.name, each.address, each.port) not in known]
            fresh = fresh[: SERVERS_LIMIT - len(servers)]
            means.tell(f"asking {len(fresh)} name servers of {seen.zone}")
            servers += tuple(self.pool.map(self._ask_server, fresh))
            named = {target for server in servers for target in ns_targets(server.names)}
            names, places = frozenset(named - hosts.keys()), []
        within = [name for name in hosts if name.is_subdomain(self.zone)]
        servers = tuple(self.pool.map(lambda server: self._with_hosts(server, within), servers))
        return replace(seen, hosts=hosts, servers=servers, skipped=frozenset(skipped))

    def _place(self, server: ZoneServer) -> Place:
        return server.address, server.port or self.means.port

    def _with_hosts(self, server: ZoneServer, within: Sequence[Name]) -> ZoneServer:
        """With what it says of the addresses of name servers within the zone."""
        if not server.soa.is_good:
            return server
        place = self._place(server)
        asked = {
            name: [self.ask.hear(place, Question(name, rdtype)) for rdtype in ADDRESS_TYPES]
            for name in within
        }
        heard = {name: [answer() for answer in answers] for name, answers in asked.items()}
        found = {
            name: frozenset(rdata.to_text() for each in answers for rdata in each.values)
            for name, answers in heard.items()
            if all(each.is_good for each in answers)
        }
        return replace(server, hosts=found)

    def _ask_server(self, server: ZoneServer) -> ZoneServer:
        """All that is asked of one server of the zone. Only one that answers is asked for more."""
        place, ask = self._place(server), self.ask
        soa_question = Question(self.zone, dns.rdatatype.SOA)
        soa, tcp = ask.hear(place, soa_question), ask.hear(place, soa_question, tcp=True)
        tls_port = self.means.tls_port
        tls = None if tls_port is None else ask.hear_over_tls((server.address, tls_port), soa_question)
        server = replace(server, soa=soa())
        if server.soa.is_answer:
            server = self._asked_for_more(server, place)
        else:
            server = replace(server, plain=ask.hear(place, replace(soa_question, room=None))())
        return replace(server, tcp=tcp(), tls=None if tls is None else tls())

    def _asked_for_more(self, server: ZoneServer, place: Place) -> ZoneServer:
        keys = Question(self.zone, dns.rdatatype.DNSKEY, wants_signatures=True)
        elsewhere = Question(_ELSEWHERE, dns.rdatatype.A, wants_recursion=True)
        large, recursion = (
            self.ask.hear(place, replace(keys, room=MUCH_ROOM)),
            self.ask.hear(place, elsewhere),
        )
        found = {
            rdtype: self.ask.hear_all(place, Question(self.zone, rdtype))
            for rdtype in (
                dns.rdatatype.NS,
                dns.rdatatype.CAA,
                dns.rdatatype.CDS,
                dns.rdatatype.CDNSKEY,
            )
        }
        return replace(
            server,
            keys=self.ask.hear_all(place, keys)(),
            large=large(),
            recursion=recursion(),
            names=found[dns.rdatatype.NS](),
            caa=found[dns.rdatatype.CAA](),
            cds=found[dns.rdatatype.CDS](),
            cdnskey=found[dns.rdatatype.CDNSKEY](),
        )


def _host(name: Name, seen: Observations, servers: Sequence[ZoneServer], guide: Guide) -> Host:
    """A name within the zone leads through the zone itself, which may be what is broken."""
    host = guide.host(name)
    if host.addresses or not name.is_subdomain(seen.zone):
        return host
    glue = frozenset[str]().union(*(each.glue.get(name, frozenset()) for each in seen.parents))
    return host if glue or not servers else replace(host, trouble=host.trouble or "it has no address")


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
