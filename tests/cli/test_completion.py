"""`oakroot completion`, in the shells themselves: somebody types at a terminal and presses the tabulator."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest

from oakroot.cli.commands import COMMANDS
from oakroot.cli.completion import SHELLS, script

PATIENCE = 20.0
# What a shell draws besides text: colours, movements, titles.
_DRAWING = re.compile(r"\x1b(?:\[[0-9;?<>=]*[a-zA-Z]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[=>78])")
_START = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "--interactive"],
}
_READ = {
    "bash": "bind 'set enable-bracketed-paste off'; source ./_oakroot",
    "zsh": "fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D",
    "fish": "source ./_oakroot",
}


class Terminal:
    """A shell at a terminal, in a folder with a key and a zone. `oakroot` itself is not to be had there."""

    def __init__(self, shell: str, folder: Path) -> None:
        (folder / "_oakroot").write_text(script(shell))
        (folder / "laptop.key").write_text("a key\n")
        (folder / "example.org").write_text("a zone\n")
        self._screen, inside = pty.openpty()
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *_START[shell]],
            cwd=folder,
            env=environment,
            stdin=inside,
            stdout=inside,
            stderr=inside,
        )
        os.close(inside)
        self._text = ""
        self._shell = shell

    def __enter__(self) -> Self:
        self.type(f"{_READ[self._shell]}; echo re''ady\r")
        self.until("ready")
        return self

    def __exit__(self, *_reason: object) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(PATIENCE)
        os.close(self._screen)

    def type(self, text: str) -> None:
        os.write(self._screen, text.encode())

    def until(self, wanted: str) -> None:
        """Returns once the screen shows this."""
        deadline = time.monotonic() + PATIENCE
        while wanted not in self._text:
            assert time.monotonic() < deadline, f"{wanted!r} is not shown: {self._text!r}"
            if select.select([self._screen], [], [], 0.05)[0]:
                self._text += _DRAWING.sub("", os.read(self._screen, 65536).decode(errors="replace"))

    def completes(self, typed: str, wanted: str) -> None:
        """Types this and the tabulator, waits for what comes of it, and takes it all back."""
        self._text = ""
        self.type(f"{typed}\t")
        self.until(wanted)
        self.type("\x15")


@pytest.fixture(scope="module", params=SHELLS)
def terminal(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, require: Callable[[str], str]
) -> Iterator[Terminal]:
    require(request.param)
    with Terminal(request.param, tmp_path_factory.mktemp(request.param)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("oakroot notif", "notify "),
        ("oakroot keygen ts", "tsig "),
        ("oakroot primary --allow-unsig", "--allow-unsigned-transfer "),
        ("oakroot plan --format mark", "markdown "),
        ("oakroot check exam", "example.org "),
        ("oakroot notify --key @lap", "@laptop.key "),
    ],
)
def test_the_tabulator_completes(terminal: Terminal, typed: str, wanted: str) -> None:
    terminal.completes(typed, wanted)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_is_in_the_script(shell: str) -> None:
    made = script(shell)
    assert [name for name in COMMANDS if not re.search(rf"\b{name}\b", made)] == []
