"""Edits of zone files of every style: they say what they should, and touch no other line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from oakroot._engine import Document, Zone, read_zone
from oakroot.zones.edits import TextRecord
from tests.zones.messy import APEX, Entry, Messy, messy_zones

# Each is a zone with up to three edits, one after the other.
EXAMPLES = 400
Draw = Callable[[st.SearchStrategy[object]], object]
_NEW: list[tuple[str, str, str]] = [
    ("example.org.", "MX", "20 mail.example.org."),
    ("www.example.org.", "A", "192.0.2.99"),
    ("www.example.org.", "AAAA", "2001:db8::99"),
    ("new.example.org.", "A", "192.0.2.98"),
    ("deep.www.example.org.", "TXT", '"new ; text"'),
    ("x.sub.example.org.", "A", "192.0.2.97"),
    ("new.inc.example.org.", "SRV", "1 2 3 www.example.org."),
    ("mail.example.org.", "TXT", '"another"'),
    ("gen3.example.org.", "A", "192.0.2.96"),
    ("NEW.b.example.org.", "CNAME", "example.org."),
]


def read(messy: Messy, text: bytes) -> Zone | None:
    return read_zone(text, APEX, "zone", messy.include)[0]


def soa_with(soa: TextRecord, serial: int, *, field: int | None = None) -> TextRecord:
    owner, ttl, kind, rdata = soa
    words = rdata.split()
    words[2] = str(serial)
    if field is not None:
        words[field] = "new.example.org." if field < 2 else "77"
    return owner, ttl, kind, " ".join(words)


@st.composite
def changes(draw: Draw, zone: Zone) -> tuple[list[TextRecord], list[TextRecord]]:
    """Records to remove and to add, the SOA's among them, that a zone takes."""
    soa, *others = zone.records()
    field = draw(st.sampled_from([None, None, None, 0, 3, 5]))
    remove = [soa]
    add = [soa_with(soa, (zone.serial + 1) % 2**32, field=field)]  # type: ignore[arg-type]
    gone = draw(st.lists(st.sampled_from(others), unique=True, max_size=3))
    remove += [record for record in gone if record[:3:2] != (APEX, "NS")]  # type: ignore[attr-defined]
    retimed = draw(st.sampled_from([None, *others]))
    if retimed is not None and draw(st.booleans()):
        ttl = draw(st.sampled_from([5, 300, 3600]))
        rrset = [record for record in others if record[:3:2] == retimed[:3:2]]  # type: ignore[index]
        remove = [record for record in remove if record not in rrset] + rrset
        add += [(owner, int(str(ttl)), kind, rdata) for owner, _, kind, rdata in rrset]
    for owner, kind, rdata in draw(st.lists(st.sampled_from(_NEW), unique=True, max_size=3)):  # type: ignore[attr-defined]
        known = [
            ttl
            for other, ttl, other_kind, _ in add + others
            if (other.lower(), other_kind) == (owner.lower(), kind)
        ]
        add.append((owner, known[0] if known else int(str(draw(st.sampled_from([60, 3600])))), kind, rdata))
    return remove, add


@settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
    deadline=None,
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


def changed(zone: Zone, remove: list[TextRecord], add: list[TextRecord]) -> Zone | None:
    """The zone as it should be; None where there can be no such zone."""
    try:
        wanted = zone.changed(remove, add)
    except ValueError:
        return None
    return None if wanted.faults_since(zone) else wanted


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
