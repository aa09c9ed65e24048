"""The words of commits that updates make."""

from __future__ import annotations

import pytest

from oakroot.primary.words import Written, authors, commit_message, describe_change
from oakroot.protocol.update_judge import Change

A1, A2 = ("www.mirage.", 60, "A", "192.0.2.1"), ("www.mirage.", 60, "A", "192.0.2.2")
LATER = ("www.mirage.", 300, "A", "192.0.2.1")
LATER_TOO = ("www.mirage.", 300, "A", "192.0.2.2")
SOA, SOA_LATER = (("mirage.", 1, "SOA", f"a b {serial} 2 3 4 5") for serial in (1, 2))
TXT = ("mirage.", 60, "TXT", '"text"')


@pytest.mark.parametrize(
    ("removed", "added", "words"),
    [
        ([], [A1], ["add www A 192.0.2.1"]),
        ([A1], [], ["remove www A 192.0.2.1"]),
        ([A1], [A2], ["change www A 192.0.2.1 to 192.0.2.2"]),
        ([A1], [LATER], ["change the TTL of www A from 60 to 300"]),
        ([A1, A2], [TXT], ["remove www A 192.0.2.1", "remove www A 192.0.2.2", 'add @ TXT "text"']),
        ([A1], [LATER, LATER_TOO], ["add www A 192.0.2.2", "change the TTL of www A from 60 to 300"]),
        ([SOA], [SOA_LATER], ["change the SOA"]),
        ([], [("www.mirage.", 60, "TXT", "x" * 200)], [f"add www TXT {'x' * 77}..."]),
    ],
)
def test_changes_are_told_as_a_person_would(
    removed: list[tuple[str, int, str, str]], added: list[tuple[str, int, str, str]], words: list[str]
) -> None:
    assert describe_change(Change(tuple(removed), tuple(added)), "mirage.") == tuple(words)


def test_names_of_the_root_zone_are_told_without_a_dot_too_many() -> None:
    assert describe_change(Change((), (("www.", 60, "A", "192.0.2.1"),)), ".") == ("add www A 192.0.2.1",)


def test_one_change_is_the_subject() -> None:
    written = [Written("mirage.", ("add my-other A 1.2.3.4",), "u._update.mirage", "192.0.2.7")]
    assert commit_message(written, {"mirage.": 8}) == (
        "mirage: add my-other A 1.2.3.4\n\nDNS-Key: u._update.mirage\nDNS-Client: 192.0.2.7\nDNS-Serial: 8\n"
    )


def test_many_changes_are_listed_below_the_subject() -> None:
    words = tuple(f"add host-{number} A 192.0.2.{number}" for number in range(4))
    written = [Written("mirage.", words, "u._update.mirage", "192.0.2.7")]
    subject, body, _ = commit_message(written, {"mirage.": 8}).split("\n\n")
    assert subject == "mirage: 4 changes"
    assert body.splitlines() == list(words)


def test_several_zones_and_keys_are_told_apart() -> None:
    written = [
        Written("mirage.", ("add a A 192.0.2.1",), "u._update.mirage", "192.0.2.7"),
        Written("other.", ("add b A 192.0.2.1",), "v._update.other", "192.0.2.8"),
    ]
    assert authors(written) == ["u._update.mirage", "v._update.other"]
    assert commit_message(written, {"mirage.": 8, "other.": 3}) == (
        "Update 2 zones with 2 changes\n"
        "\n"
        "mirage: add a A 192.0.2.1 (u._update.mirage)\n"
        "other: add b A 192.0.2.1 (v._update.other)\n"
        "\n"
        "Co-authored-by: v._update.other <v._update.other@localhost>\n"
        "DNS-Key: u._update.mirage\n"
        "DNS-Key: v._update.other\n"
        "DNS-Client: 192.0.2.7\n"
        "DNS-Client: 192.0.2.8\n"
        "DNS-Serial: 8 mirage\n"
        "DNS-Serial: 3 other\n"
    )


def test_a_commit_of_very_many_changes_counts_the_rest() -> None:
    words = tuple(f"add h{number} A 192.0.2.1" for number in range(1000))
    message = commit_message([Written("mirage.", words, "u._update.mirage", "192.0.2.7")], {"mirage.": 8})
    assert "and 800 more changes" in message
