"""Whatever happens in whatever order: the promises of a primary hold."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from oakroot.primary import core, events
from oakroot.primary.events import Fetch
from oakroot.zones.serials import is_forward
from tests.scenarios.script import Player
from tests.scenarios.stage import Packet
from tests.zones.repositories import BROKEN, zone_text

ZONES = ("one", "two")
LIMIT = 5


class Primary(RuleBasedStateMachine):
    """A remote that people push to, break and take away, and a primary that is told of it or not."""

    def __init__(self) -> None:
        super().__init__()
        self.player = Player()
        self.stage = self.player.stage
        self.stage.state = core.new_state(core.Settings(waiting_limit=LIMIT))
        self.numbers = 0
        self.awaited: dict[tuple[str, int], float] = {}
        self.served: dict[str, tuple[int, tuple[str, ...]]] = {}

    @initialize()
    def begin(self) -> None:
        for zone in ZONES:
            self.stage.remote.change(zone, zone_text(1))
        self._step("remote _keys keys any._notify.")
        self.stage.happens(events.Started())
        self.stage.git_answers()

    @rule(zone=st.sampled_from(ZONES), serial=st.integers(1, 5), host=st.integers(1, 3))
    def somebody_pushes(self, zone: str, serial: int, host: int) -> None:
        self.stage.remote.change(zone, zone_text(serial, f"www A 192.0.2.{host}"))

    @rule(zone=st.sampled_from(ZONES), content=st.sampled_from([BROKEN, None]))
    def somebody_breaks_or_removes(self, zone: str, content: bytes | None) -> None:
        self.stage.remote.change(zone, content)

    @rule(down=st.sampled_from([None, "gone"]), read_only=st.sampled_from([None, "read-only"]))
    def the_remote_changes_its_mind(self, down: str | None, read_only: str | None) -> None:
        self.stage.remote.down, self.stage.remote.read_only = down, read_only

    @rule(zone=st.sampled_from(ZONES))
    def a_notify_arrives(self, zone: str) -> None:
        self.numbers += 1
        self._step(f"notify {self.numbers} {zone}. by any._notify.")
        self._await(self.player.sent[str(self.numbers)].packet)

    @precondition(lambda self: self.numbers)
    @rule(data=st.data())
    def a_notify_arrives_again(self, data: st.DataObject) -> None:
        label = str(data.draw(st.integers(1, self.numbers)))
        self._await(self.player.sent[label].packet)
        self._step(f"again {label} anew")

    @rule(wire=st.binary(max_size=80))
    def anything_arrives(self, wire: bytes) -> None:
        self.stage.receives(Packet(wire, peer=("198.51.100.1", 1)))

    @rule()
    def somebody_hangs_up(self) -> None:
        self.stage.happens(events.PullRequested())

    @precondition(lambda self: self.stage.task is not None)
    @rule()
    def git_answers(self) -> None:
        self.stage.git_answers()

    @rule(seconds=st.floats(0.1, 100))
    def time_passes(self, seconds: float) -> None:
        self.stage.passes(seconds)

    @invariant()
    def replies_are_awaited_and_come_in_time(self) -> None:
        for packet, _ in self.stage.replies:
            if packet.peer[0] != "198.51.100.1":
                assert self.awaited.pop(packet.peer, None) is not None, "a second reply"
        self.stage.replies.clear()
        assert len(self.awaited) <= LIMIT
        assert all(until >= self.stage.now.monotonic for until in self.awaited.values()), "no reply in time"

    @invariant()
    def what_is_served_never_changes_under_one_serial(self) -> None:
        for apex in (f"{zone}." for zone in ZONES):
            zone = self.stage.catalogue.zone(apex)
            if zone is None:
                continue
            content = tuple(f"{owner} {kind} {rdata}" for owner, _, kind, rdata in zone.records()[1:])
            serial, before = self.served.get(apex, (zone.serial, content))
            assert serial == zone.serial or is_forward(serial, zone.serial), "a serial moved back"
            assert serial != zone.serial or content == before, "other content under the same serial"
            self.served[apex] = (zone.serial, content)

    @invariant()
    def git_is_busy_exactly_when_the_core_thinks_so(self) -> None:
        task = {type(None): "none", Fetch: "pull"}.get(type(self.stage.task), "push")
        assert self.stage.state.task.value == task

    def _step(self, line: str) -> None:
        words = line.split()
        self.player.step(words)

    def _await(self, packet: Packet) -> None:
        until = self.stage.now.monotonic + self.stage.settings.patience + 1
        self.awaited.setdefault(packet.peer, until)


TestPrimary = Primary.TestCase
TestPrimary.settings = settings(max_examples=60, stateful_step_count=40)
