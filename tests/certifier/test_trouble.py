"""Whatever goes wrong in whatever order: in the end there is one certificate, and nothing stays behind."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat

from hypothesis import given, settings
from hypothesis import strategies as st

from oakroot.certificates.orders import Problem
from oakroot.certifier.events import Probe, Question, SendUpdate, UpdateLost
from tests.certificates.minting import new_request
from tests.certifier.authority import DOWN
from tests.certifier.stage import Outcome, Stage

WWW = "www.example.org"
LOST = UpdateLost("no answer in time")

_ANSWERS = st.lists(st.sampled_from(["well", "down"]), max_size=8)
_UPDATES = st.lists(st.sampled_from(["taken", "lost", "taken, and the answer lost"]), max_size=6)
_PROBES = st.lists(st.sampled_from(["there", "missing", "silent"]), max_size=4)
_RESTARTS = st.lists(st.floats(min_value=0.05, max_value=20.0), max_size=4)


@settings(max_examples=60)
@given(_ANSWERS, _UPDATES, _PROBES, _RESTARTS)
def test_in_the_end_all_is_well(
    answers: list[str], updates: list[str], probes: list[str], restarts: list[float]
) -> None:
    stage = Stage()
    _let_happen(stage, _then(answers, "well"), _then(updates, "taken"), _then(probes, "there"))
    stage.publish(WWW, der=new_request(WWW, "*.www.example.org"))
    for pause in restarts:
        stage.run(pause)
        stage.start()
    stage.run(3600)
    assert stage.certified(WWW), stage.logs
    assert len(stage.authority.certificates) == 1
    assert stage.challenges() == []
    assert stage.remembered == {}
    assert stage.state.tickets == {}
    assert stage.state.at_work == 0


def _then(told: list[str], usual: str) -> Iterator[str]:
    return chain(told, repeat(usual))


def _let_happen(stage: Stage, answers: Iterator[str], updates: Iterator[str], probes: Iterator[str]) -> None:
    def answer(_: Question) -> Problem | None:
        return DOWN if next(answers) == "down" else None

    def update(action: SendUpdate) -> Outcome | None:
        told = next(updates)
        if told == "taken":
            return None
        if told != "lost":
            stage.take(action)
        return LOST

    def probe(_: Probe) -> tuple[tuple[str, ...], tuple[str, ...]]:
        told = next(probes)
        return (("ns1 lacks it",) if told == "missing" else ()), (("ns1",) if told == "silent" else ())

    stage.authority.problem, stage.primary, stage.prober = answer, update, probe
