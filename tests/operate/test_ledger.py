"""What is written down of what happens: bounded by what the operator has configured."""

from __future__ import annotations

import dns.name
import dns.rcode

from oakroot.distribution.service import Report
from oakroot.keys.grant import read_grant
from oakroot.keys.keyring import GrantedKey, Keyring
from oakroot.operate.ledger import COPIERS_LIMIT, LATENCY_BOUNDS, Ledger
from oakroot.operate.overview import Attempt, Condition, Copied, Git, Overview, Zone
from oakroot.roles.overview import secondaries
from tests.protocol.keys import make_key

KEY = make_key("laptop._update.example.org.")
KEYRING = Keyring([GrantedKey(KEY, read_grant(KEY.name), "_keys", 1)])


def test_a_key_shows_its_use_and_its_failures_by_their_tsig_error() -> None:
    ledger = Ledger(0.0)
    ledger.key_used(KEY.name, 10.0)
    ledger.key_used(KEY.name, 12.0)
    ledger.signature_refused(KEY.name, dns.rcode.BADSIG, 13.0)
    (use,) = ledger.keys(KEYRING)
    assert (use.name, use.operation, use.uses, use.last_use) == (
        "laptop._update.example.org",
        "update",
        2,
        12.0,
    )
    assert (use.failures, use.last_failure) == ({"BADSIG": 1}, 13.0)


def test_keys_of_strangers_are_counted_and_not_named() -> None:
    ledger = Ledger(0.0)
    for _ in range(3):
        ledger.signature_refused(None, dns.rcode.BADKEY, 1.0)
    assert ledger.unknown_keys == 3
    assert [use.name for use in ledger.keys(KEYRING)] == ["laptop._update.example.org"]


def test_a_key_that_is_gone_is_forgotten() -> None:
    ledger = Ledger(0.0)
    ledger.key_used(KEY.name, 10.0)
    assert ledger.keys(Keyring()) == ()
    assert ledger.keys(KEYRING)[0].uses == 0


def test_latencies_add_up_from_bound_to_bound() -> None:
    ledger = Ledger(0.0)
    for seconds in (0.001, LATENCY_BOUNDS[0], 0.3, 100.0):
        ledger.update_answered(dns.rcode.NOERROR, seconds)
    ledger.update_answered(dns.rcode.REFUSED, None)
    updates = ledger.updates()
    cumulative = dict(updates.latency.cumulative())
    assert (cumulative[LATENCY_BOUNDS[0]], cumulative[0.5], cumulative[float("inf")]) == (2, 3, 4)
    assert updates.latency.count == 4
    assert updates.answers == {"NOERROR": 4, "REFUSED": 1}


def test_copiers_are_bounded_and_the_one_heard_of_last_stays() -> None:
    ledger = Ledger(0.0)
    for number in range(COPIERS_LIMIT + 10):
        ledger.copied((f"192.0.2.{number}", None), Copied("example.org.", 1, number))
        ledger.copied(("198.51.100.1", "key"), Copied("example.org.", 1, number))
    assert len(ledger.copies()) == COPIERS_LIMIT
    assert ("198.51.100.1", "key") in ledger.copies()


def test_secondaries_and_their_copies_are_in_the_order_of_names_whoever_came_first() -> None:
    ledger = Ledger(0.0)
    ledger.copied(("192.0.2.2", None), Copied("example.org.", 2, 1.0))
    ledger.copied(("192.0.2.2", None), Copied("example.net.", 1, 2.0))
    ledger.copied(("192.0.2.1", "a-key."), Copied("example.org.", 1, 3.0))
    shown = secondaries(ledger, Report({}, 0, 0, 0), frozenset({"192.0.2.2"}), {})
    assert [(each.name, [copy.zone for copy in each.copies]) for each in shown] == [
        ("192.0.2.2", ["example.net.", "example.org."]),
        ("a-key.", ["example.org."]),
    ]


def test_a_version_is_served_since_it_came_and_not_since_it_was_last_told_of() -> None:
    ledger = Ledger(0.0)
    ledger.served("example.org.", 1, 10.0)
    ledger.served("example.org.", 1, 20.0)
    assert ledger.since("example.org.") == 10.0
    ledger.served("example.org.", 2, 30.0)
    assert ledger.since("example.org.") == 30.0
    ledger.served("example.org.", None, 40.0)
    assert ledger.since("example.org.") is None


def test_a_server_is_not_ready_before_its_first_pull_and_says_why() -> None:
    failed = Attempt(1.0, 0.1, "failed", "no route to host")
    git = Git("https://git.example.org/zones.git", last_pull=failed)
    (obstacle,) = Overview("primary", "1", 0.0, 0.0, git=git).obstacles
    assert obstacle == "nothing was pulled from https://git.example.org/zones.git yet: no route to host"


def test_one_broken_zone_does_not_make_a_server_unready() -> None:
    broken, fine = Zone("a.", Condition.UNAVAILABLE), Zone("b.", Condition.CURRENT, 1)
    assert Overview("secondary", "1", 0.0, 0.0, zones=(broken, fine)).obstacles == ()
    assert Overview("secondary", "1", 0.0, 0.0, zones=(broken,)).obstacles == ("no zone is served yet",)


def test_no_name_is_needed_to_refuse_a_signature() -> None:
    ledger = Ledger(0.0)
    ledger.signature_refused(dns.name.from_text("laptop._update.example.org"), dns.rcode.BADTIME, 5.0)
    assert ledger.keys(KEYRING)[0].failures == {"BADTIME": 1}
