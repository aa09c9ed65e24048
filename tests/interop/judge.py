"""Finds the unexplained: in each aspect, everybody whom no row excuses must say the same.

A row of `differences.ROWS` excuses one peer in one kind of case. Oakroot is never excused: it must say what
the peers without an excuse say. Where every peer is excused, Oakroot must side with at least one of them or,
when it is about the proof of a denial, have proved what it says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.interop.claims import unproven
from tests.interop.compare import ASPECTS, Case
from tests.interop.differences import ROWS, Difference

OAKROOT = "oakroot"


@dataclass(frozen=True)
class Finding:
    """A disagreement that no row explains."""

    case: Case
    aspect: str
    camps: tuple[tuple[str, ...], ...]
    """Who says the same, the excused left out unless all peers are."""


@dataclass
class Judgement:
    """What came of a comparison."""

    cases: int = 0
    unanimous: int = 0
    uses: Counter[str] = field(default_factory=Counter)
    """How many cases each row was needed for."""
    findings: list[Finding] = field(default_factory=list)


def judge(cases: Iterable[Case], rows: Sequence[Difference] = ROWS) -> Judgement:
    """Judges all cases."""
    judgement = Judgement()
    for case in cases:
        judgement.cases += 1
        if case.is_unanimous:
            judgement.unanimous += 1
            continue
        used: set[str] = set()
        for aspect in ASPECTS:
            camps = case.camps(aspect)
            if len(camps) > 1:
                finding = _judge_aspect(case, aspect, camps, rows, used)
                if finding is not None:
                    judgement.findings.append(finding)
        judgement.uses.update(used)
    return judgement


def _judge_aspect(
    case: Case, aspect: str, camps: list[list[str]], rows: Sequence[Difference], used: set[str]
) -> Finding | None:
    """None when the excuses leave one camp; the rows that were needed for that are added to `used`."""
    excuses = {
        server: [
            row.name
            for row in rows
            if server in row.peers and aspect in row.aspects and row.applies(case, server)
        ]
        for server in case.replies
        if server != OAKROOT
    }
    left = [kept for camp in camps if (kept := [server for server in camp if not excuses.get(server)])]
    if len(left) > 1:
        return Finding(case, aspect, tuple(map(tuple, left)))
    # Against one peer that has an excuse, the others not serving the zone, nothing speaks against Oakroot.
    stands_alone = left == [[OAKROOT]] and [OAKROOT] in camps and len(case.replies) > 2
    if stands_alone and not (aspect == "proof" and _has_proved(case)):
        return Finding(case, aspect, tuple(map(tuple, camps)))
    right = next((camp for camp in camps if left and set(left[0]) <= set(camp)), [])
    used.update(names[0] for server, names in excuses.items() if names and server not in right)
    return None


def _has_proved(case: Case) -> bool:
    return not unproven(case.responses[OAKROOT], case.query, case.world)
