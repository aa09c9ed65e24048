"""The status page as text: nothing in it can be more than text, and all that matters is there."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from oakroot.operate.changes import LINES_LIMIT, Change, FileChange, compare
from oakroot.operate.history import History, Pulse
from oakroot.operate.markup import Markup, element, join
from oakroot.operate.overview import Condition, Overview, Zone
from oakroot.operate.page import Shown, page
from oakroot.operate.samples import Scene
from tests.operate.scenes import HOSTILE, NOON, scene

HOSTILE_CHANGE = Change("1a2b3c4d5e6f", HOSTILE, NOON - 5, HOSTILE, (FileChange(HOSTILE, (f"+{HOSTILE}",)),))


class Reader(HTMLParser):
    """Which elements, attributes and words a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


def test_text_is_escaped_and_markup_is_not() -> None:
    assert (
        element("p", "<b>", Markup("<i>x</i>"), title='"&') == '<p title="&quot;&amp;">&lt;b&gt;<i>x</i></p>'
    )


def test_characters_that_turn_text_around_are_shown() -> None:
    assert join("a\u202eb\x1b") == "a\\u202eb\\u001b"


@pytest.mark.parametrize("zone", [HOSTILE, "<img src=x onerror=alert(1)>.example.", "';alert(1)//"])
def test_hostile_names_and_messages_are_text(zone: str) -> None:
    text = page(Shown(scene(Zone(zone, Condition.LAST_GOOD, 1, reason=zone)), changes=[HOSTILE_CHANGE]))
    found = read(text)
    assert found.elements.count("script") == 1, "our own"
    assert "img" not in found.elements
    assert not any(name.startswith("on") for name in found.attributes)
    assert "alert(1)" in found.text


def test_the_page_asks_nobody_else_for_anything() -> None:
    text = page(Shown(scene()))
    assert not re.search(r"(?:src|href)=\"(?!#|status\.)", text)
    assert "style=" not in text, "the policy forbids it"


def test_a_zone_that_is_not_current_stands_first_with_its_reason() -> None:
    zones = [
        Zone("a.example.", Condition.CURRENT, 1),
        Zone("z.example.", Condition.LAST_GOOD, 1, reason="no SOA"),
    ]
    text = read(page(Shown(scene(*zones)))).text
    assert text.index("z.example.") < text.index("a.example.")
    assert "no SOA" in text


def test_what_a_role_does_not_have_is_not_there() -> None:
    text = page(Shown(Scene(Overview("secondary", "1", NOON, NOON - 60))))
    assert 'id="git"' not in text
    assert 'id="certificates"' not in text


def test_a_difference_shows_what_went_and_came() -> None:
    change = compare(
        "example.org", b"a A 192.0.2.1\nb A 192.0.2.2\n-- x\n", b"a A 192.0.2.1\nb A 192.0.2.3\n"
    )
    assert change.lines == (" a A 192.0.2.1", "-b A 192.0.2.2", "--- x", "+b A 192.0.2.3")


@pytest.mark.parametrize("path", ["_keys", "example.org._keys", "example.org"])
def test_no_secret_is_in_a_difference(path: str) -> None:
    secret = b"kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
    change = compare(path, b"", b"laptop._update DNSKEY 0 3 163 " + secret + b"\n")
    assert not any(secret.decode() in line for line in change.lines)


def test_a_difference_is_bounded() -> None:
    change = compare("example.org", b"", b"".join(b"%d A 192.0.2.1\n" % number for number in range(500)))
    assert len(change.lines) == LINES_LIMIT + 1
    assert change.lines[-1] == f" and {500 - LINES_LIMIT} more lines"


def test_rates_are_what_happened_between_two_pulses() -> None:
    history = History()
    for pulse in (Pulse(0, 100, 1, 0.5), Pulse(5, 200, 3, 1.5), Pulse(10, 200, 3, 1.5)):
        history.add(pulse)
    assert [(point.queries, point.update_latency) for point in history.points()] == [(20, 0.5), (0, None)]
