"""Shows the table of the differential test at the end of a run."""

from __future__ import annotations

import pytest

from tests.interop.terminal import SUMMARY


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    text = config.stash.get(SUMMARY, "")
    if text:
        terminalreporter.section("differential test")
        terminalreporter.write_line(text)
