"""What was seen of a zone from outside, as values. No judgement, and no sockets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

import dns.name
import dns.rdata
import dns.rdtypes.ANY.NS
import dns.rdtypes.ANY.RRSIG

from oakroot.frozen import frozen

Name = dns.name.Name
Place = tuple[str, int]

ROOM = 1232
"""What fits into a packet on nearly every path (DNS flag day 2020)."""


def spoken(name: Name | None) -> str:
    """A name as it stands in a sentence, without its final dot."""
    return "the root" if name is None or name == dns.name.root else name.to_text(omit_final_dot=True)


@frozen
class Heard:
    """What came back to one question."""

    trouble: str | None = None
    """Why nothing of use did: `no answer`, `refused the connection`, …"""
    rcode: str = ""
    is_authoritative: bool = False
    offers_recursion: bool = False
    is_truncated: bool = False
    has_edns: bool = False
    octets: int = 0
    values: tuple[dns.rdata.Rdata, ...] = ()
    """The records that were asked for."""
    signatures: tuple[dns.rdtypes.ANY.RRSIG.RRSIG, ...] = ()
    ttl: int = 0

    @property
    def is_answer(self) -> bool:
        """Whether anything came back."""
        return self.trouble is None

    @property
    def is_good(self) -> bool:
        """Whether it is an authoritative answer."""
        return self.is_answer and self.rcode == "NOERROR" and self.is_authoritative

    def told(self) -> str:
        """In words."""
        if self.trouble is not None:
            return self.trouble
        return (
            self.rcode if self.rcode != "NOERROR" or self.is_authoritative else "an answer without authority"
        )


NOT_ASKED = Heard(trouble="not asked")


@frozen
class OverTls:
    """What came of a question over TLS (RFC 7858), whoever the server proved to be."""

    soa: Heard
    valid_until: float | None = None
    """Of the certificate that it showed, in seconds since 1970."""


@frozen
class ParentServer:
    """A name server of the parent zone, and what it says of the delegation."""

    name: Name
    address: str
    trouble: str | None = None
    names: frozenset[Name] = frozenset()
    """The name servers that it delegates to."""
    glue: Mapping[Name, frozenset[str]] = field(default_factory=dict)
    ds: Heard = NOT_ASKED


@frozen
class ZoneServer:
    """A name server of the zone at one of its addresses, and how it answers."""

    name: Name | None
    """None: the operator gave its address."""
    address: str
    soa: Heard
    """Over UDP with EDNS."""
    plain: Heard = NOT_ASKED
    """The same without EDNS; asked where with EDNS nothing came."""
    tcp: Heard = NOT_ASKED
    names: Heard = NOT_ASKED
    """The NS records at the apex."""
    hosts: Mapping[Name, frozenset[str]] = field(default_factory=dict)
    """Addresses that it has for name servers within the zone."""
    keys: Heard = NOT_ASKED
    """DNSKEY, asked for with room for 1232 octets, and over TCP where that is not enough."""
    large: Heard = NOT_ASKED
    """DNSKEY, asked for with room for 4096 octets."""
    recursion: Heard = NOT_ASKED
    """A question for another name, with recursion desired."""
    caa: Heard = NOT_ASKED
    cds: Heard = NOT_ASKED
    """What it wants the parent to have as DS records (RFC 7344)."""
    cdnskey: Heard = NOT_ASKED
    tls: OverTls | None = None
    """None: not asked."""
    port: int | None = None
    """Where it is asked, if not where all are."""

    def __str__(self) -> str:
        """Name and address, as in findings."""
        return self.shown_address if self.name is None else f"{spoken(self.name)} ({self.shown_address})"

    @property
    def shown_address(self) -> str:
        """With its port, if that is its own."""
        if self.port is None:
            return self.address
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@frozen
class Host:
    """What is known of a name server's name, by asking as any resolver would."""

    addresses: tuple[str, ...] = ()
    is_alias: bool = False
    trouble: str | None = None


@frozen
class Observations:
    """All that was seen."""

    zone: Name
    moment: float
    parent: Name | None = None
    parents: tuple[ParentServer, ...] = ()
    trouble: str | None = None
    """Why no delegation was found."""
    hosts: Mapping[Name, Host] = field(default_factory=dict)
    """Of all names that parent or zone name as name servers."""
    servers: tuple[ZoneServer, ...] = ()
    skipped: frozenset[str] = frozenset()
    """Addresses that this machine cannot ask: those of IPv6, where it has none."""
    is_public: bool = False
    """Whether the way began at the Internet's root, so that all addresses should be public."""
    caa_at: Name | None = None
    """Where the CAA records stand that count: at the zone, or above it."""
    caa: tuple[dns.rdata.Rdata, ...] = ()


def ns_targets(heard: Heard) -> frozenset[Name]:
    """The names in an authoritative answer of NS records."""
    if not heard.is_good:
        return frozenset()
    return frozenset(rdata.target for rdata in heard.values if isinstance(rdata, dns.rdtypes.ANY.NS.NS))
