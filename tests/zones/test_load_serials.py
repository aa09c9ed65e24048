"""Serials while loading: raised where they must be, written where they stand, never moved back."""

from __future__ import annotations

import pytest

from oakroot.zones import load
from oakroot.zones.diagnostics import errors
from oakroot.zones.serials import SerialPolicy
from tests.zones.repositories import Repository, zone_text

WWW = "www A 192.0.2.2"


def repository_with(serial: int, policy: SerialPolicy = "increment") -> Repository:
    repository = Repository(policy=policy)
    repository.holds({"mirage": zone_text(serial)})
    return repository


@pytest.mark.parametrize(
    ("policy", "served", "written", "raised"),
    [
        ("increment", 5, 5, 6),
        ("increment", 5, 3, 6),
        ("increment", 2**32 - 1, 2**32 - 1, 1),
        ("unixtime", 5, 5, 1_795_348_800),
        ("date", 2_026_112_200, 2_026_112_200, 2_026_112_201),
    ],
)
def test_changed_content_without_a_forward_serial_is_raised(
    policy: SerialPolicy, served: int, written: int, raised: int
) -> None:
    repository = repository_with(served, policy)
    repository.changes(mirage=zone_text(written, WWW))
    assert repository.serial("mirage.") == raised


def test_the_edit_changes_nothing_but_the_digits_of_the_serial() -> None:
    repository = repository_with(9)
    text = zone_text(9, "; a comment", "", "www\t  A 192.0.2.2 ; web").replace(b"$TTL", b"; 9 lives\n$TTL")
    (edit,) = repository.changes(mirage=text).edits
    assert (edit.path, edit.old_serial, edit.new_serial) == ("mirage", 9, 10)
    assert edit.content == text.replace(b"\t9\t", b"\t10\t")


def test_once_the_edit_is_in_the_repository_all_is_settled() -> None:
    repository = repository_with(9)
    (edit,) = repository.changes(mirage=zone_text(9, WWW)).edits
    loading = repository.changes(mirage=edit.content)
    assert not loading.edits
    assert not loading.changes
    assert repository.serial("mirage.") == 10


def test_until_the_edit_is_in_the_repository_it_is_offered_again() -> None:
    repository = repository_with(9)
    first = repository.changes(mirage=zone_text(9, WWW))
    second = repository.changes({"example.org": zone_text()})
    assert first.edits == second.edits


def test_content_that_follows_a_raise_is_raised_above_it() -> None:
    repository = repository_with(9)
    repository.changes(mirage=zone_text(9, WWW))
    repository.changes(mirage=zone_text(10, WWW, "ftp A 192.0.2.3"))
    assert repository.serial("mirage.") == 11


def test_a_signed_zone_is_refused_where_its_serial_would_have_to_be_raised() -> None:
    """Another serial under the old signature of the SOA would make every denial bogus."""
    signature = "@ RRSIG SOA 13 1 3600 20300101000000 20200101000000 1 mirage. AA=="
    repository = Repository()
    repository.holds({"mirage": zone_text(9, signature)})
    loading = repository.changes(mirage=zone_text(9, signature, WWW))
    assert repository.serial("mirage.") == 9
    assert not loading.edits
    assert not loading.loaded.zones["mirage."].is_current
    (finding,) = errors(loading.findings)
    assert finding.code == "serial-not-forward"
    assert finding.hint == "sign the zone again with a greater serial, 10 at least (RFC 1982)"


def test_a_comment_alone_raises_nothing() -> None:
    repository = repository_with(9)
    loading = repository.changes(mirage=zone_text(9, "; only words"))
    assert not loading.edits
    assert not loading.changes
    assert repository.serial("mirage.") == 9


def test_a_serial_that_moves_forward_alone_is_served() -> None:
    repository = repository_with(9)
    repository.changes(mirage=zone_text(12))
    assert repository.serial("mirage.") == 12


def test_a_serial_that_moves_back_alone_is_not_served() -> None:
    repository = repository_with(9)
    (edit,) = repository.changes(mirage=zone_text(4)).edits
    assert repository.serial("mirage.") == 9
    assert (edit.old_serial, edit.new_serial) == (4, 9)


def test_a_zone_that_comes_back_is_raised_above_its_former_serial() -> None:
    repository = repository_with(9)
    repository.changes(mirage=None)
    repository.changes(mirage=zone_text(3))
    assert repository.serial("mirage.") == 10


def test_serials_of_removed_zones_are_forgotten_only_beyond_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(load, "REMEMBERED_SERIALS", 2)
    repository = Repository()
    repository.holds({f"zone{number}": zone_text(9) for number in range(4)})
    repository.holds({})
    assert set(repository.loaded.serials) == {"zone2.", "zone3."}


def test_the_manual_policy_refuses_and_keeps_the_last_good() -> None:
    repository = repository_with(9, "manual")
    loading = repository.changes(mirage=zone_text(9, WWW))
    (finding,) = errors(loading.findings)
    assert repository.serial("mirage.") == 9
    assert not loading.edits
    assert not loading.changes
    assert (finding.code, finding.line, finding.column) == ("serial-not-forward", 2, 22)
    assert finding.hint == "write a greater serial, 10 at least (RFC 1982)"
    assert not repository.loaded.zones["mirage."].is_current


def test_the_manual_policy_lets_a_comment_pass() -> None:
    repository = repository_with(9, "manual")
    loading = repository.changes(mirage=zone_text(9, "; only words"))
    assert loading.findings == ()
    assert repository.loaded.zones["mirage."].is_current


def test_a_serial_in_an_included_file_is_edited_there() -> None:
    repository = Repository()
    soa = "@ 3600 SOA ns1 hostmaster {} 86400 7200 1048576 3600\n"
    main = "$TTL 3600\n$INCLUDE parts/soa\n@ NS ns1\nns1 A 192.0.2.1\n"
    repository.holds({"mirage": main, "parts/soa": soa.format(9)})
    (edit,) = repository.changes({"mirage": main + "www A 192.0.2.2\n"}).edits
    assert (edit.path, edit.content.decode()) == ("parts/soa", soa.format(10))


def test_zones_that_share_their_soa_settle_by_turns() -> None:
    repository = Repository()
    soa = "@ 3600 SOA ns1.example.org. hostmaster 9 86400 7200 1048576 3600\n"
    main = "$TTL 3600\n$INCLUDE parts/soa\n@ NS ns1.example.net.\n"
    repository.holds({"one": main, "two": main, "parts/soa": soa})
    repository.changes({"one": main + "www A 192.0.2.2\n"})
    loading = repository.changes({"two": main + "www A 192.0.2.2\n"})
    rounds = 0
    while loading.edits:
        (edit,) = loading.edits
        loading = repository.changes({edit.path: edit.content})
        rounds += 1
    assert rounds <= 2
    assert repository.serial("one.") == repository.serial("two.")
