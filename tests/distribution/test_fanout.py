"""What is told to whom when zones and keys change."""

from __future__ import annotations

from oakroot.distribution import fanout
from oakroot.distribution.fanout import Settings
from oakroot.distribution.targets import Configured
from tests.distribution.stage import FakeLink, World, acknowledgement, signer_of, zone_of
from tests.protocol.keys import granted, make_key, name
from tests.secondary.authority import make_zone

KEY = make_key("192.0.2.1.192.0.2.6._transfer.example.org.")
ROOT_KEY = make_key("k._transfer.")
SERVERS = ("@ NS ns2", "ns2 A 192.0.2.2")


def test_at_the_start_everybody_is_told_of_every_zone() -> None:
    world = World(Settings(configured=[Configured("192.0.2.9", 5300)]))
    world.serves(make_zone(1, *SERVERS), make_zone(1, apex="example.com."), keys=[KEY])
    assert world.take_sent() == [
        ("example.com.", "192.0.2.9@5300", "udp"),
        ("example.org.", "192.0.2.2@53", "udp"),
        ("example.org.", "192.0.2.6@53", "udp"),
        ("example.org.", "192.0.2.9@5300", "udp"),
    ]


def test_a_change_is_told_to_those_whom_it_concerns() -> None:
    world = World()
    world.serves(make_zone(1, *SERVERS), make_zone(1, *SERVERS, apex="example.com."))
    world.take_sent()
    world.serves(make_zone(2, *SERVERS))
    assert world.take_sent() == [("example.org.", "192.0.2.2@53", "udp")]


def test_a_new_name_server_is_told() -> None:
    world = World()
    world.serves(make_zone(1, *SERVERS))
    world.take_sent()
    world.serves(make_zone(2, *SERVERS, "@ NS ns3", "ns3 A 192.0.2.3"))
    assert [target for _, target, _ in world.take_sent()] == ["192.0.2.2@53", "192.0.2.3@53"]


def test_that_a_zone_is_gone_is_told_to_the_name_servers_that_it_had() -> None:
    world = World()
    world.serves(make_zone(1, *SERVERS), keys=[KEY])
    world.take_sent()
    world.serves(without=["example.org."])
    assert [target for _, target, _ in world.take_sent()] == ["192.0.2.2@53", "192.0.2.6@53"]


def test_a_zone_that_goes_before_it_was_told_of_is_told_to_the_name_servers_that_it_had() -> None:
    world = World()
    zones = [make_zone(1, *SERVERS, apex=f"zone{number}.example.") for number in range(fanout.LOOKUPS + 1)]
    world.serves(*zones)
    last = zones[-1].apex
    assert last not in {zone for zone, _, _ in world.take_sent()}
    world.serves(without=[last])
    world.passes(1.0)
    assert {target for zone, target, _ in world.take_sent() if zone == last} == {"192.0.2.2@53"}


def test_the_secondary_of_a_new_key_is_told_of_its_zones() -> None:
    world = World()
    world.serves(make_zone(1, *SERVERS), make_zone(1, apex="example.com."))
    world.take_sent()
    world.serves(keys=[KEY])
    assert [(zone_of(each), signer_of(each)) for each in world.sent] == [("example.org.", KEY.name.to_text())]


def test_a_key_that_is_gone_signs_no_more() -> None:
    world = World()
    world.serves(make_zone(1), keys=[KEY])
    world.take_sent()
    world.serves(keys=[])
    world.passes(600)
    assert world.take_sent() == []


def test_a_notify_that_waits_goes_on_with_the_key_that_takes_over() -> None:
    world = World()
    old, new = (make_key(f"{word}.192.0.2.1.192.0.2.6._transfer.example.org.") for word in ("a", "b"))
    world.serves(make_zone(1), keys=[old, new])
    assert signer_of(world.sent[0]) == old.name.to_text()
    world.sent.clear()
    world.serves(keys=[new])
    assert [signer_of(each) for each in world.sent] == [new.name.to_text()]


def test_a_notify_that_waits_for_a_name_server_goes_on_unsigned_without_its_key() -> None:
    world = World()
    key = make_key("192.0.2.1.192.0.2.2._transfer.example.org.")
    world.serves(make_zone(1, *SERVERS), keys=[key])
    world.sent.clear()
    world.serves(keys=[])
    assert [signer_of(each) for each in world.sent] == [None]


def test_an_enlisted_peer_is_told_over_its_connection() -> None:
    world = World()
    world.serves(make_zone(1), make_zone(1, apex="example.com."), keys=[ROOT_KEY])
    link = FakeLink(("192.0.2.77", 4000))
    world.fanout.enlist(link, granted(ROOT_KEY), name("example.org."))
    world.settle()
    assert world.sent == [], "it has just asked"
    world.serves(make_zone(2), make_zone(2, apex="example.com."))
    assert [(zone_of(each), each.way, each.target.link) for each in world.sent] == [
        ("example.org.", "link", link)
    ]


def test_who_asks_for_the_root_is_told_of_all_his_key_covers() -> None:
    world = World()
    key = make_key("k._transfer.org.")
    world.serves(make_zone(1), make_zone(1, apex="example.com."), make_zone(1, apex="b.org."), keys=[key])
    world.fanout.enlist(FakeLink(("192.0.2.77", 4000)), granted(key), name("."))
    world.settle()
    assert world.take_sent() == [("b.org.", "192.0.2.77", "link"), ("example.org.", "192.0.2.77", "link")]


def test_who_asks_for_the_root_without_a_connection_is_told_where_his_key_says() -> None:
    world = World()
    world.serves(make_zone(1, *SERVERS), make_zone(1, apex="example.com."), keys=[KEY])
    for each in world.sent:
        world.replies(each, acknowledgement(each, KEY))
    world.sent.clear()
    world.fanout.remind("192.0.2.6", granted(KEY))
    world.fanout.remind("192.0.2.66", granted(KEY))
    world.settle()
    assert world.take_sent() == [("example.org.", "192.0.2.6@53", "udp")]


def test_who_asked_for_the_root_learns_of_new_zones() -> None:
    world = World()
    world.serves(keys=[ROOT_KEY])
    world.fanout.enlist(FakeLink(("192.0.2.77", 4000)), granted(ROOT_KEY), name("."))
    world.serves(make_zone(1, apex="new.example."))
    assert world.take_sent() == [("new.example.", "192.0.2.77", "link")]


def test_one_connection_that_closes_leaves_the_others_of_its_address() -> None:
    """D12: there, any connection that closes deregisters all peers at its address."""
    world = World()
    world.serves(make_zone(1), keys=[ROOT_KEY])
    links = [FakeLink(("192.0.2.77", port)) for port in (4000, 4001)]
    for link in links:
        world.fanout.enlist(link, granted(ROOT_KEY), name("example.org."))
    links[0].closed = True
    world.serves(make_zone(2))
    assert [each.target.link for each in world.sent] == [links[1]]


def test_what_could_be_sent_over_a_closed_connection_only_is_given_up_at_once() -> None:
    world = World()
    world.serves(make_zone(1), keys=[ROOT_KEY])
    links = [FakeLink(("192.0.2.77", port)) for port in (4000, 4001)]
    for link in links:
        world.fanout.enlist(link, granted(ROOT_KEY), name("example.org."))
    world.serves(make_zone(2))
    assert world.fanout.hang_up() == ()
    links[0].closed = True
    (ended,) = world.fanout.hang_up()
    assert (ended.target.link, ended.failure) == (links[0], "it closed its connection")
    world.sent.clear()
    world.passes(1)
    assert [each.target.link for each in world.sent] == [links[1]]


def test_of_one_key_and_address_only_the_newest_connections_are_kept() -> None:
    world = World()
    world.serves(make_zone(1), keys=[ROOT_KEY])
    links = [FakeLink(("192.0.2.77", port)) for port in range(4000, 4020)]
    for link in links:
        world.fanout.enlist(link, granted(ROOT_KEY), name("example.org."))
    world.serves(make_zone(2))
    assert [each.target.link for each in world.sent] == links[-fanout.LINKS_PER_SOURCE :]


def test_a_peer_whose_key_is_gone_is_told_no_more() -> None:
    world = World()
    world.serves(make_zone(1), keys=[ROOT_KEY])
    world.fanout.enlist(FakeLink(("192.0.2.77", 4000)), granted(ROOT_KEY), name("."))
    world.serves(make_zone(2), keys=[])
    assert world.take_sent() == []


def test_acknowledged_changes_are_not_told_again() -> None:
    world = World()
    world.serves(make_zone(1), keys=[KEY])
    (first,) = world.sent
    assert world.replies(first, acknowledgement(first, KEY)) is not None
    world.sent.clear()
    world.passes(600)
    assert (world.take_sent(), world.ended) == ([], [])


def test_who_does_not_answer_is_told_of_the_next_change_at_once() -> None:
    world = World()
    world.serves(make_zone(1), keys=[KEY])
    world.passes(20)
    world.sent.clear()
    world.serves(make_zone(2))
    assert len(world.take_sent()) == 1


def test_two_hundred_zones_for_ten_secondaries_are_told_within_two_seconds() -> None:
    world = World()
    keys = [make_key(f"192.0.2.1.192.0.2.{number}._transfer.") for number in range(10, 20)]
    world.serves(*(make_zone(1, apex=f"zone{number}.example.") for number in range(200)), keys=keys)
    for _ in range(20):
        for each in world.sent:
            world.replies(each, acknowledgement(each, *keys))
        world.sent.clear()
        world.passes(0.1)
    assert world.fanout.wake_at() is None
    assert world.ended == []


def test_a_server_that_the_operator_adds_is_told_of_every_zone_and_from_then_on() -> None:
    world = World(Settings(configured=[Configured("192.0.2.8", 53)]))
    world.serves(make_zone(1), make_zone(1, apex="example.com."))
    world.take_sent()
    world.fanout.configure(Settings(configured=[Configured("192.0.2.8", 53), Configured("192.0.2.9", 5300)]))
    world.settle()
    assert world.take_sent() == [
        ("example.com.", "192.0.2.9@5300", "udp"),
        ("example.org.", "192.0.2.9@5300", "udp"),
    ]
    world.serves(make_zone(2))
    assert {target for _, target, _ in world.take_sent()} == {"192.0.2.8@53", "192.0.2.9@5300"}


def test_a_server_that_the_operator_takes_away_hears_of_no_further_change() -> None:
    world = World(Settings(configured=[Configured("192.0.2.9", 5300)]))
    world.serves(make_zone(1))
    world.fanout.configure(Settings())
    world.settle()
    world.sent.clear()
    world.serves(make_zone(2, *SERVERS))
    assert world.take_sent() == [("example.org.", "192.0.2.2@53", "udp")]
