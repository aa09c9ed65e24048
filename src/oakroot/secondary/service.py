"""The secondary's shell: receives events, lets the core decide, carries its actions out.

One thread runs everything here but transfers and the disk, which have threads of their own. No decision is
taken in this file.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from oakroot._engine import Catalogue, Server
from oakroot.distribution.actions import Enlist, NoteAsked, Remind, SendTransfer, Spread
from oakroot.distribution.fanout import Changed, Settings
from oakroot.distribution.service import Distributor
from oakroot.distribution.targets import Configured
from oakroot.frozen import frozen
from oakroot.operate.changes import Change
from oakroot.operate.control import ControlError
from oakroot.operate.handed import HandedError
from oakroot.operate.history import Pulse
from oakroot.operate.ledger import Ledger
from oakroot.operate.lifetime import Lifetime
from oakroot.operate.overview import Overview
from oakroot.protocol.transfer_client import Limits
from oakroot.roles.commands import SETTINGS_UNFIT
from oakroot.roles.followers import TransferRules
from oakroot.roles.overview import note_copy, note_spread, pulse, take_note
from oakroot.roles.shell import Alarm, of_engine, packets, renewing, signals, tell
from oakroot.roles.succession import Succession
from oakroot.secondary import core, events
from oakroot.secondary.connections import Connections
from oakroot.secondary.directory import Keeper, StateDirectory
from oakroot.secondary.encryption import Encryption
from oakroot.secondary.events import (
    Action,
    AskLink,
    CloseLink,
    Event,
    ForgetZone,
    LinkRequest,
    Log,
    Moment,
    Note,
    OpenLink,
    Publish,
    SendReply,
    StartTransfer,
    StoreCheck,
    StoredZone,
    StoreZone,
    TransferEnded,
)
from oakroot.secondary.overview import Surroundings, overview, status_line
from oakroot.secondary.sources import DNS_PORT, Plan
from oakroot.secondary.sources import Server as Primary
from oakroot.secondary.storage import UnreadableError, read_zone, write_zone
from oakroot.secondary.transfers import Transfers

_log = logging.getLogger("oakroot.secondary")

STOP_PATIENCE = 10.0
"""Seconds that the disk may take for what is to be kept when the service is told to stop."""


@frozen
class Choices:
    """What the operator decides, and may decide anew while the service runs."""

    plan: Plan
    transfers: int
    transfer_rules: TransferRules
    notified: tuple[Configured, ...]


class Watcher(Protocol):
    """Whoever works with the zones that the secondary keeps."""

    def changed(self, news: Changed) -> None:
        """There are new versions."""

    def refresh(self) -> None:
        """The operator asked for a check of all zones."""


class Service:
    """A running secondary."""

    def __init__(  # noqa: PLR0913 - all that a secondary has to do with
        self,
        server: Server,
        plan: Plan,
        settings: core.Settings,
        state: StateDirectory | None = None,
        *,
        limits: Limits | None = None,
        notified: Sequence[Configured] = (),
        encryption: Encryption | None = None,
        lifetime: Lifetime | None = None,
    ) -> None:
        """`state` is where zones are kept, None: nowhere; `notified` who is told of every change.

        `encryption` is how TLS is spoken, with primaries that it is to be spoken with and where we listen;
        `lifetime` is told once there is something to serve.
        """
        self._read_again: Callable[[], Choices | None] | None = None
        self._lifetime = lifetime or Lifetime()
        self._watcher: Watcher | None = None
        self._server = server
        self._encryption = encryption or Encryption()
        self._directory = state
        self._keeper = None if state is None else Keeper(state)
        self._state = core.new_state(settings, plan)
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        self._alarm = Alarm(lambda: self._happened(events.TimePassed()))
        self._connections = Connections(self._happened, self._encryption)
        self._transfers = Transfers(self._transfer_ended, limits, self._encryption)
        self._notified = notified
        self._ledger = Ledger(started=time.time())
        self._distributor = Distributor(
            server,
            _followers(server, plan, notified),
            _log,
            lambda copied: note_copy(self._ledger, copied, time.time()),
        )
        self._succession = Succession(
            server, self._distributor, self._lifetime, lambda: True, _log, self._hand_zones
        )

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT."""
        actions = {
            signal.SIGTERM: self.stop,
            signal.SIGINT: self.stop,
            signal.SIGHUP: self.renew,
            signal.SIGUSR2: lambda: self._succession.begin(self.stop),
        }
        # Signals are caught to the very end: who asks twice must not cut off what the first asking began.
        certificate = self._encryption.certificate
        with signals(actions):
            stored = () if self._directory is None else tuple(self._directory.load())
            stored += tuple(self._handed())
            with packets(self._server, self._distributor, self._packets_received), renewing(certificate):
                self._happened(events.Started(stored))
                self._server.start()
                async with self._lifetime.watched(lambda: status_line(self._state), self._look_again):
                    await self._stopped.wait()
            _log.info("stopping")
            self._alarm.set(None)
            await self._distributor.close()
            await self._connections.close()
            self._transfers.stop()
            self._server.stop()
            if self._keeper is not None and not self._keeper.close(STOP_PATIENCE):
                _log.warning("the disk was still at work when its time to stop was over")

    @property
    def catalogue(self) -> Catalogue:
        """What is served now."""
        return self._state.catalogue

    def pulse(self) -> Pulse:
        """What was counted so far, cheaply."""
        return pulse(self._ledger, self._server.counters(), time.time())

    async def changes(self) -> Sequence[Change]:
        """Nothing: there is no repository here."""
        return ()

    def overview(self) -> Overview:
        """What there is to tell the operator now."""
        certificate = self._encryption.certificate
        around = Surroundings(
            addresses=self._server.addresses,
            configured=self._notified,
            report=self._distributor.report(),
            engine=self._server.counters(),
            tls_not_after=None if certificate is None else certificate.not_after,
        )
        return overview(self._state, self._ledger, around, Moment(time.time(), self._loop.time()))

    def watch(self, watcher: Watcher) -> None:
        """Lets somebody in this process know of all changes; to be called before `run`."""
        self._watcher = watcher

    def read_settings_with(self, read_again: Callable[[], Choices | None]) -> None:
        """Says how settings are read again at SIGHUP; None means that those before still hold."""
        self._read_again = read_again

    def stop(self) -> None:
        """Ends `run`."""
        self._stopped.set()

    def renew(self) -> bool:
        """Has settings read again, and checks all zones: what SIGHUP asks for. False: those before stay."""
        self._lifetime.reloading()
        try:
            if self._encryption.certificate is not None:
                self._encryption.certificate.renew()
            return self._choose_again()
        finally:
            self._happened(events.RefreshRequested())
            if self._watcher is not None:
                self._watcher.refresh()
            self._lifetime.reloaded()

    def _choose_again(self) -> bool:
        """Takes over what the settings say now; whether they can be used."""
        if self._read_again is None:
            return True
        chosen = self._read_again()
        if chosen is None:
            return False
        self._notified = chosen.notified
        self._distributor.configure(_followers(self._server, chosen.plan, chosen.notified))
        self._happened(events.Replanned(chosen.plan, chosen.transfers, chosen.transfer_rules))
        return True

    async def reload(self, apex: str | None) -> str:
        """Does what `renew` does, or checks one zone alone."""
        if apex is None:
            if not self.renew():
                raise ControlError(SETTINGS_UNFIT)
            return "the settings were read again, and all zones are being checked"
        self._happened(events.RefreshRequested(apex))
        return f"{apex} is being checked"

    async def stay(self) -> str:
        """Serves on while systemd restarts the service, until the next process does."""
        return await self._succession.stay(self.stop)

    async def leave(self) -> str:
        """Closes the sockets, so that they can be bound anew, if another process has our place or is to."""
        return await self._succession.leave(self.stop)

    def notify(self, apex: str | None) -> None:
        """Notifies everybody of a zone, or of all."""
        self._happened(events.NotifyRequested(apex))

    def retransfer(self, apex: str) -> None:
        """Transfers the whole zone anew, whatever its serial is."""
        self._happened(events.RetransferRequested(apex))

    def _packets_received(self, requests: Sequence[events.Request]) -> None:
        self._happened(*map(events.PacketReceived, requests))

    def _happened(self, *happened: Event) -> None:
        """The one place where the state changes; nothing does any more once the service was told to stop."""
        if self._stopped.is_set():
            return
        for event in happened:
            self._state, actions = core.handle(self._state, event, Moment(time.time(), self._loop.time()))
            for action in actions:
                self._carry_out(action)
        self._alarm.set(core.wake_at(self._state))
        self._lifetime.progressed(begun=True, complete=True)

    def _carry_out(self, action: Action) -> None:  # noqa: C901 - one arm for each action, and nothing else
        match action:
            case Log():
                tell(_log, action)
            case SendReply(request, wire):
                self._reply(request, wire)
            case Publish(catalogue):
                self._server.publish(catalogue)
            case Note():
                take_note(self._ledger, action, time.time())
            case Spread(news):
                self._spread(action, news)
            case SendTransfer() | Enlist() | Remind() | NoteAsked():
                self._distributor.carry_out(action)
            case OpenLink(server, local):
                self._connections.open(server, local)
            case AskLink(server, wire):
                self._connections.send(server, wire)
            case CloseLink(server):
                self._connections.hang_up(server)
            case StartTransfer():
                self._transfers.start(action)
            case StoreZone() | StoreCheck() | ForgetZone():
                if self._keeper is not None:
                    self._keeper.put(action)

    def _spread(self, action: Spread, news: Changed) -> None:
        note_spread(self._ledger, news, time.time())
        self._distributor.carry_out(action)
        if self._watcher is not None:
            self._watcher.changed(news)

    def _look_again(self) -> None:
        """Checks all zones: our predecessor may have taken a NOTIFY that it did not act on any more."""
        self._happened(events.RefreshRequested())

    def _hand_zones(self) -> Iterator[bytes]:
        """Has the next process find what we hold: it need not ask for it, nor be without it meanwhile."""
        if self._directory is None:
            for kept in core.kept(self._state, Moment(time.time(), self._loop.time())):
                yield b"".join(write_zone(kept.zone, kept.checked))

    def _handed(self) -> Iterator[StoredZone]:
        """What the process before held, unless we have a folder of our own."""
        handed = self._lifetime.handed
        if handed is None or self._directory is not None:
            return
        try:
            for entry in handed.entries():
                yield read_zone(entry)
        except (HandedError, UnreadableError) as error:
            _log.error("zones that the process before has left are fetched anew: %s", error)

    def _reply(self, request: events.Request, wire: bytes) -> None:
        if isinstance(request, LinkRequest):
            self._connections.send(request.server, wire)
        else:
            self._server.reply(of_engine(request), wire)

    def _transfer_ended(self, ended: TransferEnded) -> None:
        """Called in the thread of the transfer."""
        try:
            self._loop.call_soon_threadsafe(self._happened, ended)
        except RuntimeError:
            # The loop is closed: the service has stopped, and nobody waits for this transfer.
            _log.debug("a transfer ended after the service")


def _followers(server: Server, plan: Plan, notified: Sequence[Configured]) -> Settings:
    """Whom to tell of changes: neither ourselves nor those we have the zones from."""
    addresses = server.addresses
    port = addresses[0][1] if addresses else DNS_PORT

    def is_left_out(place: tuple[str, int]) -> bool:
        return plan.has_primary(*place) or plan.listening.as_server(Primary(*place))

    return Settings(notified, port=port, own=frozenset(addresses), is_left_out=is_left_out)
