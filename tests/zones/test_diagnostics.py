"""Findings as a reader, a program and a code forge see them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from oakroot._engine import read_zone
from oakroot.zones.diagnostics import Finding, errors, render

FINDING = Finding(
    severity="error",
    code="unknown-type",
    message="there is no record type AAAAA",
    file="example.org",
    line=7,
    column=9,
    end_column=14,
    hint="did you mean AAAA?",
    source_line="www\tIN\tAAAAA 192.0.2.1",
)
HEAD = b"$TTL 1\n@ SOA a b 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n"


def test_text_shows_place_line_caret_and_hint() -> None:
    finding = replace(FINDING, source_line="www  IN  AAAAA 192.0.2.1", column=10, end_column=15)
    assert render(finding, "text").splitlines() == [
        "example.org:7:10: error: there is no record type AAAAA",
        "     7 | www  IN  AAAAA 192.0.2.1",
        "       |          ^~~~~",
        "       = hint: did you mean AAAA?",
    ]


def test_a_tab_does_not_shift_the_caret() -> None:
    _, line, caret, _ = render(replace(FINDING, column=8, end_column=13), "text").splitlines()
    assert line[caret.index("^") :].startswith("AAAAA")


def test_a_long_line_is_shown_around_its_caret() -> None:
    finding = replace(FINDING, source_line="x" * 5000 + "HERE" + "y" * 5000, column=5001, end_column=5005)
    _, line, caret, _ = render(finding, "text").splitlines()
    assert len(line) < 200
    assert line[caret.index("^") :].startswith("HERE")


def test_a_long_mark_ends_where_the_shown_line_ends() -> None:
    finding = replace(FINDING, source_line="x" * 5000, column=1, end_column=5001)
    _, line, caret, _ = render(finding, "text").splitlines()
    assert len(caret) == len(line)


def test_a_column_beyond_the_line_still_gets_its_caret() -> None:
    finding = replace(FINDING, source_line="short", column=6, end_column=6)
    assert render(finding, "text").splitlines()[2] == "       |      ^"


def test_the_mark_is_found_in_a_part_of_a_line() -> None:
    part = replace(FINDING, source_line="xx HERE yy", source_start=90_000, column=90_004, end_column=90_008)
    assert render(part, "text").splitlines()[1:3] == ["     7 | xx HERE yy", "       |    ^~~~"]


def test_a_thousand_findings_about_one_long_line_do_not_each_hold_all_of_it() -> None:
    line = b"$GENERATE 1-65536 x$.example.com. A 192.0.2.1 ; " + "ü".encode() * 1_000_000
    _, diagnostics = read_zone(HEAD + line, "example.org.", "example.org")
    quoted = sum(len(diagnostic.source_line or "") for diagnostic in diagnostics)
    assert len(diagnostics) <= 1_001
    assert quoted <= 1_001_000


def test_a_part_of_a_long_line_begins_where_it_says() -> None:
    line = "x TXT " + "ü " * 2_000 + '"open'
    _, (found, *_) = read_zone(HEAD + line.encode(), "example.org.", "example.org")
    assert found.code == "unclosed-quote"
    assert found.source_line is not None
    assert line[found.column - 1 :] == '"open'
    assert found.source_line[found.column - 1 - found.source_start :] == '"open'


def test_without_a_source_line_nothing_is_quoted() -> None:
    assert render(replace(FINDING, source_line=None, hint=None), "text") == (
        "example.org:7:9: error: there is no record type AAAAA"
    )


def test_a_finding_about_a_whole_file_has_no_line() -> None:
    finding = Finding("error", "duplicate-zone", "two files for one zone", "Example.org")
    assert render(finding, "text") == "Example.org: error: two files for one zone"
    assert render(finding, "github") == "::error file=Example.org::two files for one zone"


def test_control_characters_do_not_reach_the_terminal() -> None:
    finding = replace(FINDING, message="bad \x1b[2J", source_line="\x1b]0;owned\x07", file="ev\nil")
    assert not {character for character in render(finding, "text") if ord(character) < 32} - {"\n"}
    assert "\n" not in finding.brief


def test_colour_is_only_there_when_asked_for() -> None:
    assert "\x1b[31m" in render(FINDING, "text", colour=True)
    assert "\x1b" not in render(FINDING, "text")


def test_json_holds_every_part_but_the_source_line() -> None:
    parsed = json.loads(render(FINDING, "json"))
    assert parsed == {
        "severity": "error",
        "code": "unknown-type",
        "message": "there is no record type AAAAA",
        "hint": "did you mean AAAA?",
        "file": "example.org",
        "line": 7,
        "column": 9,
        "end_column": 14,
    }


def test_github_annotations_are_escaped() -> None:
    finding = replace(FINDING, file="a,b:c", message="50%\nmore", hint=None)
    assert render(finding, "github") == ("::error file=a%2Cb%3Ac,line=7,col=9,endColumn=14::50%25%0Amore")


@dataclass
class EngineDiagnostic:
    """What the engine hands over, in the shape of its stub."""

    source_line: str | None
    source_start: int = 0
    severity: str = "error"
    code: str = "syntax"
    message: str = "out-of-zone owner"
    hint: str | None = None
    file: str = "mirage"
    line: int = 1
    column: int = 1
    end_column: int = 4


def test_a_key_left_in_a_zone_file_is_not_quoted() -> None:
    secret = "personal._update.mirage. DNSKEY 0 3 163 kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
    finding = Finding.of_engine(EngineDiagnostic(source_line=secret))  # type: ignore[arg-type]
    assert finding.source_line is None
    assert "kJJqip" not in repr(finding)


def test_errors_leaves_warnings_aside() -> None:
    warning = replace(FINDING, severity="warning")
    assert errors([warning, FINDING]) == (FINDING,)
