"""Bounds of the primary's patience that no scenario reaches."""

from __future__ import annotations

from oakroot.primary import core
from tests.scenarios.script import Player, Scenario


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
