"""Bounds of the primary's patience that no scenario reaches."""

from __future__ import annotations

from oakroot.distribution.actions import Spread
from oakroot.primary import core, events
from oakroot.primary.events import Fetch, Recall
from oakroot.roles.events import Moment
from tests.scenarios.script import Player, Scenario
from tests.zones.repositories import NOON, Repository, zone_text


def test_nobody_waits_for_history_and_all_are_told_once_it_is_known() -> None:
    repository, now = Repository(), Moment(NOON, 1000.0)
    state, _ = core.handle(core.new_state(core.Settings()), events.Started(), now)
    state, actions = core.handle(state, events.Fetched(repository.holds({"mirage": zone_text(1)})), now)
    assert [type(action) for action in actions if isinstance(action, Recall | Spread)] == [Recall]
    state, actions = core.handle(state, events.PullRequested(), now)
    assert [type(action) for action in actions] == [Fetch]
    state, actions = core.handle(state, events.Fetched(repository.changes({"mirage": zone_text(2)})), now)
    assert not any(isinstance(action, Recall | Spread) for action in actions)
    state, actions = core.handle(state, events.Recalled({}, 0), now)
    [spread] = [action for action in actions if isinstance(action, Spread)]
    assert set(spread.news.changed) == {"mirage."}


def test_only_so_many_notifies_wait() -> None:
    player = Player()
    player.stage.state = core.new_state(core.Settings(waiting_limit=2))
    lines = (
        "remote mirage serial 1",
        "remote _keys keys any._notify.",
        "start",
        "git answers",
        "notify first mirage. by any._notify.",
        "notify second mirage. by any._notify.",
        "notify third mirage. by any._notify.",
        'reply third SERVFAIL "too many NOTIFYs are waiting"',
        "git answers",
        "reply first NOERROR",
        "git answers",
        "reply second NOERROR",
    )
    player.play(Scenario("a crowd", tuple(enumerate(lines, start=1))))
