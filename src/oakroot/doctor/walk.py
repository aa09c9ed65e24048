"""The way from the root to a zone, as resolvers go it; and the shorter one by way of a resolver.

Sans I/O: `ask` puts one question to one address. The number of questions is bounded, since who answers may be
anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from oakroot.doctor.observations import Host, Name
from oakroot.frozen import frozen

Ask = Callable[[str, Name, dns.rdatatype.RdataType], dns.message.Message | None]
"""Puts a question to an address; None: no answer."""

QUESTIONS_LIMIT = 400
DEPTH_LIMIT = 6
ADDRESS_TYPES = (dns.rdatatype.A, dns.rdatatype.AAAA)

ROOT_SERVERS: Mapping[str, tuple[str, ...]] = {
    "a.root-servers.net.": ("198.41.0.4", "2001:503:ba3e::2:30"),
    "b.root-servers.net.": ("170.247.170.2", "2801:1b8:10::b"),
    "c.root-servers.net.": ("192.33.4.12", "2001:500:2::c"),
    "d.root-servers.net.": ("199.7.91.13", "2001:500:2d::d"),
    "e.root-servers.net.": ("192.203.230.10", "2001:500:a8::e"),
    "f.root-servers.net.": ("192.5.5.241", "2001:500:2f::f"),
    "g.root-servers.net.": ("192.112.36.4", "2001:500:12::d0d"),
    "h.root-servers.net.": ("198.97.190.53", "2001:500:1::53"),
    "i.root-servers.net.": ("192.36.148.17", "2001:7fe::53"),
    "j.root-servers.net.": ("192.58.128.30", "2001:503:c27::2:30"),
    "k.root-servers.net.": ("193.0.14.129", "2001:7fd::1"),
    "l.root-servers.net.": ("199.7.83.42", "2001:500:9f::42"),
    "m.root-servers.net.": ("202.12.27.33", "2001:dc3::35"),
}


class LostError(Exception):
    """The way ends before the zone; the text says where and why."""


@frozen
class Cut:
    """A zone on the way, and its name servers with their addresses."""

    name: Name
    servers: Mapping[Name, tuple[str, ...]]

    @property
    def addresses(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(dict.fromkeys(address for each in self.servers.values() for address in each))


class Guide(Protocol):
    """Knows the way to a zone's parent and the addresses of names."""

    def parent(self, zone: Name) -> Cut:
        """The zone that delegates this one; LostError."""

    def host(self, name: Name) -> Host:
        """What there is to know of a name server's name."""

    def values(self, name: Name, rdtype: dns.rdatatype.RdataType) -> dns.rrset.RRset | None:
        """The records of a name and type; None where there are none. LostError."""


class Walk:
    """The way from the root."""

    def __init__(self, roots: Mapping[Name, tuple[str, ...]], ask: Ask) -> None:
        self._ask = ask
        self._left = QUESTIONS_LIMIT
        self._silent: set[str] = set()
        self._cuts = {dns.name.root: Cut(dns.name.root, roots)}

    def parent(self, zone: Name) -> Cut:
        """The zone that delegates this one; LostError."""
        cut = self._go(zone, dns.rdatatype.NS, above=zone)[0]
        # Servers of a zone may have those between it and this one, too, and then lead past them.
        reply = self._ask_any(cut, zone.parent(), dns.rdatatype.SOA)
        owners = (each.name for each in (*reply.answer, *reply.authority) if each.rdtype == dns.rdatatype.SOA)
        name = next((each for each in owners if reply.flags & dns.flags.AA), cut.name)
        return replace(cut, name=name) if zone.is_subdomain(name) else cut

    def host(self, name: Name, depth: int = 0) -> Host:
        """What there is to know of a name server's name."""
        found: list[str] = []
        is_alias = False
        try:
            for rdtype in ADDRESS_TYPES:
                reply = self._go(name, rdtype, depth=depth)[1]
                is_alias = is_alias or _find(reply, name, dns.rdatatype.CNAME) is not None
                rrset = _find(reply, name, rdtype)
                found += [] if rrset is None else [rdata.to_text() for rdata in rrset]
        except LostError as lost:
            return Host(tuple(found), is_alias, None if found else str(lost))
        return Host(tuple(found), is_alias)

    def values(self, name: Name, rdtype: dns.rdatatype.RdataType) -> dns.rrset.RRset | None:
        """The records of a name and type; None where there are none. LostError."""
        return _find(self._go(name, rdtype)[1], name, rdtype)

    def _go(
        self, name: Name, rdtype: dns.rdatatype.RdataType, *, above: Name | None = None, depth: int = 0
    ) -> tuple[Cut, dns.message.Message]:
        """The zone whose servers answer this, and their answer; `above`: go no further than above this."""
        if depth > DEPTH_LIMIT:
            raise LostError(f"names of name servers lead from one to the next without end, at {name}")
        cut = max((each for each in self._cuts.values() if self._leads(each, name, above)), key=_depth)
        while True:
            reply = self._ask_any(cut, name, rdtype)
            referral = _referral(reply, cut.name, name)
            if referral is None or referral.name == above:
                return cut, reply
            cut = self._reached(referral, reply, cut, depth)

    def _leads(self, cut: Cut, name: Name, above: Name | None) -> bool:
        return name.is_subdomain(cut.name) and cut.name != above

    def _reached(self, referral: dns.rrset.RRset, reply: dns.message.Message, cut: Cut, depth: int) -> Cut:
        names = [rdata.target for rdata in referral]
        servers = {name: _glue(reply, name) for name in names}
        if not any(servers.values()):
            for name in names:
                servers[name] = (
                    () if name.is_subdomain(referral.name) else self.host(name, depth + 1).addresses
                )
                if servers[name]:
                    break
        reached = Cut(referral.name, servers)
        if not reached.addresses:
            raise LostError(f"{cut.name} delegates {referral.name} to name servers without an address")
        self._cuts[reached.name] = reached
        return reached

    def _ask_any(self, cut: Cut, name: Name, rdtype: dns.rdatatype.RdataType) -> dns.message.Message:
        # Who was silent once is asked last: each silence costs patience.
        for address in sorted(cut.addresses, key=self._silent.__contains__):
            self._left -= 1
            if self._left < 0:
                raise LostError("too many questions were needed; something leads in circles")
            reply = self._ask(address, name, rdtype)
            if reply is None:
                self._silent.add(address)
            elif reply.rcode() in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
                return reply
        raise LostError(f"no name server of {cut.name} answers")


class Shortcut:
    """The way by a resolver, which is asked for everything."""

    def __init__(self, resolver: str, ask: Ask) -> None:
        self._resolver = resolver
        self._ask = ask

    def parent(self, zone: Name) -> Cut:
        """The zone that delegates this one; LostError."""
        name = zone
        while name != dns.name.root:
            name = name.parent()
            if (names := self.values(name, dns.rdatatype.NS)) is not None:
                servers = {rdata.target: self.host(rdata.target).addresses for rdata in names}
                return Cut(name, servers)
        raise LostError("the resolver knows no name servers of the root zone")

    def host(self, name: Name) -> Host:
        """What there is to know of a name server's name."""
        host = Host()
        for rdtype in ADDRESS_TYPES:
            reply = self._ask(self._resolver, name, rdtype)
            if reply is None:
                return replace(host, trouble=f"the resolver {self._resolver} does not answer")
            rrset = _find(reply, name, rdtype)
            values = () if rrset is None else tuple(rdata.to_text() for rdata in rrset)
            is_alias = host.is_alias or _find(reply, name, dns.rdatatype.CNAME) is not None
            host = Host((*host.addresses, *values), is_alias)
        return host

    def values(self, name: Name, rdtype: dns.rdatatype.RdataType) -> dns.rrset.RRset | None:
        """The records of a name and type; None where there are none. LostError."""
        reply = self._ask(self._resolver, name, rdtype)
        if reply is None:
            raise LostError(f"the resolver {self._resolver} does not answer")
        return _find(reply, name, rdtype)


def delegation(reply: dns.message.Message, zone: Name) -> tuple[frozenset[Name], dict[Name, frozenset[str]]]:
    """The name servers that a server of the parent names, and the addresses it adds."""
    rrset = _find(reply, zone, dns.rdatatype.NS) or reply.get_rrset(
        dns.message.AUTHORITY, zone, dns.rdataclass.IN, dns.rdatatype.NS
    )
    names = frozenset() if rrset is None else frozenset(rdata.target for rdata in rrset)
    return names, {name: frozenset(_glue(reply, name)) for name in names}


def _depth(cut: Cut) -> int:
    return len(cut.name.labels)


def _referral(reply: dns.message.Message, cut: Name, name: Name) -> dns.rrset.RRset | None:
    """The NS records of a zone below this one, on the way to the name."""
    if reply.answer or reply.flags & dns.flags.AA:
        return None
    for rrset in reply.authority:
        is_below = rrset.name.is_subdomain(cut) and rrset.name != cut
        if rrset.rdtype == dns.rdatatype.NS and is_below and name.is_subdomain(rrset.name):
            return rrset
    return None


def _find(reply: dns.message.Message, name: Name, rdtype: dns.rdatatype.RdataType) -> dns.rrset.RRset | None:
    return reply.get_rrset(dns.message.ANSWER, name, dns.rdataclass.IN, rdtype)


def _glue(reply: dns.message.Message, name: Name) -> tuple[str, ...]:
    found: Iterable[dns.rrset.RRset | None] = (
        reply.get_rrset(dns.message.ADDITIONAL, name, dns.rdataclass.IN, rdtype) for rdtype in ADDRESS_TYPES
    )
    return tuple(rdata.to_text() for rrset in found if rrset is not None for rdata in rrset)
