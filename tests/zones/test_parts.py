"""With which origin and TTL zones read the files that they include."""

from __future__ import annotations

import pytest

from oakroot.zones.merge import Texts, merge
from oakroot.zones.parts import Setting, settings_of

HEAD = "$TTL 600\n@ SOA ns1 hostmaster 7 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\n"
FILES = {"parts/outer": b"$ORIGIN sub\n$INCLUDE parts/inner\n"}


@pytest.mark.parametrize(
    ("lines", "path", "settings"),
    [
        ("$INCLUDE parts/web", "parts/web", {Setting("mirage.", 600)}),
        ("$INCLUDE ./parts/web", "parts/web", {Setting("mirage.", 600)}),
        ("$INCLUDE parts/web sub", "parts/web", {Setting("sub.mirage.", 600)}),
        ("$ORIGIN a.example.\n$TTL 60\n$INCLUDE parts/web", "parts/web", {Setting("a.example.", 60)}),
        ("$INCLUDE parts/outer", "parts/inner", {Setting("sub.mirage.", 600)}),
        (
            "$INCLUDE parts/web\n$INCLUDE parts/web b",
            "parts/web",
            {Setting("mirage.", 600), Setting("b.mirage.", 600)},
        ),
        ("$INCLUDE parts/other\n; $INCLUDE parts/web", "parts/web", set()),
        ("$INCLUDE ../parts/web\n$INCLUDE /parts/web", "parts/web", set()),
    ],
)
def test_a_part_is_read_as_its_zone_reads_it(lines: str, path: str, settings: set[Setting]) -> None:
    assert settings_of(path, f"{HEAD}{lines}\n".encode(), "mirage.", FILES.get) == settings


def test_without_a_directive_a_part_gets_the_ttl_written_last() -> None:
    zone = b"@ 300 SOA ns1 hostmaster 7 3600 600 86400 60\n$INCLUDE parts/web\n"
    assert settings_of("parts/web", zone, "mirage.", FILES.get) == {Setting("mirage.", 300)}


def lines_in_conflict(ours: bytes, base: bytes, theirs: bytes, *, union: bool = False) -> tuple[bytes, bool]:
    """As `MergeLines`, never clean."""
    return ours + base + theirs if union else ours, False


def merged(base: str, ours: str, theirs: str) -> tuple[str, tuple[str, ...]]:
    texts = Texts(base.encode(), ours.encode(), theirs.encode())
    found = merge("parts/web", texts, lines_in_conflict, int, Setting("mirage.", 600))
    return found.content.decode(), found.conflicts


def test_a_name_is_the_same_however_it_is_written() -> None:
    base = "www A 192.0.2.1\n"
    _, conflicts = merged(base, "www A 192.0.2.2\n", "www.mirage. A 192.0.2.3\n")
    assert conflicts[0] == "both sides changed www.mirage. A: ours 600 192.0.2.2, theirs 600 192.0.2.3"
    assert merged(base, "www.mirage. A 192.0.2.2\n", "www A 192.0.2.2\n") == ("www.mirage. A 192.0.2.2\n", ())


def test_the_ttl_of_the_zone_is_no_other_one_than_the_same_written_out() -> None:
    base = "www A 192.0.2.1\nftp A 192.0.2.1\n"
    ours, theirs = base.replace("www A", "www 600 A"), base.replace("ftp A 192.0.2.1", "ftp A 192.0.2.2")
    assert merged(base, ours, theirs) == ("www 600 A 192.0.2.1\nftp A 192.0.2.2\n", ())


def test_a_record_of_the_other_side_is_written_with_what_the_zone_gives_it() -> None:
    base = "www A 192.0.2.1\n"
    text, conflicts = merged(base, "www A 192.0.2.2\n", "www A 192.0.2.1\nb.mirage. 600 A 192.0.2.3\n")
    assert conflicts == ()
    assert text.startswith("www A 192.0.2.2\n")
    assert "TTL" not in text
    assert "ORIGIN" not in text
