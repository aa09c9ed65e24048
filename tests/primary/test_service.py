"""The primary's shell: packets, git's thread, signals and timers arrive, and actions are carried out."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.tsig
import pytest

from oakroot.keys.dnskey import write_dnskey
from oakroot.operate.control import ControlError
from oakroot.operate.lifetime import Lifetime
from oakroot.primary.core import Settings
from oakroot.primary.events import Event, Fetch
from oakroot.primary.worker import GitWorker
from tests.operate.told import Told, fail, refuse
from tests.peers.git_servers import BareRepository
from tests.primary.running import Running, running
from tests.protocol.keys import make_key
from tests.zones.repositories import zone_text

KEY = make_key("personal._update.mirage.")


@pytest.fixture
def remote(tmp_path: Path) -> BareRepository:
    remote = BareRepository(tmp_path / "zones.git")
    remote.commit({"mirage": zone_text(1), "mirage._keys": f"{write_dnskey(KEY)}\n".encode()})
    return remote


def www() -> dns.message.Message:
    return dns.message.make_query("www.mirage.", "A")


def soa() -> dns.message.Message:
    return dns.message.make_query("mirage.", "SOA")


def notification() -> dns.message.Message:
    message = dns.message.make_query("mirage.", "SOA")
    message.set_opcode(dns.opcode.NOTIFY)
    message.use_tsig(KEY.for_dnspython())
    return message


async def serving(primary: Running) -> None:
    await primary.until(soa, "hostmaster.mirage. 1 ")


@pytest.mark.parametrize("tcp", [False, True])
def test_a_signed_notify_is_answered_when_the_new_zone_is_served(
    remote: BareRepository, *, tcp: bool
) -> None:
    async def dialogue() -> None:
        async with running(remote.path) as primary:
            await serving(primary)
            remote.commit({"mirage": zone_text(2, "www A 192.0.2.2")})
            reply = await primary.ask(notification(), tcp=tcp)
            assert reply.rcode() == dns.rcode.NOERROR
            assert reply.had_tsig
            assert "192.0.2.2" in (await primary.ask(www())).to_text()

    asyncio.run(dialogue())


def test_a_signed_query_gets_the_answer_of_an_unsigned_one(remote: BareRepository) -> None:
    async def dialogue() -> None:
        async with running(remote.path) as primary:
            await serving(primary)
            query = soa()
            query.use_tsig(KEY.for_dnspython())
            signed = await primary.ask(query)
            plain = await primary.ask(soa())
            assert signed.had_tsig
            assert signed.answer == plain.answer

    asyncio.run(dialogue())


def test_a_raised_serial_reaches_the_repository(remote: BareRepository) -> None:
    async def dialogue() -> None:
        async with running(remote.path) as primary:
            await serving(primary)
            remote.commit({"mirage": zone_text(1, "www A 192.0.2.2")})
            theirs = remote.tip()
            await primary.ask(notification())
            # The second answer comes after the push that the first one set off.
            await primary.ask(notification())
            assert remote.tip() != theirs
            assert "hostmaster\t2\t" in remote.show("mirage")

    asyncio.run(dialogue())


def test_a_hangup_signal_pulls(remote: BareRepository) -> None:
    async def dialogue() -> None:
        async with running(remote.path) as primary:
            await serving(primary)
            remote.commit({"mirage": zone_text(2, "www A 192.0.2.2")})
            os.kill(os.getpid(), signal.SIGHUP)
            await primary.until(www, "192.0.2.2")

    asyncio.run(dialogue())


def test_settings_that_cannot_be_used_make_a_reload_fail_though_it_pulls(remote: BareRepository) -> None:
    async def dialogue() -> None:
        async with running(remote.path) as primary:
            await primary.service.reload(None)
            primary.service.read_settings_with(refuse)
            remote.commit({"mirage": zone_text(2, "www A 192.0.2.2")})
            with pytest.raises(ControlError, match="the settings cannot be used, those before stay"):
                await primary.service.reload(None)
            assert "192.0.2.2" in (await primary.ask(www())).to_text()

    asyncio.run(dialogue())


def test_a_reload_ends_whatever_becomes_of_the_settings(remote: BareRepository) -> None:
    told = Told()

    async def dialogue() -> None:
        async with running(remote.path, lifetime=Lifetime(told)) as primary:
            await primary.service.reload(None)
            primary.service.read_settings_with(fail)
            remote.commit({"mirage": zone_text(2, "www A 192.0.2.2")})
            with pytest.raises(RuntimeError):
                await primary.service.reload(None)
            await primary.until(www, "192.0.2.2")

    asyncio.run(dialogue())
    assert told.firsts[-2:] == ["RELOADING=1", "READY=1"]


def test_polling_pulls(remote: BareRepository) -> None:
    async def dialogue() -> None:
        async with running(remote.path, Settings(poll=0.05)) as primary:
            await serving(primary)
            remote.commit({"mirage": zone_text(2, "www A 192.0.2.2")})
            await primary.until(www, "192.0.2.2")

    asyncio.run(dialogue())


def test_a_panic_of_the_engine_does_not_stop_git(
    remote: BareRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PanicError(BaseException):
        """As PyO3 raises one: no Exception."""

    fetch, panics = GitWorker.fetch, iter([PanicError("index out of bounds")])

    def panicking_once(worker: GitWorker, action: Fetch) -> Event:
        for panic in panics:
            raise panic
        return fetch(worker, action)

    async def dialogue() -> None:
        async with running(remote.path, Settings(poll=0.05)) as primary:
            await serving(primary)

    monkeypatch.setattr(GitWorker, "fetch", panicking_once)
    asyncio.run(dialogue())


def test_a_remote_that_appears_later_is_found(tmp_path: Path) -> None:
    async def dialogue() -> None:
        async with running(tmp_path / "later.git", Settings(retry=0.05)) as primary:
            assert (await primary.ask(soa())).rcode() == dns.rcode.REFUSED
            remote = BareRepository(tmp_path / "later.git")
            remote.commit({"mirage": zone_text(1)})
            await serving(primary)

    asyncio.run(dialogue())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it(remote: BareRepository, number: signal.Signals) -> None:
    async def dialogue() -> None:
        async with running(remote.path) as primary:
            await serving(primary)
            os.kill(os.getpid(), number)

    asyncio.run(dialogue())
