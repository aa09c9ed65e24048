"""Plays every scenario with a secondary."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.script import Scenario, read_scenarios
from tests.scenarios.secondary_script import SecondaryPlayer

FILES = sorted((Path(__file__).parent / "secondary").glob("*.scenario"))


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(scenario, id=f"{path.stem}: {scenario.title}")
        for path in FILES
        for scenario in read_scenarios(path)
    ],
)
def test_scenario(scenario: Scenario) -> None:
    SecondaryPlayer().play(scenario)


def test_a_step_that_does_not_come_true_fails_its_scenario() -> None:
    key, primary = "a.192.0.2.1._transfer.mirage.", "192.0.2.1"
    lines = (f"key {key}", f"primary {primary} serves mirage. serial 1", "start", "serves mirage. 2")
    with pytest.raises(AssertionError, match=r"line 4: serves mirage\. 2"):
        SecondaryPlayer().play(Scenario("wrong", tuple(enumerate(lines, start=1))))
