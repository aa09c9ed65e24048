"""Plays every case of docs/interoperability.md with every peer, both ways, while Wireshark listens.

The pairs are played side by side: mostly they wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import peers_are_required
from tests.interop.followed import Followed
from tests.interop.following import Following
from tests.interop.matrix import PRIMARIES, SECONDARIES, YES, document
from tests.interop.secondaries import SECONDARIES as SECONDARY_KINDS
from tests.peers.nameservers import DaemonNameserver
from tests.peers.primaries import PRIMARIES as PRIMARY_KINDS
from tests.peers.wiretap import Wiretap

SIDE_BY_SIDE = 4
_UNHEARD = "not listened to"

Played = dict[str, Future[dict[str, str]]]


@pytest.fixture(scope="module")
def wiretap(require: Callable[[str], str]) -> bool:
    """Whether the wire can be listened to; in CI it must be."""
    require("tshark")
    allowed = Wiretap.is_allowed()
    assert allowed or not peers_are_required(), "capturing needs root"
    return allowed


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, *, wiretap: bool) -> Iterator[Played]:
    """What comes of each case, by direction and peer, as soon as it has been played."""

    def play(pair: Following | Followed) -> dict[str, str]:
        with pair:
            return pair.play(wiretap=wiretap)

    def folder(name: str) -> Path:
        return tmp_path_factory.mktemp(name)

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        futures: Played = {}
        for secondary, address in SECONDARY_KINDS:
            if secondary.find() is not None:
                pair = Following(secondary, address, folder(f"to-{secondary.name}"))
                futures[f"to {secondary.name}"] = pool.submit(play, pair)
        for primary, address in PRIMARY_KINDS:
            if primary.find() is not None:
                followed = Followed(primary, address, folder(f"from-{primary.name}"))
                futures[f"from {primary.name}"] = pool.submit(play, followed)
        yield futures


def expected(outcomes: dict[str, str], *, wiretap: bool) -> dict[str, str]:
    """What is expected where perhaps nobody may listen."""
    return outcomes if wiretap else {**outcomes, "wire": _UNHEARD}


def kinds(pairs: tuple[tuple[type[DaemonNameserver], str], ...]) -> pytest.MarkDecorator:
    """One test for each peer."""
    return pytest.mark.parametrize("kind", [kind for kind, _ in pairs], ids=lambda kind: kind.name)


@kinds(SECONDARY_KINDS)
def test_what_comes_of_each_case_with_a_secondary(
    kind: type[DaemonNameserver], played: Played, require: Callable[[str], str], *, wiretap: bool
) -> None:
    require(kind.program)
    outcomes = played[f"to {kind.name}"].result()
    assert outcomes == expected(SECONDARIES.expected(kind.name), wiretap=wiretap)


@kinds(PRIMARY_KINDS)
def test_what_comes_of_each_case_with_a_primary(
    kind: type[DaemonNameserver], played: Played, require: Callable[[str], str], *, wiretap: bool
) -> None:
    require(kind.program)
    outcomes = played[f"from {kind.name}"].result()
    assert outcomes == expected(PRIMARIES.expected(kind.name), wiretap=wiretap)


def test_the_page_tells_what_is_so(project_root: Path) -> None:
    assert (project_root / "docs/interoperability.md").read_text() == document()


def test_every_outcome_is_one_of_a_case() -> None:
    for side in (SECONDARIES, PRIMARIES):
        for peer, outcomes in side.outcomes.items():
            assert outcomes.keys() <= side.cases.keys(), peer
            assert YES not in outcomes.values()
