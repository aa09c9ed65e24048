"""Key files of a repository: which keys count after which change."""

from __future__ import annotations

import dns.name
import pytest

from oakroot.zones.diagnostics import render
from tests.zones.repositories import KEY_LINE, Repository, zone_text

SECRET = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="


def names(repository: Repository) -> set[str]:
    return {granted.key.name.to_text() for granted in repository.loaded.keyring.keys}


@pytest.fixture
def repository() -> Repository:
    repository = Repository()
    repository.holds({"mirage": zone_text(), "mirage._keys": KEY_LINE.format(zone="mirage.")})
    return repository


def test_a_key_file_is_read_into_the_keyring_and_never_a_zone(repository: Repository) -> None:
    assert names(repository) == {"personal._update.mirage."}
    assert set(repository.loaded.zones) == {"mirage."}


def test_a_forgotten_final_dot_does_no_harm(repository: Repository) -> None:
    repository.changes({"mirage._keys": KEY_LINE.format(zone="mirage")})
    assert names(repository) == {"personal._update.mirage."}


def test_a_key_of_another_zone_is_an_error_and_keeps_the_last_good_keys(repository: Repository) -> None:
    loading = repository.changes({"mirage._keys": KEY_LINE.format(zone="example.org.")})
    assert names(repository) == {"personal._update.mirage."}
    assert [finding.code for finding in loading.findings] == ["key-outside-zone"]
    assert not repository.loaded.key_files["mirage._keys"].is_current


def test_a_file_broken_from_the_start_gives_its_good_lines() -> None:
    repository = Repository()
    repository.holds({"_keys": KEY_LINE.format(zone="mirage.") + "what is this\n"})
    assert names(repository) == {"personal._update.mirage."}
    assert not repository.loaded.key_files["_keys"].is_current


def test_a_removed_key_file_takes_its_keys_along(repository: Repository) -> None:
    repository.changes({"mirage._keys": None})
    assert names(repository) == set()


def test_the_file_for_all_zones_may_hold_any_key(repository: Repository) -> None:
    repository.changes({"_keys": KEY_LINE.format(zone="example.org.")})
    found = repository.loaded.keyring.find(dns.name.from_text("personal._update.example.org."))
    assert found is not None


def test_one_name_in_two_files_is_told_once(repository: Repository) -> None:
    first = repository.changes({"_keys": KEY_LINE.format(zone="mirage.")})
    second = repository.changes(mirage=zone_text(2))
    assert [(finding.code, finding.file) for finding in first.findings] == [("key-duplicate", "mirage._keys")]
    assert second.findings == ()


@pytest.mark.parametrize(
    "line",
    [
        f"personal._update.mirage. DNSKEY 0 3 8 {SECRET}",
        f"personal._update.mirage. DNSKEY 0 3 163 {SECRET}=",
        f"personal._update.mirage. DNSKEY 0 3 163 !{SECRET}",
        f"personal._update.mirage. DNSKEY 256 3 163 {SECRET}",
        f"personal._update.mirage. {SECRET}",
        f"personal.mirage. DNSKEY 0 3 163 {SECRET}",
        f"personal._update.mirage. TXT {SECRET}",
        f'"personal._update.mirage. DNSKEY 0 3 163 {SECRET}',
        f"{SECRET} DNSKEY 0 3 163 {SECRET}",
    ],
)
def test_no_finding_about_a_key_file_holds_its_secret(line: str) -> None:
    repository = Repository()
    loading = repository.holds({"mirage._keys": line})
    assert loading.findings
    for finding in loading.findings:
        assert SECRET[:8] not in repr(finding)
        assert all(SECRET[:8] not in render(finding, form) for form in ("text", "json", "github"))
