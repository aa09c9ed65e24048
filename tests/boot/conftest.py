"""The package in a Debian that boots: `make test-boot` runs these, and names both in the environment.

All files share one machine, and their names are in the order in which they are run.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.boot.machine import Machine
from tests.boot.service import SERVED, Service
from tests.peers.git_servers import wait_until

PACKAGE, BASE = "OAKROOT_PACKAGE", "OAKROOT_BASE"

collect_ignore_glob = [] if PACKAGE in os.environ and BASE in os.environ else ["test_*.py"]


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Machine(Path(os.environ[BASE]), tmp_path_factory.mktemp("boot")) as machine:
        made = Service(machine, Path(os.environ[PACKAGE]))
        made.set_up()
        wait_until("both to serve", lambda: all(made.serial(address) for address in SERVED.values()))
        yield made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows with a failure what the machine wrote down meanwhile."""
    report = yield
    service = item.funcargs.get("service")
    if report.failed and isinstance(service, Service):
        since = f"--since=@{call.start:.6f}"
        said = service.machine.run("journalctl", "--output=short-precise", since, check=False)
        report.sections.append(("Journal of the machine", said))
    return report
