"""Whether name servers agree about a zone: the judgement, and the asking with made-up servers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from oakroot._engine import Catalogue, read_zone
from oakroot.operate.agreement import Heard, Standing, judge
from oakroot.operate.nameservers import SERVERS_LIMIT, Nameservers
from oakroot.operate.overview import Condition, Overview, Zone

TEXT = """\
$ORIGIN example.org.
@    3600 SOA ns1 hostmaster 7 1d 2h 2w 1h
     3600 NS ns1
     3600 NS ns2.example.net.
ns1  3600 A 192.0.2.1
     3600 AAAA 2001:db8::1
"""


def catalogue() -> Catalogue:
    held, findings = read_zone(TEXT.encode(), "example.org.", "example.org")
    assert held is not None, findings
    return Catalogue().with_zones([held])


CATALOGUE = catalogue()


@pytest.mark.parametrize(
    ("ours", "theirs", "standing", "distance"),
    [
        (7, 7, Standing.AGREES, 0),
        (7, 5, Standing.BEHIND, 2),
        (7, 9, Standing.AHEAD, 2),
        (1, 2**32 - 1, Standing.BEHIND, 2),
        (2**32 - 1, 1, Standing.AHEAD, 2),
    ],
)
def test_serials_are_compared_around_their_wrap(
    ours: int, theirs: int, standing: Standing, distance: int
) -> None:
    verdict = judge(ours, [Heard("ns1", theirs)])
    assert verdict.standings == (("ns1", standing),)
    assert verdict.divergence == distance


def test_lame_and_silent_servers_are_told_apart() -> None:
    verdict = judge(7, [Heard("a"), Heard("b", is_silent=True)])
    assert [standing for _, standing in verdict.standings] == [Standing.LAME, Standing.SILENT]
    assert verdict.divergence == 0


def overview() -> Overview:
    return Overview("primary", "1", 0.0, 0.0, zones=(Zone("example.org.", Condition.CURRENT, 7),))


def asked(answers: dict[str, Heard], resolved: Sequence[str]) -> Nameservers:
    async def ask(_apex: str, address: str) -> Heard:
        return answers.get(address, Heard(address, is_silent=True))

    async def resolve(_name: str) -> Sequence[str]:
        return resolved

    nameservers = Nameservers(overview, lambda: CATALOGUE, ask, resolve)
    asyncio.run(nameservers.look("example.org."))
    return nameservers


def test_all_addresses_of_all_name_servers_are_asked() -> None:
    answers = {"192.0.2.1": Heard("", 7), "2001:db8::1": Heard("", 6), "198.51.100.2": Heard("", 8)}
    verdict = asked(answers, ["198.51.100.2"]).verdicts["example.org."]
    assert dict(verdict.standings) == {
        "ns1.example.org. (192.0.2.1)": Standing.AGREES,
        "ns1.example.org. (2001:db8::1)": Standing.BEHIND,
        "ns2.example.net. (198.51.100.2)": Standing.AHEAD,
    }


def test_so_many_addresses_are_asked_and_no_more() -> None:
    verdict = asked({}, [f"198.51.100.{number}" for number in range(100)]).verdicts["example.org."]
    assert verdict.count(Standing.SILENT) == SERVERS_LIMIT


def test_a_name_that_nobody_knows_leaves_the_others() -> None:
    verdict = asked({"192.0.2.1": Heard("", 7)}, []).verdicts["example.org."]
    assert verdict.count(Standing.AGREES) == 1
