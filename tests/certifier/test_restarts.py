"""A certifier that is stopped anywhere takes up where it was: nothing is issued twice, nothing stays."""

from __future__ import annotations

import pytest

from oakroot.certificates.orders import Status
from oakroot.certifier.events import Finalize, Look, PlaceOrder, Remembered, ZonesChanged
from tests.certificates.minting import new_request
from tests.certifier.stage import Stage

WWW = "www.example.org"


def _deeds_of_one_order() -> int:
    stage = Stage()
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 60)
    stage.run(5)
    return stage.deeds


@pytest.mark.parametrize("deeds", range(1, _deeds_of_one_order()))
def test_wherever_it_is_stopped_one_certificate_is_issued_and_no_challenge_stays(deeds: int) -> None:
    stage = Stage()
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.deeds >= deeds, 60)
    stage.start()
    stage.run_until(lambda: stage.certified(WWW), 300)
    stage.run(300)
    assert stage.authority.count(Finalize) == 1
    assert stage.challenges() == []
    assert stage.remembered == {}


def test_it_may_be_stopped_again_and_again() -> None:
    stage = Stage()
    stage.publish(WWW, der=new_request(WWW))
    for number in range(12):
        stage.run(0.3 + number * 0.15)
        stage.start()
    stage.run(300)
    assert stage.certified(WWW)
    assert stage.authority.count(Finalize) == 1
    assert stage.challenges() == []


def test_an_order_that_the_authority_has_forgotten_is_placed_anew() -> None:
    stage = Stage()
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: bool(stage.challenges()), 60)
    stage.authority.orders.clear()
    stage.start()
    stage.run_until(lambda: stage.certified(WWW), 120)
    stage.run(120)
    assert stage.authority.count(Look) >= 1
    assert stage.challenges() == []


def test_an_order_for_other_names_is_not_taken_up() -> None:
    stage = Stage()
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: bool(stage.challenges()), 60)
    stage.publish(WWW, der=new_request(WWW, "ftp.example.org"))
    stage.start()
    stage.run_until(lambda: stage.certified(WWW), 120)
    stage.run(120)
    assert stage.authority.count(PlaceOrder) == 2
    assert stage.challenges() == []


def test_a_request_that_went_while_it_was_stopped_leaves_nothing_behind() -> None:
    stage = Stage()
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: bool(stage.challenges()), 60)
    stage.publish(WWW)
    stage.start()
    stage.run(600)
    assert stage.challenges() == []
    assert stage.remembered == {}
    assert stage.authority.count(Finalize) == 0


def test_a_primary_that_is_away_for_long_after_a_restart_costs_no_order() -> None:
    stage = Stage()
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.authority.count(Finalize) == 1, 60)
    zones, stage.zones = stage.zones, {}
    stage.start()
    stage.run(3600)
    assert stage.remembered
    stage.zones = zones
    stage.happen(ZonesChanged(stage.catalogue, tuple(zones)))
    stage.run_until(lambda: stage.certified(WWW), 60)
    assert stage.authority.count(PlaceOrder) == 1


def test_an_order_that_failed_while_it_was_stopped_is_placed_anew() -> None:
    stage = Stage()
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: bool(stage.challenges()), 60)
    for order in stage.authority.orders.values():
        object.__setattr__(order, "status", Status.INVALID)
    stage.start()
    stage.run_until(lambda: stage.certified(WWW), 120)
    assert stage.authority.count(PlaceOrder) == 2


def test_what_is_remembered_of_a_host_that_has_its_certificate_is_forgotten() -> None:
    stage = Stage()
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 60)
    stage.run(5)
    stage.remembered = {"_letsencrypt._tcp.www.example.org.": Remembered("https://ca.example/order/1")}
    stage.start()
    stage.run(60)
    assert stage.remembered == {}
    assert stage.authority.count(PlaceOrder) == 1
