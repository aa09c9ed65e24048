"""Who is told of a zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from oakroot._engine import Catalogue
from oakroot.distribution.targets import (
    NO_PORT,
    Configured,
    Directory,
    Enlisted,
    KeySecondaries,
    NameServers,
    Target,
)
from oakroot.keys.key import Key
from tests.distribution.stage import FakeLink
from tests.protocol.keys import keyring, make_key, name
from tests.secondary.authority import make_zone

APEX = "example.org."
ZONE = name(APEX)


def servers(*records: str) -> tuple[str, ...]:
    """The addresses found for a zone with these records."""
    return NameServers(Catalogue().with_zones([make_zone(1, *records)])).of(APEX)


def directory(*keys: Key, configured: Sequence[Configured] = (), own: Sequence[str] = ()) -> Directory:
    ring = keyring(*keys)
    places = frozenset((address, 53) for address in own)
    return Directory(ring, KeySecondaries(ring, 53), configured, 53, places)


def test_the_primary_master_is_not_told() -> None:
    assert servers() == ()


def test_both_kinds_of_addresses_are_found() -> None:
    assert servers("@ NS ns2", "ns2 A 192.0.2.2", "ns2 AAAA 2001:db8::2") == ("192.0.2.2", "2001:db8::2")


def test_name_servers_below_a_delegation_are_found_by_their_glue() -> None:
    assert servers("@ NS ns.sub", "sub NS ns.sub", "ns.sub A 192.0.2.3") == ("192.0.2.3",)


def test_name_servers_in_another_zone_of_ours_are_found() -> None:
    zones = [make_zone(1, "@ NS ns.example.com."), make_zone(1, "ns A 192.0.2.4", apex="example.com.")]
    assert NameServers(Catalogue().with_zones(zones)).of(APEX) == ("192.0.2.4",)


@pytest.mark.parametrize("server", ["NS2", r"n\.s", r"a\.b.c\.d", r"n\101s"])
def test_name_servers_are_found_however_their_names_are_written(server: str) -> None:
    assert servers(f"@ NS {server}", f"{server.lower()} A 192.0.2.6") == ("192.0.2.6",)
    assert servers(f"@ NS {server}.beside.example.org.", f"{server}.Beside A 192.0.2.7") == ("192.0.2.7",)


def test_the_primary_master_is_known_in_any_case() -> None:
    assert servers("@ NS NS1", "ns1 A 192.0.2.1") == ()


def test_name_servers_of_others_have_no_address_here() -> None:
    assert servers("@ NS ns.example.com.") == ()


def test_two_names_of_one_address_are_one_server() -> None:
    records = ["@ NS a", "@ NS b", "a A 192.0.2.5", "b A 192.0.2.5"]
    assert servers(*records) == ("192.0.2.5",)


def test_a_zone_that_is_not_here_has_no_name_servers() -> None:
    assert NameServers(Catalogue()).of(APEX) == ()


@pytest.mark.parametrize("zone", ["example.org.", "org.", ""])
def test_secondaries_in_keys_of_the_zone_and_of_those_above_are_told(zone: str) -> None:
    key = make_key(f"192.0.2.1.192.0.2.6._transfer.{zone}")
    assert directory(key).targets(ZONE, (), ()) == (Target("192.0.2.6", 53, (key,), source="192.0.2.1"),)


@pytest.mark.parametrize(
    "key",
    [
        "192.0.2.1.192.0.2.6._transfer.sub.example.org.",
        "192.0.2.1.192.0.2.6._transfer.example.com.",
        "192.0.2.1.192.0.2.6._update.example.org.",
        "192.0.2.6._transfer.example.org.",
    ],
)
def test_other_keys_name_no_secondary_of_this_zone(key: str) -> None:
    assert directory(make_key(key)).targets(ZONE, (), ()) == ()


def test_a_name_server_that_a_key_names_is_told_once_signed() -> None:
    key = make_key("192.0.2.1.192.0.2.6._transfer.")
    found = directory(key).targets(ZONE, ["192.0.2.6", "192.0.2.7"], ())
    assert found == (Target("192.0.2.6", 53, (key,), source="192.0.2.1"), Target("192.0.2.7", 53))


def test_while_one_key_replaces_another_both_are_known() -> None:
    old, new = (make_key(f"{year}.192.0.2.1.192.0.2.6._transfer.example.org.") for year in ("old", "new"))
    (target,) = directory(old, new).targets(ZONE, (), ())
    assert set(target.keys) == {old, new}


def test_a_secondary_with_an_ipv6_address_is_told() -> None:
    key = make_key("2001-db8--1.2001-db8--2._transfer.example.org.")
    assert directory(key).targets(ZONE, ["2001:db8::2"], ()) == (
        Target("2001:db8::2", 53, (key,), source="2001:db8::1"),
    )


def test_whom_the_operator_names_is_told() -> None:
    mine, ours = make_key("mine._notify."), make_key("ours._transfer.")
    configured = [
        Configured("192.0.2.8", 5353, mine),
        Configured("192.0.2.9", 53, ours.name),
        Configured("192.0.2.10", 53),
        Configured("192.0.2.11", 53, name("unknown._notify.")),
    ]
    assert directory(ours, configured=configured).targets(ZONE, (), ()) == (
        Target("192.0.2.8", 5353, (mine,)),
        Target("192.0.2.9", 53, (ours,)),
        Target("192.0.2.10", 53),
        Target("192.0.2.11", 53),
    )


def test_nobody_tells_himself() -> None:
    assert directory(own=["192.0.2.6"]).targets(ZONE, ["192.0.2.6"], ()) == ()


def enlisted(peer: tuple[str, int], key: Key, zone: str = "example.org.") -> Enlisted:
    return Enlisted(FakeLink(peer), key, name("example.org."), name(zone))


def test_who_is_left_out_is_not_told_whoever_names_him() -> None:
    made = replace(directory(), is_left_out=lambda place: place == ("192.0.2.6", 53))
    targets = made.targets(ZONE, ["192.0.2.6", "192.0.2.7"], ())
    assert [target.address for target in targets] == ["192.0.2.7"]


def test_a_peer_without_an_address_of_its_own_is_told_over_its_connection() -> None:
    key = make_key("k._transfer.example.org.")
    peers = [enlisted(("192.0.2.20", 40000), key), enlisted(("192.0.2.20", 40001), key)]
    found = directory(key).targets(ZONE, (), peers)
    assert [(target.port, target.link) for target in found] == [(NO_PORT, each.link) for each in peers]
    assert len({target.place for target in found}) == 2


def test_a_connection_from_where_a_key_says_is_one_more_way_to_the_same_secondary() -> None:
    key = make_key("192.0.2.1.192.0.2.6._transfer.example.org.")
    peer = enlisted(("192.0.2.6", 40000), key)
    assert directory(key).targets(ZONE, (), [peer]) == (
        Target("192.0.2.6", 53, (key,), peer.link, "192.0.2.1"),
    )


def test_a_closed_connection_is_nobody() -> None:
    key = make_key("k._transfer.example.org.")
    peer = Enlisted(FakeLink(("192.0.2.20", 40000), closed=True), key, ZONE, ZONE)
    assert directory(key).targets(ZONE, (), [peer]) == ()


@pytest.mark.parametrize(
    ("asked", "changed", "wanted"),
    [
        ("example.org.", "example.org.", True),
        ("sub.example.org.", "example.org.", False),
        (".", "example.org.", True),
        (".", "sub.example.org.", True),
        (".", "example.com.", False),
    ],
)
def test_who_asked_for_a_zone_is_told_of_it_and_who_asked_for_the_root_of_all_his_key_covers(
    asked: str, changed: str, *, wanted: bool
) -> None:
    peer = enlisted(("192.0.2.20", 40000), make_key("k._transfer.example.org."), asked)
    assert peer.wants(name(changed)) is wanted
