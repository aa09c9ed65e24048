"""The primary's shell: receives events, lets the core decide, carries its actions out.

One thread runs everything here but git, which may block for long and has a thread per action; the core sees
to it that there is one action at a time. No decision is taken in this file.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from oakroot._engine import Request, Server
from oakroot.distribution.actions import Enlist, NoteAsked, Remind, SendTransfer, Spread
from oakroot.distribution.fanout import Settings
from oakroot.distribution.service import Distributor
from oakroot.distribution.targets import Configured
from oakroot.primary import core, events
from oakroot.primary.events import Action, Event, Fetch, Push
from oakroot.primary.worker import GitWorker
from oakroot.roles.events import Log, Moment, PacketReceived, Publish, SendReply, TimePassed
from oakroot.roles.events import Request as RequestShape

_log = logging.getLogger("oakroot.primary")

# How long git may take to end what it has begun when the service is told to stop: a push that the remote has
# accepted should not be cut off while it says so.
STOP_PATIENCE = 10.0
TAKE_LIMIT = 64


class Service:
    """A running primary."""

    def __init__(
        self,
        server: Server,
        worker: GitWorker,
        settings: core.Settings,
        notified: Sequence[Configured] = (),
    ) -> None:
        """`notified` are servers that the operator wants to be told of every change."""
        self._server = server
        self._worker = worker
        self._state = core.new_state(settings)
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        self._git_is_idle = asyncio.Event()
        self._git_is_idle.set()
        self._timer: asyncio.TimerHandle | None = None
        addresses = server.addresses
        self._distributor = Distributor(
            server, Settings(notified, port=addresses[0][1], own=frozenset(addresses)), _log
        )

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT."""
        # Signals are caught to the very end: who asks twice must not cut off what the first asking began.
        with self._signals():
            with self._packets():
                self._server.start()
                self._happened(events.Started())
                await self._stopped.wait()
            _log.info("stopping")
            self._cancel_timer()
            await self._distributor.close()
            self._server.stop()
            try:
                await asyncio.wait_for(self._git_is_idle.wait(), STOP_PATIENCE)
            except TimeoutError:
                _log.warning("git was still at work when its time to stop was over")

    def stop(self) -> None:
        """Ends `run`."""
        self._stopped.set()

    def _happened(self, event: Event) -> None:
        """The one place where the state changes; nothing does any more once the service was told to stop."""
        if self._stopped.is_set():
            return
        self._state, actions = core.handle(self._state, event, self._now())
        for action in actions:
            self._carry_out(action)
        self._set_timer()

    def _now(self) -> Moment:
        return Moment(time.time(), self._loop.time())

    def _carry_out(self, action: Action) -> None:
        match action:
            case Log(level, text, zone, peer):
                subjects = {"zone": zone, "peer": peer}
                extra = {name: subject for name, subject in subjects.items() if subject is not None}
                _log.log(logging.getLevelNamesMapping()[level.upper()], "%s", text, extra=extra)
            case SendReply(request, wire):
                self._server.reply(_of_engine(request), wire)
            case Publish(catalogue):
                self._server.publish(catalogue)
            case SendTransfer() | Enlist() | Remind() | NoteAsked() | Spread():
                self._distributor.carry_out(action)
            case Fetch():
                self._start_git(lambda: self._worker.fetch(action))
            case Push():
                self._start_git(lambda: self._worker.push(action))

    def _start_git(self, work: Callable[[], Event]) -> None:
        """Does this in a thread. A daemon one: a remote that hangs must not keep the process from ending."""
        self._git_is_idle.clear()

        def do() -> None:
            event = work()
            self._loop.call_soon_threadsafe(self._git_ended, event)

        threading.Thread(target=do, name="git", daemon=True).start()

    def _git_ended(self, event: Event) -> None:
        self._git_is_idle.set()
        self._happened(event)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        self._cancel_timer()
        moment = core.wake_at(self._state)
        if moment is not None:
            self._timer = self._loop.call_at(moment, self._happened, TimePassed())

    def _take_packets(self) -> None:
        for request in self._server.take(TAKE_LIMIT):
            self._happened(PacketReceived(request))
        # The descriptor also tells that peers have read what they were sent.
        self._distributor.go_on()

    @contextmanager
    def _packets(self) -> Iterator[None]:
        descriptor = self._server.handover_fd()
        self._loop.add_reader(descriptor, self._take_packets)
        try:
            yield
        finally:
            self._loop.remove_reader(descriptor)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        actions = {
            signal.SIGTERM: self.stop,
            signal.SIGINT: self.stop,
            signal.SIGHUP: lambda: self._happened(events.PullRequested()),
        }
        for number, action in actions.items():
            self._loop.add_signal_handler(number, action)
        try:
            yield
        finally:
            for number in actions:
                self._loop.remove_signal_handler(number)


def _of_engine(request: RequestShape) -> Request:
    """The core knows requests by their shape, and hands back the very ones that the engine gave us."""
    if not isinstance(request, Request):
        raise TypeError("a reply to a request that did not come from the engine")
    return request
