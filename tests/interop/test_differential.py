"""Oakroot, NSD, Knot DNS and BIND serve the same generated zones and are asked the same questions.

What differs must be in `differences.ROWS`, and Oakroot must never stand apart. `OAKROOT_INTEROP_SCALE=0.1`
makes a smaller run of the same mixture while working on the engine; the sizes are then not checked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.interop.claims import unproven
from tests.interop.compare import Case
from tests.interop.differences import REFUSALS, ROWS
from tests.interop.exchange import size_limit
from tests.interop.judge import OAKROOT, Judgement, judge
from tests.interop.report import document, summary, tell
from tests.interop.run import Comparison, Refusal
from tests.interop.terminal import SUMMARY
from tests.peers.nameservers import PEERS
from tests.peers.oakroot import Oakroot

SCALE = float(os.environ.get("OAKROOT_INTEROP_SCALE", "1"))
FEWEST_ZONES = 500
FEWEST_QUERIES = 20_000


@dataclass(repr=False)
class Outcome:
    """Everything that the tests below look at, from one run: too much for a failed test to spell out."""

    comparison: Comparison
    judgement: Judgement
    bogus: list[str] = field(default_factory=list)
    """Questions whose negative answer by Oakroot is not proved."""
    oversized: list[str] = field(default_factory=list)
    truncated_needlessly: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def outcome(
    tmp_path_factory: pytest.TempPathFactory, require: Callable[[str], str], pytestconfig: pytest.Config
) -> Outcome:
    for program in (*(peer.program for peer in PEERS), "dnssec-signzone", "ldns-signzone"):
        require(program)
    directory: Path = tmp_path_factory.mktemp("interop")
    comparison = Comparison((*PEERS, Oakroot), directory, scale=SCALE)
    outcome = Outcome(comparison, Judgement())
    outcome.judgement = judge(_noting(outcome, comparison.cases()))
    pytestconfig.stash[SUMMARY] = summary(comparison, outcome.judgement)
    return outcome


def _noting(outcome: Outcome, cases: Iterator[Case]) -> Iterator[Case]:
    """Passes the cases on and notes what is wrong with Oakroot's answers whatever others say."""
    for case in cases:
        reply = case.replies.get(OAKROOT)
        if reply is not None and reply.response is not None:
            where = f"{case.query} in {case.zone.apex}"
            outcome.bogus += [
                f"{where}: {claim}" for claim in unproven(reply.response, case.query, case.world)
            ]
            limit = size_limit(case.query)
            if reply.size > limit and not reply.was_truncated:
                outcome.oversized.append(where)
            if reply.size <= limit and reply.was_truncated:
                outcome.truncated_needlessly.append(where)
        yield case


@pytest.mark.skipif(SCALE < 1, reason="a smaller run was asked for")
def test_there_are_enough_zones_and_questions(outcome: Outcome) -> None:
    assert outcome.comparison.zones >= FEWEST_ZONES
    assert outcome.judgement.cases >= FEWEST_QUERIES


def test_no_difference_is_unexplained(outcome: Outcome) -> None:
    if outcome.judgement.findings:
        # Not an assertion: its report would spell out every case.
        pytest.fail(tell(outcome.judgement.findings), pytrace=False)


@pytest.mark.skipif(SCALE < 1, reason="a smaller run was asked for")
def test_every_row_is_needed(outcome: Outcome) -> None:
    assert [row.name for row in ROWS if not outcome.judgement.uses[row.name]] == []


def test_zones_that_are_not_served_are_known(outcome: Outcome) -> None:
    assert [refusal for refusal in outcome.comparison.refusals if not _is_known(refusal)] == []


def _is_known(refusal: Refusal) -> bool:
    return any(
        refusal.theme == known.theme
        and refusal.server in known.servers
        and (not known.apexes or refusal.apex in known.apexes)
        for known in REFUSALS
    )


def test_oakroot_proves_what_it_denies(outcome: Outcome) -> None:
    assert outcome.bogus == []


def test_oakroots_datagrams_keep_to_the_limit(outcome: Outcome) -> None:
    assert outcome.oversized == []


def test_oakroot_truncates_only_what_does_not_fit(outcome: Outcome) -> None:
    assert outcome.truncated_needlessly == []


def test_the_documented_differences_are_the_tested_ones(project_root: Path) -> None:
    assert (project_root / "docs" / "differences.md").read_text() == document()
