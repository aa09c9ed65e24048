"""What a secondary knows at one moment; frozen, and free of sockets, clocks and files."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping
from dataclasses import field, replace

import dns.name

from oakroot._engine import Catalogue, Zone
from oakroot.distribution.versions import Versions
from oakroot.frozen import frozen
from oakroot.protocol.soa_client import SoaQuestion
from oakroot.roles.followers import TransferRules
from oakroot.roles.quota import Quota
from oakroot.secondary.events import Action
from oakroot.secondary.sources import Plan, Server, Source
from oakroot.secondary.table import Table
from oakroot.secondary.timers import Dice, Timers
from oakroot.zones.catalog_zones import Members

NEVER = float("inf")


@frozen
class Settings:
    """What the operator decides, or a test."""

    seed: int = 0
    """What jitter is made of; another one for each process."""
    transfers: int = 10
    """How many transfers may be under way."""
    window: int = 50
    """How many questions may wait for their answers on one link."""
    answer_seconds: float = 10.0
    """How long to wait for one."""
    first_retry: float = 2.0
    """Seconds until a zone that never was here is asked for again; doubled with each failure."""
    first_retry_limit: float = 900.0
    reconnect: float = 1.0
    """Seconds until a link is opened again; doubled with each failure."""
    reconnect_limit: float = 300.0
    idle_reconnect_limit: float = 3600.0
    """The same for primaries that do not keep links: they close them as idle."""
    lasting_seconds: float = 120.0
    """A link that was there for so long is one that the primary keeps."""
    unsigned_pause: float = 5.0
    """Seconds between two checks of a zone that unsigned NOTIFYs set off."""
    guesses_limit: int = 20
    """How many zones that only unsigned NOTIFYs speak of are asked for in that time."""
    transfer_rules: TransferRules = field(default_factory=TransferRules)
    """To whom zones are sent, and over what."""
    catalogs: frozenset[dns.name.Name] = frozenset()
    """Catalog zones that the operator wants followed."""


@frozen
class Held:
    """A version that passed the checks."""

    zone: Zone
    timers: Timers
    checked: float
    """When a primary last said that it is the newest."""

    @property
    def expires(self) -> float:
        """Until when it may be served."""
        return self.checked + self.timers.expire


@frozen
class Wish:
    """A NOTIFY to act upon: one check that begins after it came."""

    peer: str | None = None
    """The address it came from: a primary of several that is asked first."""
    signed: bool = True
    """Whether a key vouches for it: then the zone may also be gone."""
    serial: int | None = None
    """What the primary has, if it said so."""


@frozen
class Round:
    """One check of a zone, which goes from source to source until one is of use."""

    left: tuple[Source, ...]
    """The source that is being asked, and those not asked yet."""
    signed: bool = False
    denied: bool = True
    """Whether all sources so far say that they do not serve the zone."""
    reasons: tuple[str, ...] = ()
    whole: bool = False
    """Whether the operator wants all of the zone, whatever its serial is."""

    @property
    def source(self) -> Source:
        """The one that is being asked."""
        return self.left[0]


@frozen
class Idle:
    """Nothing to do until then."""

    due: float


@frozen
class Asking:
    """A source was asked for its serial."""

    round: Round


@frozen
class Queued:
    """There is a newer version; it waits for its turn to be transferred."""

    round: Round


@frozen
class Transferring:
    """The transfer of this number is under way."""

    round: Round
    number: int


Phase = Idle | Asking | Queued | Transferring


@frozen
class Membership:
    """What made a zone ours that no key names: a catalog zone, in which it has this label."""

    catalog: dns.name.Name
    label: bytes


@frozen
class Entry:
    """A zone of ours."""

    name: dns.name.Name
    sources: tuple[Source, ...]
    phase: Phase
    named: bool
    """Whether a key names it; the others were met, and are forgotten when they are gone."""
    shown: bool = True
    """Whether it is answered SERVFAIL while there is no version of it."""
    hidden: bool = False
    """Whether it is for those only who may transfer it, as catalog zones are."""
    member: Membership | None = None
    held: Held | None = None
    failures: int = 0
    """How many checks in a row failed."""
    trouble: str | None = None
    """Why the last one did."""
    wish: Wish | None = None
    began: float = -NEVER
    """When the last check began."""

    @property
    def apex(self) -> str:
        """Its name as text."""
        return self.name.to_text()

    @property
    def is_wanted(self) -> bool:
        """Whether it stays ours when no primary has it: a key names it, or a catalog zone lists it."""
        return self.named or self.member is not None

    @property
    def due(self) -> float:
        """When the clock next means something to it."""
        idle_until = self.phase.due if isinstance(self.phase, Idle) else NEVER
        return min(idle_until, NEVER if self.held is None else self.held.expires)


@frozen
class Agenda:
    """Moments and the zones that they mean something to, in order: a frozen heap, so to say."""

    entries: tuple[tuple[float, str], ...] = ()

    def moved(self, apex: str, before: float, after: float) -> Agenda:
        """With a zone's moment changed."""
        if before == after:
            return self
        entries = list(self.entries)
        if before != NEVER:
            del entries[bisect_left(entries, (before, apex))]
        if after != NEVER:
            insort(entries, (after, apex))
        return Agenda(tuple(entries))

    @property
    def first(self) -> float:
        """The earliest moment."""
        return self.entries[0][0] if self.entries else NEVER

    def due(self, moment: float) -> tuple[str, ...]:
        """The zones whose moment has come."""
        end = bisect_left(self.entries, (moment, "\U0010ffff"))
        return tuple(apex for _, apex in self.entries[:end])


@frozen
class Question:
    """A zone whose SOA a primary is asked for, and the source it is in that role."""

    name: dns.name.Name
    source: Source


@frozen
class Pending:
    """A question that was sent."""

    question: Question
    asked: SoaQuestion
    sent: float


@frozen
class Link:
    """The connection to a primary, or the lack of it."""

    opening: bool = False
    opened: float | None = None
    """Since when it is there."""
    heard: float = -NEVER
    """When the last message came."""
    waiting: Mapping[Question, None] = field(default_factory=dict)
    """Questions that are not sent yet, in order: with ten thousand of them each must be found at once."""
    pending: Mapping[int, Pending] = field(default_factory=dict)
    """Those that were, by identifier, in the order of sending."""
    answers: int = 0
    """How many came on this connection."""
    identifier: int = 0
    register: float | None = None
    """When to tell the primary that we are here; None: it was told on this connection."""
    failures: int = 0
    """How many connections in a row were of no use."""
    drops: int = 0
    """How many useful ones in a row did not last."""
    retry: float = -NEVER
    """Not to be opened before, after failures."""
    reason: str = ""
    """Why the last one failed."""

    def due(self, answer_seconds: float) -> float:
        """When the clock next means something to it."""
        first = next(iter(self.pending.values()), None)
        answer_due = NEVER if first is None else first.sent + answer_seconds
        register_due = NEVER if self.register is None or self.opening else self.register
        return min(answer_due, register_due)


@frozen
class Guesses:
    """How many zones were asked for because of unsigned NOTIFYs alone: anybody can send those."""

    since: float = -NEVER
    count: int = 0

    def one_more(self, settings: Settings, now: float) -> Guesses | None:
        """With one more; None when there were enough for now."""
        if now - self.since >= settings.unsigned_pause:
            return Guesses(now, 1)
        return Guesses(self.since, self.count + 1) if self.count < settings.guesses_limit else None


@frozen
class State:
    """A secondary."""

    settings: Settings
    plan: Plan
    catalogue: Catalogue = field(default_factory=Catalogue)
    zones: Table[Entry] = field(default_factory=Table)
    agenda: Agenda = Agenda()
    links: Mapping[Server, Link] = field(default_factory=dict)
    queue: tuple[str, ...] = ()
    """Zones that wait for their turn to be transferred."""
    transfers: Mapping[int, str] = field(default_factory=dict)
    """Those under way: number and zone."""
    next_number: int = 0
    catalogs: Mapping[dns.name.Name, Members] = field(default_factory=dict)
    """What the catalog zones list that are followed, each in its last version that was not broken."""
    versions: Versions = field(default_factory=Versions)
    """Earlier versions of zones, for those who follow us."""
    guesses: Guesses = Guesses()
    quota: Quota = field(default_factory=Quota)

    @property
    def dice(self) -> Dice:
        """What jitter is made with."""
        return Dice(self.settings.seed)

    def with_zone(self, entry: Entry) -> State:
        """With this zone, in place of what was known of it."""
        apex = entry.apex
        known = self.zones.get(apex)
        agenda = self.agenda.moved(apex, NEVER if known is None else known.due, entry.due)
        return replace(self, zones=self.zones.with_item(apex, entry), agenda=agenda)

    def without_zone(self, entry: Entry) -> State:
        """Without this zone."""
        agenda = self.agenda.moved(entry.apex, self.zones[entry.apex].due, NEVER)
        queue = tuple(apex for apex in self.queue if apex != entry.apex)
        return replace(self, zones=self.zones.without(entry.apex), agenda=agenda, queue=queue)

    def with_link(self, server: Server, link: Link) -> State:
        """With this link, in place of what was known of it."""
        return replace(self, links={**self.links, server: link})


Step = tuple[State, tuple[Action, ...]]


def new_state(settings: Settings, plan: Plan) -> State:
    """A secondary that serves nothing yet."""
    return State(settings, plan, links={server: Link() for server in plan.servers})


def wake_at(state: State) -> float | None:
    """When `TimePassed` is due, on the clock that never jumps; None: not before another event."""
    seconds = state.settings.answer_seconds
    moment = min([state.agenda.first, *(link.due(seconds) for link in state.links.values())])
    return None if moment == NEVER else moment
