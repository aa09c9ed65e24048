"""What scenarios are played on: a primary's core, a clock that only scenarios move, and a git remote.

The core is the real one, and so are zones, keys and answers. Made up are the clock, the remote, and packets
that come from nowhere. A pull sees what the remote held when the pull began, however late it ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from oakroot._engine import Catalogue
from oakroot.primary import core, events
from oakroot.primary.events import Action, Event, Fetch, Push
from oakroot.roles.events import Log, Moment, PacketReceived, Publish, SendReply, TimePassed
from oakroot.zones.load import SerialRules, load
from oakroot.zones.loaded import Loaded, Loading
from oakroot.zones.serials import SerialPolicy
from tests.zones.repositories import tree_of

WALL = 1_795_348_800.0  # 2026-11-22 12:00 UTC


@dataclass(frozen=True)
class Packet:
    """A request in the shape that the engine gives it."""

    wire: bytes
    transport: Literal["udp", "tcp"] = "udp"
    peer: tuple[str, int] = ("192.0.2.200", 40000)


@dataclass
class Remote:
    """A git remote: files, how many commits there were, and what is wrong with it."""

    files: dict[str, bytes] = field(default_factory=dict)
    commit: int = 1
    down: str | None = None
    read_only: str | None = None
    messages: list[str] = field(default_factory=list)

    def change(self, path: str, content: bytes | None) -> None:
        """A commit by somebody."""
        self.files = {name: text for name, text in self.files.items() if name != path}
        if content is not None:
            self.files[path] = content
        self.commit += 1


@dataclass
class Stage:
    """A primary and everything around it."""

    settings: core.Settings = field(default_factory=core.Settings)
    policy: SerialPolicy = "increment"
    remote: Remote = field(default_factory=Remote)
    now: Moment = field(default_factory=lambda: Moment(WALL, 1000.0))
    catalogue: Catalogue = field(default_factory=Catalogue)
    replies: list[tuple[Packet, bytes]] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)
    pulls: int = 0

    def __post_init__(self) -> None:
        self.state = core.new_state(self.settings)
        self.task: Fetch | Push | None = None
        self._seen = replace(self.remote)

    def happens(self, event: Event) -> None:
        """Tells the core, and does what it says."""
        self.state, actions = core.handle(self.state, event, self.now)
        for action in actions:
            self._carry_out(action)

    def receives(self, packet: Packet) -> None:
        """A packet arrives."""
        self.happens(PacketReceived(packet))

    def passes(self, seconds: float) -> None:
        """Time passes, and the core is woken whenever it asked to be."""
        end = self.now.monotonic + seconds
        while (wake := core.wake_at(self.state)) is not None and wake <= end:
            self._clock_to(max(wake, self.now.monotonic))
            self.happens(TimePassed())
        self._clock_to(end)

    def git_answers(self) -> None:
        """What git is busy with ends."""
        task, self.task = self.task, None
        assert task is not None, "git has nothing to do"
        self.happens(self._pulled(task) if isinstance(task, Fetch) else self._pushed(task))

    def _carry_out(self, action: Action) -> None:
        match action:
            case Log():
                self.logs.append(action)
            case SendReply(request, wire):
                assert isinstance(request, Packet)
                self.replies.append((request, wire))
            case Publish(catalogue):
                self.catalogue = catalogue
            case Fetch() | Push():
                assert self.task is None, "one thing at a time"
                self.task = action
                self.pulls += isinstance(action, Fetch)
                self._seen = replace(self.remote)

    def _pulled(self, task: Fetch) -> Event:
        if self.remote.down is not None:
            return events.FetchFailed(self.remote.down)
        if task.known.commit == str(self._seen.commit):
            return events.NothingNewFetched()
        return events.Fetched(self._load(self._seen.files, self._seen.commit, task.known))

    def _pushed(self, task: Push) -> Event:
        if self.remote.down is not None:
            return events.PushFailed(self.remote.down)
        if self.remote.read_only is not None:
            return events.PushRefused(self.remote.read_only)
        if task.known.commit != str(self.remote.commit):
            return events.PushOvertaken()
        for edit in task.edits:
            self.remote.files[edit.path] = edit.content
        self.remote.commit += 1
        self.remote.messages.append(task.message)
        return events.Pushed(self._load(self.remote.files, self.remote.commit, task.known))

    def _load(self, files: Mapping[str, bytes], commit: int, known: Loaded) -> Loading:
        return load(tree_of(files, str(commit)), known, SerialRules(self.policy, self.now.wall))

    def _clock_to(self, moment: float) -> None:
        self.now = Moment(self.now.wall + moment - self.now.monotonic, moment)
