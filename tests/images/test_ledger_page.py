"""The pages of a ledger in a browser: search, on a phone, with keys alone, without scripts, in the dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from oakroot.images.contents import Role
from oakroot.images.ledger import Attestation, Build, Ledger, Trouble
from oakroot.images.ledger_page import pages
from oakroot.images.record import Record
from oakroot.images.statement import Statement
from tests.images.ledgers import NOON, TOOLS, record, tampered
from tests.peers.browser import Browser

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
OTHER = "f" * 64


@dataclass(frozen=True)
class Site:
    """Pages that lie in a folder."""

    index: str
    first: Build
    second: Build

    def of(self, build: Build) -> str:
        """The address of a build's page."""
        return self.index.replace("index.html", f"{build.role}/{build.name}.html")


def said(made: Record, name: str, moment: int) -> Attestation:
    statement = Statement(Role.PRIMARY, made.name, name, TOOLS, moment, made.outputs)
    return Attestation(statement, f"SHA256:{name}", made)


def built(made: Record, *attestations: Attestation) -> Build:
    return Build(Role.PRIMARY, made.name, made.lock, attestations)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("site")
    one, two = record(folder / "one"), record(folder / "two", b"serve(2)\n")
    hostile = replace(one.lock, inputs=(replace(one.lock.inputs[0], version=HOSTILE), *one.lock.inputs[1:]))
    one = replace(one, lock=hostile)
    first = built(one, said(one, "alice", NOON))
    other = tampered(two, {"vmlinuz": OTHER})
    second = built(
        two, said(two, "alice", NOON + 60), said(two, "bob", NOON + 90), said(other, "carol", NOON + 99)
    )
    trouble = Trouble(f"{second.folder}/mallory", f"the signature is broken {HOSTILE}")
    for path, text in pages(Ledger((first, second), (trouble,)), "c" * 40).items():
        place: Path = folder / "pages" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return Site(f"{(folder / 'pages' / 'index.html').as_uri()}", first, second)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, require: Callable[[str], str]) -> Iterator[Browser]:
    with Browser(require("chromium"), tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def search(browser: Browser, text: str) -> tuple[int, str]:
    """How many builds are shown for it, and what is said of them."""
    browser.value(
        "(() => { const field = document.getElementById('wanted'); "
        f"field.value = '{text}'; field.dispatchEvent(new Event('input')); }})()"
    )
    rows = "[...document.querySelectorAll('#builds tbody tr')].filter((row) => row.offsetHeight > 0).length"
    return browser.value(rows), browser.value("document.querySelector('#search output').textContent")


def test_the_pages_are_whole_and_ask_nobody(browser: Browser, site: Site) -> None:
    for url in (site.index, site.of(site.first), site.of(site.second)):
        browser.open(url)
        assert browser.value("document.querySelectorAll('section').length") >= 2
        assert browser.complaints() == []
        asked = [event for event in browser.events if event.get("method") == "Network.requestWillBeSent"]
        assert [event["params"]["request"]["url"] for event in asked] == [url]


def test_a_hash_leads_to_the_build_and_says_what_it_is(browser: Browser, site: Site) -> None:
    browser.open(site.index)
    digest = site.second.attestations[0].record.outputs["initramfs"]
    assert search(browser, f"sha256:{digest.upper()}") == (1, f"1 of 2 builds: initramfs {digest}")
    assert search(browser, OTHER) == (1, f"1 of 2 builds: vmlinuz {OTHER}")
    assert search(browser, "libc6 1.0")[0] == 2
    assert search(browser, "no such thing") == (0, "0 of 2 builds")
    assert search(browser, "") == (2, "")


def test_a_link_leads_to_a_search(browser: Browser, site: Site) -> None:
    browser.open("about:blank")
    browser.open(f"{site.index}#q={OTHER}")
    assert browser.value("document.querySelector('#search output').textContent").startswith("1 of 2 builds")


def test_a_build_shows_who_disagrees_and_what_changed(browser: Browser, site: Site) -> None:
    browser.open(site.of(site.second))
    text = browser.value("document.body.innerText")
    assert "disputed: 2 results" in text
    assert "carol has another result: changed vmlinuz" in text
    assert "wheel oakroot: 1.0, another file" in text
    assert "mallory" in text
    browser.open(site.of(site.first))
    assert "mallory" not in browser.value("document.body.innerText")


def test_hostile_names_run_nothing(browser: Browser, site: Site) -> None:
    for url in (site.index, site.of(site.first), site.of(site.second)):
        browser.open(url)
        assert browser.value("document.images.length") == 0
        dialogs = [event for event in browser.events if event.get("method") == "Page.javascriptDialogOpening"]
        assert dialogs == []
    browser.open(site.index)
    assert browser.value("document.scripts.length") == 2
    assert "<script>alert(1)</script>" in search(browser, "alert(1)")[1]


@pytest.mark.parametrize("width", [320, 390, 768])
def test_nothing_is_wider_than_a_phone(browser: Browser, site: Site, width: int) -> None:
    for url in (site.index, site.of(site.second)):
        browser.open(url, width=width, height=800)
        if url == site.index:
            search(browser, OTHER)
        assert browser.value("document.documentElement.scrollWidth") <= width


def test_without_scripts_all_is_there_but_the_search(browser: Browser, site: Site) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(site.index)
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.value("document.getElementById('search').offsetHeight") == 0
    assert browser.value("document.querySelectorAll('#builds tbody a').length") == 2


def test_it_is_searched_and_read_with_keys_alone(browser: Browser, site: Site) -> None:
    browser.open(site.index)
    reached: list[str] = []
    while "INPUT" not in reached and len(reached) < 20:
        browser.press("Tab")
        reached.append(browser.value("document.activeElement.tagName"))
    assert reached[0] == "A", "the link past the header"
    browser.call("Input.insertText", text=OTHER)
    assert "1 of 2 builds" in browser.value("document.querySelector('#search output').textContent")
    for _ in range(4):
        browser.press("Tab")
        if browser.value("document.activeElement.tagName") == "A":
            break
    assert site.second.name in browser.value("document.activeElement.href")


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_in_light_and_dark(browser: Browser, site: Site, *, dark: bool) -> None:
    for url in (site.index, site.of(site.second)):
        browser.open(url, dark=dark)
        assert min(browser.contrasts()) >= 4.5, "WCAG 2, 1.4.3"
