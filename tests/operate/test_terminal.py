"""When text is coloured."""

from __future__ import annotations

import io

from oakroot.operate.terminal import Style, painter


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_colour() -> None:
    assert painter(Terminal(), {})("error", Style.ERROR) == "\x1b[1;31merror\x1b[0m"


def test_a_pipe_gets_plain_text() -> None:
    assert painter(io.StringIO(), {})("error", Style.ERROR) == "error"


def test_no_color_is_obeyed() -> None:
    assert painter(Terminal(), {"NO_COLOR": "1"})("error", Style.ERROR) == "error"


def test_an_empty_no_color_says_nothing() -> None:
    assert painter(Terminal(), {"NO_COLOR": ""})("error", Style.ERROR) != "error"


def test_a_dumb_terminal_gets_plain_text() -> None:
    assert painter(Terminal(), {"TERM": "dumb"})("error", Style.ERROR) == "error"
