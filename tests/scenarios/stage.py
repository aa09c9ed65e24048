"""What scenarios are played on: a primary's core, a clock that only scenarios move, and a git remote.

The core is the real one, and so are zones, keys and answers. Made up are the clock, the remote, and packets
that come from nowhere. A pull sees what the remote held when the pull began, however late it ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from oakroot._engine import Catalogue
from oakroot.primary import core, events
from oakroot.primary.events import Action, Event, Fetch, Push, Recall, Write
from oakroot.primary.words import Written, commit_message
from oakroot.primary.writing import Draft, write_group
from oakroot.roles.events import Log, Moment, PacketReceived, Publish, SendReply, TimePassed, Transport
from oakroot.zones.edited import take_edited
from oakroot.zones.edits import ZoneText, read_zone_text
from oakroot.zones.load import SerialRules, load
from oakroot.zones.loaded import Loaded, LoadedZone, Loading
from oakroot.zones.serials import SerialPolicy
from oakroot.zones.tree import Tree
from tests.zones.repositories import tree_of

WALL = 1_795_348_800.0  # 2026-11-22 12:00 UTC


@dataclass(frozen=True)
class Packet:
    """A request in the shape that the engine gives it."""

    wire: bytes
    transport: Transport = "udp"
    peer: tuple[str, int] = ("192.0.2.200", 40000)


@dataclass
class Remote:
    """A git remote: files, how many commits there were, and what is wrong with it."""

    files: dict[str, bytes] = field(default_factory=dict)
    commit: int = 1
    down: str | None = None
    read_only: str | None = None
    messages: list[str] = field(default_factory=list)
    loses_answers: str | None = None
    """Why nobody hears what becomes of pushes, which do reach it."""
    minds: str | None = None
    """What must not be in any file."""
    ours: set[str] = field(default_factory=set)
    """The commits of updates."""

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
    trees: dict[str, Tree] = field(default_factory=dict)
    """What the commits hold that were looked at."""

    def __post_init__(self) -> None:
        self.state = core.new_state(self.settings)
        self.task: Fetch | Push | Write | None = None
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
        match task:
            case Fetch():
                self.happens(self._pulled(task))
            case Push():
                self.happens(self._pushed(task))
            case Write():
                self.happens(self._written(task))

    def _carry_out(self, action: Action) -> None:
        match action:
            case Log():
                self.logs.append(action)
            case SendReply(request, wire):
                assert isinstance(request, Packet)
                self.replies.append((request, wire))
            case Publish(catalogue):
                self.catalogue = catalogue
            case Recall():
                self.happens(events.Recalled({}, 0))
            case Fetch() | Push() | Write():
                assert self.task is None, "one thing at a time"
                self.task = action
                self.pulls += isinstance(action, Fetch)
                self._seen = replace(self.remote)

    def _pulled(self, task: Fetch) -> Event:
        if self.remote.down is not None:
            return events.FetchFailed(self.remote.down)
        if task.known.commit == str(self._seen.commit):
            return events.NothingNewFetched()
        landed = next((commit for commit in task.attempts if commit in self._seen.ours), None)
        return events.Fetched(self._load(self._seen.files, self._seen.commit, task.known), landed=landed)

    def _pushed(self, task: Push) -> Event:
        if self.remote.down is not None:
            return events.PushFailed(self.remote.down)
        if self.remote.read_only is not None:
            return events.PushRefused(self.remote.read_only)
        if task.known.commit != str(self.remote.commit):
            return events.PushOvertaken()
        self.remote.files = {**self.remote.files, **{edit.path: edit.content for edit in task.edits}}
        self.remote.commit += 1
        self.remote.messages.append(task.message)
        return events.Pushed(self._load(self.remote.files, self.remote.commit, task.known))

    def _written(self, task: Write) -> Event:
        """Judges and edits for real; the remote takes it or not."""
        if self.remote.down is not None:
            return events.WriteFailed(self.remote.down)
        tree = self.trees[task.known.commit or ""]

        def read(zone: LoadedZone) -> ZoneText:
            return read_zone_text(tree, zone.path, zone.apex)

        draft = write_group(task.submissions, task.known, read, SerialRules(self.policy, self.now.wall))
        if not draft.contents:
            return events.Written(draft.outcomes, None)
        if self.remote.read_only is not None:
            return events.WriteRefused(draft.outcomes, self.remote.read_only)
        if task.known.commit != str(self.remote.commit):
            return events.WriteOvertaken()
        minds = self.remote.minds
        if minds is not None and any(minds.encode() in content for content in draft.contents.values()):
            return events.WriteRefused(draft.outcomes, f"the remote minds {minds}")
        return self._committed(task, draft)

    def _committed(self, task: Write, draft: Draft) -> Event:
        self.remote.files = {**self.remote.files, **draft.contents}
        self.remote.commit += 1
        commit = str(self.remote.commit)
        self.remote.ours.add(commit)
        pairs = zip(task.submissions, draft.outcomes, strict=True)
        written = [
            Written(done.apex or "", done.words, asked.signer.key.name.to_text(), asked.client)
            for asked, done in pairs
            if done.words
        ]
        serials = {apex: version.zone.serial for apex, version in draft.edited.items()}
        self.remote.messages.append(commit_message(written, serials))
        if self.remote.loses_answers is not None:
            return events.WriteFailed(self.remote.loses_answers, commit, draft.outcomes)
        read = self._load(self.remote.files, self.remote.commit, task.known)
        blobs = {path: self.trees[commit].files[path] for path in draft.contents}
        loading = take_edited(task.known, commit, draft.edited, blobs, task.edits)
        for apex, zone in read.loaded.zones.items():
            taken = loading.loaded.zones[apex].zone
            assert zone.zone is not None
            assert taken is not None
            assert zone.zone.difference(taken) == ([], []), "what is served is not what is in git"
        return events.Written(draft.outcomes, loading)

    def _load(self, files: Mapping[str, bytes], commit: int, known: Loaded) -> Loading:
        tree = self.trees[str(commit)] = tree_of(files, str(commit))
        return load(tree, known, SerialRules(self.policy, self.now.wall))

    def _clock_to(self, moment: float) -> None:
        self.now = Moment(self.now.wall + moment - self.now.monotonic, moment)
