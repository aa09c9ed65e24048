"""A text of which only the difference is read says what it says when it is read as a whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from oakroot._engine import Zone, read_zone_with_marks, reread_zone
from oakroot.zones.load import SerialRules, load
from oakroot.zones.loaded import Loaded
from oakroot.zones.tree import Tree

APEX = "example.org."
HEAD = (
    "$TTL 3600\n@ SOA ns1 hostmaster 1 7200 900 1209600 300\n@ NS ns1\nns1 A 192.0.2.53\n"
    "mail A 192.0.2.25\nns.sub A 192.0.2.54\n"
)
OWNERS = ["@", "a", "b", "a.b", "c.a.b", "*", "*.b", "mail", "sub", "ns.sub", "B"]
DATA = [
    "A 192.0.2.1",
    "A 192.0.2.2",
    "AAAA 2001:db8::1",
    'TXT x ( ; two\n  "y z" )',
    "MX 10 mail",
    "MX 10 a.b",
    "CNAME a",
    "NS ns.sub",
    "NS ns.example.net.",
    "DNAME example.net.",
    "PTR www.example.org",
]
LINES = st.one_of(
    st.builds(
        lambda owner, ttl, data: f"{owner} {ttl} {data}\n",
        st.sampled_from(OWNERS),
        st.sampled_from(["", "", "", "300", "60"]),
        st.sampled_from(DATA),
    ),
    st.builds(lambda data: f"  {data}\n", st.sampled_from(DATA)),
    st.sampled_from(
        ["; a remark\n", "\n", "$TTL 60\n", "$ORIGIN b\n", "$ORIGIN example.org.\n", "(\n", ")\n"]
    ),
)


def told(zone: Zone) -> tuple[object, ...]:
    return (zone.serial, zone.record_count, zone.records())


@given(before=st.lists(LINES, max_size=30), cut=st.data())
def test_whatever_changes(before: list[str], cut: st.DataObject) -> None:
    start = cut.draw(st.integers(0, len(before)))
    end = cut.draw(st.integers(start, min(len(before), start + 3)))
    after = before[:start] + cut.draw(st.lists(LINES, max_size=3)) + before[end:]
    head = HEAD.replace(" 1 7200", f" {cut.draw(st.sampled_from([1, 2]))} 7200")
    old, new = (HEAD + "".join(before)).encode(), (head + "".join(after)).encode()
    zone, _, marks = read_zone_with_marks(old, APEX, "f", spacing=16)
    if zone is None or marks is None:
        return
    found = reread_zone(old, new, zone, marks)
    if found is None:
        return
    whole, diagnostics, _ = read_zone_with_marks(new, APEX, "f", spacing=16)
    assert whole is not None
    assert not diagnostics
    assert told(found[0]) == told(whole)
    again = reread_zone(new, old, *found)
    if again is not None:
        assert told(again[0]) == told(zone)


def text(serial: int, changed: str = "") -> bytes:
    lines = [f"h{number} A 10.0.{number // 250}.{number % 250}\n" for number in range(8000)]
    return (HEAD.replace(" 1 7200", f" {serial} 7200") + "".join(lines) + changed).encode()


def tree(commit: str, blobs: dict[str, bytes], blob: str, reads: list[str]) -> Tree:
    def read(name: str) -> bytes:
        reads.append(name)
        return blobs[name]

    return Tree(commit, {"example.org": blob}, read)


def test_a_large_file_is_read_in_parts_over_broken_versions_and_raised_serials() -> None:
    blobs = {
        "1": text(1),
        "2": text(1, "new A 192.0.2.7\n"),
        "3": text(1, "new A 192.0.2.777\n"),
        "4": text(1, "new A 192.0.2.8\n"),
    }
    rules = SerialRules("increment", 0)
    reads: list[str] = []
    loaded = Loaded.nothing()
    for blob in ("1", "2", "3", "4"):
        loaded = load(tree(blob, blobs, blob, reads), loaded, rules).loaded
    zone = loaded.zones[APEX]
    assert zone.zone is not None
    assert zone.marked is not None
    assert zone.zone.serial == 3
    assert zone.marked.zone.serial == 1
    assert zone.zone.records_of("new.example.org.", "A") == [("new.example.org.", 3600, "A", "192.0.2.8")]


def test_a_version_before_that_is_gone_does_no_harm() -> None:
    blobs = {"1": text(1), "2": text(2, "new A 192.0.2.7\n")}
    rules = SerialRules("increment", 0)
    before = load(tree("1", blobs, "1", []), Loaded.nothing(), rules).loaded
    del blobs["1"]
    after = load(tree("2", blobs, "2", []), before, rules).loaded
    assert (zone := after.zones[APEX].zone) is not None
    assert zone.serial == 2
