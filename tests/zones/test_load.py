"""Loading a repository: what is served after which change of its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from oakroot import _engine
from oakroot.zones import reading
from oakroot.zones.diagnostics import errors
from oakroot.zones.load import SerialRules, load
from oakroot.zones.loaded import Loaded
from tests.zones.repositories import BROKEN, NOON, Repository, tree_of, zone_text


@pytest.fixture
def repository() -> Repository:
    repository = Repository()
    repository.holds({"mirage": zone_text(), "example.org": zone_text(7), "README.md": "# ours"})
    return repository


def test_each_zone_file_becomes_a_zone(repository: Repository) -> None:
    assert repository.serial("mirage.") == 1
    assert repository.serial("example.org.") == 7
    assert set(repository.loaded.zones) == {"mirage.", "example.org."}


def test_a_forward_serial_is_served_as_written(repository: Repository) -> None:
    loading = repository.changes(mirage=zone_text(5, "www A 192.0.2.2"))
    assert repository.serial("mirage.") == 5
    assert loading.edits == ()
    assert [change.apex for change in loading.changes] == ["mirage."]


def test_an_unchanged_commit_changes_nothing(repository: Repository) -> None:
    catalogue = repository.loaded.catalogue
    loading = repository.changes()
    assert not (loading.changes)
    assert not (loading.findings)
    assert not (loading.edits)
    assert loading.loaded.catalogue is catalogue


def test_a_broken_file_keeps_the_last_good_version_and_others_go_on(repository: Repository) -> None:
    loading = repository.changes({"mirage": BROKEN, "example.org": zone_text(8, "www A 192.0.2.2")})
    assert repository.serial("mirage.") == 1
    assert repository.serial("example.org.") == 8
    assert not repository.loaded.zones["mirage."].is_current
    assert [(finding.file, finding.line) for finding in errors(loading.findings)] == [("mirage", 5)]


def test_a_repaired_file_is_served_again(repository: Repository) -> None:
    repository.changes(mirage=BROKEN)
    repository.changes(mirage=zone_text(3, "www A 192.0.2.2"))
    assert repository.serial("mirage.") == 3
    assert repository.loaded.zones["mirage."].is_current


def test_a_reverted_file_is_current_again_and_keeps_its_serial(repository: Repository) -> None:
    repository.changes(mirage=BROKEN)
    loading = repository.changes(mirage=zone_text())
    assert repository.loaded.zones["mirage."].is_current
    assert repository.serial("mirage.") == 1
    assert loading.edits == ()


def test_a_zone_that_never_was_good_is_ours_but_unavailable() -> None:
    repository = Repository()
    repository.holds({"mirage": BROKEN})
    assert "mirage." in repository.loaded.zones
    assert repository.serial("mirage.") is None
    assert repository.loaded.zones["mirage."].findings


def test_a_removed_file_removes_the_zone(repository: Repository) -> None:
    loading = repository.changes(mirage=None)
    assert repository.serial("mirage.") is None
    assert "mirage." not in repository.loaded.zones
    assert [(change.apex, change.after) for change in loading.changes] == [("mirage.", None)]


def test_a_changed_include_alone_reloads_the_zone(repository: Repository) -> None:
    repository.changes(
        {"mirage": zone_text(2, "$INCLUDE parts/web"), "parts/web": "www 3600 IN A 192.0.2.7\n"}
    )
    loading = repository.changes({"parts/web": "www 3600 IN A 192.0.2.8\n"})
    zone = repository.loaded.zones["mirage."].zone
    assert zone is not None
    assert "192.0.2.8" in {rdata for _, _, _, rdata in zone.records()}
    assert [change.apex for change in loading.changes] == ["mirage."]


def test_a_missing_include_is_found_when_it_arrives(repository: Repository) -> None:
    loading = repository.changes(mirage=zone_text(2, "$INCLUDE parts/web"))
    assert errors(loading.findings)
    repository.changes({"parts/web": "www 3600 IN A 192.0.2.7\n"})
    assert repository.serial("mirage.") == 2


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "/etc/passwd", "parts/../../x", "mirage._keys", "old/_keys.bak"]
)
def test_an_include_never_leaves_the_repository_nor_serves_keys(repository: Repository, path: str) -> None:
    repository.changes({"mirage": zone_text(2, f"$INCLUDE {path}"), path: "www 3600 IN A 192.0.2.7\n"})
    assert repository.serial("mirage.") == 1
    assert not repository.loaded.zones["mirage."].is_current


def test_a_key_in_a_zone_file_is_refused_and_not_quoted(repository: Repository) -> None:
    secret = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
    loading = repository.changes(mirage=zone_text(2, f"personal._update DNSKEY 0 3 163 {secret}"))
    assert repository.serial("mirage.") == 1
    assert [finding.line for finding in errors(loading.findings)][:1] == [5]
    assert secret not in repr(loading)


def test_a_key_in_a_comment_is_only_a_comment(repository: Repository) -> None:
    repository.changes(mirage=zone_text(2, "; personal._update DNSKEY 0 3 163 c2VjcmV0"))
    assert repository.serial("mirage.") == 2


def test_of_two_files_for_one_zone_the_first_counts(repository: Repository) -> None:
    loading = repository.changes(Mirage=zone_text(100))
    assert repository.serial("mirage.") == 100
    assert [(finding.code, finding.file) for finding in loading.findings] == [("duplicate-zone", "mirage")]


def test_the_other_file_takes_over_when_the_first_is_removed(repository: Repository) -> None:
    repository.changes(Mirage=zone_text(100))
    repository.changes(Mirage=None)
    assert repository.loaded.zones["mirage."].path == "mirage"
    assert repository.serial("mirage.") == 100
    assert repository.loaded.name_findings == ()


def test_a_name_that_is_no_zone_is_told_once(repository: Repository) -> None:
    first = repository.changes({"a..b": "x"})
    second = repository.changes(mirage=zone_text(2))
    assert [finding.code for finding in first.findings] == ["ignored-file"]
    assert second.findings == ()


def test_one_changed_zone_among_ten_thousand_is_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counting(original: Callable[..., Any]) -> Callable[..., Any]:
        def read_zone(text: bytes, apex: str, *rest: object) -> object:
            read.append(apex)
            return original(text, apex, *rest)

        return read_zone

    monkeypatch.setattr(reading, "read_zone_with_marks", counting(_engine.read_zone_with_marks))
    repository = Repository()
    repository.holds({f"zone{number}.example": zone_text() for number in range(10_000)})
    read.clear()
    repository.changes({"zone4711.example": zone_text(2, "www A 192.0.2.2")})
    assert read == ["zone4711.example."]
    assert repository.serial("zone4711.example.") == 2


def test_a_link_that_looks_like_a_zone_is_told_of() -> None:
    tree = replace(tree_of({}), left_out={"example.org": "a symbolic link", "README.md": "a symbolic link"})
    loading = load(tree, Loaded.nothing(), SerialRules("increment", NOON))
    assert [(finding.severity, finding.file) for finding in loading.findings] == [("warning", "example.org")]
