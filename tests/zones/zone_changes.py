"""Changes of zones for property tests: records to remove and to add, the SOA's among them."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from oakroot._engine import Zone
from oakroot.zones.edits import TextRecord
from tests.zones.messy import APEX

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


def changed(zone: Zone, remove: list[TextRecord], add: list[TextRecord]) -> Zone | None:
    """The zone as it should be; None where there can be no such zone."""
    try:
        wanted = zone.changed(remove, add)
    except ValueError:
        return None
    return None if wanted.faults_since(zone) else wanted
