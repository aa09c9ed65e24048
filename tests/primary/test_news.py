"""What the log and the commits say."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from oakroot.primary import news
from oakroot.primary.news import LINES_LIMIT, commit_message, describe_loading, describe_push
from oakroot.zones.loaded import Edit, Loaded
from tests.zones.repositories import BROKEN, Repository, zone_text

EDIT = Edit("mirage", b"", "mirage.", 7, 8)


def test_the_first_load_is_told_in_one_line() -> None:
    loading = Repository().holds({"mirage": zone_text(), "example.org": zone_text()})
    (log,) = describe_loading(loading, Loaded.nothing())
    assert (log.level, log.text) == ("info", "commit a1b2c3; zones served: 2, keys: 0")


def test_later_loads_tell_what_became_of_each_zone() -> None:
    repository = Repository()
    before = repository.holds({"changed": zone_text(1), "gone": zone_text(1)}).loaded
    loading = repository.holds({"changed": zone_text(4, "www A 192.0.2.2"), "new": zone_text(9)})
    told = {log.zone: log.text for log in describe_loading(loading, before) if log.zone}
    assert told == {
        "changed.": "changed: serial 4, 4 records, the serial was 1",
        "new.": "new: serial 9, 3 records",
        "gone.": "removed: its file is gone from the repository",
    }


def test_a_commit_that_changes_everything_does_not_flood_the_log() -> None:
    repository = Repository()
    before = repository.holds({f"zone{number}": zone_text(1) for number in range(500)}).loaded
    files: dict[str, bytes | str] = {f"zone{number}": zone_text(2) for number in range(500)}
    loading = repository.holds({**files, "broken": BROKEN})
    logs = describe_loading(loading, before)
    assert len(logs) == LINES_LIMIT + 2
    assert logs[0].level == "error"
    assert "451 more" in logs[-2].text


def test_only_findings_that_are_logged_are_put_into_words(monkeypatch: pytest.MonkeyPatch) -> None:
    loading = Repository().holds({"broken": BROKEN})
    many = replace(loading, findings=loading.findings[:1] * 10_000)
    numbers = count()
    monkeypatch.setattr(news, "render", lambda _finding, _form: f"finding {next(numbers)}")
    describe_loading(many, Loaded.nothing())
    assert next(numbers) == LINES_LIMIT


def test_a_commit_of_one_serial_names_its_zone() -> None:
    assert commit_message((EDIT,)).splitlines()[0] == "mirage: raise serial 7 to 8"


def test_a_commit_of_the_root_zone_names_it_with_its_dot() -> None:
    assert commit_message((replace(EDIT, apex="."),)).splitlines()[0] == ".: raise serial 7 to 8"


def test_a_commit_of_many_serials_counts_and_lists_them() -> None:
    lines = commit_message((EDIT, replace(EDIT, apex="example.org."))).splitlines()
    assert lines[0] == "Raise the serials of 2 zones"
    assert lines[1] == ""
    assert "example.org: raise serial 7 to 8" in lines


def test_every_pushed_serial_is_told() -> None:
    (log,) = describe_push((EDIT,))
    assert (log.zone, log.text) == (
        "mirage.",
        "serial 7 in the repository raised to 8, in a commit of ours",
    )
