"""Which zones a secondary has, and where from: all of it is told by the names of its keys.

`PRIMARY.SECONDARY._transfer.ZONE` and `FREE.PRIMARY._transfer.ZONE` name a primary; a key without an address
is for the one of `--primary`. Where we are that primary ourselves, the key is one of those who follow us. A
key also covers the zones below its own, and one of the root zone all zones: those are met when the primary
notifies us of them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import dns.name

from oakroot.frozen import frozen
from oakroot.keys.grant import Operation, read_grant
from oakroot.keys.key import Key
from oakroot.keys.keyring import GrantedKey, Keyring

DNS_PORT = 53
_NO_FILE = "--key"


class NoPrimaryError(ValueError):
    """A key does not say whom to ask, and nothing else does."""

    def __init__(self, key: Key) -> None:
        super().__init__(f"the name of the key {key.text} has no address of a primary")
        self.key = key


class DoubleKeyError(ValueError):
    """Two different keys have one name."""

    def __init__(self, key: Key) -> None:
        super().__init__(f"there are two different keys named {key.text}")
        self.key = key


class UnusedPrimaryError(ValueError):
    """No key is for a primary that is to be spoken to over TLS: nothing would be encrypted that was meant."""

    def __init__(self, server: Server) -> None:
        super().__init__(f"no key is for the primary {server.address}")
        self.server = server


@frozen
class Identity:
    """What a primary proves over TLS: the name in its certificate, or else that it has this very key."""

    name: str = ""
    """A host name or an address."""
    pin: str = ""
    """The SHA-256 of its public key, in base64 (RFC 7858 §4.2)."""


@frozen
class Server:
    """Where a primary listens."""

    address: str
    port: int = DNS_PORT
    identity: Identity | None = None
    """None: it is spoken to without TLS."""

    def __str__(self) -> str:
        """As Knot DNS writes it in its log."""
        over_tls = "" if self.identity is None else " (TLS)"
        return f"{self.address}@{self.port}{over_tls}"


@frozen
class Source:
    """A primary, and the key that it is spoken to with."""

    server: Server
    granted: GrantedKey
    local: str | None = None
    """The address of ours that the key's name tells, and that the primary may expect us to come from."""

    @property
    def key(self) -> Key:
        """The key itself."""
        return self.granted.key

    @property
    def zone(self) -> dns.name.Name:
        """The zone that the key names."""
        return self.granted.grant.zone

    def __str__(self) -> str:
        """As it stands in log lines."""
        return f"remote {self.server}, key {self.key.text}"


@frozen
class Listening:
    """Where we listen ourselves. `is_local` tells whether an address is one of this machine's."""

    places: tuple[tuple[str, int], ...]
    is_local: Callable[[str], bool]

    def at(self, address: str) -> bool:
        """Whether we listen on this address, on whatever port."""
        return any(self._covers(place, address) for place, _ in self.places)

    def as_server(self, server: Server) -> bool:
        """Whether we are this server."""
        return any(port == server.port and self._covers(place, server.address) for place, port in self.places)

    def _covers(self, place: str, address: str) -> bool:
        if same_address(place, address):
            return True
        listened, wanted = ipaddress.ip_address(place), ipaddress.ip_address(address)
        return listened.is_unspecified and listened.version == wanted.version and self.is_local(address)


NOWHERE = Listening((), lambda _: False)


@frozen
class Plan:
    """All keys, and the sources that they make, in the order they were given."""

    keyring: Keyring
    sources: tuple[Source, ...]
    listening: Listening

    @property
    def servers(self) -> tuple[Server, ...]:
        """All primaries, each once."""
        return tuple(dict.fromkeys(source.server for source in self.sources))

    @property
    def zones(self) -> tuple[dns.name.Name, ...]:
        """The zones that keys name. The root zone is not among them: its keys are for all zones."""
        names = (source.zone for source in self.sources if source.zone != dns.name.root)
        return tuple(dict.fromkeys(names))

    def has_primary(self, address: str, port: int) -> bool:
        """Whether there is a primary at this place; one that we speak TLS with listens elsewhere besides."""
        there = (server for server in self.servers if same_address(server.address, address))
        return any(server.identity is not None or server.port == port for server in there)

    def local_of(self, server: Server) -> str | None:
        """The address of ours that this primary may expect us to come from."""
        known = (source.local for source in self.sources if source.server == server)
        return next((local for local in known if local is not None), None)

    def sources_of(self, zone: dns.name.Name) -> tuple[Source, ...]:
        """Where this zone comes from: the primaries of the keys that name it, or the nearest name above."""
        covering = [source for source in self.sources if source.granted.grant.covers(zone)]
        nearest = max((len(source.zone.labels) for source in covering), default=0)
        return tuple(source for source in covering if len(source.zone.labels) == nearest)


def make_plan(
    keys: Iterable[Key],
    primary: Server | None,
    listening: Listening = NOWHERE,
    encrypted: Iterable[Server] = (),
) -> Plan:
    """The plan that these keys make. `encrypted` are the primaries to be spoken to over TLS.

    Raises KeyRejectedError for a name that grants nothing, and the errors above.
    """
    over_tls = tuple(encrypted)
    if primary is None and len(over_tls) == 1:
        primary = over_tls[0]
    granted = tuple(GrantedKey(key, read_grant(key.name), _NO_FILE, 0) for key in dict.fromkeys(keys))
    keyring = Keyring(granted)
    for each in granted:
        if keyring.find(each.key.name) is not each:
            raise DoubleKeyError(each.key)
    transferring = [each for each in granted if each.grant.may(Operation.TRANSFER)]
    sources = (_source(each, primary, listening) for each in transferring)
    theirs = tuple(source for source in sources if not listening.as_server(source.server))
    return Plan(keyring, tuple(_encrypted(theirs, over_tls)), listening)


def _encrypted(sources: Iterable[Source], over_tls: Iterable[Server]) -> Iterator[Source]:
    """The sources, over TLS where their server's address is one of these."""
    unused = {ipaddress.ip_address(server.address): server for server in over_tls}
    known = dict(unused)
    for source in sources:
        address = ipaddress.ip_address(source.server.address)
        unused.pop(address, None)
        yield replace(source, server=known.get(address, source.server))
    for server in unused.values():
        raise UnusedPrimaryError(server)


def same_address(one: str, other: str) -> bool:
    """Whether two texts mean one IP address."""
    try:
        return ipaddress.ip_address(one) == ipaddress.ip_address(other)
    except ValueError:
        return False


def _source(granted: GrantedKey, primary: Server | None, listening: Listening) -> Source:
    grant = granted.grant
    local = None if grant.secondary is None else str(grant.secondary)
    if local is not None and not listening.at(local):
        # Behind a NAT the primary knows us by an address that is none of ours.
        local = None
    if grant.primary is not None:
        return Source(Server(str(grant.primary)), granted, local)
    if primary is None:
        raise NoPrimaryError(granted.key)
    return Source(primary, granted, local)
