"""What goes wrong is told, tried again with pauses, and holds nobody else up."""

from __future__ import annotations

from collections.abc import Callable

import dns.rcode
import pytest

from oakroot.certificates.orders import Fault, Problem
from oakroot.certifier.core import Settings
from oakroot.certifier.events import (
    Finalize,
    Open,
    PlaceOrder,
    Question,
    RefreshRequested,
    SendUpdate,
    UpdateLost,
    UpdateUnwanted,
    Validate,
)
from tests.certificates.minting import DAY, START, new_certificate, new_request
from tests.certifier.authority import DOWN
from tests.certifier.stage import Stage

WWW, FTP = "www.example.org", "ftp.example.org"
LIMITED = Problem(Fault.RATE_LIMITED, "rateLimited", "too many certificates", 7200.0)


def only_for(host: str, problem: Problem) -> Callable[[Question], Problem | None]:
    """An authority that will not have this name."""

    def objection(question: Question) -> Problem | None:
        names = question.names if isinstance(question, PlaceOrder) else frozenset()
        return problem if any(name.to_text() == f"{host}." for name in names) else None

    return objection


@pytest.mark.parametrize(
    ("rdata", "reason"),
    [
        ("3 255 0 ABCDEF", "3 octets are no certificate signing request"),
        ("3 255 0 " + new_request(WWW, kind="rsa1024").hex(), "RSA key has 1024 bits"),
        ("3 255 0 " + new_request(FTP).hex(), "published for www.example.org, but asks for ftp.example.org"),
        (
            "3 255 0 " + new_request(WWW, *(f"n{number}.example.org" for number in range(199))).hex(),
            "asks for 200 names, and a certificate takes 100",
        ),
        ("3 255 0 " + new_request(WWW, "www.example.com").hex(), "www.example.com is in no zone"),
    ],
)
def test_a_request_that_is_no_good_is_told_of_once_and_holds_nobody_up(rdata: str, reason: str) -> None:
    stage = Stage()
    stage.publish(WWW, rdata)
    stage.publish(FTP, der=new_request(FTP))
    stage.run_until(lambda: stage.certified(FTP), 60)
    stage.run(2 * DAY)
    assert stage.said(reason) == 1
    assert stage.state.counters["refused"] == 1
    assert stage.authority.count(PlaceOrder) == 1


def test_two_requests_at_one_name_are_told_of_and_one_is_served_when_the_other_is_gone() -> None:
    stage = Stage()
    requests = [new_request(WWW, kind=kind) for kind in ("p256", "p384")]
    stage.publish(WWW, *(f"3 255 0 {der.hex().upper()}" for der in requests))
    stage.run(60)
    assert stage.said("2 requests are published at one name") == 1
    stage.publish(WWW, der=requests[1])
    stage.run_until(lambda: stage.certified(WWW), 60)


def test_a_zone_that_comes_later_may_have_the_name_that_was_missing() -> None:
    stage = Stage({"example.org.": "", "example.com.": ""})
    late = stage.zones.pop("example.com.")
    stage.start()
    stage.publish(WWW, der=new_request(WWW, "www.example.com"))
    stage.run(60)
    assert stage.said("www.example.com is in no zone that this certifier may update") == 1
    stage.zones["example.com."] = late
    stage.start()
    stage.run_until(lambda: stage.certified(WWW), 60)


def test_names_elsewhere_in_the_zone_are_refused_where_only_own_ones_may_be() -> None:
    stage = Stage(settings=Settings(own_names_only=True))
    stage.publish(WWW, der=new_request(WWW, "bank.example.org"))
    stage.publish(FTP, der=new_request(FTP, "eu.ftp.example.org"))
    stage.run_until(lambda: stage.certified(FTP), 60)
    assert stage.said("bank.example.org is not below the host") == 1
    assert not stage.certified(WWW)


def test_a_request_that_is_replaced_while_it_waits_is_judged_anew() -> None:
    stage = Stage(settings=Settings(own_names_only=True))
    stage.authority.problem = lambda _: DOWN
    stage.publish(WWW, der=new_request(WWW))
    stage.run(60)
    assert stage.state.queue
    stage.publish(WWW, der=new_request(WWW, "bank.example.org"))
    stage.run(60)
    stage.authority.problem = lambda _: None
    stage.run(7200)
    assert stage.said("bank.example.org is not below the host") == 1
    assert stage.authority.count(PlaceOrder) == 0


def test_a_certificate_that_comes_while_the_host_waits_is_enough() -> None:
    stage = Stage()
    stage.authority.problem = lambda _: DOWN
    stage.publish(WWW, der=new_request(WWW))
    stage.run(60)
    stage.publish(WWW, f"3 0 0 {new_certificate(WWW).hex().upper()}", der=new_request(WWW))
    stage.run(60)
    stage.authority.problem = lambda _: None
    stage.run(7200)
    assert stage.authority.count(PlaceOrder) == 0


def test_a_garbage_certificate_is_replaced() -> None:
    stage = Stage()
    stage.publish(WWW, "3 0 0 ABCDEF", der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 60)
    assert len(stage.published(WWW).certificates) == 1


def test_an_expired_certificate_is_replaced() -> None:
    stage = Stage()
    expired = new_certificate(WWW, begin=START - 200 * DAY)
    stage.publish(WWW, f"3 0 0 {expired.hex().upper()}", der=new_request(WWW))
    stage.run_until(lambda: expired not in stage.published(WWW).certificates, 60)
    assert stage.certified(WWW)


def test_validation_that_fails_is_explained_cleaned_up_and_tried_less_and_less_often() -> None:
    stage = Stage()
    stage.authority.texts = lambda _: ()
    stage.publish(WWW, der=new_request(WWW))
    stage.run(120)
    assert stage.said("validation failed: www.example.org: no TXT record found; next try in 1") == 1
    assert stage.challenges() == []
    stage.run(3600)
    # Let's Encrypt takes five failures of a name in an hour.
    assert stage.authority.count(PlaceOrder) <= 6
    stage.run(10 * DAY)
    assert stage.authority.count(PlaceOrder) < 25


def test_a_name_that_fails_holds_up_no_other() -> None:
    stage = Stage(settings=Settings(jobs=2))
    stage.authority.problem = only_for(WWW, Problem(Fault.REFUSED, "rejectedIdentifier", "not that one"))
    stage.publish(WWW, der=new_request(WWW))
    hosts = [f"host-{number}.example.org" for number in range(10)]
    for host in hosts:
        stage.publish(host, der=new_request(host))
    stage.run_until(lambda: stage.certified(*hosts), 120)
    assert stage.said("not that one") >= 1
    assert stage.state.counters["failures"] >= 1


def test_a_rate_limit_is_honoured_for_as_long_as_the_authority_says() -> None:
    stage = Stage()
    stage.authority.problem = only_for(WWW, LIMITED)
    stage.publish(WWW, der=new_request(WWW))
    stage.publish(FTP, der=new_request(FTP))
    stage.run_until(lambda: stage.certified(FTP), 60)
    stage.run(7000)
    assert stage.authority.count(PlaceOrder) == 2
    stage.run(400)
    assert stage.authority.count(PlaceOrder) == 3
    assert stage.said("too many certificates; next try in 2 hours") == 2


def test_a_limit_that_everybody_meets_is_one_of_the_account() -> None:
    stage = Stage(settings=Settings(jobs=1))
    stage.authority.problem = lambda question: LIMITED if isinstance(question, PlaceOrder) else None
    for number in range(20):
        stage.publish(f"host-{number}.example.org", der=new_request(f"host-{number}.example.org"))
    stage.run(7000)
    assert stage.authority.count(PlaceOrder) == 3


def test_an_authority_that_is_down_is_asked_less_and_less_often_and_everything_goes_on_afterwards() -> None:
    stage = Stage()
    stage.authority.problem = lambda _: DOWN
    for number in range(20):
        stage.publish(f"host-{number}.example.org", der=new_request(f"host-{number}.example.org"))
    stage.run(DAY)
    assert len(stage.authority.asked) < 40
    assert stage.said("authority: it does not answer in time") == len(stage.authority.asked)
    stage.authority.problem = lambda _: None
    stage.run_until(lambda: stage.certified(*(f"host-{number}.example.org" for number in range(20))), 7200)


@pytest.mark.parametrize("kind", [PlaceOrder, Validate, Finalize])
def test_an_authority_that_fails_for_a_while_costs_no_order(kind: type[Question]) -> None:
    stage = Stage()
    failures = iter(range(5))

    def problem(question: Question) -> Problem | None:
        return DOWN if isinstance(question, kind) and next(failures, None) is not None else None

    stage.authority.problem = problem
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 1800)
    assert len(stage.authority.orders) == 1
    assert "failures" not in stage.state.counters


def test_an_account_that_is_not_known_is_opened_anew() -> None:
    stage = Stage()
    unknown = Problem(Fault.ACCOUNT, "accountDoesNotExist", "no such account")
    failures = iter([unknown])
    stage.authority.problem = lambda question: (
        next(failures, None) if isinstance(question, PlaceOrder) else None
    )
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 600)
    assert stage.authority.count(Open) == 2


def test_an_account_that_is_deactivated_is_told_of_and_not_asked_for_all_the_time() -> None:
    stage = Stage()
    deactivated = Problem(Fault.ACCOUNT, "unauthorized", "account is deactivated")
    stage.authority.problem = lambda _: deactivated
    stage.publish(WWW, der=new_request(WWW))
    stage.run(DAY)
    assert stage.said("error: authority: account is deactivated") == stage.authority.count(Open)
    assert stage.authority.count(Open) < 40


def test_an_authority_that_takes_no_proof_by_dns_is_told_of() -> None:
    stage = Stage()
    stage.publish(WWW, der=new_request(WWW))
    stage.authority.challenge_kind = "http-01"
    stage.run(60)
    assert stage.said("the authority does not take proofs by DNS for www.example.org") == 1


def test_a_primary_that_restarts_in_the_middle_costs_no_order() -> None:
    stage = Stage()
    gone = UpdateLost("192.0.2.1:53 does not answer: Connection refused")
    stage.primary = lambda _: gone if 3 < stage.now.monotonic < 300 else None
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 600)
    stage.run(120)
    assert len(stage.authority.orders) == 1
    assert stage.challenges() == []


@pytest.mark.parametrize("number", [0, 1, 2])
def test_an_answer_of_the_primary_that_is_lost_does_no_harm(number: int) -> None:
    stage = Stage()
    seen: list[SendUpdate] = []

    def taken_but_silent(update: SendUpdate) -> UpdateLost | None:
        seen.append(update)
        if len(seen) != number + 1:
            return None
        stage.take(update)
        return UpdateLost("no answer in time")

    stage.primary = taken_but_silent
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 120)
    stage.run(60)
    assert stage.challenges() == []
    assert stage.authority.count(PlaceOrder) == 1
    assert len(stage.state.tickets) == 0


def test_a_primary_that_refuses_is_told_of_and_not_pestered() -> None:
    stage = Stage()
    stage.primary = lambda _: UpdateUnwanted(dns.rcode.REFUSED, "REFUSED; the key may not update")
    stage.publish(WWW, der=new_request(WWW))
    stage.run(3600)
    assert stage.said("the primary refuses: REFUSED; the key may not update; next try in 1") >= 1
    assert stage.authority.count(PlaceOrder) <= 6


def test_challenges_that_cannot_be_removed_now_are_removed_later() -> None:
    stage = Stage()
    stage.primary = lambda update: UpdateLost("no answer") if update.delete and not update.required else None
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 120)
    assert stage.challenges()
    stage.primary = lambda _: None
    stage.run(600)
    assert stage.challenges() == []
    assert stage.remembered == {}


def test_name_servers_that_never_get_the_challenge_are_named() -> None:
    stage = Stage()
    stage.prober = lambda _: (("192.0.2.7:53 does not have the challenge yet",), ())
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: bool(stage.said("tried for 30 minutes to wait for the name servers")), 2000)
    stage.run(30)
    assert stage.authority.count(Validate) == 0
    assert stage.said("wait for the name servers: 192.0.2.7:53 does not have the challenge yet") >= 1
    assert stage.challenges() == []


def test_a_clock_that_is_set_forward_renews_what_is_due_by_it() -> None:
    stage = Stage()
    stage.publish(WWW, der=new_request(WWW))
    stage.run(60)
    stage.set_clock(START + 70 * DAY)
    stage.run(DAY)
    assert stage.authority.count(PlaceOrder) == 2


def test_a_clock_far_from_the_authoritys_causes_no_flood_of_orders() -> None:
    stage = Stage()
    real = stage.authority.wall
    stage.authority.wall = lambda: real() - 365 * DAY
    stage.publish(WWW, der=new_request(WWW))
    stage.run(7 * DAY)
    assert stage.said("by our clock it is due for renewal already; is the clock right?") >= 1
    assert stage.authority.count(PlaceOrder) <= 8


def test_a_clock_that_is_late_takes_a_certificate_of_the_future_for_good() -> None:
    stage = Stage()
    real = stage.authority.wall
    stage.authority.wall = lambda: real() + 3600
    stage.publish(WWW, der=new_request(WWW))
    stage.run(7 * DAY)
    assert stage.authority.count(PlaceOrder) == 1


def test_the_operator_may_have_everything_tried_at_once() -> None:
    stage = Stage()
    stage.authority.problem = only_for(WWW, LIMITED)
    stage.publish(WWW, der=new_request(WWW))
    stage.run(60)
    stage.authority.problem = lambda _: None
    stage.happen(RefreshRequested())
    stage.run_until(lambda: stage.certified(WWW), 60)


def test_two_hundred_hosts_with_one_that_never_works() -> None:
    stage = Stage()
    hosts = [f"host-{number}.example.org" for number in range(200)]
    stage.authority.problem = only_for(hosts[7], Problem(Fault.REFUSED, "malformed", "no"))
    shared = new_request(*hosts[:1])
    for host in hosts:
        stage.publish(host, der=shared if host == hosts[0] else new_request(host))
    stage.run_until(lambda: stage.state.counters.get("certificates") == 199, 1200)
    stage.run(60)
    assert stage.challenges() == []
