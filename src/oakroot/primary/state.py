"""What a primary knows at one moment; frozen, and free of sockets, clocks and git."""

from __future__ import annotations

import enum
from dataclasses import field

import dns.name

from oakroot._engine import Catalogue
from oakroot.distribution.versions import Versions
from oakroot.frozen import frozen
from oakroot.primary.catalogs import Catalogs, Offer
from oakroot.primary.memory import Identity, Memory
from oakroot.primary.writing import Outcome, Submission
from oakroot.protocol.tsig import ReplyContext
from oakroot.roles.events import Request
from oakroot.roles.followers import TransferRules
from oakroot.roles.quota import Quota
from oakroot.zones.loaded import Edit, Loaded


class Task(enum.Enum):
    """What git is busy with. One thing at a time: a push wants to know what it is on top of."""

    NONE = "none"
    PULL = "pull"
    PUSH = "push"
    WRITE = "write"


@frozen
class Settings:
    """What the operator decides."""

    poll: float | None = None
    """Seconds between pulls that nobody asked for; None: none of those."""
    patience: float = 45.0
    """Seconds that a NOTIFY waits for its pull, or an update for its push, before it is answered SERVFAIL."""
    waiting_limit: int = 256
    """How many NOTIFYs may wait."""
    updates_limit: int = 1024
    """How many updates may wait."""
    updates_octets: int = 2**24
    """How many octets the updates that wait may have."""
    group_limit: int = 512
    """How many updates go into one commit."""
    retry: float = 1.0
    """Seconds until git is tried again after a failure; doubled with each further one."""
    retry_limit: float = 300.0
    transfer_rules: TransferRules = field(default_factory=TransferRules)
    """To whom zones are sent, and over what."""
    catalogs: tuple[Offer, ...] = ()
    """Lists of zones to offer."""


@frozen
class Waiting:
    """A NOTIFY that was found good, and waits for a pull to end."""

    request: Request
    query: bytes
    zone: dns.name.Name
    context: ReplyContext
    until: float

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal for a retransmission, also if it was signed anew."""
        return (self.request.peer, self.request.transport, self.query[:2], self.zone, self.context.key.name)


@frozen
class Asker:
    """Somebody who sent an update and awaits the answer: with this identifier, signed to suit."""

    request: Request
    context: ReplyContext
    identifier: bytes

    @property
    def whom(self) -> tuple[object, ...]:
        """Equal where one answer reaches both."""
        return (self.request.transport, self.request.peer, self.identifier)


@frozen
class Pending:
    """An update that waits for its commit. `is_answered`: it was told that this lasts too long."""

    submission: Submission
    askers: tuple[Asker, ...]
    query: bytes
    identity: Identity
    since: float
    """When it came."""
    until: float
    is_answered: bool = False


@frozen
class Attempt:
    """A commit that the remote may have or not, and the verdicts that hold if it has."""

    commit: str
    outcomes: tuple[Outcome, ...]


@frozen
class State:
    """A primary."""

    settings: Settings
    loaded: Loaded
    task: Task = Task.NONE
    waiting: tuple[Waiting, ...] = ()
    """NOTIFYs that the pull under way answers: they came before it began."""
    queued: tuple[Waiting, ...] = ()
    """NOTIFYs that came later: what they speak of may have been pushed too late for that pull."""
    pull_wanted: bool = False
    """Whether the operator asked for a pull while git was busy."""
    edits: tuple[Edit, ...] = ()
    """Serials that the repository should learn, on top of the commit that is loaded."""
    push_refused: bool = False
    """Whether the remote would not take these edits; asked again when there is a new commit."""
    updates: tuple[Pending, ...] = ()
    """Updates that wait, in the order of their arrival."""
    writing: tuple[Pending, ...] = ()
    """Updates of the commit that is under way; they came before those that wait."""
    attempts: tuple[Attempt, ...] = ()
    """Commits of the updates that wait, of which the next fetch tells whether they are there."""
    group: int | None = None
    """How many updates go into the next commit at most, after one of several was refused."""
    refusals: int = 0
    """How many updates in a row were refused, each alone in its commit."""
    memory: Memory = field(default_factory=Memory)
    arrivals: int = 0
    """How many updates there have been: the number of the next one."""
    trouble: str | None = None
    """Why git failed the last time."""
    next_pull: float | None = None
    """When to pull without being told."""
    failures: int = 0
    """How many times in a row git failed."""
    rounds: int = 0
    """How many pushes in a row left something to push."""
    quota: Quota = field(default_factory=Quota)
    versions: Versions = field(default_factory=Versions)
    """Earlier versions of zones, for IXFR."""
    recall_wanted: bool = False
    """Whether history is to be looked at for versions that were served before this process began."""
    is_recalling: bool = False
    """Whether that is being done; nobody is told of changes before it has ended."""
    catalogs: Catalogs = field(default_factory=dict)

    @property
    def published(self) -> Catalogue:
        """What anybody may ask for: lists of zones only where anybody may transfer them."""
        if not self.settings.transfer_rules.unsigned:
            return self.loaded.catalogue
        return self.loaded.catalogue.with_zones(list(self.catalogs.values()))


def new_state(settings: Settings) -> State:
    """A primary that serves nothing yet."""
    return State(settings, Loaded.nothing())
