"""The options about catalog zones."""

from __future__ import annotations

import pytest

from oakroot.cli import CommandError, Exit
from oakroot.cli.catalogs import offers
from tests.protocol.keys import name


def test_catalog_zones_of_all_zones_and_of_some_with_their_groups() -> None:
    every, some = offers(["catalog.invalid", "list.example.org=example.org"], ["blue=example.org"])
    assert (every.name, every.root) == (name("catalog.invalid."), name("."))
    assert (some.apex, some.root) == ("list.example.org.", name("example.org."))
    members = list(every.members(["www.example.org.", "example.net.", "example.org."]))
    assert members == [("example.net.", None), ("example.org.", "blue"), ("www.example.org.", "blue")]
    assert [apex for apex, _ in some.members(["example.net.", "xexample.org.", "a.example.org."])] == [
        "a.example.org."
    ]


def test_the_group_of_the_nearest_name_counts() -> None:
    (offer,) = offers(["c.invalid"], ["a=example.org", "b=sub.example.org", "z=."])
    found = dict(offer.members(["example.org.", "x.sub.example.org.", "example.net."]))
    assert found == {"example.org.": "a", "x.sub.example.org.": "b", "example.net.": "z"}


@pytest.mark.parametrize(
    ("catalogs", "groups", "reason"),
    [
        (["a..b"], [], "a..b is no domain name"),
        (["."], [], "no name for a catalog zone"),
        (["invalid"], [], "no name for a catalog zone"),
        (["c.invalid", "C.invalid."], [], "is given twice"),
        (["c.invalid"], ["blue"], "blue is no GROUP=ZONE"),
        (["c.invalid"], ['"=example.org'], "is no GROUP=ZONE"),
        (["c.invalid"], ["blue=a..b"], "a..b is no domain name"),
        ([], ["blue=example.org"], "of no use without --catalog"),
    ],
)
def test_what_is_no_catalog_zone_is_named(catalogs: list[str], groups: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason) as caught:
        offers(catalogs, groups)
    assert caught.value.exit_code == Exit.USAGE
