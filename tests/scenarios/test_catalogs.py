"""Catalog zones of a primary: for those only who may transfer them, and new when zones come or go."""

from __future__ import annotations

import dns.message
import dns.rcode
import dns.rrset
import pytest

from oakroot._engine import Zone
from oakroot.keys.dnskey import write_dnskey
from oakroot.primary import core, events
from oakroot.primary.catalogs import Offer
from oakroot.protocol.query import build_soa_query
from oakroot.protocol.transfer_server import SoaAlone, Steps, Whole
from oakroot.roles.followers import TransferRules
from oakroot.zones.catalog_zones import read_catalog
from tests.protocol.keys import name
from tests.scenarios.script import make_key
from tests.scenarios.stage import WALL
from tests.scenarios.test_transfers import Theatre
from tests.zones.repositories import BROKEN, zone_text

CATALOG, PART = "catalog.invalid.", "list.example.org."
ROOT_KEY = make_key("192.0.2.1.192.0.2.6._transfer.")
PART_KEY = make_key("192.0.2.1.192.0.2.8._transfer.example.org.")
NOTIFY_KEY = make_key("hook._notify.")
OFFERS = (Offer(name(CATALOG)), Offer(name(PART), name("example.org.")))


def started(settings: core.Settings, **files: bytes) -> Theatre:
    theatre = Theatre(settings)
    keys = "".join(f"{write_dnskey(key)}\n" for key in (ROOT_KEY, PART_KEY, NOTIFY_KEY)).encode()
    theatre.remote.files = {"_keys": keys, "example.org": zone_text(1), "example.net": zone_text(1), **files}
    theatre.happens(events.Started())
    theatre.git_answers()
    return theatre


@pytest.fixture
def theatre() -> Theatre:
    return started(core.Settings(catalogs=OFFERS))


def query(zone: str, serial: int | None = None) -> bytes:
    message = dns.message.make_query(zone, "AXFR" if serial is None else "IXFR", id=7)
    if serial is not None:
        message.authority.append(dns.rrset.from_text(zone, 0, "IN", "SOA", f". . {serial} 0 0 0 0"))
    return message.to_wire()


def listed(zone: Zone) -> list[str]:
    return sorted(member.to_text() for member in read_catalog(zone))


def sent(theatre: Theatre, zone: str = CATALOG) -> Zone:
    """What a secondary gets."""
    theatre.asks(query(zone), ROOT_KEY)
    plan = theatre.plans.pop().plan
    assert isinstance(plan, Whole)
    return plan.zone


def rcode(theatre: Theatre) -> str:
    _, wire = theatre.replies.pop()
    return dns.rcode.to_text(dns.message.from_wire(wire, keyring=False).rcode())


def test_all_zones_are_listed_or_those_of_one_name(theatre: Theatre) -> None:
    assert listed(sent(theatre)) == ["example.net.", "example.org."]
    assert listed(sent(theatre, PART)) == ["example.org."]


def test_a_zone_that_is_broken_at_the_start_is_listed_as_it_is_ours() -> None:
    theatre = started(core.Settings(catalogs=OFFERS), **{"example.com": BROKEN})
    assert "example.com." in listed(sent(theatre))


def test_new_and_removed_zones_are_notified_and_sent_as_differences(theatre: Theatre) -> None:
    theatre.tells(1000)
    first = sent(theatre)
    theatre.pushed("new.example", zone_text(1))
    assert (CATALOG, "192.0.2.6@53", "udp") in theatre.tells()
    theatre.pushed("example.net", None)
    theatre.asks(query(CATALOG, first.serial), ROOT_KEY)
    plan = theatre.plans.pop().plan
    assert isinstance(plan, Steps)
    assert [listed(zone) for zone in plan.versions] == [
        ["example.net.", "example.org."],
        ["example.net.", "example.org.", "new.example."],
        ["example.org.", "new.example."],
    ]


def test_changes_of_zones_change_no_catalog_zone(theatre: Theatre) -> None:
    theatre.tells(1000)
    first = sent(theatre)
    theatre.pushed("example.net", zone_text(2))
    theatre.pushed("example.com", None)
    assert all(zone != CATALOG for zone, _, _ in theatre.tells())
    theatre.asks(query(CATALOG, first.serial), ROOT_KEY)
    assert isinstance(theatre.plans.pop().plan, SoaAlone)
    part = sent(theatre, PART)
    theatre.pushed("new.example", zone_text(1))
    assert sent(theatre, PART) is part


def test_the_serial_is_the_time_and_so_goes_on_over_restarts(theatre: Theatre) -> None:
    assert sent(theatre).serial == int(WALL)
    theatre.pushed("new.example", zone_text(1))
    theatre.pushed("newer.example", zone_text(1))
    assert sent(theatre).serial == int(WALL) + 2
    later = started(core.Settings(catalogs=OFFERS))
    later.passes(60)
    assert sent(later).serial == int(WALL)
    later.pushed("new.example", zone_text(1))
    assert sent(later).serial == int(WALL) + 60


@pytest.mark.parametrize("kind", ["SOA", "TXT", "AXFR"])
def test_nobody_else_learns_of_it(theatre: Theatre, kind: str) -> None:
    wire = dns.message.make_query(f"{'version.' * (kind == 'TXT')}{CATALOG}", kind).to_wire()
    if kind != "AXFR":
        found = theatre.catalogue.answer(wire)
        assert found is not None
        assert dns.message.from_wire(found).rcode() == dns.rcode.REFUSED
    for key in (None, PART_KEY, NOTIFY_KEY):
        theatre.asks(wire, key)
        assert rcode(theatre) == "REFUSED"


def test_who_may_transfer_it_may_ask(theatre: Theatre) -> None:
    theatre.asks(build_soa_query(name(CATALOG), 7), ROOT_KEY)
    assert rcode(theatre) == "NOERROR"
    theatre.asks(build_soa_query(name(PART), 7), PART_KEY)
    assert rcode(theatre) == "NOERROR"
    theatre.asks(query(PART), PART_KEY)
    assert isinstance(theatre.plans.pop().plan, Whole)


def test_where_anybody_may_transfer_anybody_may_ask() -> None:
    theatre = started(core.Settings(catalogs=OFFERS, transfer_rules=TransferRules(unsigned=True)))
    assert theatre.catalogue.zone(CATALOG) is not None
    theatre.asks(query(CATALOG), None)
    assert isinstance(theatre.plans.pop().plan, Whole)


def test_a_zone_of_the_repository_comes_before_a_catalog_zone_of_its_name(theatre: Theatre) -> None:
    theatre.pushed("catalog.invalid", zone_text(5))
    assert any("cannot be a catalog zone" in log.text for log in theatre.logs)
    assert sent(theatre).serial == 5
    theatre.pushed("catalog.invalid", None)
    assert listed(sent(theatre)) == ["example.net.", "example.org."]


def test_before_the_repository_was_read_there_is_no_list_that_could_be_empty() -> None:
    theatre = Theatre(core.Settings(catalogs=OFFERS))
    theatre.happens(events.Started())
    theatre.asks(query(CATALOG), ROOT_KEY)
    assert theatre.plans == []


def test_who_asks_for_the_root_hears_of_catalog_zones_too(theatre: Theatre) -> None:
    theatre.asks(build_soa_query(name("."), 7), make_key("192.0.2.1.192.0.2.6._transfer."), "192.0.2.77")
    assert (CATALOG, "192.0.2.77", "link") in theatre.tells()


# --- the operator decides anew


def test_a_catalog_zone_is_offered_anew_while_the_service_runs() -> None:
    theatre = started(core.Settings())
    theatre.happens(events.Reconfigured(core.Settings(catalogs=OFFERS[:1])))
    assert listed(sent(theatre)) == ["example.net.", "example.org."]


def test_a_catalog_zone_that_is_offered_no_more_is_gone(theatre: Theatre) -> None:
    theatre.happens(events.Reconfigured(core.Settings(catalogs=OFFERS[1:])))
    theatre.asks(query(CATALOG), ROOT_KEY)
    assert rcode(theatre) == "NOTAUTH"
    assert listed(sent(theatre, PART)) == ["example.org."]


def test_an_offer_that_stays_keeps_its_serial_and_one_that_changes_gets_a_newer(theatre: Theatre) -> None:
    before = sent(theatre), sent(theatre, PART)
    theatre.passes(5)
    changed = Offer(OFFERS[1].name, OFFERS[1].root, ((name("example.org."), "group"),))
    theatre.happens(events.Reconfigured(core.Settings(catalogs=(OFFERS[0], changed))))
    after = sent(theatre), sent(theatre, PART)
    assert after[0].serial == before[0].serial
    assert after[1].serial > before[1].serial


def test_what_is_decided_before_the_first_pull_counts_from_then_on() -> None:
    theatre = Theatre(core.Settings())
    theatre.remote.files = {"example.org": zone_text(1)}
    theatre.happens(events.Started())
    theatre.happens(
        events.Reconfigured(core.Settings(catalogs=OFFERS[:1], transfer_rules=TransferRules(unsigned=True)))
    )
    theatre.git_answers()
    assert theatre.catalogue.zone(CATALOG) is not None
