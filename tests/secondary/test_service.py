"""The secondary's shell on real packets: what arrives, what is answered, what is kept, how it stops."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest

from oakroot._engine import Zone
from oakroot.operate.control import ControlError
from oakroot.operate.handover import Predecessor
from oakroot.operate.lifetime import Lifetime
from oakroot.protocol.notify import build_notify
from oakroot.protocol.transfer_client import Limits
from oakroot.protocol.tsig_client import sign_request
from oakroot.roles.followers import TransferRules
from oakroot.secondary.service import Choices
from oakroot.secondary.sources import Server as Primary
from oakroot.secondary.sources import make_plan
from tests.operate.told import Told, fail, refuse
from tests.protocol.keys import make_key
from tests.secondary.authority import ZONE, Authority, hosts, make_zone, name
from tests.secondary.primary_server import Faults, PrimaryServer
from tests.secondary.running import PATIENCE, running

KEY = make_key("a._transfer.example.org.")
ROOT_KEY = make_key("all._transfer.")
KEYRING = {KEY.name: KEY.for_dnspython()}


def primary(*versions: Zone, faults: Faults | None = None, port: int = 0) -> PrimaryServer:
    authority = Authority((KEY, ROOT_KEY), records_per_message=4)
    for version in versions:
        authority.serve(version)
    return PrimaryServer(authority, faults or Faults(), port=port)


def play(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(3 * PATIENCE):
            await scenario()

    asyncio.run(limited())


def notify(zone: str = ZONE) -> dns.message.Message:
    message = dns.message.make_query(zone, "SOA")
    message.set_opcode(dns.opcode.NOTIFY)
    message.flags = dns.flags.AA | dns.opcode.to_flags(dns.opcode.NOTIFY)
    message.use_tsig(KEYRING, KEY.name)
    return message


def test_a_zone_is_transferred_and_served() -> None:
    async def scenario() -> None:
        with primary(make_zone(7, *hosts(50))) as server:
            async with running(KEY, primary=server.address) as secondary:
                await secondary.until_serial(ZONE, 7)
                reply = await secondary.ask(f"host49.{ZONE}", "TXT")
                assert reply.rcode() == dns.rcode.NOERROR
                assert (await secondary.ask("www.example.com.", "A")).rcode() == dns.rcode.REFUSED

    play(scenario)


def test_before_the_first_transfer_the_answer_is_servfail_and_recovery_needs_no_help() -> None:
    async def scenario() -> None:
        with primary(make_zone(7), faults=Faults(cut_after=0)) as server:
            async with running(KEY, primary=server.address) as secondary:
                assert (await secondary.ask(ZONE)).rcode() == dns.rcode.SERVFAIL
                while "AXFR" not in [kind for _, kind in server.authority.asked]:
                    assert (await secondary.ask(ZONE)).rcode() == dns.rcode.SERVFAIL
                server.faults = Faults()
                await secondary.until_serial(ZONE, 7)

    play(scenario)


def test_a_signed_notify_is_answered_and_brings_the_new_version() -> None:
    async def scenario() -> None:
        with primary(make_zone(7)) as server:
            async with running(KEY, primary=server.address) as secondary:
                await secondary.until_serial(ZONE, 7)
                server.authority.serve(make_zone(8))
                for tcp in (False, True):
                    reply = await secondary.send(notify(), tcp=tcp)
                    assert reply.rcode() == dns.rcode.NOERROR
                    assert reply.had_tsig
                await secondary.until_serial(ZONE, 8)

    play(scenario)


def test_a_notify_over_the_link_brings_new_versions_and_new_zones() -> None:
    async def scenario() -> None:
        with primary(make_zone(7)) as server:
            async with running(ROOT_KEY, primary=server.address) as secondary:
                for zone, serial in ((ZONE, 7), ("mirage.", 1)):
                    if zone == "mirage.":
                        server.authority.serve(make_zone(serial, apex=zone))
                    while (zone, "AXFR") not in server.authority.asked:
                        wire, _ = sign_request(build_notify(name(zone), serial), ROOT_KEY, int(time.time()))
                        server.send(wire)
                        await secondary.ask(zone)
                    await secondary.until_serial(zone, serial)

    play(scenario)


def test_after_a_drop_the_link_is_opened_again_and_the_zone_checked() -> None:
    async def scenario() -> None:
        with primary(make_zone(7)) as server:
            async with running(KEY, primary=server.address) as secondary:
                await secondary.until_serial(ZONE, 7)
                server.authority.serve(make_zone(8))
                server.hang_up()
                await secondary.until_serial(ZONE, 8)

    play(scenario)


def test_a_primary_that_comes_back_is_found() -> None:
    async def scenario() -> None:
        with primary(make_zone(7)) as server:
            port = server.address[1]
        async with running(KEY, primary=server.address) as secondary:
            assert (await secondary.ask(ZONE)).rcode() == dns.rcode.SERVFAIL
            with primary(make_zone(7), port=port):
                await secondary.until_serial(ZONE, 7)

    play(scenario)


def test_a_primary_that_slams_every_connection_is_not_stormed() -> None:
    async def scenario() -> None:
        with primary(make_zone(7), faults=Faults(slam=True)) as server:
            async with running(KEY, primary=server.address) as secondary:
                began = time.monotonic()
                while len(server.peers) < 5:
                    assert await secondary.serial(ZONE) is None
                # 0.05, 0.1, 0.2 and 0.2 seconds, each shortened by a tenth at most.
                assert time.monotonic() - began > 0.45
                server.faults = Faults()
                await secondary.until_serial(ZONE, 7)

    play(scenario)


def test_zones_are_kept_over_a_restart(tmp_path: Path) -> None:
    async def scenario() -> None:
        with primary(make_zone(7, *hosts(20))) as server:
            async with running(KEY, primary=server.address, state=tmp_path) as secondary:
                await secondary.until_serial(ZONE, 7)
        # Nobody is there to transfer from.
        async with running(KEY, primary=server.address, state=tmp_path) as secondary:
            await secondary.until_serial(ZONE, 7)
            assert (await secondary.ask(f"host3.{ZONE}", "TXT")).answer

    play(scenario)


def test_a_corrupted_file_is_refused_by_name_and_the_zone_fetched_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        with primary(make_zone(7)) as server:
            async with running(KEY, primary=server.address, state=tmp_path) as secondary:
                await secondary.until_serial(ZONE, 7)
            file = tmp_path / "example.org.zone"
            file.write_bytes(file.read_bytes()[:-1] + b"?")
            async with running(KEY, primary=server.address, state=tmp_path) as secondary:
                await secondary.until_serial(ZONE, 7)

    play(scenario)
    assert "example.org.zone: refused, its zone is fetched anew: the checksum is wrong" in caplog.text


def test_hangup_checks_all_zones() -> None:
    async def scenario() -> None:
        with primary(make_zone(7)) as server:
            async with running(KEY, primary=server.address) as secondary:
                await secondary.until_serial(ZONE, 7)
                server.authority.serve(make_zone(8))
                os.kill(os.getpid(), signal.SIGHUP)
                await secondary.until_serial(ZONE, 8)

    play(scenario)


def test_all_zones_are_checked_once_the_predecessor_has_ended() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    lifetime = Lifetime(predecessor=Predecessor(theirs, stays=True))

    async def scenario() -> None:
        with primary(make_zone(7)) as server:
            async with running(KEY, primary=server.address, lifetime=lifetime) as secondary:
                await secondary.until_serial(ZONE, 7)
                # It took the NOTIFY, and had no time to act on it.
                server.authority.serve(make_zone(8))
                ours.close()
                await secondary.until_serial(ZONE, 8)

    play(scenario)
    theirs.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_stop_it_also_in_the_middle_of_a_transfer(number: signal.Signals) -> None:
    async def scenario() -> None:
        faults = Faults(silent_after=1)
        with primary(make_zone(7, *hosts(50)), faults=faults) as server:
            async with running(KEY, primary=server.address) as secondary:
                while ZONE not in [zone for zone, kind in server.authority.asked if kind == "AXFR"]:
                    await secondary.ask(ZONE)
                os.kill(os.getpid(), number)
        async with asyncio.timeout(PATIENCE):
            while any(thread.name.startswith("transfer") for thread in threading.enumerate()):
                await asyncio.to_thread(lambda: None)

    play(scenario)


def test_a_silent_transfer_is_given_up_and_repeated() -> None:
    async def scenario() -> None:
        limits = Limits(idle_seconds=0.1)
        with primary(make_zone(7, *hosts(50)), faults=Faults(silent_after=2)) as server:
            async with running(KEY, primary=server.address, limits=limits) as secondary:
                while [kind for _, kind in server.authority.asked].count("AXFR") < 2:
                    assert (await secondary.ask(ZONE)).rcode() == dns.rcode.SERVFAIL
                server.faults = Faults()
                await secondary.until_serial(ZONE, 7)

    play(scenario)


def test_a_secondary_feeds_another_one() -> None:
    async def scenario() -> None:
        with primary(make_zone(7, *hosts(50))) as server:
            async with (
                running(KEY, primary=server.address) as first,
                running(KEY, primary=first.address, listen="127.0.0.2") as second,
            ):
                await second.until_serial(ZONE, 7)
                server.authority.serve(make_zone(8, *hosts(50)))
                await first.send(notify())
                # The second is told over the connection that it keeps to the first.
                await second.until_serial(ZONE, 8)

    play(scenario)


def test_the_log_tells_of_transfers_and_never_of_secrets(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        with primary(make_zone(7)) as server:
            async with running(KEY, primary=server.address) as secondary:
                await secondary.until_serial(ZONE, 7)

    with caplog.at_level("DEBUG", logger="oakroot"):
        play(scenario)
    lines = [record for record in caplog.records if "finished" in record.getMessage()]
    assert [vars(record)["zone"] for record in lines] == [ZONE]
    assert "AXFR, incoming" in lines[0].getMessage()
    assert KEY.secret.base64() not in caplog.text


def test_a_primary_by_ipv6() -> None:
    async def scenario() -> None:
        authority = Authority((KEY,))
        authority.serve(make_zone(7))
        with PrimaryServer(authority, host="::1") as server:
            async with running(KEY, primary=server.address, listen="::1") as secondary:
                await secondary.until_serial(ZONE, 7)

    play(scenario)


def test_other_keys_are_taken_over_while_it_runs() -> None:
    other = make_key("b._transfer.other.")

    async def scenario() -> None:
        authority = Authority((KEY, other), records_per_message=4)
        authority.serve(make_zone(7))
        authority.serve(make_zone(3, apex="other."))
        with PrimaryServer(authority, Faults()) as server:
            async with running(KEY, primary=server.address) as secondary:
                await secondary.until_serial(ZONE, 7)
                plan = make_plan([other], Primary(*server.address))
                secondary.service.read_settings_with(lambda: Choices(plan, 10, TransferRules(), ()))
                os.kill(os.getpid(), signal.SIGHUP)
                await secondary.until_serial("other.", 3)
                assert await secondary.serial(ZONE) is None

    play(scenario)


def test_settings_that_cannot_be_used_change_nothing_and_make_a_reload_fail() -> None:
    async def scenario() -> None:
        with primary(make_zone(7)) as server:
            async with running(KEY, primary=server.address) as secondary:
                await secondary.until_serial(ZONE, 7)
                secondary.service.read_settings_with(refuse)
                server.authority.serve(make_zone(8))
                with pytest.raises(ControlError, match="the settings cannot be used, those before stay"):
                    await secondary.service.reload(None)
                await secondary.until_serial(ZONE, 8)
                server.authority.serve(make_zone(9))
                os.kill(os.getpid(), signal.SIGHUP)
                await secondary.until_serial(ZONE, 9)

    play(scenario)


def test_a_reload_ends_whatever_becomes_of_the_settings() -> None:
    told = Told()

    async def scenario() -> None:
        with primary(make_zone(7)) as server:
            async with running(KEY, primary=server.address, lifetime=Lifetime(told)) as secondary:
                await secondary.until_serial(ZONE, 7)
                secondary.service.read_settings_with(fail)
                server.authority.serve(make_zone(8))
                with pytest.raises(RuntimeError):
                    await secondary.service.reload(None)
                await secondary.until_serial(ZONE, 8)

    play(scenario)
    assert told.firsts == ["READY=1", "RELOADING=1", "READY=1"]
