"""What a secondary's scenarios are played on: its core, a clock that only scenarios move, and primaries.

The core is the real one, and so are zones, keys, signatures and transfers. Made up are the clock, the
network, the disk, and the primaries behind the network. What is sent arrives at once, unless a scenario holds
it back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import dns.name

from oakroot._engine import Catalogue, Zone
from oakroot.distribution.actions import Enlist, NoteAsked, Remind, SendTransfer, Spread
from oakroot.keys.key import Key
from oakroot.protocol.transfer_client import Failed, Limits, Progress, Step, Transfer
from oakroot.protocol.wire import read_question
from oakroot.roles.events import Transport
from oakroot.secondary import core, events
from oakroot.secondary.events import Action, Event, Log, Moment, StoredZone
from oakroot.secondary.sources import NOWHERE, Listening, Plan, Server, make_plan
from tests.secondary.authority import Authority

WALL = 1_795_348_800.0  # 2026-11-22 12:00 UTC


@dataclass
class Primary:
    """A primary, and what is wrong with it or with the way to it."""

    authority: Authority
    down: str | None = None
    silent: bool = False
    keeps_links: bool = True
    cuts_transfers_after: int | None = None
    questions: int = 0
    """How many messages it got over links."""
    connections: int = 0
    """How many links were opened, or tried."""
    heard: list[bytes] = field(default_factory=list)
    """Its requests' replies that came back over links."""


@dataclass(frozen=True)
class Packet:
    """A request in the shape that the engine gives it."""

    wire: bytes
    transport: Transport = "udp"
    peer: tuple[str, int] = ("192.0.2.200", 40000)


class Stage:
    """A secondary and everything around it."""

    def __init__(self) -> None:
        self.settings = core.Settings()
        self.keys: list[Key] = []
        self.default_primary: Server | None = None
        self.own: str | None = None
        self.primaries: dict[str, Primary] = {}
        self.now = Moment(WALL, 1000.0)
        self.state: core.State | None = None
        self.catalogue = Catalogue()
        self.replies: list[tuple[object, bytes]] = []
        self.logs: list[Log] = []
        self.disk: dict[str, StoredZone] = {}
        self.links: set[Server] = set()
        self.transfers: deque[events.StartTransfer] = deque()
        self.holds_transfers = False
        self.holds_answers = False
        self.transfer_count = 0
        self.spread: list[tuple[str, int | None]] = []
        self.distributed: list[SendTransfer | Enlist | Remind | NoteAsked] = []
        self._arriving: deque[Event] = deque()

    def starts(self) -> None:
        """A process begins: what is not on disk is new."""
        self.catalogue = Catalogue()
        self.links.clear()
        self.transfers.clear()
        self._arriving.clear()
        self.state = core.new_state(self.settings, self.plan())
        self.happens(events.Started(tuple(self.disk.values())))

    def plan(self) -> Plan:
        """What the keys say."""
        listening = NOWHERE if self.own is None else Listening(((self.own, 53),), lambda _: False)
        return make_plan(self.keys, self.default_primary, listening)

    def rereads(self) -> None:
        """SIGHUP, after the operator has changed keys or settings."""
        settings = self.settings
        self.happens(events.Replanned(self.plan(), settings.transfers, settings.transfer_rules))
        self.happens(events.RefreshRequested())

    def happens(self, event: Event) -> None:
        """Tells the core, and goes on until nothing is on its way any more."""
        self._arriving.append(event)
        while self._arriving:
            assert self.state is not None, "the scenario has no start"
            self.state, actions = core.handle(self.state, self._arriving.popleft(), self.now)
            for action in actions:
                self._carry_out(action)
            if not self.holds_transfers:
                self.end_transfers()

    def passes(self, seconds: float) -> None:
        """Time passes, and the core is woken whenever it asked to be."""
        assert self.state is not None, "the scenario has no start"
        end = self.now.monotonic + seconds
        while (wake := core.wake_at(self.state)) is not None and wake <= end:
            before = self.now.monotonic
            self._clock_to(max(wake, before))
            self.happens(events.TimePassed())
            after = core.wake_at(self.state)
            assert after is None or after > before, "the core must not be woken again and again"
        self._clock_to(end)

    def sleeps(self, seconds: float) -> None:
        """The process stands still while the clocks go on; then it is woken."""
        self._clock_to(self.now.monotonic + seconds)
        self.happens(events.TimePassed())

    def hangs_up(self, server: Server, reason: str = "it closed the connection") -> None:
        """The primary ends the link."""
        if server in self.links:
            self.links.remove(server)
            self.happens(events.LinkClosed(server, reason))

    def end_transfers(self) -> None:
        """Transfers that were started come to their ends."""
        while self.transfers:
            self._arriving.append(self._transferred(self.transfers.popleft()))

    def served(self, apex: str) -> Zone | None:
        """What is published of a zone."""
        return self.catalogue.zone(apex)

    def _carry_out(self, action: Action) -> None:  # noqa: C901, PLR0912 - one arm for each action
        match action:
            case Log():
                self.logs.append(action)
            case events.SendReply(request, wire):
                self._reply(request, wire)
            case events.Publish(catalogue):
                self.catalogue = catalogue
            case events.OpenLink(server, _):
                self._open(server)
            case events.AskLink(server, wire):
                self._ask(server, wire)
            case events.CloseLink(server):
                self.links.discard(server)
            case events.StartTransfer():
                self.transfers.append(action)
                self.transfer_count += 1
            case events.StoreZone(zone, checked):
                self.disk[zone.apex] = StoredZone(zone, checked)
            case events.StoreCheck(apex, serial, checked):
                assert self.disk[apex].zone.serial == serial
                self.disk[apex] = StoredZone(self.disk[apex].zone, checked)
            case events.ForgetZone(apex):
                self.disk.pop(apex, None)
            case Spread(news):
                for apex in news.changed:
                    after = news.catalogue.zone(apex)
                    self.spread.append((apex, None if after is None else after.serial))
            case SendTransfer() | Enlist() | Remind() | NoteAsked():
                self.distributed.append(action)

    def _reply(self, request: object, wire: bytes) -> None:
        self.replies.append((request, wire))
        if isinstance(request, events.LinkRequest):
            self.primaries[request.server.address].heard.append(wire)

    def _open(self, server: Server) -> None:
        assert server not in self.links, "a link is opened once"
        primary = self.primaries.get(server.address)
        if primary is None or primary.down is not None:
            reason = "no route to host" if primary is None or primary.down is None else primary.down
            self._count(primary)
            self._arriving.append(events.LinkClosed(server, reason))
            return
        self._count(primary)
        self.links.add(server)
        self._arriving.append(events.LinkOpened(server))

    def _count(self, primary: Primary | None) -> None:
        if primary is not None:
            primary.connections += 1

    def _ask(self, server: Server, wire: bytes) -> None:
        if server not in self.links:
            return  # It is gone, and the core is about to hear of that.
        primary = self.primaries[server.address]
        # The question for `.` that goes with every connection asks for nothing.
        primary.questions += read_question(wire).name != dns.name.root
        if primary.silent or self.holds_answers:
            return
        for reply in primary.authority.replies(wire, int(self.now.wall)):
            self._arriving.append(events.LinkHeard(server, reply))

    def _transferred(self, action: events.StartTransfer) -> Event:
        transfer = Transfer(action.zone, action.source.key, action.base, Limits(messages=100))
        primary = self.primaries[action.source.server.address]
        if primary.down is not None:
            return events.TransferEnded(action.number, Failed(primary.down), 0.0)
        step: Step = Progress.ANEW
        while step is Progress.ANEW:
            step = self._attempt(transfer, primary)
        assert not isinstance(step, Progress)
        return events.TransferEnded(action.number, step, 0.25, tuple(transfer.doubts))

    def _attempt(self, transfer: Transfer, primary: Primary) -> Step:
        """One connection of a transfer."""
        now = int(self.now.wall)
        replies: Sequence[bytes] = primary.authority.replies(transfer.begin(7, now), now)
        step: Step = Progress.MORE
        for wire in replies[: primary.cuts_transfers_after]:
            if step is Progress.MORE:
                step = transfer.receive(wire, now)
        return transfer.cut("the connection was closed") if step is Progress.MORE else step

    def _clock_to(self, moment: float) -> None:
        self.now = Moment(self.now.wall + moment - self.now.monotonic, moment)
