"""The tutorial's primary and secondary at 10.0.42.2 and 10.0.42.3, on port 53, at the switch `service`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.tutorial import UPDATE, UPDATE_SECRET, ZONE, Tutorial, prepared
from tests.peers.commands import COMMAND
from tests.peers.git_servers import git
from tests.peers.namespaces import Network, require_namespaces


@pytest.fixture
def tutorial(tmp_path: Path, require: Callable[[str], str]) -> Iterator[Tutorial]:
    require_namespaces()
    require("dig")
    with Network() as network:
        primary, secondary = network.host("primary", "10.0.42.2"), network.host("secondary", "10.0.42.3")
        with prepared(network.switch, primary, secondary, tmp_path) as made:
            yield made


def test_the_secondary_follows_the_primary_through_pushes_and_restarts(tutorial: Tutorial) -> None:
    primary, secondary = tutorial.start_primary(), tutorial.start_secondary()
    tutorial.until(tutorial.secondary, "mirage", "mirage.", "ANY")
    everything = tutorial.ask(tutorial.primary, "mirage", "ANY")
    assert "SOA\tns1.mirage. hostmaster.mirage. 2 86400" in everything
    assert everything.count("\tNS\t") == 2
    assert tutorial.ask(tutorial.secondary, "mirage", "ANY") == everything

    # "testing an update and propagation"
    tutorial.push({"mirage": ZONE.format(serial=3) + "foo A 127.0.0.1\n"})
    tutorial.notify()
    assert "127.0.0.1" in tutorial.ask(tutorial.primary, "foo.mirage")
    tutorial.until(tutorial.secondary, "foo.mirage", "127.0.0.1")

    # "If the primary is down, the secondary still serves the zone."
    primary.stop()
    assert "127.0.0.1" in tutorial.ask(tutorial.secondary, "foo.mirage")

    # "When the secondary is started while the primary is down, it won't serve any data until the primary is
    # online"
    secondary.stop()
    tutorial.start_secondary()
    tutorial.until(tutorial.secondary, "foo.mirage", "SERVFAIL")
    tutorial.start_primary()
    tutorial.until(tutorial.secondary, "foo.mirage", "127.0.0.1")


def test_updates_reach_git_and_both_servers(tutorial: Tutorial) -> None:
    tutorial.start_primary()
    tutorial.start_secondary()
    tutorial.until(tutorial.secondary, "ns1.mirage", "10.0.42.2")
    key = f"--key={UPDATE}:SHA256:{UPDATE_SECRET}"
    tutorial.switch.run(*COMMAND, "update", "10.0.42.2", "my-other.mirage", "1.2.3.4", key)
    assert "1.2.3.4" in tutorial.ask(tutorial.primary, "my-other.mirage")
    tutorial.until(tutorial.secondary, "my-other.mirage", "1.2.3.4")
    git("pull", "--quiet", "origin", "main", cwd=tutorial.folder / "git-repo")
    assert "my-other" in (tutorial.folder / "git-repo" / "mirage").read_text()
