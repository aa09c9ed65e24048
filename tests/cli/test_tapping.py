"""What is asked to be seen of queries, and what comes of it when it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from oakroot._engine import Server
from oakroot.cli.main import build_parser
from oakroot.cli.tapping import choose, tapping
from tests.peers.git_servers import wait_until


def test_a_file_that_cannot_be_written_keeps_nobody_from_serving(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "missing"
    parser, _ = build_parser("primary")
    arguments = parser.parse_args(["primary", "--remote", "a@b:c", "--query-log", str(folder / "log")])
    with tapping(arguments, Server([("127.0.0.1", 0)]), None) as tap:
        assert caplog.messages == [f"{folder}/log cannot be written to: No such file or directory"]
        folder.mkdir()
        choose(tap, arguments)
        wait_until("the file to be there", (folder / "log").exists)
