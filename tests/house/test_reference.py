"""What the reference says is in the sources: the tests it names, and the words of errors."""

from __future__ import annotations

import re
from pathlib import Path

from scripts.outline import Outline, outlines

_PROOF = re.compile(r"\]\(\.\./\.\./(?P<file>\S+) \"(?P<name>\w+)\"\)")
_ERROR_ROW = re.compile(r"^\| [A-Z, ]+ \| [\w ]+ \| (?P<text>.+?) \|", re.MULTILINE)
# In running text and in a block, up to whatever the shell does with it.
_CALL = re.compile(r"(?:`|\$ (?:sudo )?)(oakroot [a-z][^`|>;&#\n]*(?:\\\n[^`|>;&#\n]*)*)")
_CODE = re.compile(r"\b[A-Z]{4,}(:[A-Z]+)*\b")


def test_every_proof_on_the_page_of_protocols_is_a_test(project_root: Path) -> None:
    page = (project_root / "docs/reference/protocol.md").read_text()
    proofs = [(match["file"], match["name"]) for match in _PROOF.finditer(page)]
    assert len(proofs) > 60
    missing = [
        (file, name)
        for file, name in proofs
        if not re.search(rf"\b(?:def|fn) {name}\b", (project_root / file).read_text())
    ]
    assert missing == []


def test_every_row_on_the_page_of_protocols_has_a_proof(project_root: Path) -> None:
    page = (project_root / "docs/reference/protocol.md").read_text()
    rows = [row for row in page.splitlines() if row.startswith("| ") and "| what |" not in row]
    assert [row for row in rows if not _PROOF.search(row)] == []


def test_the_words_of_errors_are_those_of_the_sources(project_root: Path) -> None:
    page = (project_root / "docs/reference/errors.md").read_text()
    files = [*(project_root / "src").rglob("*.py"), *(project_root / "engine/src/answer").rglob("*.rs")]
    # Long messages stand on two lines there, as adjacent strings.
    sources = re.sub(r"\"\s*f?\"", "", "".join(file.read_text() for file in files))
    texts = [match["text"] for match in _ERROR_ROW.finditer(page)]
    assert len(texts) > 30
    parts = [part.strip(" :") for text in texts if not _CODE.match(text) for part in text.split("…")]
    assert [part for part in parts if part not in sources] == []


def test_commands_and_options_that_pages_name_are_there(project_root: Path) -> None:
    flags = {part.words: _flags(part) for whole in outlines() for part in whole.family()}
    pages = [*(project_root / "docs").rglob("*.md"), project_root / "README.md"]
    wrong = []
    for page in pages:
        for call in _CALL.findall(page.read_text()):
            words = call.partition(" -- ")[0].split()  # what follows is somebody else's
            starts = (" ".join(words[:length]) for length in (4, 3, 2))
            command = next((start for start in starts if start in flags), "")
            used = {word.partition("=")[0] for word in words if re.match(r"--[a-z]", word)}
            if not command or not used <= flags[command]:
                wrong.append((page.name, call))
    assert wrong == []


def _flags(part: Outline) -> set[str]:
    return {"--help", "--config", *(flag for entry in part.entries for flag in entry.flags)}
