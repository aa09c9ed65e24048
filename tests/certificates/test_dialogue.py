"""How a client comes to a certificate: what it asks, publishes, waits for, and says when there is none."""

from __future__ import annotations

from collections.abc import Callable

import dns.rcode
import pytest

from oakroot.certificates import dialogue
from oakroot.certificates.certificate import read_certificate
from oakroot.certificates.dialogue import Chain, Wanted
from oakroot.certificates.forms import certificate_records, request_record
from oakroot.certificates.names import read_name
from oakroot.certificates.signing_request import read_signing_request
from oakroot.client.server import ServerError
from tests.certificates.minting import DAY, START, new_authority, new_certificate, new_request
from tests.certificates.world import World

HOST = "www.example.org"
PLACE = "_letsencrypt._tcp.www"
REQUEST = read_signing_request(new_request(HOST))
WANTED = Wanted("SERVER", read_name(HOST), REQUEST)
CHAIN = tuple(map(read_certificate, [new_certificate(HOST), new_authority("Intermediate", "Root")]))
OLD = (read_certificate(new_certificate(HOST, begin=START - 70 * DAY)),)
PATIENCE = 300.0


def issues(chain: Chain = CHAIN) -> Callable[[World], None]:
    """A certifier puts a chain beside the request."""
    return lambda world: world.publish(PLACE, "TLSA", *certificate_records(chain))


def obtain(world: World, wanted: Wanted = WANTED) -> Chain:
    return world.run(dialogue.obtain(wanted, world.now, PATIENCE, world.draw))


def test_a_request_is_published_and_the_certificate_waited_for() -> None:
    world = World(START, {START + 20: issues()})
    assert obtain(world) == CHAIN
    assert request_record(REQUEST) in world.rdatas(PLACE, "TLSA")
    assert START + 20 <= world.now < START + 36
    assert [str(update.zone[0].name) for update in world.updates] == ["example.org."]
    assert world.told == [
        "the request is published at _letsencrypt._tcp.www.example.org.",
        "waiting for a certifier",
        "the certificate is there",
    ]


def test_a_good_certificate_in_dns_needs_no_request() -> None:
    world = World(START)
    issues()(world)
    assert obtain(world) == CHAIN
    assert (world.updates, world.now) == ([], START)


def test_a_request_that_is_there_is_not_published_again() -> None:
    world = World(START, {START + 5: issues()})
    world.publish(PLACE, "TLSA", request_record(read_signing_request(new_request(HOST))))
    assert obtain(world) == CHAIN
    assert world.updates == []


def test_an_old_request_makes_room_and_the_rest_stays() -> None:
    world = World(START, {START + 5: issues()})
    others = [
        f"3 1 1 {'AB' * 32}",
        *certificate_records([read_certificate(new_certificate(HOST, kind="other"))]),
    ]
    world.publish(
        PLACE, "TLSA", *others, request_record(read_signing_request(new_request(HOST, kind="other")))
    )
    assert obtain(world) == CHAIN
    assert set(world.rdatas(PLACE, "TLSA")) == {
        *others,
        request_record(REQUEST),
        *certificate_records(CHAIN),
    }


def test_a_certificate_with_less_than_a_third_left_is_waited_for_anew() -> None:
    world = World(START, {START + 60: issues()})
    world.publish(PLACE, "TLSA", request_record(REQUEST), *certificate_records(OLD))
    assert obtain(world) == CHAIN
    assert world.updates == []


def test_renewing_takes_the_good_certificate_away_so_that_another_is_ordered() -> None:
    world = World(START)
    issues()(world)
    newer = (read_certificate(new_certificate(HOST, days=91)), CHAIN[1])
    world.at[START + 10] = issues(newer)
    assert obtain(world, Wanted("SERVER", read_name(HOST), REQUEST, renew=True)) == newer
    assert len(world.updates) == 1


def test_the_challenge_of_a_certifier_is_seen() -> None:
    host = read_name("mail.example.org")
    request = read_signing_request(new_request("mail.example.org"))
    world = World(START)
    world.at[START + 10] = lambda world: world.publish("_acme-challenge.mail", "TXT", "token")
    world.at[START + 60] = lambda world: world.withdraw("_acme-challenge.mail", "TXT")
    with pytest.raises(ServerError) as error:
        obtain(world, Wanted("SERVER", host, request))
    assert world.told[2:] == [
        "a certifier is at work: its challenge is published",
        "the challenge was taken away again: waiting for the certificate",
    ]
    assert "a certifier works on mail.example.org" in error.value.message


def test_no_certifier_in_time_is_told() -> None:
    world = World(START)
    with pytest.raises(ServerError, match=r"answered the request for www\.example\.org within 300"):
        obtain(world)
    assert world.now == START + PATIENCE


def test_caa_records_that_may_be_the_reason_are_told() -> None:
    world = World(START)
    world.publish("@", "CAA", '0 issue "other.example"')
    with pytest.raises(ServerError) as error:
        obtain(world)
    assert 'CAA at example.org. may forbid it (0 issue "other.example")' in (error.value.hint or "")


def test_waiting_asks_seldom() -> None:
    world = World(START)
    with pytest.raises(ServerError):
        obtain(world)
    assert len(world.questions) < 70


def test_a_server_that_is_away_meanwhile_is_asked_again() -> None:
    world = World(START)

    def restart(world: World) -> None:
        world.silent_until = START + 40

    world.at = {START + 2: restart, START + 40: issues()}
    assert obtain(world) == CHAIN
    assert "in vain" in world.questions


def test_a_server_that_stays_away_is_told_in_the_end() -> None:
    world = World(START)

    def leave(world: World) -> None:
        world.silent_until = START + 10 * PATIENCE

    world.at = {START + 2: leave}
    with pytest.raises(ServerError, match="no reply in time"):
        obtain(world)


def test_a_request_that_another_replaces_ends_the_waiting() -> None:
    other = request_record(read_signing_request(new_request(HOST, kind="other")))

    def replace(world: World) -> None:
        world.withdraw(PLACE, "TLSA")
        world.publish(PLACE, "TLSA", other)

    world = World(START, {START + 5: replace})
    with pytest.raises(ServerError, match="another request has taken the place of ours"):
        obtain(world)
    assert world.now < START + 20


def test_a_request_that_goes_away_ends_the_waiting() -> None:
    world = World(START, {START + 5: lambda world: world.withdraw(PLACE, "TLSA")})
    with pytest.raises(ServerError, match="is gone") as error:
        obtain(world)
    assert "CNAME" in (error.value.hint or "")


def test_a_chain_whose_signatures_are_wrong_is_not_taken() -> None:
    stranger = read_certificate(new_authority("Intermediate", "Root", kind="other"))
    world = World(START, {START + 5: issues((CHAIN[0], stranger))})
    with pytest.raises(ServerError, match="is not signed by what stands behind it"):
        obtain(world)


@pytest.mark.parametrize(
    ("rcode", "hint"),
    [
        (dns.rcode.REFUSED, "anything._update.ZONE"),
        (dns.rcode.NOTAUTH, "does the server know it?"),
        (dns.rcode.SERVFAIL, "nothing was changed"),
        (dns.rcode.NOTIMP, "name the primary"),
    ],
)
def test_an_update_that_is_refused_says_why(rcode: dns.rcode.Rcode, hint: str) -> None:
    world = World(START, rcode=rcode)
    with pytest.raises(ServerError, match=f"SERVER does not take the request: {rcode.name}") as error:
        obtain(world)
    assert hint in (error.value.hint or "")
    assert world.now == START


def test_a_host_outside_every_zone_is_told_at_once() -> None:
    request = read_signing_request(new_request("www.example.net"))
    with pytest.raises(ServerError, match=r"_letsencrypt\._tcp\.www\.example\.net\.: REFUSED"):
        obtain(World(START), Wanted("SERVER", read_name("www.example.net"), request))


def test_an_additional_name_outside_every_zone_is_told_before_anything_is_published() -> None:
    request = read_signing_request(new_request(HOST, "www.example.net"))
    world = World(START)
    with pytest.raises(ServerError, match=r"no zone that holds _acme-challenge\.www\.example\.net\."):
        obtain(world, Wanted("SERVER", read_name(HOST), request))
    assert world.updates == []


def test_a_server_without_authority_is_not_believed() -> None:
    with pytest.raises(ServerError, match="not authoritative for"):
        obtain(World(START, authoritative=False))


def test_without_a_right_to_publish_only_what_is_there_can_be_had() -> None:
    obstacle = ServerError("no key")
    wanted = Wanted("SERVER", read_name(HOST), REQUEST, obstacle=obstacle)
    world = World(START)
    with pytest.raises(ServerError, match="no key"):
        obtain(world, wanted)
    issues()(world)
    assert obtain(world, wanted) == CHAIN


def test_looking_takes_what_is_there_and_publishes_nothing() -> None:
    world = World(START)
    assert world.run(dialogue.look(WANTED, START, world.draw)) == ()
    issues(OLD)(world)
    assert world.run(dialogue.look(WANTED, START, world.draw)) == OLD
    assert world.updates == []
