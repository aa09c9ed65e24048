"""Running roles, scraped as Prometheus does it: real packets and git before, real HTTP after."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import dns.message
import dns.tsig
import dns.update
import pytest
from prometheus_client.parser import text_string_to_metric_families

from oakroot.keys.dnskey import write_dnskey
from oakroot.operate.watch import watched
from oakroot.operate.watchable import Settings
from tests.peers.git_servers import BareRepository
from tests.primary.running import Running, running
from tests.protocol.keys import make_key
from tests.secondary.running import running as running_secondary
from tests.zones.repositories import zone_text

KEY = make_key("personal._update.mirage.")
NOWHERE = ("127.0.0.1", 0)


@pytest.fixture
def remote(tmp_path: Path) -> BareRepository:
    remote = BareRepository(tmp_path / "zones.git")
    key = f"{write_dnskey(KEY)}\n".encode()
    remote.commit({"mirage": zone_text(1), "broken": b"no zone\n", "mirage._keys": key})
    return remote


async def fetch(address: tuple[str, int] | None, path: str) -> tuple[int, str]:
    assert address is not None

    def get() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://{address[0]}:{address[1]}{path}", timeout=10) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    return await asyncio.to_thread(get)


async def scrape(address: tuple[str, int] | None) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels, in the order of the labels' names."""
    status, text = await fetch(address, "/metrics")
    assert status == 200
    return {
        (
            sample.name.removeprefix("oakroot_"),
            *(value for _, value in sorted(sample.labels.items())),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def exercise(primary: Running) -> None:
    """Three queries of which one is for nothing, an update, and a signature that is wrong."""
    await primary.until(lambda: dns.message.make_query("mirage.", "SOA"), "hostmaster.mirage. 1 ")
    await primary.ask(dns.message.make_query("nothing.mirage.", "AAAA"))
    await primary.ask(dns.message.make_query("mirage.", "MX"), tcp=True)
    update = dns.update.UpdateMessage("mirage.")
    update.add("new", 60, "A", "192.0.2.9")
    update.use_tsig(KEY.for_dnspython())
    await primary.ask(update)
    wrong = dns.message.make_query("mirage.", "SOA")
    wrong.use_tsig(make_key("personal._update.mirage.", secret=b"another secret" * 3).for_dnspython())
    with pytest.raises(dns.tsig.PeerBadSignature):
        await primary.ask(wrong)


def test_a_primary_shows_what_it_did(remote: BareRepository) -> None:
    async def run() -> None:
        async with running(remote.path) as primary, watched(primary.service, Settings(NOWHERE)) as address:
            await exercise(primary)
            found = await scrape(address)
            assert await fetch(address, "/readyz") == (200, "ready\n")
            assert await fetch(address, "/healthz") == (200, "ok\n")
        assert found["zone_serial", "mirage."] == 2
        assert found["zone_degraded", "unavailable", "broken."] == 1
        assert found["queries_by_type_total", "AAAA"] == 1
        assert found["responses_total", "NXDOMAIN"] == 1
        assert found["queries_total", "tcp"] == 1
        assert found["updates_total", "NOERROR"] == found["update_duration_seconds_count",] == 1
        assert found["tsig_requests_total", "personal._update.mirage"] == 1
        assert found["tsig_failures_total", "BADSIG", "personal._update.mirage"] == 1
        assert found["git_pushes_total", "ok"] == 1
        assert found["git_head_info", "main", remote.tip()[:12]] == 1
        assert found["ready",] == 1

    asyncio.run(run())


def test_a_primary_without_its_repository_is_alive_and_not_ready(tmp_path: Path) -> None:
    async def run() -> None:
        nowhere = tmp_path / "nowhere.git"
        async with running(nowhere) as primary, watched(primary.service, Settings(NOWHERE)) as address:
            assert (await fetch(address, "/healthz"))[0] == 200
            status, text = await fetch(address, "/readyz")
        assert status == 503
        assert "nothing was pulled" in text

    asyncio.run(run())


def test_who_copied_what_is_shown_by_both_sides(remote: BareRepository) -> None:
    async def run() -> None:
        async with running(remote.path) as primary:
            async with running_secondary(KEY, primary=primary.address) as secondary:
                await secondary.until_serial("mirage.", 1)
                async with watched(secondary.service, Settings(NOWHERE)) as address:
                    theirs = await scrape(address)
            async with watched(primary.service, Settings(NOWHERE)) as address:
                ours = await scrape(address)
        name = "personal._update.mirage"
        assert theirs["zone_serial", "mirage."] == ours["zone_serial", "mirage."] == 1
        assert theirs["primary_connected", f"127.0.0.1@{primary.address[1]}"] == 1
        assert theirs["zone_expiry_timestamp_seconds", "mirage."] > theirs["start_time_seconds",]
        assert ours["secondary_zones", name] == 1
        assert ours["secondary_zones_behind", name] == 0
        assert ours["secondary_last_transfer_timestamp_seconds", name] >= ours["start_time_seconds",]

    asyncio.run(run())


def test_the_first_signature_to_expire_is_shown_of_signed_zones_alone(remote: BareRepository) -> None:
    signatures = "".join(
        f"{owner} 60 IN RRSIG {covered} 13 1 60 {moment} 20200101000000 1 signed. AA==\n"
        for owner, covered, moment in [("@", "SOA", "20300201000000"), ("ns1", "A", "20300101000000")]
    )
    remote.commit({"signed": zone_text(1) + signatures.encode()})

    async def run() -> None:
        async with running(remote.path) as primary:
            await primary.until(lambda: dns.message.make_query("signed.", "SOA"), "hostmaster.signed. 1 ")
            async with watched(primary.service, Settings(NOWHERE)) as address, asyncio.timeout(20):
                name = "zone_signatures_expiry_timestamp_seconds"
                while (name, "signed.") not in (found := await scrape(address)):
                    pass
        assert found[name, "signed."] == datetime(2030, 1, 1, tzinfo=UTC).timestamp()
        assert (name, "mirage.") not in found

    asyncio.run(run())


def test_the_name_servers_of_a_zone_are_asked_over_the_wire(remote: BareRepository) -> None:
    remote.commit({"mirage": zone_text(5).replace(b"192.0.2.1", b"127.0.0.1")})

    async def run() -> None:
        async with running(remote.path) as primary:
            await primary.until(lambda: dns.message.make_query("mirage.", "SOA"), "hostmaster.mirage. 5 ")
            settings = Settings(NOWHERE, port=primary.address[1])
            async with watched(primary.service, settings) as address, asyncio.timeout(20):
                while ("zone_nameservers", "agrees", "mirage.") not in (found := await scrape(address)):
                    pass
        assert found["zone_serial_divergence", "mirage."] == 0
        assert found["zone_nameservers", "agrees", "mirage."] == 1

    asyncio.run(run())
