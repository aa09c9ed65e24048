"""The status page in a real browser: on a phone, with keys alone, without scripts, in the dark."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from oakroot._engine import Catalogue
from oakroot.operate.changes import Change
from oakroot.operate.history import Pulse
from oakroot.operate.overview import Condition, Overview, Zone
from oakroot.operate.watch import watched
from oakroot.operate.watchable import Settings
from tests.operate.scenes import HOSTILE, NOON, overview
from tests.operate.test_page import HOSTILE_CHANGE
from tests.peers.browser import Browser

ZONES = (
    Zone("example.org.", Condition.CURRENT, 7, 12, since=NOON - 60),
    Zone(HOSTILE, Condition.LAST_GOOD, 1, reason=f"{HOSTILE}: no SOA"),
)


class MadeUp:
    """A role that tells the same story whenever it is asked, but for queries that go on coming."""

    queries = 0
    catalogue = Catalogue()

    def overview(self) -> Overview:
        return overview(*ZONES)

    def pulse(self) -> Pulse:
        self.queries += 100
        return Pulse(NOON, self.queries, 3, 0.7)

    async def changes(self) -> tuple[Change, ...]:
        return (HOSTILE_CHANGE,)


@contextmanager
def served() -> Iterator[str]:
    """The address of its page, which a thread serves."""
    loop, ready, done = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    places: list[tuple[str, int]] = []

    async def serve() -> None:
        async with watched(MadeUp(), Settings(("127.0.0.1", 0), ask_seconds=0)) as place:
            assert place is not None
            places.append(place)
            ready.set()
            await done.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield f"http://{places[0][0]}:{places[0][1]}/"
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served() as address:
        yield address


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, require: Callable[[str], str]) -> Iterator[Browser]:

    with Browser(require("chromium"), tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def test_the_page_is_whole_and_breaks_no_rule_of_its_policy(browser: Browser, url: str) -> None:
    browser.open(url)
    assert browser.value("document.querySelectorAll('section').length") >= 8
    assert browser.value("getComputedStyle(document.querySelector('.cards')).display") == "grid"
    assert browser.complaints() == []
    asked = [
        e["params"]["request"]["url"]
        for e in browser.events
        if e.get("method") == "Network.requestWillBeSent"
    ]
    assert all(each.startswith(url) for each in asked)


def test_hostile_names_run_nothing(browser: Browser, url: str) -> None:
    browser.open(url)
    assert not [event for event in browser.events if event.get("method") == "Page.javascriptDialogOpening"]
    assert browser.value("document.scripts.length") == 1
    assert browser.value("document.querySelector('#zones').innerText.includes('<script>alert(1)</script>')")


def test_the_plots_go_on(browser: Browser, url: str) -> None:
    browser.open(url)
    assert browser.value(UNTIL_LIVE)
    assert browser.value("document.querySelector('#queries output').textContent") != ""


@pytest.mark.parametrize("width", [320, 390, 768])
def test_nothing_is_wider_than_a_phone(browser: Browser, url: str, width: int) -> None:
    browser.open(url, width=width, height=800)
    assert browser.value("document.documentElement.scrollWidth") <= width


def test_everything_is_there_without_scripts(browser: Browser, url: str) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(url)
        root = browser.call("DOM.getDocument", depth=0)["root"]["nodeId"]
        found = browser.call("DOM.getOuterHTML", nodeId=root)["outerHTML"]
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
    for text in ("example.org.", "Move the mail", "198.51.100.2", "<polyline", "<details"):
        assert text in found


def test_it_is_read_with_keys_alone(browser: Browser, url: str) -> None:
    browser.open(url)
    reached = []
    for _ in range(40):
        browser.press("Tab")
        reached.append(browser.value("document.activeElement.tagName"))
        if reached[-1] == "SUMMARY":
            break
    assert reached[0] == "A", "the link past the header"
    assert reached[-1] == "SUMMARY"
    browser.press("Enter")
    assert browser.value("document.querySelector('details').open")


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_in_light_and_dark(browser: Browser, url: str, *, dark: bool) -> None:
    browser.open(url, dark=dark)
    assert min(browser.contrasts()) >= 4.5, "WCAG 2, 1.4.3"
    light = browser.value("getComputedStyle(document.body).backgroundColor")
    assert (light == "rgb(19, 23, 19)") is dark


UNTIL_LIVE = """
new Promise((done) => {
  const live = document.getElementById("live");
  const look = () => live.textContent === "live" ? done(true) : setTimeout(look, 20);
  look();
})
"""
