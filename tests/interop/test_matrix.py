"""Plays every case of docs/interoperability.md with every peer, both ways, while Wireshark listens.

The pairs are played side by side: mostly they wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import peers_are_required
from tests.interop.followed import Followed
from tests.interop.following import Following
from tests.interop.matrix import PRIMARIES, SECONDARIES, YES, document
from tests.interop.pair import UNHEARD, Pair
from tests.interop.secondaries import SECONDARIES as SECONDARY_KINDS
from tests.peers.nameservers import DaemonNameserver
from tests.peers.primaries import PRIMARIES as PRIMARY_KINDS
from tests.peers.wiretap import Wiretap

SIDE_BY_SIDE = 4

Played = dict[str, Future[dict[str, str]]]


@pytest.fixture(scope="module")
def wiretap(require: Callable[[str], str]) -> bool:
    """Whether the wire can be listened to; in CI it must be."""
    require("tshark")
    allowed = Wiretap.is_allowed()
    assert allowed or not peers_are_required(), "capturing needs root"
    return allowed


@pytest.fixture(scope="module")
def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, *, wiretap: bool
) -> Iterator[Played]:
    """What comes of each case, by the test that wants to know, as soon as it has been played."""
    wanted = {item.name for item in request.session.items}

    def play(pair: Pair) -> dict[str, str]:
        with pair:
            return pair.play(wiretap=wiretap)

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        futures: Played = {}

        def begin(name: str, kind: type[DaemonNameserver], make: Callable[[Path], Pair]) -> None:
            test = f"{name}[{kind.name}]"
            if test in wanted and kind.find() is not None:
                futures[test] = pool.submit(play, make(tmp_path_factory.mktemp(kind.name)))

        for secondary, address in SECONDARY_KINDS:
            begin("test_a_secondary", secondary, partial(Following, secondary, address))
        for primary, address in PRIMARY_KINDS:
            begin("test_a_primary", primary, partial(Followed, primary, address))
        yield futures


def expected(outcomes: dict[str, str], *, wiretap: bool) -> dict[str, str]:
    """What is expected where perhaps nobody may listen."""
    return outcomes if wiretap else {**outcomes, "wire": UNHEARD}


def kinds(pairs: tuple[tuple[type[DaemonNameserver], str], ...]) -> pytest.MarkDecorator:
    """One test for each peer."""
    return pytest.mark.parametrize("kind", [kind for kind, _ in pairs], ids=lambda kind: kind.name)


@kinds(SECONDARY_KINDS)
def test_a_secondary(
    kind: type[DaemonNameserver], played: Played, require: Callable[[str], str], *, wiretap: bool
) -> None:
    require(kind.program)
    outcomes = played[f"test_a_secondary[{kind.name}]"].result()
    assert outcomes == expected(SECONDARIES.expected(kind.name), wiretap=wiretap)


@kinds(PRIMARY_KINDS)
def test_a_primary(
    kind: type[DaemonNameserver], played: Played, require: Callable[[str], str], *, wiretap: bool
) -> None:
    require(kind.program)
    outcomes = played[f"test_a_primary[{kind.name}]"].result()
    assert outcomes == expected(PRIMARIES.expected(kind.name), wiretap=wiretap)


def test_the_page_tells_what_is_so(project_root: Path) -> None:
    assert (project_root / "docs/interoperability.md").read_text() == document()


def test_every_outcome_is_one_of_a_case() -> None:
    for side in (SECONDARIES, PRIMARIES):
        for peer, outcomes in side.outcomes.items():
            assert outcomes.keys() <= side.cases.keys(), peer
            assert YES not in outcomes.values()
