"""What a running primary says of itself: zones and why they are held, keys, git, updates, who copies."""

from __future__ import annotations

import asyncio
from pathlib import Path

import dns.asyncquery
import dns.message
import dns.update
import pytest

from oakroot.keys.dnskey import write_dnskey
from oakroot.operate.overview import Condition, Overview
from tests.peers.git_servers import BareRepository
from tests.primary.running import Running, running
from tests.protocol.keys import make_key
from tests.zones.repositories import zone_text

KEY = make_key("personal._update.mirage.")
STRANGER = make_key("stranger._update.mirage.")


@pytest.fixture
def remote(tmp_path: Path) -> BareRepository:
    remote = BareRepository(tmp_path / "zones.git")
    files = {"mirage": zone_text(1), "broken": b"this is no zone\n"}
    remote.commit({**files, "mirage._keys": f"{write_dnskey(KEY)}\n".encode()})
    return remote


async def _busy(primary: Running) -> None:
    """One update, one query under a key that is not known, and a transfer."""
    await primary.until(lambda: dns.message.make_query("mirage.", "SOA"), "hostmaster.mirage. 1 ")
    update = dns.update.UpdateMessage("mirage.")
    update.add("new", 60, "A", "192.0.2.9")
    update.use_tsig(KEY.for_dnspython())
    await primary.ask(update)
    unknown = dns.message.make_query("mirage.", "SOA")
    unknown.use_tsig(STRANGER.for_dnspython())
    with pytest.raises(dns.tsig.PeerBadKey):
        await primary.ask(unknown)
    transfer = dns.message.make_query("mirage.", "AXFR")
    transfer.use_tsig(KEY.for_dnspython())
    await dns.asyncquery.tcp(transfer, primary.address[0], port=primary.address[1], timeout=10)
    # The transfer is written down before the next request is taken.
    await primary.ask(dns.message.make_query("mirage.", "SOA"))


def test_a_primary_tells_of_its_zones_keys_updates_git_and_secondaries(remote: BareRepository) -> None:
    async def dialogue() -> Overview:
        async with running(remote.path) as primary:
            await _busy(primary)
            return primary.service.overview()

    overview = asyncio.run(dialogue())
    zones = {zone.apex: zone for zone in overview.zones}
    assert (zones["mirage."].serial, zones["mirage."].condition) == (2, Condition.CURRENT)
    assert zones["broken."].condition is Condition.UNAVAILABLE
    assert "broken:1:" in (zones["broken."].reason or "")
    (key,) = overview.keys
    assert (key.name, key.uses, overview.unknown_keys) == ("personal._update.mirage", 2, 1)
    assert overview.updates is not None
    assert overview.updates.answers == {"NOERROR": 1}
    assert overview.updates.latency.count == 1
    (secondary,) = overview.secondaries
    assert (secondary.name, [copy.serial for copy in secondary.copies]) == (key.name, [2])
    assert secondary.zones_behind == 0
    git = overview.git
    assert git is not None
    assert (git.commit, git.author) == (
        remote.tip(),
        "personal._update.mirage <personal._update.mirage@localhost>",
    )
    assert git.last_push is not None
    assert git.last_push.outcome == "ok"
    assert overview.obstacles == ()
