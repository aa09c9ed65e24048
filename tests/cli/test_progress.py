"""Progress is a line that lives on a terminal, and plain lines anywhere else."""

from __future__ import annotations

import io
import threading

import pytest

from oakroot.cli import progress
from oakroot.cli.progress import Progress


class Terminal(io.StringIO):
    """Something that says it is a terminal."""

    def __init__(self) -> None:
        super().__init__()
        self.repainted = threading.Semaphore(0)

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.repainted.release()
        return super().write(text)


def test_elsewhere_each_step_is_a_line() -> None:
    stream = io.StringIO()
    with Progress(stream) as tell:
        tell("one")
        tell("two")
    assert stream.getvalue() == "one\ntwo\n"


def test_on_a_terminal_one_line_is_painted_again_and_goes_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_TICK", 0.001)
    terminal = Terminal()
    with Progress(terminal) as tell:
        tell("waiting")
        assert all(terminal.repainted.acquire(timeout=10) for _ in range(3))
    painted = terminal.getvalue().split("\r\x1b[2K")
    assert painted.count("0:00 waiting") > 1
    assert painted[-1] == ""
    assert "\n" not in terminal.getvalue()
