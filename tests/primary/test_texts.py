"""Texts of zones are kept between updates, and never taken for newer than they are."""

from __future__ import annotations

from oakroot.primary.texts import Texts
from oakroot.zones.tree import Tree
from tests.primary.group import Group
from tests.zones.repositories import tree_of, zone_text

INCLUDING = zone_text(1, "$INCLUDE parts/web")
PART = {"parts/web": b"www 60 IN A 192.0.2.80\n"}


class Shelf:
    """Texts, and how often a tree had to be looked at for them."""

    def __init__(self, texts: Texts) -> None:
        self.texts = texts
        self.readings = 0

    def octets(self, group: Group, apex: str = "mirage.") -> bytes:
        """The text of a zone of this group's newest commit."""

        def tree() -> Tree:
            self.readings += 1
            return tree_of(group.files)

        return self.texts.read(group.loaded.zones[apex], group.loaded, tree).document.content(0)


def test_a_text_is_read_once() -> None:
    shelf, group = Shelf(Texts()), Group({"mirage": zone_text(1)})
    assert shelf.octets(group) == shelf.octets(group) == group.files["mirage"]
    assert shelf.readings == 1


def test_what_we_wrote_is_not_read_again() -> None:
    shelf, group = Shelf(Texts()), Group({"mirage": zone_text(1)})
    shelf.octets(group)
    draft = group.write("mirage", lambda m: m.add("a", 60, "A", "192.0.2.1"))
    group.take(draft)
    shelf.texts.keep(draft.edited, group.loaded)
    assert shelf.octets(group) == group.files["mirage"]
    assert shelf.readings == 1


def test_what_somebody_else_wrote_is_read() -> None:
    shelf, group = Shelf(Texts()), Group({"mirage": zone_text(1)})
    shelf.octets(group)
    group.files["mirage"] = zone_text(2, "theirs A 192.0.2.9")
    group.load()
    shelf.texts.somebody_pushed()
    assert shelf.octets(group) == group.files["mirage"]
    assert shelf.readings == 2


def test_a_file_that_another_zone_begins_to_read_is_shared_from_then_on() -> None:
    shelf, group = Shelf(Texts()), Group({"mirage": INCLUDING, **PART})
    shelf.octets(group)
    assert not shelf.texts.are_shared(["parts/web"], group.loaded)
    group.files["other"] = INCLUDING
    group.load()
    shelf.texts.somebody_pushed()
    assert shelf.texts.are_shared(["parts/web"], group.loaded)
    zone = group.loaded.zones["mirage."]
    assert shelf.texts.read(zone, group.loaded, lambda: tree_of(group.files)).shared == (1,)


def test_the_octets_kept_are_bounded() -> None:
    shelf = Shelf(Texts(octets_limit=150))
    group = Group({"mirage": zone_text(1), "other": zone_text(1), "third": zone_text(1)})
    for apex in ("mirage.", "other.", "third.", "mirage."):
        shelf.octets(group, apex)
    assert shelf.readings == 4
    shelf.octets(group, "mirage.")
    assert shelf.readings == 4
