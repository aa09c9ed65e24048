"""How Sphinx makes the site of these pages: `make site` writes build/site.

The pages are Markdown that also reads well where no Sphinx is; what is special about the site stands here.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path, PurePosixPath

from sphinx.application import Sphinx

ROOT = Path(__file__).parent.parent
_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

project = "Oakroot"
author = "The Oakroot authors"
version = release = _PROJECT["version"]

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["notes"]  # what developers leave for each other

# Every heading can be linked to from elsewhere, as GitHub has it: [text](page.md#heading).
myst_heading_anchors = 4

html_theme = "furo"
html_title = "Oakroot"
html_static_path = ["static"]
html_css_files = ["oakroot.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#2f6b2f", "color-brand-content": "#2f6b2f"},
    "dark_css_variables": {"color-brand-primary": "#8fce8f", "color-brand-content": "#8fce8f"},
    "footer_icons": [],
}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

# Files outside of this folder that are pages of the site, too: their text stands in for that of these pages.
COPIES = {
    "explain/architecture": "ARCHITECTURE.md",
    "explain/contributing": "CONTRIBUTING.md",
    "explain/changelog": "CHANGELOG.md",
    "explain/benchmark": "bench/README.md",
}
_LINK = re.compile(r"\[(?P<text>[^]\n]*)\]\((?P<target>[^)#:\s]+)(?P<anchor>#[^)\s]*)?\)")


def setup(app: Sphinx) -> None:
    """Has links that lead out of this folder lead to where the site has what they mean."""
    app.connect("source-read", _adapt)


def _adapt(_app: Sphinx, page: str, source: list[str]) -> None:
    origin = PurePosixPath(COPIES.get(page, f"docs/{page}.md"))
    if page in COPIES:
        source[0] = (ROOT / origin).read_text()
    source[0] = _LINK.sub(lambda link: _adapted(link, origin, PurePosixPath(page)), source[0])


def _adapted(link: re.Match[str], origin: PurePosixPath, page: PurePosixPath) -> str:
    """The link as it is on the site; a folder of the source tree has no page there, and becomes mere text."""
    target = os.path.normpath(origin.parent / link["target"])
    if (ROOT / target).is_dir():
        return link["text"]
    pages = {file: f"docs/{name}.md" for name, file in COPIES.items()}
    place = os.path.relpath(pages.get(target, target), PurePosixPath("docs") / page.parent)
    return f"[{link['text']}]({place}{link['anchor'] or ''})"
