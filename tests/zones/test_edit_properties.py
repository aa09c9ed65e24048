"""Edits of zone files of every style: they say what they should, and touch no other line."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from oakroot._engine import Document, Zone, read_zone
from tests.zones.messy import APEX, Entry, Messy, messy_zones
from tests.zones.zone_changes import changed, changes

# Each is a zone with up to three edits, one after the other.
EXAMPLES = 400


def read(messy: Messy, text: bytes) -> Zone | None:
    return read_zone(text, APEX, "zone", messy.include)[0]


@settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(messy=messy_zones(), data=st.data())
def test_an_edited_file_says_what_it_should_and_no_other_line_changed(
    messy: Messy, data: st.DataObject
) -> None:
    zone = read(messy, messy.text)
    assume(zone is not None)
    assert zone is not None
    # Most of these files are shorter than a block: with short ones their seams are tested too.
    block_length = data.draw(st.sampled_from([1024, 200, 1]))
    document = Document.read(messy.text, APEX, "zone", messy.include, block_length=block_length)
    touched: set[tuple[str, str]] = set()
    for _ in range(data.draw(st.integers(1, 3))):
        remove, add = data.draw(changes(zone))
        wanted = changed(zone, remove, add)
        assume(wanted is not None)
        assert wanted is not None
        removed, added = zone.difference(wanted)
        touched |= {(owner.lower(), kind) for owner, _, kind, _ in removed + added}
        document = document.changed(removed, added)
        files = dict(zip(document.files, map(document.content, range(len(document.files))), strict=True))
        note(f"removed {removed}\nadded {added}")
        note("\n".join(f"== {name}\n{text.decode()}" for name, text in files.items()))
        found, findings = read_zone(files["zone"], APEX, "zone", files.__getitem__)
        assert found is not None, findings
        assert wanted.difference(found) == ([], [])
        check_lines(messy, files, touched)
        zone = wanted


def check_lines(messy: Messy, files: dict[str, bytes], touched: set[tuple[str, str]]) -> None:
    """Lines that are gone belonged to touched records, or to such as inherited from them."""
    before = lines_of({"zone": messy.text, **messy.included})
    gone = Counter(before) - Counter(lines_of(files))
    excused = Counter(line for entry in messy.entries if is_touched(entry, touched) for line in entry.lines)
    heirs = gone - excused
    may_inherit = Counter(line for entry in messy.entries if entry.inherits for line in entry.lines)
    assert not heirs - may_inherit, "lines changed that need not"
    # The next line of a name, and the next one without a TTL: not more can follow from one RRset's change.
    most = 2 * sum(len([entry for entry in messy.entries if is_touched(entry, {one})]) + 1 for one in touched)
    assert heirs.total() <= most


def is_touched(entry: Entry, touched: set[tuple[str, str]]) -> bool:
    return any((owner, entry.type) in touched for owner in entry.owners)


def lines_of(files: dict[str, bytes]) -> list[str]:
    texts = (text.decode("utf-8-sig").replace("\r\n", "\n") for text in files.values())
    return [line for text in texts for line in text.split("\n")]
