"""A ledger as static web pages, for a person: builds, who made them, what changed, search by hash. Pure.

Each page stands alone: style and script are in it, and nothing is asked of anybody.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import oakroot.operate
from oakroot.images.comparison import Change, Kind, compare
from oakroot.images.contents import Role
from oakroot.images.ledger import Attestation, Build, Ledger, Trouble, camps, disagreements, keys_of
from oakroot.operate.markup import Content, Markup, element, join, section, table
from oakroot.operate.spoken import amount, moment_of

_STYLE = Path(oakroot.operate.__file__).with_name("status.css").read_text() + (
    "code { font: .85rem/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }\n"
    "[hidden] { display: none !important; }\n"
    "form { margin: 1rem 0; } label { display: block; } output { display: block; min-height: 1.5em;"
    " overflow-wrap: anywhere; } h3 { font-size: 1rem; margin: 1rem 0 0; }\n"
    "input { width: 100%; max-width: 40rem; min-height: 2.75rem; padding: .4rem .6rem; font: inherit;"
    " color: inherit; background: var(--card); border: 1px solid var(--quiet); border-radius: .5rem; }\n"
    "input:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }\n"
)
_SCRIPT = Path(__file__).with_name("ledger.js").read_text()
_SHOWN = 12
_CLASSES = {Kind.ADDED: "added", Kind.REMOVED: "removed", Kind.CHANGED: None}


def pages(ledger: Ledger, commit: str) -> dict[str, str]:
    """(path -> content) of all pages, `index.html` first, and of what programs read of the latest builds."""
    made = {"index.html": _index(ledger, commit)}
    for role in Role:
        before = None
        for build in (each for each in ledger.builds if each.role is role):
            made[_place(build)] = _build(build, before, ledger.troubles)
            before = build
        if before is not None:
            made[f"{role}/latest.json"] = _latest(before)
    return made


def _place(build: Build) -> str:
    return f"{build.role}/{build.name}.html"


def _index(ledger: Ledger, commit: str) -> str:
    builders = {each.builder for build in ledger.builds for each in build.attestations}
    disputed = sum(1 for build in ledger.builds if len(camps(build)) > 1)
    cards = [
        ("Builds", amount(len(ledger.builds)), None),
        ("Builders", amount(len(builders)), None),
        ("Disputed", amount(disputed), "bad" if disputed else "good"),
        ("Not counted", amount(len(ledger.troubles)), "warn" if ledger.troubles else "good"),
    ]
    order = list(reversed(ledger.builds))
    head = element(
        "header",
        element("h1", "Builds of Oakroot's images"),
        element("p", "As of commit ", element("code", commit[:_SHOWN]), class_="quiet"),
        element("dl", *(_card(*card) for card in cards), class_="cards"),
    )
    body = (
        section("roles", "Roles", _roles(ledger)),
        section("builds", "Builds", (_search(), _builds(order) or element("p", "none yet"))),
        _troubles(ledger.troubles),
    )
    data = json.dumps([_lines(build) for build in order]).replace("<", "\\u003c")
    return _document("Builds of Oakroot's images", head, body, Markup(data))


def _card(title: str, value: str, style: str | None) -> Markup:
    return element("div", element("dt", title), element("dd", value, class_=style))


def _search() -> Markup:
    """Shown by the script alone, which is what it needs to work."""
    return element(
        "form",
        element("label", "Find a hash, an input or a version", for_="wanted"),
        element("input", type="search", id="wanted", autocomplete="off", spellcheck="false"),
        element("output", for_="wanted", class_="quiet"),
        id="search", role="search", hidden=True,
    )  # fmt: skip


def _lines(build: Build) -> list[str]:
    """What the search looks through."""
    inputs = [f"{each.name} {each.version} {each.sha256}" for each in build.attestations[0].record.inputs]
    outputs = {
        f"{name} {digest}" for said in build.attestations for name, digest in said.statement.outputs.items()
    }
    return [f"{build.role} {build.name} {build.lock.commit}", *sorted(outputs), *inputs]


def _roles(ledger: Ledger) -> Content:
    rows = []
    for role in Role:
        found = [build for build in ledger.builds if build.role is role]
        if found:
            latest = found[-1]
            when = moment_of(latest.attestations[0].statement.moment)
            rows.append((element("strong", role), str(len(found)), _link(latest), when, _state(latest)))
    return table("Roles", ("Role", "Builds", "Latest", "First built", "State"), rows)


def _builds(builds: Iterable[Build]) -> Markup | None:
    return table(
        "Builds",
        ("Build", "Role", "Commit", "First built", "Built by", "State"),
        (
            (
                _link(build),
                build.role.value,
                element("code", build.lock.commit[:_SHOWN]),
                moment_of(build.attestations[0].statement.moment),
                ", ".join(each.builder for each in build.attestations),
                _state(build),
            )
            for build in builds
        ),
    )


def _link(build: Build) -> Markup:
    return element("a", element("code", build.name[:_SHOWN]), href=_place(build))


def _state(build: Build) -> Markup:
    found = camps(build)
    if len(found) > 1:
        return element("span", f"disputed: {len(found)} results", class_="bad")
    keys = keys_of(found[0])
    return element(
        "span", "one builder" if keys == 1 else f"{keys} agree", class_="good" if keys > 1 else "warn"
    )


def _troubles(troubles: Sequence[Trouble]) -> Markup | None:
    title = "Records that do not count"
    listed = table(title, ("File", "Why"), ((each.path, each.reason) for each in troubles))
    return section("troubles", title, listed) if listed else None


def _build(build: Build, before: Build | None, troubles: Sequence[Trouble]) -> str:
    first = camps(build)[0][0]
    own = [each for each in troubles if each.path.startswith(f"{build.folder}/")]
    head = element(
        "header",
        element("p", element("a", "All builds", href="../index.html")),
        element("h1", build.label),
        element("p", _state(build)),
        element("p", element("code", build.name), class_="quiet"),
    )
    disputes = [line for camp in camps(build)[1:] for line in disagreements(first.record, camp)]
    body = (
        section("builders", "Builders", _builders(build)),
        section("disputes", "What they do not agree on", _list(disputes)) if disputes else None,
        _troubles(own),
        section("changes", "Changed since the build before", _changes(before, build)),
        section("outputs", "Outputs", _hashes("Outputs", sorted(first.statement.outputs.items()))),
        section("inputs", "Inputs", _inputs(build)),
    )
    return _document(build.label, head, body)


def _builders(build: Build) -> Markup | None:
    agreed = camps(build)[0]
    return table(
        "Builders",
        ("Builder", "Key", "When", "Tools", "Result"),
        (
            (
                element("strong", each.builder),
                element("code", each.key),
                moment_of(each.statement.moment),
                _tools(each),
                element("span", "the same", class_="good")
                if each in agreed
                else element("span", "another", class_="bad"),
            )
            for each in build.attestations
        ),
    )


def _tools(attestation: Attestation) -> str:
    tools = sorted(attestation.statement.tools.items())
    return ", ".join(f"{name} {version[:_SHOWN]}" for name, version in tools)


def _changes(before: Build | None, build: Build) -> Content:
    if before is None:
        return element("p", "This is the first build.", class_="quiet")
    changes = compare(camps(before)[0][0].record, camps(build)[0][0].record)
    link = element("a", element("code", before.name[:_SHOWN]), href=f"../{_place(before)}")
    parts: list[Content] = [element("p", "Since ", link, ":" if changes else ": nothing.")]
    for title, found in (("Inputs", changes.inputs), ("Outputs", changes.outputs)):
        if found:
            parts.append((element("h3", title), element("pre", *map(_change, found), tabindex="0")))
    if changes.files:
        summary = element("summary", f"Files in the initramfs: {amount(len(changes.files))}")
        parts.append(element("details", summary, element("pre", *map(_change, changes.files), tabindex="0")))
    return parts


def _change(change: Change) -> Markup:
    return element("span", str(change), class_=_CLASSES[change.kind])


def _list(lines: Iterable[str]) -> Markup:
    return element("ul", *(element("li", line) for line in lines))


def _hashes(name: str, found: Iterable[tuple[str, str]]) -> Markup | None:
    rows = ((element("strong", what), element("code", digest)) for what, digest in found)
    return table(name, ("Name", "SHA-256"), rows)


def _inputs(build: Build) -> Markup | None:
    return table(
        "Inputs",
        ("Input", "Version", "From", "SHA-256"),
        (
            (
                element("strong", each.name),
                each.version,
                element("code", each.purl),
                element("code", each.sha256),
            )
            for each in sorted(build.attestations[0].record.inputs)
        ),
    )


def _latest(build: Build) -> str:
    agreed = camps(build)[0]
    value = {
        "role": build.role,
        "build": build.name,
        "commit": build.lock.commit,
        "disputed": len(camps(build)) > 1,
        "builders": [each.builder for each in agreed],
        "outputs": dict(sorted(agreed[0].statement.outputs.items())),
    }
    return json.dumps(value, indent=1) + "\n"


def _document(title: str, head: Markup, body: Content, data: Markup | None = None) -> str:
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    scripts = None
    if data is not None:
        scripts = (
            element("script", data, type="application/json", id="data"),
            element("script", Markup(_SCRIPT)),
        )
    whole = (
        element(
            "head",
            Markup(
                '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
            ),
            Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
            element("title", title),
            element("style", Markup(_STYLE)),
        ),
        element(
            "body",
            element("a", "Skip to the content", class_="skip", href="#content"),
            head,
            element("main", body, id="content"),
            scripts,
        ),
    )
    return f"<!doctype html>\n{element('html', join(whole), lang='en')}\n"
