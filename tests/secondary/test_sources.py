"""Zones and primaries as the names of keys tell them."""

from __future__ import annotations

import pytest

from oakroot.keys.rejected import KeyRejectedError
from oakroot.secondary.sources import (
    NOWHERE,
    DoubleKeyError,
    Identity,
    Listening,
    NoPrimaryError,
    Plan,
    Server,
    UnusedPrimaryError,
    make_plan,
    same_address,
)
from tests.protocol.keys import make_key, name


def plan(*names: str, primary: str | None = None, own: str | None = None) -> Plan:
    default = None if primary is None else Server(primary)
    return make_plan(map(make_key, names), default, NOWHERE if own is None else listening((own, 53)))


def listening(*places: tuple[str, int], local: str = "") -> Listening:
    return Listening(places, lambda address: address == local)


def servers(made: Plan, zone: str) -> list[str]:
    return [str(source.server) for source in made.sources_of(name(zone))]


def test_the_name_tells_zone_and_primary() -> None:
    made = plan("192.0.2.1.192.0.2.2._transfer.example.org.", "a.2001-db8--1._transfer.example.net.")
    assert made.zones == (name("example.org."), name("example.net."))
    assert servers(made, "example.org.") == ["192.0.2.1@53"]
    assert servers(made, "example.net.") == ["2001:db8::1@53"]
    assert made.servers == (Server("192.0.2.1"), Server("2001:db8::1"))


def test_a_name_without_address_is_for_the_given_primary() -> None:
    assert servers(plan("a._transfer.example.org.", primary="192.0.2.7"), "example.org.") == ["192.0.2.7@53"]


def test_a_key_that_may_update_may_transfer_too() -> None:
    assert servers(plan("a._update.example.org.", primary="192.0.2.7"), "example.org.") == ["192.0.2.7@53"]


def test_a_name_without_any_primary_is_an_error_that_names_the_key() -> None:
    with pytest.raises(NoPrimaryError, match=r"the key a\._transfer\.example\.org has"):
        plan("a._transfer.example.org.")


def test_a_key_that_may_only_notify_brings_no_zone_and_needs_no_primary() -> None:
    made = plan("hook._notify.example.org.")
    assert made.zones == ()
    assert made.sources_of(name("example.org.")) == ()
    assert len(made.keyring) == 1


def test_a_key_of_the_root_is_for_all_zones_and_names_none() -> None:
    made = plan("192.0.2.1.192.0.2.2._transfer.")
    assert made.zones == ()
    assert servers(made, "example.org.") == ["192.0.2.1@53"]
    assert servers(made, ".") == ["192.0.2.1@53"]


def test_the_key_that_is_nearest_to_the_zone_counts() -> None:
    made = plan(
        "a.192.0.2.1._transfer.", "a.192.0.2.2._transfer.example.org.", "a.192.0.2.3._transfer.b.example.org."
    )
    assert servers(made, "b.example.org.") == ["192.0.2.3@53"]
    assert servers(made, "c.example.org.") == ["192.0.2.2@53"]
    assert servers(made, "example.com.") == ["192.0.2.1@53"]


def test_several_keys_of_one_zone_are_several_sources_in_their_order() -> None:
    made = plan("a.192.0.2.9._transfer.example.org.", "a.192.0.2.1._transfer.example.org.")
    assert servers(made, "example.org.") == ["192.0.2.9@53", "192.0.2.1@53"]
    assert made.zones == (name("example.org."),)


def test_two_keys_for_one_primary_are_one_server() -> None:
    made = plan("old.192.0.2.1._transfer.example.org.", "new.192.0.2.1._transfer.example.org.")
    assert made.servers == (Server("192.0.2.1"),)
    assert [source.key.name.labels[0] for source in made.sources_of(name("example.org."))] == [b"old", b"new"]


def test_where_we_are_the_primary_the_key_is_a_followers() -> None:
    made = plan(
        "192.0.2.1.192.0.2.2._transfer.example.org.",
        "192.0.2.2.192.0.2.3._transfer.example.org.",
        own="192.0.2.2",
    )
    assert servers(made, "example.org.") == ["192.0.2.1@53"]
    assert len(made.keyring) == 2


def test_the_same_key_twice_is_one() -> None:
    made = plan("a.192.0.2.1._transfer.example.org.", "a.192.0.2.1._transfer.example.org.")
    assert len(made.sources) == 1


def test_two_keys_of_one_name_are_an_error_without_their_secrets() -> None:
    one = make_key("a.192.0.2.1._transfer.example.org.")
    other = make_key("a.192.0.2.1._transfer.example.org.", secret=b"another secret of the same sizes")
    with pytest.raises(DoubleKeyError) as raised:
        make_plan([one, other], None)
    assert one.secret.base64() not in str(raised.value)


def test_a_name_without_operation_is_rejected() -> None:
    with pytest.raises(KeyRejectedError):
        plan("example.org.")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:DB8:0::1", True),
        ("no address", "no address", False),
    ],
)
def test_addresses_are_compared_as_addresses(one: str, other: str, same: bool) -> None:  # noqa: FBT001
    assert same_address(one, other) is same


def test_we_come_from_the_address_that_the_key_tells_if_it_is_ours() -> None:
    made = plan("192.0.2.1.192.0.2.2._transfer.example.org.", own="192.0.2.2")
    assert made.local_of(Server("192.0.2.1")) == "192.0.2.2"
    made = plan("192.0.2.1.192.0.2.2._transfer.example.org.", own="10.0.0.2")
    assert made.local_of(Server("192.0.2.1")) is None


def test_a_server_on_another_port_of_our_address_is_somebody_else() -> None:
    key = make_key("192.0.2.1.192.0.2.2._transfer.example.org.")
    assert len(make_plan([key], None, listening(("192.0.2.1", 5353))).sources) == 1
    assert make_plan([key], None, listening(("192.0.2.1", 53))).sources == ()


@pytest.mark.parametrize(
    ("place", "local", "ours"),
    [("0.0.0.0", "192.0.2.1", True), ("0.0.0.0", "192.0.2.7", False), ("::", "192.0.2.1", False)],  # noqa: S104
)
def test_who_listens_on_all_addresses_is_every_local_one_of_that_family(
    place: str,
    local: str,
    ours: bool,  # noqa: FBT001
) -> None:
    assert listening((place, 53), local=local).at("192.0.2.1") is ours


def test_a_primary_is_spoken_to_over_tls_wherever_a_key_names_it() -> None:
    over_tls = Server("192.0.2.1", 853, Identity(name="ns1.example.org"))
    keys = [make_key("192.0.2.1.192.0.2.2._transfer.example.org."), make_key("a.192.0.2.9._transfer.")]
    made = make_plan(keys, None, encrypted=[over_tls])
    assert made.servers == (over_tls, Server("192.0.2.9"))
    assert made.has_primary("192.0.2.1", 53)
    assert not made.has_primary("192.0.2.9", 5353)


def test_the_only_primary_over_tls_is_that_of_keys_without_an_address() -> None:
    over_tls = Server("192.0.2.1", 853, Identity(name="ns1.example.org"))
    assert make_plan([make_key("a._transfer.")], None, encrypted=[over_tls]).servers == (over_tls,)


def test_a_primary_over_tls_that_no_key_is_for_is_refused() -> None:
    over_tls = Server("192.0.2.7", 853, Identity(name="ns1.example.org"))
    with pytest.raises(UnusedPrimaryError):
        make_plan([make_key("a.192.0.2.9._transfer.")], None, encrypted=[over_tls])
