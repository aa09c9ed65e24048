"""What a certifier knows at one moment; frozen, and free of sockets, clocks and files."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import field, replace

import dns.name

from oakroot._engine import Catalogue
from oakroot.certificates.certificate import Certificate
from oakroot.certificates.forms import Published
from oakroot.certificates.orders import Offer, Order, RenewalWindow
from oakroot.certificates.signing_request import SigningRequest
from oakroot.certifier.events import Action, Record, Remembered
from oakroot.certifier.places import zone_of
from oakroot.frozen import frozen
from oakroot.secondary.state import Agenda
from oakroot.secondary.table import Table
from oakroot.secondary.timers import Dice

NEVER = float("inf")
ORPHANED_AFTER = 120.0
"""Seconds after a start in which all zones should have come."""


@frozen
class Settings:
    """What the operator decides, or a test. Times are seconds."""

    seed: int = 0
    """What jitter is made of; another one for each process."""
    grants: tuple[dns.name.Name, ...] = (dns.name.root,)
    """Zones that our keys may update, with all below them."""
    profile: str | None = None
    """The kind of certificate to order, where the authority has kinds."""
    own_names_only: bool = False
    """Whether a request may only ask for names at and below the host that it is published for."""
    jobs: int = 8
    """How many hosts may be at work on."""
    retry: float = 120.0
    """Until a host that failed is tried again; doubled with each failure."""
    retry_limit: float = 86400.0
    authority_retry: float = 10.0
    """Until an authority that is not well is asked again; doubled with each failure."""
    authority_retry_limit: float = 3600.0
    step_retry: float = 1.0
    """Until an UPDATE, a look at an order or at name servers is tried again; doubled."""
    step_retry_limit: float = 30.0
    patience: float = 1800.0
    """How long one step may be tried before its host has failed."""
    silence: float = 120.0
    """How long to wait for name servers that do not answer at all."""
    install_patience: float = 86400.0
    """The same for publishing a certificate: it is there, and would have to be ordered again."""
    settling: float = 10.0
    """After the start zones come one by one: so long a name that is in none of them may yet be in one."""
    longest_rest: float = 21600.0
    """After so long everything is looked at again: the world's clock may have been set."""


class Step(enum.Enum):
    """Where a job stands; each waits for one thing."""

    ORDER = "place the order"
    RESUME = "look at the order placed before"
    PUBLISH = "publish the challenges"
    PROBE = "wait for the name servers"
    VALIDATE = "ask for validation"
    AWAIT_VALIDATION = "wait for validation"
    EXPLAIN = "ask why validation failed"
    CLEAN = "remove the challenges"
    FINALIZE = "hand in the request"
    AWAIT_ISSUE = "wait for the certificate"
    DOWNLOAD = "fetch the certificate"
    INSTALL = "publish the certificate"


@frozen
class Failure:
    """Why a job is given up, and for how long at least."""

    reason: str
    wait: float = 0.0
    is_superseded: bool = False
    """Whether it failed only because something else is asked for now."""
    keeps_order: bool = False
    """Whether the order may still come to something."""


@frozen
class Job:
    """The work on one host's certificate."""

    request: SigningRequest
    step: Step
    since: float
    """When the step began."""
    ticket: int | None = None
    """Of what is under way; None: resting until `due`."""
    due: float = NEVER
    tries: int = 0
    """How often the step was tried in vain."""
    order: Order | None = None
    records: tuple[Record, ...] = ()
    """What is to be, or is, in DNS."""
    zones: tuple[str, ...] = ()
    """Zones left to send an UPDATE, in PUBLISH and CLEAN."""
    challenges: tuple[str, ...] = ()
    """URLs of what is to be validated."""
    chain: tuple[Certificate, ...] = ()
    is_resumed: bool = False
    """Whether the order is one from before a restart."""
    failure: Failure | None = None
    """In CLEAN: why the job ends after it."""


@frozen
class Host:
    """A name with a request."""

    owner: str
    """Where its records are."""
    name: dns.name.Name
    zone: str
    rdatas: tuple[str, ...] = field(repr=False)
    """The records as they stand in our copy."""
    published: Published = field(default=Published(), repr=False)
    request: SigningRequest | None = None
    """None: refused, or not there."""
    chain: tuple[Certificate, ...] = field(default=(), repr=False)
    """What is published for the request, be it good for long or not."""
    refusal: str | None = None
    """Why nothing is ordered."""
    due: float = NEVER
    """When to look at it again; while it waits or is at work: never."""
    job: Job | None = None
    failures: int = 0
    retry_at: float = -NEVER
    """After failures: nothing is ordered before."""
    last_failure: str | None = None
    issued: tuple[Certificate, ...] = field(default=(), repr=False)
    """What we published, until our copy of the zone has it too."""
    issued_until: float = -NEVER
    """How long that may take."""
    window: RenewalWindow | None = None
    window_due: float = 0.0
    """When to ask the authority for it again."""
    window_ticket: int | None = None

    @property
    def moment(self) -> float:
        """When the clock next means something to it."""
        if self.job is not None:
            return self.job.due if self.job.ticket is None else NEVER
        return self.due


@frozen
class AuthorityState:
    """What is known of the authority."""

    offer: Offer | None = None
    """None until the account is open."""
    ticket: int | None = None
    """Of the question that opens it."""
    due: float = -NEVER
    """Not to be asked before."""
    failures: int = 0
    limited: int = 0
    """How many hosts in a row met a rate limit."""


@frozen
class Leftovers:
    """Challenges to be removed for which no job is at work."""

    records: tuple[Record, ...] = ()
    due: float = NEVER
    ticket: int | None = None
    sent: tuple[Record, ...] = ()
    failures: int = 0


@frozen
class State:
    """A certifier."""

    settings: Settings
    catalogue: Catalogue = field(default_factory=Catalogue)
    apexes: frozenset[str] = frozenset()
    hosts: Table[Host] = field(default_factory=Table)
    agenda: Agenda = field(default_factory=Agenda)
    queue: tuple[str, ...] = ()
    """Hosts that wait for their turn, by owner."""
    at_work: int = 0
    """How many hosts have jobs."""
    authority: AuthorityState = AuthorityState()
    tickets: Mapping[int, str] = field(default_factory=dict)
    """What is under way for which host."""
    next_ticket: int = 0
    remembered: Mapping[str, Remembered] = field(default_factory=dict)
    leftovers: Leftovers = Leftovers()
    started: float = 0.0
    counters: Mapping[str, int] = field(default_factory=dict)
    """What happened how often, for metrics."""

    @property
    def dice(self) -> Dice:
        """What jitter is made with."""
        return Dice(self.settings.seed)

    def with_host(self, host: Host) -> State:
        """With this host, in place of what was known of it."""
        known = self.hosts.get(host.owner)
        agenda = self.agenda.moved(host.owner, NEVER if known is None else known.moment, host.moment)
        at_work = self.at_work + (host.job is not None) - (known is not None and known.job is not None)
        return replace(self, hosts=self.hosts.with_item(host.owner, host), agenda=agenda, at_work=at_work)

    def without_host(self, owner: str) -> State:
        """Without this host, for which nobody is at work."""
        agenda = self.agenda.moved(owner, self.hosts[owner].moment, NEVER)
        queue = tuple(other for other in self.queue if other != owner)
        return replace(self, hosts=self.hosts.without(owner), agenda=agenda, queue=queue)

    def with_ticket(self, owner: str) -> tuple[State, int]:
        """With something under way for this host, and its number."""
        number = self.next_ticket
        return replace(self, next_ticket=number + 1, tickets={**self.tickets, number: owner}), number

    def without_ticket(self, number: int) -> State:
        """With that ended."""
        return replace(self, tickets={each: owner for each, owner in self.tickets.items() if each != number})

    def counting(self, what: str) -> State:
        """With one more of these in the counters."""
        return replace(self, counters={**self.counters, what: self.counters.get(what, 0) + 1})

    @property
    def orphans(self) -> tuple[str, ...]:
        """Hosts that are remembered and are not there, although we have the zone."""
        return tuple(owner for owner in self.remembered if owner and self._is_gone(owner))

    def _is_gone(self, owner: str) -> bool:
        return owner not in self.hosts and zone_of(self.catalogue, dns.name.from_text(owner)) is not None


Turn = tuple[State, tuple[Action, ...]]


def new_state(settings: Settings) -> State:
    """A certifier that knows no zone yet."""
    return State(settings)


def wake_at(state: State) -> float | None:
    """When `TimePassed` is due, on the clock that never jumps; None: not before another event."""
    moments = [state.agenda.first]
    if state.leftovers.ticket is None:
        moments.append(state.leftovers.due)
    authority = state.authority
    is_awaited = authority.offer is None or (state.queue and state.at_work < state.settings.jobs)
    if authority.ticket is None and is_awaited:
        moments.append(authority.due)
    if state.orphans:
        moments.append(state.started + ORPHANED_AFTER)
    moment = min(moments)
    return None if moment == NEVER else moment
