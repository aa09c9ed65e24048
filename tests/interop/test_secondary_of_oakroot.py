"""`oakroot secondary` with `oakroot primary`: what is pushed arrives, also through the kept connection alone.

The secondary listens on a port that nobody knows, as if behind a NAT: NOTIFYs can reach it over the
connection that it keeps to the primary, and in no other way.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from oakroot.keys.dnskey import write_dnskey
from oakroot.keys.key import Key
from tests.peers.commands import Primary
from tests.peers.git_servers import BareRepository
from tests.peers.ports import free_port
from tests.peers.secondary_process import SecondaryProcess
from tests.protocol.keys import make_key
from tests.zones.repositories import zone_text

ZONE, OTHER = "example.org.", "example.net."
ROOT_KEY = make_key("all._transfer.")
KEY = make_key("one._transfer.example.org.")
NEW_KEY = make_key("two._transfer.example.org.", secret=b"another secret of the same sizes")


def key_file(*keys: Key) -> bytes:
    return "".join(f"{write_dnskey(key)}\n" for key in keys).encode()


@dataclass
class World:
    """A repository, and the two that serve it."""

    remote: BareRepository
    primary: Primary
    secondary: SecondaryProcess

    def push(self, files: Mapping[str, bytes | None]) -> None:
        """Somebody pushes, and tells the primary."""
        self.remote.commit(files)
        os.kill(self.primary.process_id, signal.SIGHUP)


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    remote = BareRepository(tmp_path / "zones.git")
    remote.commit({"example.org": zone_text(1), "_keys": key_file(ROOT_KEY, KEY)})
    with Primary(["--remote", remote.path], tmp_path / "primary.log") as primary:
        where = ("127.0.0.1", primary.port)
        address = ("127.0.0.2", free_port())
        with SecondaryProcess(address, [request.param], where, tmp_path / "secondary") as secondary:
            yield World(remote, primary, secondary)


@pytest.mark.parametrize("world", [ROOT_KEY], indirect=True, ids=["a key for all"])
def test_zones_come_change_and_go_without_touching_the_secondary(world: World) -> None:
    world.secondary.until_serial(ZONE, 1)
    world.push({"example.net": zone_text(5)})
    world.secondary.until_serial(OTHER, 5)
    for serial in range(2, 7):
        world.push({"example.org": zone_text(serial, f"www{serial} A 192.0.2.{serial}")})
    world.secondary.until_serial(ZONE, 6)
    world.push({"example.net": None})
    world.secondary.until_refused(OTHER)
    assert "IXFR, incoming" in world.secondary.log
    assert "given up" not in world.secondary.log


@pytest.mark.parametrize("world", [KEY], indirect=True, ids=["a key for one zone"])
def test_a_key_for_one_zone_brings_that_zone_and_those_below_it(world: World) -> None:
    world.secondary.until_serial(ZONE, 1)
    world.push({"example.net": zone_text(5), "sub.example.org": zone_text(3), "example.org": zone_text(2)})
    world.secondary.until_serial(ZONE, 2)
    world.secondary.until_serial("sub.example.org.", 3)
    world.secondary.until_refused(OTHER)


@pytest.mark.parametrize("world", [ROOT_KEY], indirect=True, ids=["a key for all"])
def test_after_the_primarys_restart_the_secondary_is_told_again(world: World, tmp_path: Path) -> None:
    world.secondary.until_serial(ZONE, 1)
    port = world.primary.port
    world.primary.__exit__()
    world.remote.commit({"example.org": zone_text(2), "example.net": zone_text(5)})
    arguments: list[str | Path] = ["--remote", world.remote.path, "--listen", f"127.0.0.1:{port}"]
    with Primary(arguments, tmp_path / "again.log") as again:
        world.secondary.until_serial(ZONE, 2)
        world.secondary.until_serial(OTHER, 5)
        world.remote.commit({"example.org": zone_text(3)})
        os.kill(again.process_id, signal.SIGHUP)
        world.secondary.until_serial(ZONE, 3)


@pytest.mark.parametrize("world", [KEY], indirect=True, ids=["a key for one zone"])
def test_a_new_key_takes_over(world: World) -> None:
    world.secondary.until_serial(ZONE, 1)
    world.push({"_keys": key_file(KEY, NEW_KEY)})
    world.secondary.stop()
    world.secondary.keys = [KEY, NEW_KEY]
    world.secondary.start()
    world.secondary.until_serial(ZONE, 1)
    world.push({"_keys": key_file(NEW_KEY), "example.org": zone_text(2)})
    world.secondary.until_serial(ZONE, 2)


@pytest.mark.parametrize("world", [ROOT_KEY], indirect=True, ids=["a key for all"])
def test_a_chain_of_secondaries_follows(world: World, tmp_path: Path) -> None:
    world.secondary.until_serial(ZONE, 1)
    address = ("127.0.0.3", free_port())
    with SecondaryProcess(address, [ROOT_KEY], world.secondary.address, tmp_path / "third") as third:
        third.until_serial(ZONE, 1)
        world.push({"example.org": zone_text(2), "example.net": zone_text(5)})
        third.until_serial(ZONE, 2)
        third.until_serial(OTHER, 5)
        world.push({"example.net": None})
        third.until_refused(OTHER)
