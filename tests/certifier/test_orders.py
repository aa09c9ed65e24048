"""From a request in DNS to its certificate, and on to its renewal."""

from __future__ import annotations

import pytest

from oakroot.certificates.orders import Offer, RenewalWindow
from oakroot.certifier.core import Settings
from oakroot.certifier.events import (
    AskRenewal,
    Finalize,
    PlaceOrder,
    Probe,
    RefreshRequested,
    SendUpdate,
    Validate,
)
from oakroot.certifier.overview import overview
from oakroot.operate.overview import HostCertificate, Overview
from tests.certificates.minting import DAY, START, new_request
from tests.certifier.authority import ACCOUNT, THUMBPRINT
from tests.certifier.stage import Stage

WWW = "www.example.org"


def test_a_request_becomes_a_certificate_and_the_challenge_goes() -> None:
    stage = Stage()
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 60)
    stage.run(5)
    assert stage.challenges() == []
    challenge, clean_up, certificate = stage.updates
    assert [(owner, kind) for owner, kind, _ in challenge.add] == [
        ("_acme-challenge.www.example.org.", "TXT")
    ]
    assert clean_up.delete == challenge.add
    assert [rdata[:6].rstrip() for *_, rdata in certificate.add] == ["3 0 0", "0 0 0"]
    assert stage.remembered == {}


def test_it_rests_until_a_third_of_the_lifetime_is_left() -> None:
    stage = Stage()
    stage.publish(WWW, der=new_request(WWW))
    stage.run(59 * DAY)
    assert stage.authority.count(PlaceOrder) == 1
    old = stage.published(WWW).certificates
    stage.run(2 * DAY)
    assert stage.authority.count(PlaceOrder) == 2
    new = stage.published(WWW).certificates
    assert len(new) == 1
    assert new != old
    assert len(stage.published(WWW).authorities) == 1


def test_certificates_of_six_days_are_renewed_too() -> None:
    stage = Stage()
    stage.authority.lifetime = 6 * DAY
    stage.publish(WWW, der=new_request(WWW))
    stage.run(30 * DAY)
    assert stage.authority.count(PlaceOrder) == 8


def test_the_challenge_is_seen_everywhere_before_the_authority_is_asked() -> None:
    stage = Stage()
    probes: list[Probe] = []

    def prober(action: Probe) -> tuple[tuple[str, ...], tuple[str, ...]]:
        probes.append(action)
        return (("192.0.2.1:53 does not have it yet",) if len(probes) < 5 else ()), ()

    stage.prober = prober
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: len(probes) == 4, 60)
    assert stage.authority.count(Validate) == 0
    stage.run_until(lambda: stage.certified(WWW), 60)
    assert probes[0].servers["example.org."][0].addresses == ("192.0.2.1",)


def test_a_name_server_that_is_down_holds_nothing_up_for_ever() -> None:
    stage = Stage()
    stage.prober = lambda _: ((), ("192.0.2.1:53 does not answer",))
    stage.publish(WWW, der=new_request(WWW))
    stage.run(100)
    assert stage.authority.count(Validate) == 0
    stage.run_until(lambda: stage.certified(WWW), 120)
    assert stage.said("asking for validation although 192.0.2.1:53 does not answer") == 1


def test_a_wildcard_and_its_apex_are_proved_at_one_name_at_once() -> None:
    stage = Stage()
    stage.publish("example.org", der=new_request("*.example.org", "example.org"))
    stage.run_until(lambda: stage.certified("example.org"), 60)
    challenge = stage.updates[0]
    assert [owner for owner, *_ in challenge.add] == ["_acme-challenge.example.org."] * 2
    assert len({rdata for *_, rdata in challenge.add}) == 2
    stage.run(5)
    assert stage.challenges() == []


def test_a_challenge_follows_its_alias_into_another_zone() -> None:
    stage = Stage(
        {
            "example.org.": "_acme-challenge.www CNAME www.acme.example.net.\n",
            "example.net.": "acme NS ns.acme\nns.acme A 192.0.2.9\n",
            "acme.example.net.": "",
        }
    )
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 60)
    assert stage.updates[0].zone == "acme.example.net."
    assert stage.updates[0].add[0][0] == "www.acme.example.net."


def test_names_of_several_zones_are_proved_in_each() -> None:
    stage = Stage({"example.org.": "", "example.com.": ""})
    stage.publish(WWW, der=new_request(WWW, "www.example.com"))
    stage.run_until(lambda: stage.certified(WWW), 60)
    zones = [update.zone for update in stage.updates[:4]]
    assert zones == ["example.com.", "example.org."] * 2
    stage.run(5)
    assert stage.challenges() == []


def test_fifty_hosts_get_theirs_and_no_more_are_at_work_than_may_be() -> None:
    stage = Stage(settings=Settings(jobs=4))
    hosts = [f"host-{number}.example.org" for number in range(50)]
    for host in hosts:
        stage.publish(host, der=new_request(host))
    at_work = []

    def are_done() -> bool:
        at_work.append(stage.state.at_work)
        return stage.state.counters.get("certificates") == 50 and stage.certified(*hosts)

    stage.run_until(are_done, 600)
    assert max(at_work) == 4


def test_a_certificate_with_fifty_names_is_one_order_and_one_update_of_challenges() -> None:
    stage = Stage()
    names = [f"host-{number}.example.org" for number in range(50)]
    stage.publish(names[0], der=new_request(*names))
    stage.run_until(lambda: stage.certified(names[0]), 60)
    assert len(stage.updates[0].add) == 50
    assert stage.authority.count(PlaceOrder) == 1


def test_a_new_request_is_taken_up_in_the_middle_of_an_order() -> None:
    stage = Stage()
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: bool(stage.challenges()), 60)
    stage.publish(WWW, der=new_request(WWW, kind="other"))
    stage.run_until(lambda: stage.certified(WWW), 60)
    stage.run(10)
    assert stage.challenges() == []
    assert stage.authority.count(PlaceOrder) == 2
    assert "failures" not in stage.state.counters


def test_a_request_that_is_taken_back_ends_the_order() -> None:
    stage = Stage()
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: bool(stage.challenges()), 60)
    stage.publish(WWW)
    stage.run(120)
    assert stage.challenges() == []
    assert stage.authority.count(Finalize) == 0
    assert len(stage.state.hosts) == 0


def test_a_request_replaced_at_the_last_moment_gets_no_certificate_of_the_old_one() -> None:
    stage = Stage()
    stage.publish(WWW, der=new_request(WWW))

    def replaced_meanwhile(update: SendUpdate) -> None:
        if update.required:
            stage.primary = lambda _: None
            stage.publish(WWW, der=new_request(WWW, kind="other"))

    stage.primary = replaced_meanwhile
    stage.run_until(lambda: stage.certified(WWW), 120)
    stage.run(10)
    assert len(stage.published(WWW).certificates) == 1
    assert stage.authority.count(PlaceOrder) == 2


def test_the_same_key_and_names_signed_again_are_a_new_wish() -> None:
    stage = Stage()
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 60)
    stage.run(60)
    stage.publish(WWW, der=new_request(WWW))
    stage.run(60)
    assert stage.authority.count(PlaceOrder) == 2


def test_a_copy_that_is_late_orders_nothing_twice() -> None:
    stage = Stage()
    stage.transfer_seconds = 300.0
    stage.publish(WWW, der=new_request(WWW))
    stage.run(3600)
    assert stage.certified(WWW)
    assert stage.authority.count(PlaceOrder) == 1


def test_an_authority_that_takes_its_time_is_waited_for() -> None:
    stage = Stage()
    stage.authority.processing = 5
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 120)
    assert stage.authority.count(Finalize) == 1


def test_the_authority_says_when_to_renew() -> None:
    stage = Stage()
    stage.authority.offer = Offer(ACCOUNT, THUMBPRINT, has_renewal_info=True)
    stage.authority.window = RenewalWindow(START + 10 * DAY, START + 12 * DAY, 21600.0)
    stage.publish(WWW, der=new_request(WWW))
    stage.run(9.9 * DAY)
    assert stage.authority.count(PlaceOrder) == 1
    stage.authority.window = RenewalWindow(START + 70 * DAY, START + 72 * DAY, 21600.0)
    stage.run(59 * DAY)
    assert stage.authority.count(PlaceOrder) == 1
    stage.authority.window = NOW
    stage.run(0.3 * DAY)
    placed = [question for question in stage.authority.asked if isinstance(question, PlaceOrder)]
    assert [order.replaces is None for order in placed[:2]] == [True, False]


def test_the_operator_sees_when_a_certificate_is_to_be_renewed() -> None:
    stage = Stage()
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 60)
    stage.run(60)
    assert _renewal(stage) == pytest.approx(START + 60 * DAY, abs=DAY)
    stage.authority.offer = Offer(ACCOUNT, THUMBPRINT, has_renewal_info=True)
    stage.authority.window = RenewalWindow(START + 20 * DAY, START + 22 * DAY, 21600.0)
    stage.start()
    stage.run(60)
    assert START + 20 * DAY <= _renewal(stage) <= START + 22 * DAY


NOW = RenewalWindow(START - 2 * DAY, START - 1 * DAY, 21600.0)


def test_the_operator_has_the_authority_asked_anew_though_an_answer_is_on_its_way() -> None:
    stage = Stage()
    stage.authority.offer = Offer(ACCOUNT, THUMBPRINT, has_renewal_info=True)
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.authority.count(AskRenewal) == 1)
    stage.authority.window = NOW
    stage.happen(RefreshRequested())
    stage.run(60)
    assert stage.authority.count(PlaceOrder) == 2


def test_what_is_said_of_a_certificate_too_late_is_not_taken_for_what_is_said_of_the_next() -> None:
    stage = Stage()
    stage.authority.offer = Offer(ACCOUNT, THUMBPRINT, has_renewal_info=True)
    stage.authority.window = RenewalWindow(START + 50 * DAY, START + 51 * DAY, 21600.0)
    stage.publish(WWW, der=new_request(WWW))
    stage.run(30 * DAY)
    stage.authority.window = NOW
    asked = stage.authority.count(AskRenewal)
    stage.late[AskRenewal] = 40 * DAY
    stage.run_until(lambda: stage.authority.count(AskRenewal) > asked)
    stage.late.clear()
    stage.authority.window = None
    stage.run(60 * DAY)
    assert stage.authority.count(PlaceOrder) == 2


def test_hosts_are_shown_in_the_order_of_their_names_whoever_asked_first() -> None:
    stage = Stage()
    for host in (WWW, "ftp.example.org", "mail.example.org"):
        stage.publish(host, der=new_request(host))
        stage.run(1)
    shown = [each.host for each in _certificates(stage)]
    assert shown == ["ftp.example.org", "mail.example.org", WWW]


def _certificates(stage: Stage) -> tuple[HostCertificate, ...]:
    copies = Overview("certifier", "1", stage.now.wall, START)
    return overview(stage.state, copies, stage.now).certificates


def _renewal(stage: Stage) -> float:
    (certificate,) = _certificates(stage)
    assert certificate.renewal is not None
    return certificate.renewal


def test_an_authority_that_wants_everything_renewed_at_once_causes_no_loop() -> None:
    stage = Stage()
    stage.authority.offer = Offer(ACCOUNT, THUMBPRINT, has_renewal_info=True)
    stage.authority.window = RenewalWindow(START - 2 * DAY, START - 1 * DAY, 0.0)
    stage.publish(WWW, der=new_request(WWW))
    stage.run(DAY)
    assert stage.authority.count(PlaceOrder) <= 25


def test_a_profile_is_ordered_where_the_authority_has_it() -> None:
    stage = Stage(settings=Settings(profile="shortlived"))
    stage.authority.offer = Offer(ACCOUNT, THUMBPRINT, profiles={"shortlived": "six days"})
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 60)
    assert [each.profile for each in stage.authority.asked if isinstance(each, PlaceOrder)] == ["shortlived"]


def test_a_profile_that_the_authority_does_not_have_is_told_of() -> None:
    stage = Stage(settings=Settings(profile="shortlived"))
    stage.authority.offer = Offer(ACCOUNT, THUMBPRINT, profiles={"classic": "90 days"})
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 60)
    assert stage.said("no profile 'shortlived'; it has: classic") == 1


def test_a_persistent_record_needs_no_challenge() -> None:
    text = f'_validation-persist.www TXT "ca.example; accounturi={ACCOUNT}"\n'
    stage = Stage({"example.org.": text})
    stage.authority.persistent = True
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 60)
    assert len(stage.updates) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        f'_validation-persist.www TXT "other.example; accounturi={ACCOUNT}"\n',
        f'_validation-persist.www TXT "ca.example; accounturi={ACCOUNT}2"\n',
        f'_validation-persist.www TXT "ca.example; accounturi={ACCOUNT}; persistUntil=1"\n',
    ],
)
def test_without_a_persistent_record_of_ours_there_is_a_challenge(text: str) -> None:
    stage = Stage({"example.org.": text})
    stage.authority.persistent = True
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 60)
    assert len(stage.updates) == 3
