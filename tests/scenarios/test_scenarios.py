"""Plays every scenario of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.script import Player, Scenario, read_scenarios

FILES = sorted(Path(__file__).parent.glob("*.scenario"))


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(scenario, id=f"{path.stem}: {scenario.title}")
        for path in FILES
        for scenario in read_scenarios(path)
    ],
)
def test_scenario(scenario: Scenario) -> None:
    Player().play(scenario)


def test_a_step_that_does_not_come_true_fails_its_scenario() -> None:
    with pytest.raises(AssertionError, match=r"line 2: serves mirage\. 1"):
        Player().play(Scenario("no zone", ((1, "start"), (2, "serves mirage. 1"))))
