"""Reading many zone files ahead gives what reading each of them by itself gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from oakroot._engine import ReadingZones
from oakroot.zones import ahead
from oakroot.zones.ahead import ReadingAhead
from oakroot.zones.reading import Reading, read_zone_file
from oakroot.zones.tree import Tree
from tests.zones.repositories import BROKEN, tree_of, zone_text

FILES = {
    "plain.example": zone_text(),
    "broken.example": BROKEN,
    "warned.example": zone_text(3, "www CNAME missing"),
    "including.example": zone_text(4, "$INCLUDE hosts"),
    "missing.example": zone_text(5, "$INCLUDE nothing"),
    "long.example": zone_text(6, *(f"h{number} A 192.0.2.1" for number in range(5000))),
    "last.example": zone_text(7),
}
INCLUDED = {"hosts": b"www A 192.0.2.7\n"}
UNREADABLE = "long.example"


@pytest.fixture(params=[1, 500, 10**6], ids=["one by one", "some", "all"])
def stretch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How much is read at a time; the longest file is longer than some, and read beside no other."""
    monkeypatch.setattr(ahead, "STRETCH_OCTETS", request.param)
    monkeypatch.setattr(ahead, "LONG_OCTETS", 4 * request.param)


def facts(reading: Reading) -> tuple[object, ...]:
    """All that a reading says, in values that compare."""
    records = None if reading.zone is None else reading.zone.records()
    return records, reading.findings, dict(reading.includes), reading.marked is None


def read_ahead(tree: Tree, paths: Mapping[str, object] = FILES) -> list[Reading]:
    """Readings of these files, in this order."""
    reading = ReadingAhead.of(tree, [(path, f"{path}.") for path in paths])
    return [reading.read(path, f"{path}.", None) for path in paths]


@pytest.mark.usefixtures("stretch")
def test_each_file_says_what_it_says_by_itself() -> None:
    tree = tree_of(FILES | INCLUDED)
    alone = [read_zone_file(tree, path, f"{path}.") for path in FILES]
    assert [*map(facts, read_ahead(tree))] == [*map(facts, alone)]


@pytest.mark.usefixtures("stretch")
def test_a_file_that_cannot_be_had_is_a_finding_of_its_own_zone() -> None:
    tree = tree_of(FILES | INCLUDED)

    def read(blob: str) -> bytes:
        if blob == tree.files[UNREADABLE]:
            raise ValueError("it is too large")
        return tree.read(blob)

    readings = dict(zip(FILES, read_ahead(replace(tree, read=read)), strict=True))
    assert [finding.code for finding in readings[UNREADABLE].findings] == ["unreadable"]
    assert readings["last.example"].zone is not None


def test_a_storage_that_fails_is_told_to_who_asks() -> None:
    def fail(_blob: str) -> bytes:
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        read_ahead(replace(tree_of(FILES), read=fail))


def test_a_file_alone_is_read_without_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "ReadingZones", None)
    reading = read_ahead(tree_of(FILES), {"plain.example": None})[0]
    assert reading.zone is not None


@pytest.mark.usefixtures("stretch")
def test_where_there_are_no_more_threads_each_file_is_read_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_files: object) -> None:
        raise BlockingIOError("the system has no more threads")

    tree = tree_of(FILES | INCLUDED)
    alone = [facts(read_zone_file(tree, path, f"{path}.")) for path in FILES]
    monkeypatch.setattr(ahead, "ReadingZones", refuse)
    assert [*map(facts, read_ahead(tree))] == alone


def test_readings_are_taken_once() -> None:
    begun = ReadingZones([(zone_text(), "plain.example.", "plain.example")])
    assert len(begun.take()) == 1
    assert begun.take() == []


def test_readings_may_be_left_where_they_are() -> None:
    del (reading := {0: ReadingZones([(zone_text(), "plain.example.", "plain.example")])})[0]
    assert not reading


def test_an_apex_that_is_no_name_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="label"):
        ReadingZones([(zone_text(), f"{64 * 'a'}.", "plain.example")])
