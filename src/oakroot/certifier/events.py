"""What happens to a certifier, and what it decides to do: the two lists that are its table of contents.

Events are in the past tense, actions in the imperative. All are frozen values; nothing here has behaviour.
What takes its time has a *ticket*: the number that its end is told by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import dns.name

from oakroot._engine import Catalogue
from oakroot.certificates.orders import Offer, Order, Problem, RenewalWindow
from oakroot.frozen import frozen
from oakroot.roles.events import Log, Moment, TimePassed

__all__ = [
    "Action",
    "Answered",
    "Ask",
    "AskRenewal",
    "Download",
    "Downloaded",
    "Event",
    "Finalize",
    "Log",
    "Look",
    "Moment",
    "NameServer",
    "Open",
    "Place",
    "PlaceOrder",
    "Probe",
    "Probed",
    "Question",
    "Record",
    "RefreshRequested",
    "Rekeyed",
    "Remember",
    "Remembered",
    "SendUpdate",
    "Started",
    "TimePassed",
    "UpdateEnded",
    "UpdateLost",
    "UpdateTaken",
    "UpdateUnwanted",
    "Validate",
    "Validated",
    "ZonesChanged",
]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A name, and the zone of ours that it is in."""

    zone: str
    owner: str


@dataclass(frozen=True, slots=True, order=True)
class Record:
    """A TXT record that proves something for a while."""

    place: Place
    value: str


@frozen
class Remembered:
    """What outlives a restart: the order that was placed for a host, and the records that prove its names."""

    order: str
    records: tuple[Record, ...] = ()


@frozen
class NameServer:
    """Who serves a zone; without addresses where our zones do not tell them."""

    name: str
    addresses: tuple[str, ...]


# --- what is asked of the authority ---


@frozen
class Open:
    """Read the directory, find or make the account: Offer."""


@frozen
class PlaceOrder:
    """Order a certificate: Order, with authorizations."""

    names: frozenset[dns.name.Name]
    profile: str | None
    replaces: str | None


@frozen
class Look:
    """See how an order stands: Order, with authorizations if `closely`."""

    url: str
    closely: bool


@frozen
class Validate:
    """Say that these challenges are met: Validated."""

    challenges: tuple[str, ...]


@frozen
class Finalize:
    """Hand in the signing request: Order."""

    order: Order
    request: bytes = field(repr=False)


@frozen
class Download:
    """Fetch the chain: Downloaded."""

    url: str


@frozen
class AskRenewal:
    """Ask when the certificate of this identifier is to be renewed: RenewalWindow."""

    identifier: str


Question = Open | PlaceOrder | Look | Validate | Finalize | Download | AskRenewal


@frozen
class Validated:
    """The authority was told."""


@frozen
class Downloaded:
    """A certificate and its chain."""

    pem: str = field(repr=False)


# --- how an UPDATE ends ---


@frozen
class UpdateTaken:
    """The primary has it."""


@frozen
class UpdateUnwanted:
    """The primary answered that it will not."""

    rcode: int
    reason: str


@frozen
class UpdateLost:
    """Nobody knows: no answer came, or none that can be believed."""

    reason: str


# --- events ---


@frozen
class Started:
    """The service is up; this was remembered over the restart."""

    remembered: Mapping[str, Remembered] = field(default_factory=dict)


@frozen
class ZonesChanged:
    """Our copies of these zones are new, changed, or gone."""

    catalogue: Catalogue
    apexes: tuple[str, ...]


@frozen
class Answered:
    """What the authority says."""

    ticket: int
    answer: Offer | Order | Validated | Downloaded | RenewalWindow | Problem


@frozen
class UpdateEnded:
    """What became of an UPDATE."""

    ticket: int
    outcome: UpdateTaken | UpdateUnwanted | UpdateLost


@frozen
class Probed:
    """All name servers were asked: who does not have a record yet, and who does not answer."""

    ticket: int
    missing: tuple[str, ...]
    silent: tuple[str, ...] = ()


@frozen
class RefreshRequested:
    """The operator wants everything tried now (SIGHUP)."""


@frozen
class Rekeyed:
    """The operator has given other keys, while the service runs; these zones they may update."""

    grants: tuple[dns.name.Name, ...]


Event = Started | ZonesChanged | Answered | UpdateEnded | Probed | RefreshRequested | Rekeyed | TimePassed


# --- actions ---


@frozen
class Ask:
    """Ask the authority: ends in Answered."""

    ticket: int
    question: Question


@frozen
class SendUpdate:
    """Send an UPDATE to the primary: ends in UpdateEnded. Each record is (owner, type, RDATA).

    `required`: record sets that must be there as they are, all their records listed.
    """

    ticket: int
    zone: str
    delete: tuple[tuple[str, str, str], ...] = field(repr=False)
    add: tuple[tuple[str, str, str], ...] = field(repr=False)
    ttl: int = 60
    required: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)


@frozen
class Probe:
    """Ask the primary, and these name servers of each zone, whether they have the records: ends in Probed."""

    ticket: int
    records: tuple[Record, ...]
    servers: Mapping[str, tuple[NameServer, ...]]
    """By zone."""


@frozen
class Remember:
    """Keep this over a restart, in place of what was kept before."""

    remembered: Mapping[str, Remembered]


Action = Ask | SendUpdate | Probe | Remember | Log
