"""The primary's shell: receives events, lets the core decide, carries its actions out.

One thread runs everything here but git, which may block for long and has a thread per action; the core sees
to it that there is one action at a time. No decision is taken in this file.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence

from oakroot._engine import Catalogue, Request, Server
from oakroot.distribution.actions import Enlist, NoteAsked, Remind, SendTransfer, Spread
from oakroot.distribution.fanout import Settings
from oakroot.distribution.service import Distributor
from oakroot.distribution.targets import Configured
from oakroot.frozen import frozen
from oakroot.git.credentials import Credentials
from oakroot.operate.certificate import CertificateFiles
from oakroot.operate.changes import Change
from oakroot.operate.control import ControlError
from oakroot.operate.history import Pulse
from oakroot.operate.ledger import Ledger
from oakroot.operate.lifetime import Lifetime
from oakroot.operate.overview import Overview
from oakroot.primary import core, events
from oakroot.primary.events import Action, Event, Fetch, GitAction, Push, Recall, Write
from oakroot.primary.overview import Surroundings, note_git, overview, pulled, status_line
from oakroot.primary.state import Task
from oakroot.primary.worker import GitWorker, broken_off
from oakroot.roles.commands import SETTINGS_UNFIT
from oakroot.roles.events import (
    Log,
    Moment,
    Note,
    NotifyRequested,
    PacketReceived,
    Publish,
    SendReply,
    TimePassed,
)
from oakroot.roles.overview import note_copy, note_spread, pulse, take_note
from oakroot.roles.shell import Alarm, of_engine, packets, renewing, signals, tell
from oakroot.roles.succession import Succession
from oakroot.zones.guard import Guard
from oakroot.zones.serials import SerialPolicy

_log = logging.getLogger("oakroot.primary")

# Reading zones may take seconds of a processor; whoever answers goes first. Not the last in line, though: a
# server whose processors are all busy with questions must still get its new zones.
GIT_NICENESS = 10
# Nobody waits for what history has, as others do for git.
HISTORY_NICENESS = 19

# After so many seconds a thread that computes lets another one run: who asks for an update while zones are
# read is not to wait for Python's usual five milliseconds each time.
SWITCH_INTERVAL = 0.001

# How long git may take to end what it has begun when the service is told to stop: a push that the remote has
# accepted should not be cut off while it says so.
STOP_PATIENCE = 10.0


@frozen
class Choices:
    """What the operator decides, and may decide anew while the service runs."""

    settings: core.Settings
    notified: tuple[Configured, ...]
    credentials: Credentials
    policy: SerialPolicy
    guard: Guard


class Service:
    """A running primary."""

    def __init__(
        self,
        server: Server,
        worker: GitWorker,
        settings: core.Settings,
        notified: Sequence[Configured] = (),
        tls: CertificateFiles | None = None,
        lifetime: Lifetime | None = None,
    ) -> None:
        """`notified` are servers that the operator wants to be told of every change; `tls` shows itself.

        `lifetime` is told once there is something to serve.
        """
        self._read_again: Callable[[], Choices | None] | None = None
        self._server = server
        self._lifetime = lifetime or Lifetime()
        self._tls = tls
        self._worker = worker
        self._state = core.new_state(settings)
        self._loop = asyncio.get_running_loop()
        self._serves = False
        self._stopped = asyncio.Event()
        self._at_work = 0
        self._all_is_done = asyncio.Event()
        self._all_is_done.set()
        self._awaited: list[asyncio.Future[None]] = []
        """Those who want to know that a pull has ended."""
        self._alarm = Alarm(lambda: self._happened(TimePassed()))
        self._notified = notified
        self._ledger = Ledger(started=time.time())
        self._distributor = Distributor(
            server,
            _followers(server, notified),
            _log,
            lambda copied: note_copy(self._ledger, copied, time.time()),
        )
        self._succession = Succession(
            server, self._distributor, self._lifetime, lambda: core.is_idle(self._state), _log
        )

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT."""
        actions = {
            signal.SIGTERM: self.stop,
            signal.SIGINT: self.stop,
            signal.SIGHUP: self.renew,
            signal.SIGUSR2: lambda: self._succession.begin(self.stop),
        }
        sys.setswitchinterval(SWITCH_INTERVAL)
        # Signals are caught to the very end: who asks twice must not cut off what the first asking began.
        with signals(actions):
            with packets(self._server, self._distributor, self._packets_received), renewing(self._tls):
                self._happened(events.Started())
                async with self._lifetime.watched(lambda: status_line(self._state), self._look_again):
                    await self._stopped.wait()
            _log.info("stopping")
            self._alarm.set(None)
            await self._distributor.close()
            self._server.stop()
            self._worker.hurry()
            try:
                await asyncio.wait_for(self._all_is_done.wait(), STOP_PATIENCE)
            except TimeoutError:
                _log.warning("git was still at work when its time to stop was over")

    def read_settings_with(self, read_again: Callable[[], Choices | None]) -> None:
        """Says how settings are read again at SIGHUP; None means that those before still hold."""
        self._read_again = read_again

    def stop(self) -> None:
        """Ends `run`."""
        self._stopped.set()

    @property
    def catalogue(self) -> Catalogue:
        """What is served now."""
        return self._state.published

    def pulse(self) -> Pulse:
        """What was counted so far, cheaply."""
        return pulse(self._ledger, self._server.counters(), time.time())

    async def changes(self) -> Sequence[Change]:
        """What lately became of the repository, the newest first."""
        return await asyncio.to_thread(self._worker.changes)

    def overview(self) -> Overview:
        """What there is to tell the operator now."""
        around = Surroundings(
            remote=str(self._worker.repository.remote),
            head=self._worker.head,
            addresses=self._server.addresses,
            configured=self._notified,
            report=self._distributor.report(),
            engine=self._server.counters(),
            tls_not_after=None if self._tls is None else self._tls.not_after,
        )
        return overview(self._state, self._ledger, around, time.time())

    async def reload(self, apex: str | None) -> str:
        """Does what `renew` does; says what came of the pull, of all zones or of one."""
        pull = self._loop.create_future()
        self._awaited.append(pull)
        is_chosen = self.renew()
        await pull
        git = self.overview().git
        last = None if git is None else git.last_pull
        if last is not None and last.reason is not None:
            raise ControlError(f"the pull failed, what was served stays: {last.reason}")
        if not is_chosen:
            raise ControlError(SETTINGS_UNFIT)
        return pulled(self._state.loaded, apex)

    async def stay(self) -> str:
        """Serves on while systemd restarts the service, until the next process does."""
        return await self._succession.stay(self.stop)

    async def leave(self) -> str:
        """Closes the sockets, so that they can be bound anew, if another process has our place or is to."""
        return await self._succession.leave(self.stop)

    def notify(self, apex: str | None) -> None:
        """Notifies everybody of a zone, or of all."""
        self._happened(NotifyRequested(apex))

    def _packets_received(self, requests: Sequence[Request]) -> None:
        self._happened(*map(PacketReceived, requests))

    def renew(self) -> bool:
        """Has the settings read again, and pulls: what SIGHUP asks for. False: those before stay."""
        self._lifetime.reloading()
        try:
            if self._tls is not None:
                self._tls.renew()
            return self._choose_again()
        finally:
            # The end of the pull is that of the reload, and must come whatever became of the settings.
            self._happened(events.PullRequested())

    def _choose_again(self) -> bool:
        """Takes over what the settings say now; whether they can be used."""
        if self._read_again is None:
            return True
        chosen = self._read_again()
        if chosen is None:
            return False
        self._worker.choose(chosen.policy, chosen.guard, chosen.credentials)
        self._notified = chosen.notified
        self._distributor.configure(_followers(self._server, chosen.notified))
        self._happened(events.Reconfigured(chosen.settings))
        return True

    def _happened(self, *happened: Event) -> None:
        """The one place where the state changes; nothing does any more once the service was told to stop."""
        if self._stopped.is_set():
            return
        for event in happened:
            self._state, actions = core.handle(self._state, event, Moment(time.time(), self._loop.time()))
            for action in actions:
                self._carry_out(action)
        self._alarm.set(core.wake_at(self._state))
        self._tell_progress()

    def _tell_progress(self) -> None:
        """Serves as soon as that helps anybody, and says so."""
        life, begun, complete = self._lifetime, core.has_begun(self._state), core.is_complete(self._state)
        # Until there are zones, queries wait in sockets that were there before us, or our predecessor answers
        # them: that is better than to refuse them.
        if not self._serves and (complete if life.is_succession else begun or not life.has_sockets):
            self._serves = True
            self._server.start()
        if complete and life.is_succession:
            # Our predecessor may have pushed updates since we pulled, and until it ends.
            self._loop.call_soon(self._look_again)
        life.progressed(begun=begun, complete=complete)

    def _look_again(self) -> None:
        """Pulls what another process has pushed."""
        self._happened(events.PullRequested())

    def _carry_out(self, action: Action) -> None:  # noqa: C901 - one arm for each action, and nothing else
        match action:
            case Log():
                tell(_log, action)
            case SendReply(request, wire):
                self._server.reply(of_engine(request), wire)
            case Publish(catalogue):
                self._server.publish(catalogue)
            case Note():
                take_note(self._ledger, action, time.time())
            case Spread(news):
                note_spread(self._ledger, news, time.time())
                self._distributor.carry_out(action)
            case SendTransfer() | Enlist() | Remind() | NoteAsked():
                self._distributor.carry_out(action)
            case Fetch():
                self._start_git(action, lambda: self._worker.fetch(action))
            case Push():
                self._start_git(action, lambda: self._worker.push(action))
            case Recall():
                self._start_git(action, lambda: self._worker.recall(action), HISTORY_NICENESS)
            case Write():
                self._start_git(action, lambda: self._worker.write(action))

    def _start_git(self, action: GitAction, work: Callable[[], Event], niceness: int = GIT_NICENESS) -> None:
        """Does this in a thread. A daemon one: a remote that hangs must not keep the process from ending."""
        self._at_work += 1
        self._all_is_done.clear()
        began = time.monotonic()

        def do() -> None:
            try:
                if sys.platform == "linux":  # where this is said of one thread
                    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
                event = work()
            except BaseException as error:  # noqa: BLE001 - a panic of the engine is no Exception; git goes on
                event = broken_off(action, error)
            self._loop.call_soon_threadsafe(self._git_ended, event, time.monotonic() - began)

        threading.Thread(target=do, name="git", daemon=True).start()

    def _git_ended(self, event: Event, seconds: float) -> None:
        self._at_work -= 1
        if not self._at_work:
            self._all_is_done.set()
        note_git(self._ledger, event, seconds, time.time())
        self._happened(event)
        if self._state.task is not Task.PULL and not self._state.pull_wanted:
            self._lifetime.reloaded()
            awaited, self._awaited = self._awaited, []
            for pull in awaited:
                if not pull.done():
                    pull.set_result(None)


def _followers(server: Server, notified: Sequence[Configured]) -> Settings:
    addresses = server.addresses
    return Settings(notified, port=addresses[0][1], own=frozenset(addresses))
