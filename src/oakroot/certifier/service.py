"""The certifier's shell: a secondary that copies the zones, the core that decides, and who carries it out.

One thread runs everything here; what blocks has threads of its own. No decision is taken in this file.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import dns.name

from oakroot._engine import Catalogue, Server
from oakroot.certificates.authority import Authority
from oakroot.certifier import core, desk, events
from oakroot.certifier.events import (
    Action,
    Answered,
    Ask,
    Event,
    Log,
    Moment,
    Probe,
    Probed,
    Remember,
    SendUpdate,
    Started,
    UpdateEnded,
    UpdateLost,
    ZonesChanged,
)
from oakroot.certifier.journal import Journal
from oakroot.certifier.overview import overview
from oakroot.certifier.updates import Prober, Sender
from oakroot.certifier.workers import Workers
from oakroot.distribution.fanout import Changed
from oakroot.frozen import frozen
from oakroot.keys.keyring import GrantedKey
from oakroot.operate.changes import Change
from oakroot.operate.history import Pulse
from oakroot.operate.lifetime import Lifetime
from oakroot.operate.overview import Overview
from oakroot.roles.followers import TransferRules
from oakroot.roles.shell import Alarm, tell
from oakroot.secondary import core as secondary
from oakroot.secondary.directory import StateDirectory
from oakroot.secondary.service import Choices as Copies
from oakroot.secondary.service import Service as Secondary
from oakroot.secondary.sources import Plan

_log = logging.getLogger("oakroot.certifier")

_ASKING_THREADS = 4
_DNS_THREADS = 8


@frozen
class Hands:
    """What the service carries actions out with."""

    authority: Authority
    sender: Sender
    prober: Prober
    journal: Journal


@frozen
class Choices:
    """What the operator decides, and may decide anew while the service runs."""

    plan: Plan
    updating: tuple[GrantedKey, ...]
    grants: tuple[dns.name.Name, ...]
    """The zones that those keys may update."""


class Service:
    """A running certifier."""

    def __init__(
        self,
        server: Server,
        plan: Plan,
        settings: core.Settings,
        hands: Hands,
        state: StateDirectory | None = None,
        lifetime: Lifetime | None = None,
    ) -> None:
        """`state` is where copies of zones are kept over restarts, None: nowhere."""
        self._hands = hands
        self._state = core.new_state(settings)
        self._loop = asyncio.get_running_loop()
        self._alarm = Alarm(lambda: self._happened(events.TimePassed()))
        self._asking = Workers("authority", _ASKING_THREADS)
        self._dns = Workers("dns", _DNS_THREADS)
        copies = secondary.Settings(seed=settings.seed)
        self._secondary = Secondary(server, plan, copies, state, lifetime=lifetime)
        self._secondary.watch(self)
        self._is_stopped = False

    async def run(self) -> None:
        """Works until SIGTERM or SIGINT."""
        self._happened(Started(self._hands.journal.read()))
        try:
            await self._secondary.run()
        finally:
            self._is_stopped = True
            self._alarm.set(None)
            self._hands.authority.close()

    def read_settings_with(self, read_again: Callable[[], Choices | None]) -> None:
        """Says how settings are read again at SIGHUP; None means that those before still hold."""
        self._secondary.read_settings_with(lambda: self._rekey(read_again()))

    def stop(self) -> None:
        """Ends `run`."""
        self._secondary.stop()

    @property
    def catalogue(self) -> Catalogue:
        """Our copies of zones."""
        return self._secondary.catalogue

    def pulse(self) -> Pulse:
        """What was counted so far, cheaply."""
        return self._secondary.pulse()

    async def changes(self) -> Sequence[Change]:
        """Nothing: there is no repository here."""
        return ()

    def overview(self) -> Overview:
        """What there is to tell the operator now."""
        copies = self._secondary.overview()
        return overview(self._state, copies, Moment(time.time(), self._loop.time()))

    async def reload(self, apex: str | None) -> str:
        """Tries everything now, or checks the copy of one zone."""
        return await self._secondary.reload(apex)

    def _rekey(self, chosen: Choices | None) -> Copies | None:
        """Goes over to other keys; gives what the copies of zones are made with."""
        if chosen is None:
            return None
        sender = replace(self._hands.sender, keys=chosen.updating)
        self._hands = replace(self._hands, sender=sender)
        self._happened(events.Rekeyed(chosen.grants))
        return Copies(chosen.plan, secondary.Settings().transfers, TransferRules(), ())

    def changed(self, news: Changed) -> None:
        """Our copies of zones have changed."""
        self._happened(ZonesChanged(news.catalogue, tuple(news.changed)))

    def refresh(self) -> None:
        """The operator wants everything tried now."""
        self._happened(events.RefreshRequested())

    def _happened(self, event: Event) -> None:
        """The one place where the state changes."""
        if self._is_stopped:
            return
        self._state, actions = core.handle(self._state, event, Moment(time.time(), self._loop.time()))
        for action in actions:
            self._carry_out(action)
        self._alarm.set(core.wake_at(self._state))

    def _carry_out(self, action: Action) -> None:
        hands = self._hands
        match action:
            case Log():
                tell(_log, action)
            case Remember(remembered):
                hands.journal.write(remembered)
            case Ask():
                self._asking.submit(self._task(lambda: desk.put(hands.authority, action)))
            case SendUpdate(ticket):
                lost = UpdateEnded(ticket, UpdateLost("a bug in Oakroot; its log says more"))
                self._dns.submit(self._task(lambda: hands.sender.send(action), lost))
            case Probe(ticket):
                unknown = Probed(ticket, ("a bug in Oakroot; its log says more",), ())
                self._dns.submit(self._task(lambda: hands.prober.probe(action), unknown))

    def _task(
        self,
        work: Callable[[], Answered | UpdateEnded | Probed],
        otherwise: UpdateEnded | Probed | None = None,
    ) -> Callable[[], None]:
        """Work for a thread, whose end is an event of ours; `otherwise` stands for what a bug left undone."""

        def run() -> None:
            event: Answered | UpdateEnded | Probed | None = otherwise
            try:
                event = work()
            except BaseException:  # noqa: BLE001 - a panic of the engine is no Exception; the service goes on
                _log.exception("this is a bug in Oakroot, please report it")
            try:
                if event is not None:
                    self._loop.call_soon_threadsafe(self._happened, event)
            except RuntimeError:
                # The loop is closed: the service has stopped, and nobody waits for this.
                _log.debug("an answer came after the service had ended")

        return run
