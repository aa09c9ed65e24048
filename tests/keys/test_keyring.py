"""Key files become a keyring; every wrong line is named, and hides no good one."""

from __future__ import annotations

from dataclasses import dataclass

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.keys.grant import Operation
from oakroot.keys.keyring import KeyFile, Keyring, difference, gather, read_key_file

SECRET = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
OTHER = "cDK6sKyvlt8UBerZlmxuD84ih2KookJGDagJlLVNo20="


@dataclass(frozen=True)
class Record:
    owner: str
    rdata: str
    type: str = "DNSKEY"
    file: str = "mirage._keys"
    line: int = 1


def record(owner: str, secret: str = SECRET, file: str = "mirage._keys", line: int = 1) -> Record:
    return Record(owner, f"0 3 163 {secret}", file=file, line=line)


def keyring_of(*records: Record) -> Keyring:
    keyring, problems = gather({"_keys": read_key_file(records, None)})
    assert problems == ()
    return keyring


def test_the_tutorials_key_file_is_read_without_a_problem() -> None:
    file = read_key_file(
        [
            record("personal._update.mirage.", line=1),
            record("10.0.42.2.10.0.42.3._transfer.mirage.", OTHER, line=2),
        ],
        "mirage.",
    )
    assert file.problems == ()
    assert [(str(granted.key.name), granted.line) for granted in file.keys] == [
        ("personal._update.mirage.", 1),
        ("10.0.42.2.10.0.42.3._transfer.mirage.", 2),
    ]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (Record("k._update.mirage.", '"0 3 163 x"', type="TXT"), "key-type"),
        (Record("k._update.mirage.", f"257 3 163 {SECRET}"), "key-flags"),
        (Record("k._update.mirage.", f"0 2 163 {SECRET}"), "key-protocol"),
        (Record("k._update.mirage.", f"0 3 13 {SECRET}"), "key-algorithm"),
        (Record("k._update.mirage.", f"0 3 157 {SECRET}"), "key-algorithm"),
        (Record("k._update.mirage.", "0 3 163"), "key-rdata"),
        (Record("k._update.mirage.", ""), "key-rdata"),
        (Record("k._update.mirage.", "0 3 163 kJJqipaQHQWqZL31Raar6uPnepGFIdt"), "key-secret"),
        (record("personal.mirage."), "key-operation"),
        (record("k._update._only-a.mirage."), "key-zone"),
        (record("k._onyl-a._update.mirage."), "key-limit"),
        (record("k._update.example.org."), "key-outside-zone"),
        (record("k._update."), "key-outside-zone"),
        (record("k._update.xmirage."), "key-outside-zone"),
        (record("300.1.1.1._transfer.mirage."), "key-address"),
        (record("k.._update.mirage."), "key-name"),
    ],
)
def test_a_wrong_record_is_an_error_and_no_key(wrong: Record, code: str) -> None:
    wrong = Record(wrong.owner, wrong.rdata, wrong.type, "mirage._keys", 7)
    file = read_key_file([record("good._update.mirage."), wrong], "mirage.")
    assert [str(granted.key.name) for granted in file.keys] == ["good._update.mirage."]
    (problem,) = file.problems
    assert (problem.severity, problem.code, problem.file, problem.line) == ("error", code, "mirage._keys", 7)
    assert "kJJqipaQ" not in f"{problem!r}"
    assert wrong.owner == "" or wrong.owner not in f"{problem.message} {problem.hint}"


def test_a_key_may_be_for_a_name_below_the_files_zone() -> None:
    assert read_key_file([record("k._update.www.mirage.")], "mirage.").problems == ()


def test_the_file_for_all_zones_takes_keys_for_any() -> None:
    file = read_key_file([record("k._update."), record("k._update.example.org.")], None)
    assert (len(file.keys), file.problems) == (2, ())


def test_a_secret_in_pieces_is_one_secret() -> None:
    whole = read_key_file([record("k._update.mirage.")], "mirage.")
    pieces = read_key_file([record("k._update.mirage.", f"{SECRET[:9]} {SECRET[9:]}")], "mirage.")
    assert pieces == whole


def test_a_short_secret_is_a_warning_and_a_key() -> None:
    file = read_key_file([record("k._update.mirage.", "c2hvcnQ=")], "mirage.")
    assert len(file.keys) == 1
    assert [(problem.severity, problem.code) for problem in file.problems] == [("warning", "key-weak")]


def test_a_zone_named_twice_is_a_warning() -> None:
    file = read_key_file([record("k._update.mirage.mirage.")], "mirage.")
    assert [(problem.severity, problem.code) for problem in file.problems] == [("warning", "key-zone-twice")]


def test_the_first_of_two_keys_with_one_name_counts() -> None:
    records = [record("k._update.mirage.", line=1), record("K._update.mirage.", OTHER, line=2)]
    keyring, problems = gather({"mirage._keys": read_key_file(records, "mirage.")})
    assert [granted.line for granted in keyring.keys] == [1]
    assert [(problem.code, problem.line) for problem in problems] == [("key-duplicate", 2)]
    assert "in mirage._keys line 1" in problems[0].message


def test_the_file_for_all_zones_counts_before_the_others() -> None:
    files = {
        "Mirage._keys": read_key_file([record("k._update.mirage.", file="Mirage._keys")], "mirage."),
        "_keys": read_key_file([record("k._update.mirage.", OTHER, file="_keys")], None),
    }
    keyring, problems = gather(files)
    assert [granted.file for granted in keyring.keys] == ["_keys"]
    assert [(problem.file, problem.severity) for problem in problems] == [("Mirage._keys", "error")]


def test_a_key_is_found_by_its_name_in_any_case() -> None:
    keyring = keyring_of(record("k._update.mirage."))
    assert keyring.find(dns.name.from_text("K._Update.MIRAGE.")) == keyring.keys[0]
    assert keyring.find(dns.name.from_text("k2._update.mirage.")) is None


def test_the_keys_that_allow_an_operation_are_told() -> None:
    keyring = keyring_of(
        record("u._update.mirage."),
        record("t._transfer.mirage."),
        record("n._notify."),
        record("x._update.org."),
    )

    def allowing(operation: Operation) -> list[str]:
        granted = keyring.allowing(operation, dns.name.from_text("www.mirage."))
        return [str(key.key.name).partition(".")[0] for key in granted]

    assert allowing(Operation.UPDATE) == ["u"]
    assert allowing(Operation.TRANSFER) == ["u", "t"]
    assert allowing(Operation.NOTIFY) == ["u", "t", "n"]


def test_the_difference_of_two_keyrings_names_what_changed() -> None:
    old = keyring_of(record("a._update.m."), record("b._update.m."), record("c._update.m."))
    new = keyring_of(record("b._update.m.", line=9), record("c._update.m.", OTHER), record("d._update.m."))
    change = difference(old, new)
    names = [
        [str(granted.key.name)[0] for granted in part]
        for part in (change.added, change.removed, change.changed)
    ]
    assert names == [["d"], ["a"], ["c"]]
    assert change


def test_a_key_on_another_line_is_no_difference() -> None:
    old, new = keyring_of(record("a._update.m.")), keyring_of(record("A._update.m.", line=5))
    assert not difference(old, new)
    assert old == new
    assert len({old, new}) == 1


def test_a_keyring_does_not_show_secrets() -> None:
    keyring = keyring_of(record("k._update.mirage."))
    assert SECRET[:8] not in f"{keyring!r} {keyring.keys!r} {difference(Keyring(), keyring)!r}"


@given(
    st.lists(st.builds(Record, st.text(max_size=20), st.text(max_size=20), st.sampled_from(["DNSKEY", "A"])))
)
def test_any_records_give_keys_and_problems(records: list[Record]) -> None:
    file = read_key_file(records, "mirage.")
    assert isinstance(file, KeyFile)
    assert len(file.keys) + sum(problem.severity == "error" for problem in file.problems) == len(records)
