"""The shell of this room: sockets, the clock and the log. It carries out what a role decides.

Everything runs on the thread of the event loop. No decision is taken in this file.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import secrets
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from oakroot._engine import Request, Server, Zone
from oakroot.distribution.actions import Distribute, Enlist, NoteAsked, Remind, SendTransfer, Spread
from oakroot.distribution.fanout import Fanout, Settings
from oakroot.distribution.outbox import Ended, Send
from oakroot.distribution.targets import Target
from oakroot.distribution.transfers import Done, Message, Order, Transfers
from oakroot.frozen import frozen
from oakroot.protocol.transfer_server import SoaAlone, Steps, busy
from oakroot.protocol.tsig import ReplyContext
from oakroot.protocol.wire import MalformedError, read_header

TCP_SECONDS = 10.0
"""For a NOTIFY over TCP, from connecting to the reply."""
TCP_LIMIT = 32
_LARGEST_DATAGRAM = 65535


@frozen
class Now:
    """This moment on two clocks."""

    wall: float
    monotonic: float


@frozen
class Copied:
    """Somebody over TCP has this version: he was sent it, or was told that there is no newer one."""

    address: str
    key: str | None
    """The name of the key that he signs with."""
    apex: str
    serial: int


@frozen
class Report:
    """What is under way."""

    notifies: Mapping[str, int]
    """NOTIFYs that are not acknowledged yet, by the address of who is to be told."""
    transfers: int
    waiting_transfers: int
    links: int
    """Connections that are kept, to tell their peers of changes."""


def _nobody_cares(_copied: Copied) -> None:
    """Takes no notice."""


class Distributor:
    """Sends the transfers and NOTIFYs of one role; to be used on the thread of the running event loop."""

    def __init__(
        self,
        server: Server,
        settings: Settings,
        logger: logging.Logger,
        copied: Callable[[Copied], None] = _nobody_cares,
    ) -> None:
        """`copied` hears who has which version."""
        self._copied = copied
        self._server = server
        self._log = logger
        self._loop = asyncio.get_running_loop()
        self._transfers = Transfers()
        self._fanout = Fanout(settings, lambda: secrets.randbits(16))
        self._own = {
            address for address, _ in settings.own if not ipaddress.ip_address(address).is_unspecified
        }
        self._sockets: dict[str, socket.socket] = {}
        self._connecting: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(TCP_LIMIT)
        self._timer: asyncio.TimerHandle | None = None

    def carry_out(self, action: Distribute) -> None:
        """Begins with it; what takes time goes on by itself."""
        match action:
            case SendTransfer(request, query, plan, context) if isinstance(request, Request):
                self._add_transfer(Order(request, query, plan, context), request)
            case Enlist(request, signer, zone) if isinstance(request, Request):
                self._fanout.enlist(request, signer, zone)
            case Remind(address, signer):
                self._fanout.remind(address, signer)
            case NoteAsked(address, zone):
                self._tell(self._fanout.asked(address, zone))
            case Spread(news):
                self._fanout.publish(news)
        self.go_on()

    def configure(self, settings: Settings) -> None:
        """Goes over to these; where we listen stays."""
        self._fanout.configure(settings)
        self.go_on()

    def hear(self, request: Request) -> bool:
        """Takes a message that is a response, as come by kept connections; False: it is something else."""
        try:
            if not read_header(request.wire).is_response:
                return False
        except MalformedError:
            return False
        self._received(str(ipaddress.ip_address(request.peer[0])), request.wire)
        return True

    def go_on(self) -> None:
        """Does what can be done now. To be called whenever the hand-over's descriptor was readable."""
        self._cancel_timer()
        if self._server.take_ends():
            self._tell(self._fanout.hang_up())
        now = Now(time.time(), self._loop.time())
        for step in self._transfers.turn(now):
            match step:
                case Message(stream, wire) if isinstance(stream, Request):
                    self._server.reply(stream, wire)
                case Done():
                    self._tell_of_transfer(step)
        self._notify(now)
        self._set_timer()

    def report(self) -> Report:
        """What is under way now."""
        active, waiting = self._transfers.counts
        return Report(self._fanout.waiting(), active, waiting, self._fanout.links)

    def release(self) -> None:
        """Keeps no connection for the sake of later NOTIFYs: their peers are to turn to somebody else."""
        self._fanout.release()

    def is_idle(self) -> bool:
        """Whether no transfer is under way."""
        return self._transfers.counts == (0, 0)

    async def close(self) -> None:
        """Lets go of everything."""
        self._cancel_timer()
        for task in self._connecting:
            task.cancel()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        for descriptor in self._sockets.values():
            self._loop.remove_reader(descriptor)
            descriptor.close()
        self._sockets.clear()

    def _add_transfer(self, order: Order, request: Request) -> None:
        if self._transfers.add(order):
            return
        self._log.warning("a transfer refused: too many are waiting", extra={"peer": request.peer[0]})
        wire = busy(order.query, order.context, int(time.time()))
        if wire is not None:
            self._server.reply(request, wire)

    def _set_timer(self) -> None:
        moments = [self._transfers.wake_at(), self._fanout.wake_at()]
        if self._transfers.is_ready():
            moments.append(0.0)
        moment = min((each for each in moments if each is not None), default=None)
        if moment is not None:
            self._timer = self._loop.call_at(max(moment, self._loop.time()), self.go_on)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- NOTIFY ---

    def _notify(self, now: Now) -> None:
        ended = []
        for step in self._fanout.poll(now):
            if isinstance(step, Send):
                self._send(step)
            else:
                ended.append(step)
        self._tell(ended)

    def _send(self, send: Send) -> None:
        match send.way:
            case "udp":
                self._send_datagram(send)
            case "link" if isinstance(send.target.link, Request):
                self._server.reply(send.target.link, send.wire)
            case _:
                task = self._loop.create_task(self._send_by_tcp(send))
                self._connecting.add(task)
                task.add_done_callback(self._connecting.discard)

    def _send_datagram(self, send: Send) -> None:
        try:
            self._socket(self._source(send.target)).sendto(send.wire, (send.target.address, send.target.port))
        except OSError as error:
            # It is tried again like one that got lost.
            self._log.debug("NOTIFY to %s: %s", send.target, error.strerror)

    async def _send_by_tcp(self, send: Send) -> None:
        target = send.target
        try:
            async with self._slots, asyncio.timeout(TCP_SECONDS):
                reader, writer = await asyncio.open_connection(
                    target.address, target.port, local_addr=(self._source(target), 0)
                )
                try:
                    writer.write(len(send.wire).to_bytes(2) + send.wire)
                    length = int.from_bytes(await reader.readexactly(2))
                    self._received(target.address, await reader.readexactly(length))
                finally:
                    writer.close()
        except (OSError, EOFError) as error:
            self._log.debug("NOTIFY over TCP to %s: %s", target, str(error) or type(error).__name__)

    def _received(self, address: str, wire: bytes) -> None:
        ended = self._fanout.receive(address, wire, Now(time.time(), self._loop.time()))
        if ended is not None:
            self._tell([ended])

    def _socket(self, source: str) -> socket.socket:
        """The socket for datagrams from this address of ours; its port is the kernel's choice."""
        if source not in self._sockets:
            family = socket.AF_INET6 if ":" in source else socket.AF_INET
            datagrams = socket.socket(family, socket.SOCK_DGRAM)
            try:
                datagrams.settimeout(0)
                datagrams.bind((source, 0))
            except OSError:
                datagrams.close()
                raise
            self._loop.add_reader(datagrams, self._take_datagrams, datagrams)
            self._sockets[source] = datagrams
        return self._sockets[source]

    def _take_datagrams(self, datagrams: socket.socket) -> None:
        while True:
            try:
                wire, peer = datagrams.recvfrom(_LARGEST_DATAGRAM)
            except BlockingIOError:
                break
            except OSError:
                # An earlier datagram met a closed port.
                continue
            self._received(str(ipaddress.ip_address(peer[0])), wire)
        self._cancel_timer()
        self._set_timer()

    def _source(self, target: Target) -> str:
        """The address of ours that secondaries know us by; where we listen on all, the kernel chooses."""
        if target.source in self._own:
            return target.source
        is_ipv6 = ":" in target.address
        alike = sorted(address for address in self._own if (":" in address) == is_ipv6)
        return alike[0] if alike else "::" if is_ipv6 else "0.0.0.0"  # noqa: S104 - to send from, not to listen

    def _note_copy(self, request: Request, context: ReplyContext | None, zone: Zone) -> None:
        """Over UDP nobody is sent a zone: there the SOA alone means "come again over TCP"."""
        if request.transport != "udp":
            key = None if context is None else context.key.text
            self._copied(Copied(request.peer[0], key, zone.apex, zone.serial))

    # --- the log ---

    def _tell(self, ended: Iterable[Ended]) -> None:
        """One line for all zones that came to the same end at one target."""
        groups: dict[tuple[str, str | None], list[str]] = defaultdict(list)
        for each in ended:
            groups[str(each.target), each.failure].append(each.zone)
        for (target, failure), zones in groups.items():
            more = f" and {len(zones) - 1} more zones" if len(zones) > 1 else ""
            text = "taken" if failure is None else f"in vain: {failure}"
            level = logging.DEBUG if failure is None else logging.WARNING
            self._log.log(level, "NOTIFY to %s%s: %s", target, more, text, extra={"zone": zones[0]})

    def _tell_of_transfer(self, done: Done) -> None:
        plan, context = done.order.plan, done.order.context
        zone = plan.versions[-1] if isinstance(plan, Steps) else plan.zone
        if done.failure is None and isinstance(done.order.stream, Request):
            self._note_copy(done.order.stream, context, zone)
        extra = {"zone": zone.apex, "peer": done.order.stream.peer[0]}
        if done.failure is not None:
            self._log.warning(
                "the transfer ended after %d messages: %s", done.messages, done.failure, extra=extra
            )
        elif not isinstance(plan, SoaAlone):
            what = (
                f"differences from serial {plan.versions[0].serial}"
                if isinstance(plan, Steps)
                else "all of it"
            )
            self._log.info(
                "serial %d sent: %s, %d messages, %d octets",
                zone.serial,
                what,
                done.messages,
                done.octets,
                extra=extra,
            )
