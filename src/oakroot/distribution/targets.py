"""Who is told that a zone has changed: its name servers, secondaries of keys, and whom the operator names.

The name servers' addresses are looked up in our own zones, as nothing is resolved here; that of the primary
master, which the SOA record names, is left out (RFC 1996 §3.3). What must not live here: when anybody is
told.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import dns.name

from oakroot._engine import Catalogue, Zone
from oakroot.frozen import frozen
from oakroot.keys.grant import Operation
from oakroot.keys.key import Key
from oakroot.keys.keyring import Keyring

Place = tuple[str, int]
IsLeftOut = Callable[[Place], bool]
"""Whether a server is told of nothing, whoever names it."""
NO_PORT = 0
"""The port of a target that can be reached over its own connection only."""


def nobody(_: Place) -> bool:
    """Nobody is left out."""
    return False


class Link(Protocol):
    """A connection from a peer, which stays open as long as this is held."""

    @property
    def peer(self) -> tuple[str, int]:
        """Whose it is."""

    def has_ended(self) -> bool:
        """Whether the peer has closed it, at least its own side."""


def place_of_link(link: Link) -> Place:
    """The place of a connection; its port is negative, as nobody listens there."""
    return str(ipaddress.ip_address(link.peer[0])), -link.peer[1]


@frozen
class Target:
    """A server to be told. `keys` are those that it may know: of two, one may be replacing the other."""

    address: str
    port: int
    keys: tuple[Key, ...] = ()
    link: Link | None = None
    source: str | None = None
    """Which of our addresses it knows us by, if a key says so."""

    @property
    def place(self) -> Place:
        """What tells it from other targets; behind one address there may be many with only a connection."""
        if self.port == NO_PORT and self.link is not None:
            return place_of_link(self.link)
        return self.address, self.port

    def __str__(self) -> str:
        """For the log."""
        return self.address if self.port == NO_PORT else f"{self.address}@{self.port}"


@frozen
class Configured:
    """A server that the operator wants to be told of every zone; `key` is one, or the name of one of ours."""

    address: str
    port: int
    key: Key | dns.name.Name | None = None


@frozen
class Enlisted:
    """A peer to be told over its own connection: of this zone, or for the root of all that its key covers."""

    link: Link
    key: Key
    key_zone: dns.name.Name
    zone: dns.name.Name

    def wants(self, zone: dns.name.Name) -> bool:
        """Whether to tell it about this zone."""
        return zone.is_subdomain(self.key_zone) and self.zone in {dns.name.root, zone}


@dataclass(slots=True)
class NameServers:
    """Finds the addresses of zones' name servers in one catalogue, each name once.

    Names are text in lower case, as the engine writes them: a start has ten thousand zones.
    """

    catalogue: Catalogue
    _known: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def forget(self) -> None:
        """Lets go of what helps only while many zones are looked up."""
        self._known.clear()

    def of(self, apex: str) -> tuple[str, ...]:
        """Addresses of the zone's name servers but the primary master; none for a zone that is not here."""
        held = self.catalogue.zone(apex)
        if held is None:
            return ()
        masters = {_first_name(rdata) for *_, rdata in held.records_of(held.apex, "SOA")}
        servers = [_first_name(rdata) for *_, rdata in held.records_of(held.apex, "NS")]
        addresses = (self._addresses(server) for server in servers if server not in masters)
        return tuple(dict.fromkeys(address for found in addresses for address in found))

    def _addresses(self, server: str) -> tuple[str, ...]:
        """Those that our zones hold; also glue, if that is all we have."""
        if server not in self._known:
            zone = self._zone_above(server)
            self._known[server] = () if zone is None else _addresses_in(zone, server)
        return self._known[server]

    def _zone_above(self, name: str) -> Zone | None:
        """The nearest of our zones at or above a name."""
        while True:
            zone = self.catalogue.zone(name)
            if zone is not None or name == ".":
                return zone
            name = _parent(name)


def _parent(name: str) -> str:
    if "\\" in name:  # a dot may be part of a label
        return dns.name.from_text(name).parent().to_text()
    return name.partition(".")[2] or "."


def _addresses_in(zone: Zone, owner: str) -> tuple[str, ...]:
    return tuple(rdata for kind in ("A", "AAAA") for *_, rdata in zone.records_of(owner, kind))


def _first_name(rdata: str) -> str:
    """The name that RDATA begins with."""
    return rdata.partition(" ")[0].lower()


class KeySecondaries:
    """The secondaries that the names of transfer keys tell, found by zone."""

    def __init__(self, keyring: Keyring, port: int) -> None:
        self._by_zone: dict[dns.name.Name, list[Target]] = {}
        for granted in keyring.keys:
            grant = granted.grant
            if grant.operation is Operation.TRANSFER and grant.secondary is not None:
                source = None if grant.primary is None else str(grant.primary)
                target = Target(str(grant.secondary), port, (granted.key,), source=source)
                self._by_zone.setdefault(grant.zone, []).append(target)

    def of(self, zone: dns.name.Name) -> Iterator[Target]:
        """A target for each key of the zone itself, then of each zone above it."""
        if not self._by_zone:
            return
        while True:
            yield from self._by_zone.get(zone, ())
            if zone == dns.name.root:
                return
            zone = zone.parent()


@frozen
class Directory:
    """All that is known about who is to be told at one moment. `port` is where secondaries listen."""

    keyring: Keyring
    secondaries: KeySecondaries
    configured: Sequence[Configured] = ()
    port: int = 53
    own: frozenset[Place] = frozenset()
    """Where we listen: nobody tells himself."""
    is_left_out: IsLeftOut = nobody

    def targets(
        self, zone: dns.name.Name, servers: Iterable[str], enlisted: Iterable[Enlisted]
    ) -> tuple[Target, ...]:
        """Whom to tell about this zone, each once; `servers` are the addresses of its name servers."""
        found: dict[Place, Target] = {}
        for server in servers:
            _add(found, Target(server, self.port))
        for target in self.secondaries.of(zone):
            _add(found, target)
        for each in self.configured:
            key = self._key_of(each)
            _add(found, Target(each.address, each.port, () if key is None else (key,)))
        for place in list(found):
            if place in self.own or self.is_left_out(place):
                del found[place]
        for each_enlisted in enlisted:
            if each_enlisted.wants(zone) and not each_enlisted.link.has_ended():
                _link(found, each_enlisted, self.port)
        return tuple(found.values())

    def _key_of(self, configured: Configured) -> Key | None:
        if not isinstance(configured.key, dns.name.Name):
            return configured.key
        granted = self.keyring.find(configured.key)
        return None if granted is None else granted.key


def _add(found: dict[Place, Target], target: Target) -> None:
    """Adds what is known of a target to what was known."""
    known = found.setdefault(target.place, target)
    keys = tuple(key for key in target.keys if key not in known.keys)
    found[target.place] = replace(known, keys=(*known.keys, *keys), source=known.source or target.source)


def _link(found: dict[Place, Target], enlisted: Enlisted, port: int) -> None:
    """Adds the connection to the target at the same address, if that is known to have the key."""
    address, _ = place_of_link(enlisted.link)
    place = (address, port)
    target = found.get(place)
    if target is not None and enlisted.key in target.keys:
        found[place] = replace(target, link=enlisted.link)
    else:
        target = Target(address, NO_PORT, (enlisted.key,), enlisted.link)
        found[target.place] = target
