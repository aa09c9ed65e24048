"""What groups of updates make of zones and files."""

from __future__ import annotations

import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.primary.writing import Draft
from oakroot.zones.serials import is_forward
from tests.primary.group import Build, Group, text_of, together
from tests.zones.repositories import BROKEN, zone_text

WWW = "www\tA\t192.0.2.80 ; the web"


def verdicts(draft: Draft) -> list[tuple[str, str]]:
    """(rcode, reason) of each update."""
    verdicts = [outcome.verdict for outcome in draft.outcomes]
    return [(dns.rcode.to_text(each.rcode), each.reason.text if each.reason else "") for each in verdicts]


def refusal(group: Group, build: Build, zone: str = "mirage", key: str | None = None) -> tuple[str, str]:
    """The one update's verdict; nothing must have been written."""
    before = dict(group.files)
    (verdict,) = verdicts(group.write(zone, build, key=key))
    assert group.files == before
    return verdict


def test_only_the_lines_of_the_records_and_the_serial_change() -> None:
    group = Group({"mirage": zone_text(7, WWW, "", "; the end")})
    before = text_of(group.files, "mirage")
    group.write("mirage", lambda m: m.add("ftp", 60, "A", "192.0.2.21"))
    after = text_of(group.files, "mirage")
    assert set(after) - set(before) == {
        "@\tSOA\tns1\thostmaster\t8\t86400\t7200\t1048576\t3600",
        "ftp\t60\tA\t192.0.2.21",
    }
    assert set(before) - set(after) == {"@\tSOA\tns1\thostmaster\t7\t86400\t7200\t1048576\t3600"}


def test_records_of_one_commit_are_written_in_canonical_order() -> None:
    group = Group({"mirage": zone_text(7, WWW)})
    before = text_of(group.files, "mirage")
    made = [("h3", "2"), ("h1", "4"), ("h1", "3"), ("b.h1", "1"), ("h2", "5")]
    group.write("mirage", *(lambda m, o=o, n=n: m.add(o, 60, "A", f"192.0.2.{n}") for o, n in made))
    lines = [line.replace("\t", " ") for line in text_of(group.files, "mirage") if line not in before]
    assert [line for line in lines if "SOA" not in line] == [
        "h1 60 A 192.0.2.3",
        "h1 60 A 192.0.2.4",
        "b.h1 60 A 192.0.2.1",
        "h2 60 A 192.0.2.5",
        "h3 60 A 192.0.2.2",
    ]


def test_a_group_raises_a_serial_once_and_each_zone_its_own() -> None:
    group = Group({"mirage": zone_text(7), "other": zone_text(100)})
    draft = group.write("mirage", *(lambda m, n=n: m.add(f"h{n}", 60, "A", f"192.0.2.{n}") for n in range(5)))
    group.take(draft)
    assert group.loaded.serials == {"mirage.": 8, "other.": 100}


def test_the_serial_follows_what_was_served_not_what_is_written() -> None:
    group = Group({"mirage": zone_text(7)})
    group.files["mirage"] = zone_text(7, WWW)
    assert group.load().serials["mirage."] == 8
    group.take(group.write("mirage", lambda m: m.add("ftp", 60, "A", "192.0.2.21")))
    assert group.loaded.serials["mirage."] == 9
    assert "\t9\t" in group.files["mirage"].decode()


def test_a_denied_update_leaves_nothing_behind() -> None:
    group = Group({"mirage": zone_text(7)})
    draft = group.write(
        "mirage",
        lambda m: m.add("a", 60, "A", "192.0.2.1"),
        together(
            lambda m: m.add("b", 60, "A", "192.0.2.2"), lambda m: m.add("c", 60, "DNSKEY", "0 3 163 c2VjcmV0")
        ),
        together(lambda m: m.absent("a"), lambda m: m.add("d", 60, "A", "192.0.2.3")),
        together(lambda m: m.absent("b"), lambda m: m.add("e", 60, "A", "192.0.2.4")),
    )
    assert [rcode for rcode, _ in verdicts(draft)] == ["NOERROR", "REFUSED", "YXDOMAIN", "NOERROR"]
    assert [outcome.is_settled for outcome in draft.outcomes] == [False] * 4
    names = {line.split()[0] for line in text_of(group.files, "mirage")[4:]}
    assert names == {"a", "e"}


def test_verdicts_before_the_first_change_are_settled() -> None:
    group = Group({"mirage": zone_text(7)})
    draft = group.write(
        "mirage",
        lambda m: m.present("nope"),
        lambda m: m.delete("nope"),
        lambda m: m.add("a", 60, "A", "192.0.2.1"),
        lambda m: m.delete("nope"),
    )
    assert [outcome.is_settled for outcome in draft.outcomes] == [True, True, False, False]


def test_a_record_of_an_included_file_is_edited_there() -> None:
    files = {"mirage": zone_text(7, "$INCLUDE parts/web"), "parts/web": b"www 60 IN A 192.0.2.80\n"}
    group = Group(files)
    draft = group.write("mirage", lambda m: m.replace("www", 60, "A", "192.0.2.81"))
    assert set(draft.contents) == {"mirage", "parts/web"}
    assert group.files["parts/web"] == b"www 60 IN A 192.0.2.81\n"
    group.take(draft)
    again = group.write("mirage", lambda m: m.replace("www", 60, "A", "192.0.2.82"))
    assert group.files["parts/web"] == b"www 60 IN A 192.0.2.82\n"
    assert verdicts(again) == [("NOERROR", "")]


def test_a_file_that_several_zones_read_is_not_edited_for_one_of_them() -> None:
    common = {"parts/web": b"www 60 IN A 192.0.2.80\n"}
    group = Group({zone: zone_text(7, "$INCLUDE parts/web") for zone in ("mirage", "other")} | common)
    rcode, reason = refusal(group, lambda m: m.delete("www"))
    assert rcode == "REFUSED"
    assert "www.mirage. A 192.0.2.80 stands in parts/web, which is included in more than one place" in reason


def test_of_a_group_only_the_update_that_cannot_be_written_is_refused() -> None:
    common = {"parts/web": b"www 60 IN A 192.0.2.80\n"}
    group = Group({zone: zone_text(7, "$INCLUDE parts/web") for zone in ("mirage", "other")} | common)
    draft = group.write(
        "mirage",
        lambda m: m.add("a", 60, "A", "192.0.2.1"),
        lambda m: m.delete("www"),
        lambda m: m.add("b", 60, "A", "192.0.2.2"),
    )
    assert [rcode for rcode, _ in verdicts(draft)] == ["NOERROR", "REFUSED", "NOERROR"]
    assert set(draft.contents) == {"mirage"}
    assert {"a\t60\tA\t192.0.2.1", "b\t60\tA\t192.0.2.2"} <= set(text_of(group.files, "mirage"))


def test_of_a_group_only_the_update_that_would_break_the_zone_is_refused() -> None:
    group = Group({"mirage": zone_text(7)})
    draft = group.write(
        "mirage",
        lambda m: m.add("a", 60, "A", "192.0.2.1"),
        lambda m: m.delete("ns1", "A"),
        lambda m: m.add("a", 60, "TXT", "after"),
    )
    assert [rcode for rcode, _ in verdicts(draft)] == ["NOERROR", "REFUSED", "NOERROR"]
    assert {"a\t60\tA\t192.0.2.1", 'a\t60\tTXT\t"after"'} <= set(text_of(group.files, "mirage"))
    group.take(draft)
    assert group.loaded.serials == {"mirage.": 8}


def test_a_record_of_a_generate_line_is_split_out() -> None:
    group = Group({"mirage": zone_text(7, "$GENERATE 1-9 h$ A 192.0.2.$")})
    group.write("mirage", lambda m: m.delete("h5"))
    lines = set(text_of(group.files, "mirage"))
    assert {"$GENERATE 1-4 h$ A 192.0.2.$", "$GENERATE 6-9 h$ A 192.0.2.$"} <= lines


def test_a_zone_that_would_not_pass_the_check_is_refused_with_the_finding() -> None:
    group = Group({"mirage": zone_text(7)})
    rcode, reason = refusal(group, lambda m: m.delete("ns1", "A"))
    assert rcode == "REFUSED"
    assert "would not pass the check" in reason
    assert "ns1" in reason


def test_a_zone_with_errors_is_not_updated() -> None:
    group = Group({"mirage": zone_text(7)})
    group.files["mirage"] = BROKEN
    group.load()
    rcode, reason = refusal(group, lambda m: m.add("a", 60, "A", "192.0.2.1"))
    assert rcode == "SERVFAIL"
    assert "mirage:5:" in reason


def test_a_signed_zone_is_not_updated() -> None:
    signature = "SOA 13 1 3600 20300101000000 20200101000000 1 mirage. AAAA"
    group = Group({"mirage": zone_text(7, f"@ 3600 RRSIG {signature}")})
    rcode, reason = refusal(group, lambda m: m.add("a", 60, "A", "192.0.2.1"))
    assert rcode == "REFUSED"
    assert "signed in its file" in reason


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("stranger._update.mirage.", "no longer in the repository"),
        ("personal._update.other.", "may not update mirage."),
    ],
)
def test_a_key_without_the_right_is_refused(key: str, words: str) -> None:
    group = Group({"mirage": zone_text(7), "other": zone_text(1)})
    rcode, reason = refusal(group, lambda m: m.add("a", 60, "A", "192.0.2.1"), key=key)
    assert rcode == "REFUSED"
    assert words in reason


def test_with_the_manual_policy_an_update_brings_its_serial() -> None:
    group = Group({"mirage": zone_text(7)}, policy="manual")
    assert refusal(group, lambda m: m.add("a", 60, "A", "192.0.2.1"))[0] == "REFUSED"
    group.take(
        group.write(
            "mirage",
            together(
                lambda m: m.add("a", 60, "A", "192.0.2.1"),
                lambda m: m.add("@", 3600, "SOA", "ns1 hostmaster 9 86400 7200 1048576 3600"),
            ),
        )
    )
    assert group.loaded.serials["mirage."] == 9


def soa(serial: int) -> Build:
    return lambda m: m.add("@", 3600, "SOA", f"ns1 hostmaster {serial % 2**32} 86400 7200 1048576 3600")


ROUND = (10 + 2**31 - 1, 10 + 2 * (2**31 - 1), 9, 10)


@pytest.mark.parametrize("updates", [[together(*map(soa, ROUND[:3]))], [*map(soa, ROUND)]])
def test_serials_that_come_round_are_refused(updates: list[Build]) -> None:
    group = Group({"mirage": zone_text(10)})
    draft = group.write("mirage", *updates, lambda m: m.add("a", 60, "A", "192.0.2.1"))
    group.take(draft)
    assert any(each.verdict.rcode == dns.rcode.REFUSED for each in draft.outcomes)
    assert is_forward(10, group.loaded.serials["mirage."])


NAMES = ["@", "www", "a", "b.a", "x.sub"]
VALUES = [
    ("A", "192.0.2.1"),
    ("A", "192.0.2.2"),
    ("TXT", '"t;"'),
    ("CNAME", "www"),
    ("MX", "5 www"),
    ("NS", "ns1"),
]
PARTS: list[st.SearchStrategy[Build]] = [
    st.builds(
        lambda name, value, ttl: lambda m: m.add(name, ttl, *value),
        st.sampled_from(NAMES),
        st.sampled_from(VALUES),
        st.sampled_from([60, 3600]),
    ),
    st.builds(lambda name: lambda m: m.delete(name), st.sampled_from(NAMES)),
    st.builds(
        lambda name, value: lambda m: m.delete(name, *value), st.sampled_from(NAMES), st.sampled_from(VALUES)
    ),
]
UPDATES: st.SearchStrategy[Build] = st.builds(
    lambda parts: together(*parts), st.lists(st.one_of(PARTS), min_size=1, max_size=4)
)
FILE = zone_text(
    7, WWW, "\tA\t192.0.2.2", "$ORIGIN a.mirage.", "b\t60 TXT t", "$GENERATE 1-3 g$ A 192.0.2.$", "; end"
)


@given(st.lists(st.lists(UPDATES, min_size=1, max_size=4), min_size=1, max_size=3))
def test_what_is_taken_as_edited_is_what_reading_the_file_gives(groups: list[list[Build]]) -> None:
    group = Group({"mirage": FILE})
    serial = 7
    for updates in groups:
        draft = group.write("mirage", *updates)
        group.take(draft)
        taken = group.loaded.zones["mirage."]
        read = Group({"mirage": group.files["mirage"]}).loaded.zones["mirage."]
        assert read.zone is not None, read.findings
        assert taken.zone is not None
        assert read.zone.difference(taken.zone) == ([], [])
        assert taken.written_serial == read.zone.serial == serial + bool(draft.contents)
        serial = read.zone.serial
