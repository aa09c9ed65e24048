"""Where challenges belong, and what CAA in our zones says of an order."""

from __future__ import annotations

import pytest

from oakroot.certificates.orders import Offer
from oakroot.certifier.events import PlaceOrder, Probe
from tests.certificates.minting import new_request
from tests.certifier.authority import ACCOUNT, THUMBPRINT
from tests.certifier.stage import Stage

WWW = "www.example.org"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ('@ CAA 0 issue "other.example"', "CAA at example.org allows 'other.example'"),
        ('@ CAA 0 issue ";"', "CAA at example.org allows ';'"),
        ('www CAA 0 issue "other.example"', "CAA at www.example.org allows"),
        ('@ CAA 0 issue "ca.example; validationmethods=http-01"', "with this account and dns-01"),
        ('@ CAA 0 issue "ca.example; accounturi=https://ca.example/account/9"', "with this account"),
        ('@ CAA 128 unheard "of"', "critical property unheard"),
        ('www CNAME elsewhere\nelsewhere CAA 0 issue "other.example"', "CAA at www.example.org allows"),
    ],
)
def test_caa_that_forbids_is_told_before_anything_is_ordered(record: str, reason: str) -> None:
    stage = Stage({"example.org.": f"{record}\n"})
    stage.publish(WWW, der=new_request(WWW))
    stage.run(60)
    assert stage.said(reason) == 1
    assert stage.authority.count(PlaceOrder) == 0


@pytest.mark.parametrize(
    "record",
    [
        '@ CAA 0 issue "ca.example"',
        f'@ CAA 0 issue "CA.example; accounturi={ACCOUNT}; validationmethods=http-01,dns-01"',
        '@ CAA 0 issue "other.example"\nwww CAA 0 issue "ca.example"',
        '@ CAA 0 iodef "mailto:admin@example.org"',
        '@ CAA 0 issuewild ";"',
    ],
)
def test_caa_that_allows_is_no_obstacle(record: str) -> None:
    stage = Stage({"example.org.": f"{record}\n"})
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 60)


def test_caa_for_wildcards_counts_for_wildcards() -> None:
    stage = Stage({"example.org.": '@ CAA 0 issue "ca.example"\n@ CAA 0 issuewild ";"\n'})
    stage.publish("example.org", der=new_request("*.example.org", "example.org"))
    stage.run(60)
    assert stage.said("CAA at example.org allows ';'") == 1


@pytest.mark.parametrize(
    ("zones", "reason"),
    [
        ({"example.org.": "_acme-challenge.www CNAME x.example.net.\n"}, "x.example.net, which is in none"),
        ({"example.org.": "www NS ns.www\nns.www A 192.0.2.3\n"}, "www.example.org, which is delegated"),
        (
            {"example.org.": "_acme-challenge.www CNAME a\na CNAME b\nb CNAME a\n"},
            "_acme-challenge.www.example.org. is an alias of an alias",
        ),
    ],
)
def test_a_challenge_that_has_no_place_here_is_told_of(zones: dict[str, str], reason: str) -> None:
    stage = Stage(zones)
    stage.publish("example.org", der=new_request("example.org", WWW))
    stage.run(60)
    assert stage.said(reason) == 1
    assert stage.updates == []


def test_an_authority_without_names_for_caa_is_not_held_against_it() -> None:
    stage = Stage({"example.org.": '@ CAA 0 issue "other.example"\n'})
    stage.authority.offer = Offer(ACCOUNT, THUMBPRINT)
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 60)


def test_a_challenge_goes_through_a_dname() -> None:
    zones = {
        "example.org.": "_acme-challenge.www CNAME www.proofs\nproofs DNAME proofs.example.net.\n",
        "example.net.": "",
    }
    stage = Stage(zones)
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 60)
    assert stage.updates[0].zone == "example.net."
    assert stage.updates[0].add[0][0] == "www.proofs.example.net."


def test_what_stands_below_a_cut_is_the_childs_business() -> None:
    stage = Stage({"example.org.": "www NS ns.www\nns.www A 192.0.2.3\n", "www.example.org.": ""})
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 60)
    assert {update.zone for update in stage.updates} == {"www.example.org."}


def test_probes_name_the_servers_of_each_zone() -> None:
    stage = Stage({"example.org.": "@ NS ns.example.com.\n", "example.com.": "ns A 192.0.2.53\n"})
    probes: list[Probe] = []

    def prober(action: Probe) -> tuple[tuple[str, ...], tuple[str, ...]]:
        probes.append(action)
        return (), ()

    stage.prober = prober
    stage.publish(WWW, der=new_request(WWW))
    stage.run_until(lambda: stage.certified(WWW), 60)
    servers = {server.name: server.addresses for server in probes[0].servers["example.org."]}
    assert servers == {"ns.example.com.": ("192.0.2.53",), "ns1.example.org.": ("192.0.2.1",)}
