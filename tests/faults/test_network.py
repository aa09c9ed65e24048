"""A bad network between primary and secondary: loss, reordering, an outage, an address translation.

Always recovered without help, and never half a zone served. The hosts are namespaces of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.tutorial import KEYS, ZONE, prepared
from tests.peers.git_servers import wait_until
from tests.peers.namespaces import Host, Network, Weather, require_namespaces

STORM = Weather(loss=0.1, late=0.3, twice=0.05)
LARGE = 20_000
"""Records of a zone that is many segments of TCP long."""


@pytest.fixture
def network(require: Callable[[str], str]) -> Iterator[Network]:
    require_namespaces()
    for program in ("dig", "nft"):
        require(program)
    with Network() as made:
        yield made


def large_zone(serial: int) -> str:
    """All its records tell the serial."""
    records = (f"h{number} TXT serial-{serial}\n" for number in range(LARGE))
    return ZONE.format(serial=serial) + "".join(records)


def has_address(host: Host, name: str) -> bool:
    """Whether the server on a host has an address for the name; asked there."""
    return "192.0.2." in host.dig(name, f"@{host.address}", "+short")


def test_zones_arrive_whole_through_loss_and_reordering(network: Network, tmp_path: Path) -> None:
    primary = network.host("primary", "10.0.42.2")
    secondary, wire = network.distant_host("secondary", "10.0.42.3", STORM)
    with prepared(network.switch, primary, secondary, tmp_path) as tutorial:
        tutorial.push({"mirage": large_zone(3)})
        tutorial.start_primary()
        running = tutorial.start_secondary()
        running.said("serial 3")
        for serial in (4, 5):
            tutorial.push({"mirage": large_zone(serial)})
            tutorial.notify()
            running.said(f"serial {serial}")
        for number in (0, LARGE // 2, LARGE - 1):
            # Asked where the secondary is: the storm would swallow questions, too.
            said = secondary.dig("TXT", f"h{number}.mirage", "@10.0.42.3", "+short")
            assert said.strip() == '"serial-5"'
    assert wire.lost > 20
    assert wire.held > 50


def test_a_secondary_catches_up_after_an_outage(network: Network, tmp_path: Path) -> None:
    primary, secondary = network.host("primary", "10.0.42.2"), network.host("secondary", "10.0.42.3")
    with prepared(network.switch, primary, secondary, tmp_path) as tutorial:
        tutorial.start_primary()
        tutorial.start_secondary()
        tutorial.until(secondary, "ns1.mirage", "10.0.42.2")
        secondary.unplug()
        name = tutorial.serves(3)
        tutorial.until(primary, name, "192.0.2.3")
        assert "ns1.mirage" in secondary.dig("ns1.mirage", "@10.0.42.3")
        assert "192.0.2.3" not in secondary.dig(name, "@10.0.42.3", "+short")
        secondary.plug_in()
        tutorial.until(secondary, name, "192.0.2.3")


def test_a_secondary_behind_a_nat_is_told_over_the_connection_it_keeps(
    network: Network, tmp_path: Path
) -> None:
    primary, router = network.host("primary", "10.0.42.2"), network.host("router", "10.0.42.9")
    hidden = network.hidden_host("hidden", router, "10.0.99.3", "10.0.99.1")
    with prepared(network.switch, primary, hidden, tmp_path) as tutorial:
        secret = "cDK6sKyvlt8UBerZlmxuD84ih2KookJGDagJlLVNo20="
        tutorial.push({"mirage._keys": KEYS + f"hidden._transfer.mirage. DNSKEY 0 3 163 {secret}\n"})
        tutorial.start_primary()
        running = tutorial.start_secondary(
            f"--key=hidden._transfer.mirage:SHA256:{secret}", "--primary=10.0.42.2"
        )
        running.said("serial 2")
        # The way to it is closed from outside, so only the connection remains.
        assert "10.0.99" not in primary.run("ip", "route")
        for serial in (3, 4):
            name = tutorial.serves(serial)
            wait_until(name, partial(has_address, hidden, name))
        assert "10.0.42.9" in (tmp_path / "primary.log").read_text()
