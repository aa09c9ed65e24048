"""Draws what `oakroot plan` and `oakroot log` print as docs/images/plan.svg and log.svg.

The commands run on a terminal, in a repository made for it whose dates never change: so the pictures are
what a user sees, and are drawn anew only when that changes.
"""

from __future__ import annotations

import html
import os
import pty
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "docs" / "images"
PROMPT = "$ "
LINE, LETTER, MARGIN = 20, 8.43, 16
_CHANGES = 2
# Colours that are told apart on the dark ground of a terminal, whatever the page around it is.
_COLOURS = {"1;31": "#ff7b72", "1;33": "#e3b341", "32": "#7ee787", "36": "#79c0ff", "1": "#ffffff"}
_BOLD = frozenset({"1;31", "1;33", "1"})
_PAINTED = re.compile(r"\x1b\[(?P<style>[0-9;]*)m")
_SVG = 'xmlns="http://www.w3.org/2000/svg" xml:space="preserve" role="img"'
_STYLE = """
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d1d9e0;
  white-space: pre }
"""
_ZONE = """\
$TTL 1h
@       SOA   ns1 hostmaster {serial} 1d 2h 2w 1h
        NS    ns1
        NS    ns.example.net.
        MX    10 mail
ns1     A     192.0.2.53
mail    A     192.0.2.25
www     A     {www}
shop    CNAME www
"""
_HISTORY = (
    ("Alice", "Begin example.org", _ZONE.format(serial=1, www="192.0.2.80")),
    ("Bob", "Move www to the new rack (ticket 4711)", _ZONE.format(serial=2, www="192.0.2.88")),
    (
        "laptop._update.example.org",
        "example.org: add my-other A 192.0.2.4",
        _ZONE.format(serial=3, www="192.0.2.88") + "my-other 60 A 192.0.2.4\n",
    ),
)
_EDITED = (
    _ZONE.format(serial=3, www="192.0.2.90").replace("        NS    ns.example.net.\n", "")
    + 'my-other 60 A 192.0.2.4\n_dmarc  TXT   "v=DMARC1; p=reject"\n'
)
_KEY = (
    "web1._acme-challenge._update.www.example.org. DNSKEY 0 3 163 "
    "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=\n"
)


def pictures() -> dict[str, str]:
    """The text of each picture, by the name of its file."""
    with tempfile.TemporaryDirectory(prefix="oakroot-pictures-") as directory:
        folder = Path(directory)
        _make_repository(folder)
        log = _seen(folder, "log", "www.example.org", "A")
        (folder / "example.org").write_text(_EDITED)
        (folder / "example.org._keys").write_text(_KEY)
        plan = _seen(folder, "plan")
    return {
        "plan.svg": draw("What a push would do", "oakroot plan", plan),
        "log.svg": draw("Who changed a record", "oakroot log www.example.org A", log),
    }


def draw(title: str, command: str, text: str) -> str:
    """A terminal with a command and what it printed, as SVG."""
    lines = [f"{PROMPT}\x1b[1m{command}\x1b[0m", *text.rstrip("\n").splitlines()]
    longest = max(len(_PAINTED.sub("", line)) for line in lines)
    width, height = round(longest * LETTER) + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    parts = [
        f'<svg {_SVG} viewBox="0 0 {width} {height}" width="{width}">',
        f"<style>{_STYLE}</style>",
        f"<title>{html.escape(title)}</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#161b22"/>',
    ]
    for number, line in enumerate(lines):
        spans = "".join(_spans(line))
        parts.append(f'<text x="{MARGIN}" y="{MARGIN + number * LINE + 14}">{spans}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _spans(line: str) -> Iterator[str]:
    """The pieces of a line, each in its colour."""
    style = ""
    pieces = _PAINTED.split(line)
    for text, following in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        if text and style in _COLOURS:
            weight = ' font-weight="600"' if style in _BOLD else ""
            yield f'<tspan fill="{_COLOURS[style]}"{weight}>{html.escape(text)}</tspan>'
        elif text:
            yield html.escape(text)
        style = following


def _make_repository(folder: Path) -> None:
    _git(folder, {}, "init", "--quiet", "--initial-branch=main")
    for number, (author, subject, zone) in enumerate(_HISTORY):
        (folder / "example.org").write_text(zone)
        moment = f"2026-11-{20 + number}T12:00:00+0000"
        address = "" if "." in author else f"{author.lower()}@example.org"
        who = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", author), ("EMAIL", address), ("DATE", moment))
        }
        _git(folder, who, "add", "--all")
        _git(folder, who, "commit", "--quiet", f"--message={subject}")


def _git(folder: Path, environment: Mapping[str, str], *arguments: str) -> None:
    nobody = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    settings = ("-c", "core.hooksPath=/dev/null")
    command = ["git", *settings, *arguments]
    told = {**os.environ, **nobody, **environment}
    subprocess.run(command, cwd=folder, env=told, check=True)  # noqa: S603 - words of this file


def _seen(folder: Path, *arguments: str) -> str:
    """What a command writes to a terminal."""
    master, slave = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    process = subprocess.Popen(  # noqa: S603 - our own program
        [Path(sys.executable).with_name("oakroot"), *arguments],
        cwd=folder,
        stdout=slave,
        env={**environment, "TERM": "xterm-256color", "TZ": "UTC"},
    )
    os.close(slave)
    text = b"".join(_read_all(master)).decode().replace("\r\n", "\n")
    os.close(master)
    if process.wait() not in (0, _CHANGES):
        raise AssertionError(f"oakroot {arguments[0]} failed: {text}")
    return text


def _read_all(terminal: int) -> Iterator[bytes]:
    """Until the command has closed its side, which a terminal tells as an error."""
    while True:
        try:
            octets = os.read(terminal, 65536)
        except OSError:
            return
        if not octets:
            return
        yield octets


def main(arguments: Sequence[str]) -> int:
    """Writes them into the folder, the documents' by default."""
    folder = Path(arguments[0]) if arguments else FOLDER
    for name, text in pictures().items():
        (folder / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
