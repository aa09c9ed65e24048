"""Merges of files of every style say what a simple model says, and lose no comment of either side."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, assume, given, note, settings
from hypothesis import strategies as st

from oakroot._engine import Document, Zone, canonical_rdata, read_zone
from oakroot.cli.merge import GitLines
from oakroot.zones.merge import Merged, Texts, merge
from oakroot.zones.serials import is_forward, next_serial
from tests.zones.messy import APEX, Messy, messy_zones
from tests.zones.zone_changes import changed, changes

EXAMPLES = 100
Key = tuple[str, str]
Model = dict[Key, tuple[object, frozenset[str]]]
"""What an RRset says: its TTL and RDATA. Each field of the SOA counts as one, the serial is left out."""


@dataclass(frozen=True)
class Side:
    """One version: its text, what it says, and the comments that were written for it."""

    text: bytes
    zone: Zone
    comments: frozenset[bytes] = frozenset()


@dataclass(frozen=True)
class Story:
    """A base and two sides."""

    base: Side
    ours: Side
    theirs: Side

    def merge(self) -> Merged:
        texts = Texts(self.base.text, self.ours.text, self.theirs.text)
        return merge("example.org", texts, GitLines(7), lambda serial: next_serial("increment", serial, 0))

    def turned(self) -> Story:
        return Story(self.base, self.theirs, self.ours)


def read(text: bytes) -> Zone | None:
    return read_zone(text, APEX, "zone", lambda _: b"")[0]


def side_of(data: st.DataObject, base: Side, mark: bytes) -> Side:
    """A side: up to two edits by a machine, a serial of its own, and comments by a person."""
    zone, document = base.zone, Document.read(base.text, APEX, "zone", lambda _: b"")
    for _ in range(data.draw(st.integers(0, 2))):
        remove, add = data.draw(changes(zone))
        wanted = changed(zone, remove, add)
        assume(wanted is not None)
        assert wanted is not None
        document = document.changed(*zone.difference(wanted))
        zone = wanted
    text = document.content(0)
    comments: set[bytes] = set()
    for number in range(data.draw(st.integers(0, 2))):
        comment = b"%s comment %d" % (mark, number)
        line = data.draw(st.integers(0, text.count(b"\n")))
        # A comment inside of a record goes with it, and before a byte order mark it is none.
        probed = read(with_line(text, b'probe.example.org. 0 IN TXT "probe"', line))
        if probed is not None and probed.types_of("probe.example.org."):
            text, comments = with_line(text, b"; " + comment, line), comments | {comment}
    return Side(text, zone, frozenset(comments))


def with_line(text: bytes, new: bytes, number: int) -> bytes:
    lines = text.split(b"\n")
    ending = b"\r" if b"\r\n" in text else b""
    return b"\n".join([*lines[:number], new + ending, *lines[number:]])


@st.composite
def bases(draw: st.DrawFn) -> Side:
    messy: Messy = draw(messy_zones())
    zone = read(messy.text)
    assume(zone is not None)
    assert zone is not None
    return Side(messy.text, zone)


def model_of(zone: Zone) -> Model:
    model: Model = {}
    for owner, ttl, kind, rdata in zone.records():
        if kind == "SOA":
            fields = canonical_rdata(kind, rdata).split()
            del fields[2]
            for number, field in enumerate([*fields, str(ttl)]):
                model["SOA", str(number)] = (0, frozenset({field}))
            continue
        key = owner.lower(), kind
        _, known = model.get(key, (ttl, frozenset()))
        model[key] = ttl, known | {canonical_rdata(kind, rdata)}
    return model


def merge_models(base: Model, ours: Model, theirs: Model) -> Model | None:
    """None where a person has to decide."""
    merged: Model = {}
    for key in base.keys() | ours.keys() | theirs.keys():
        old, mine, other = base.get(key), ours.get(key), theirs.get(key)
        if other in (mine, old):
            decided = mine
        elif mine == old:
            decided = other
        elif old is None or mine is None or other is None:
            return None
        else:
            ttls, datas = {mine[0], other[0]} - {old[0]}, (mine[1], other[1])
            changed_datas = [data for data in datas if data != old[1]]
            if len(ttls) > 1:
                return None
            if len(set(changed_datas)) <= 1:
                data = changed_datas[0] if changed_datas else old[1]
            elif all(data >= old[1] for data in datas):
                data = datas[0] | datas[1]
            elif all(data <= old[1] for data in datas) and datas[0] & datas[1]:
                data = datas[0] & datas[1]
            else:
                return None
            decided = (ttls.pop() if ttls else old[0]), data
        if decided is not None:
            merged[key] = decided
    return merged


@settings(
    max_examples=EXAMPLES,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink these takes minutes
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(base=bases(), data=st.data())
def test_a_merge_says_what_both_sides_meant(base: Side, data: st.DataObject) -> None:
    story = Story(base, side_of(data, base, b"our"), side_of(data, base, b"their"))
    note(f"== base\n{base.text.decode()}\n== ours\n{story.ours.text.decode()}")
    note(f"== theirs\n{story.theirs.text.decode()}")
    models = [model_of(side.zone) for side in (story.base, story.ours, story.theirs)]
    wanted = merge_models(*models)
    outcomes = [check(each, models[1:], wanted) for each in (story, story.turned())]
    # The sides are alike: who merges decides about layout, never about content.
    if None not in outcomes:
        assert outcomes[0] == outcomes[1]


def check(story: Story, sides: list[Model], wanted: Model | None) -> Model | None:
    """What the merge says, which must be as wanted; None where it left conflicts."""
    merged = story.merge()
    note(f"== merged\n{merged.content.decode()}\n{merged.conflicts}")
    zone = read(merged.content)
    if wanted is None:
        assert merged.conflicts
        return None
    if merged.conflicts:
        check_excuse(merged)
        return None
    assert zone is not None
    model = model_of(zone)
    assert model == wanted
    for side, of_side in zip(
        (story.ours, story.theirs), (model_of(story.ours.zone), model_of(story.theirs.zone)), strict=True
    ):
        assert zone.serial == side.zone.serial or is_forward(side.zone.serial, zone.serial)
        assert (zone.serial == side.zone.serial) <= (model == of_side)
        assert all(comment in merged.content for comment in side.comments)
    return model


def check_excuse(merged: Merged) -> None:
    """Lines that both sides want to have otherwise, or a zone that cannot be, are left to a person."""
    (conflict,) = merged.conflicts
    assert "layout of the same lines" in conflict or "not valid" in conflict or "needs a $TTL" in conflict
