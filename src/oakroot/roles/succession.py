"""How a role that serves gives its place to a process that was started for it, and loses nothing thereby.

SIGUSR2 begins it. The successor gets our sockets, loads its zones, and says that it serves; until then we go
on as if nothing were. Then we take in nothing more, finish what was begun, and end. A successor that ends
before changes nothing. At `systemctl restart` it is systemd that starts one: we stay until that serves, or
until systemd gives the service up. No decision about DNS is taken in this file.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
from collections.abc import Callable, Iterable

from oakroot._engine import Server, cookie_secret
from oakroot.distribution.service import Distributor
from oakroot.operate.control import ControlError
from oakroot.operate.handed import pack
from oakroot.operate.handover import COMPLETE, Successor, start_successor
from oakroot.operate.inheritance import Socket
from oakroot.operate.lifetime import Lifetime
from oakroot.operate.staying import Stay, StayError, has_ended

SUCCESSOR_PATIENCE = 600.0
"""Seconds that a successor may take to load its zones."""
RECEIVED_SECONDS = 0.5
"""After these every thread of the engine has noticed that it is to take in nothing more."""
LAST_SECONDS = 30.0
"""How long we go on for those who are still connected, or wait for an answer."""
LEAVING_SECONDS = 0.5
"""How long who was asked to leave is there to say that it does."""
_LOOK_SECONDS = 0.1
STAYING_SECONDS = 60.0
"""How often the log is told that the next process does not serve yet."""


class Succession:
    """Gives the place of one server away, once it is told to."""

    def __init__(
        self,
        server: Server,
        distributor: Distributor,
        lifetime: Lifetime,
        is_idle: Callable[[], bool],
        log: logging.Logger,
        hand: Callable[[], Iterable[bytes]] = tuple,
    ) -> None:
        """`is_idle` tells that nobody waits for the role itself.

        `hand` gives what the next process should not have to find out again, in a thread of its own.
        """
        self._hand = hand
        self._server = server
        self._distributor = distributor
        self._lifetime = lifetime
        self._is_idle = is_idle
        self._log = log
        self._task: asyncio.Task[None] | None = None
        self._stays = False
        self._is_followed = False

    def begin(self, stop: Callable[[], None]) -> None:
        """Starts a successor; `stop` is called once it serves and nothing is left to do here."""
        if self._is_at_work:
            self._log.warning("a successor was started already; waiting for it")
            return
        self._task = asyncio.get_running_loop().create_task(self._succeed(stop))

    async def stay(self, stop: Callable[[], None]) -> str:
        """Has us serve on while systemd restarts the service; `stop` is called as by `begin`. ControlError.

        Says who serves meanwhile.
        """
        if self._lifetime.is_succession:
            return "the process before serves until this one can, and so until the next one can"
        if not self._stays:
            await self._abandon()
            try:
                stay = await asyncio.to_thread(self._lifetime.stay, self._pack)
            except (StayError, OSError) as error:
                raise ControlError(f"this process cannot stay: {error}") from None
            self._stays = True
            self._lifetime.step_aside()
            self._task = asyncio.get_running_loop().create_task(self._stay(stay, stop))
        return f"process {os.getpid()} serves until the next one does"

    async def leave(self, stop: Callable[[], None]) -> str:
        """Closes our sockets at once, so that they can be bound anew; `stop` is called soon. ControlError."""
        if not (self._stays or self._is_followed):
            raise ControlError("no other process was started in the place of this one")
        self._log.warning("the sockets are to be bound anew; closing them, and ending")
        await asyncio.to_thread(self._server.stop)
        # Whoever asked hears of it first.
        asyncio.get_running_loop().call_later(LEAVING_SECONDS, stop)
        return f"process {os.getpid()} has closed its sockets"

    @property
    def _is_at_work(self) -> bool:
        return self._task is not None and not self._task.done()

    async def _abandon(self) -> None:
        """Ends a successor that does not serve yet: systemd starts another one."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _stay(self, stay: Stay, stop: Callable[[], None]) -> None:
        self._log.info("systemd restarts this service; serving until the next process does")
        try:
            if await self._is_succeeded(stay):
                await self._finish(stay.channel)
                self._log.info("the next process serves now")
            else:
                self._log.warning("systemd does not start this service again; ending")
            stop()
        finally:
            stay.close()

    async def _is_succeeded(self, stay: Stay) -> bool:
        """Whether the next process says that it serves, however long that takes; False: none will come."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while True:
            try:
                async with asyncio.timeout(STAYING_SECONDS):
                    return await loop.sock_recv(stay.channel, len(COMPLETE)) == COMPLETE
            except TimeoutError:
                waited = loop.time() - begun
                self._log.warning("no other process serves since the restart, %.0f s ago; serving on", waited)
            except OSError:
                return False

    async def _succeed(self, stop: Callable[[], None]) -> None:
        try:
            handed = await asyncio.to_thread(self._pack)
            try:
                sockets = [Socket(*each) for each in self._server.share()]
                self._lifetime.step_aside()
                successor = start_successor(sockets, os.environ, handed)
            finally:
                os.close(handed)
        except OSError as error:
            self._log.error("no successor can be started, serving on: %s", error)
            self._lifetime.step_back()
            return
        await self._give_place(successor, stop)

    def _pack(self) -> int:
        return pack(cookie_secret(), self._hand())

    async def _give_place(self, successor: Successor, stop: Callable[[], None]) -> None:
        self._log.info("a successor is process %d; serving until it does", successor.process.pid)
        is_complete = False
        try:
            is_complete = await self._wait(successor)
            if not is_complete:
                await self._give_up(successor)
                return
            self._lifetime.gave_place(successor.process.pid)
            await self._finish(successor.channel)
            self._log.info("process %d serves now", successor.process.pid)
            stop()
        except asyncio.CancelledError:
            # We are to end, and systemd ends nobody but us.
            if not is_complete:
                await self._end(successor.process)
            raise
        finally:
            successor.close()

    async def _wait(self, successor: Successor) -> bool:
        """Whether the successor has said that it serves."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(SUCCESSOR_PATIENCE):
                return await loop.sock_recv(successor.channel, len(COMPLETE)) == COMPLETE
        except (TimeoutError, OSError):
            return False

    async def _give_up(self, successor: Successor) -> None:
        code = await self._end(successor.process)
        self._lifetime.step_back()
        self._log.error("the successor ended with %d before it served, see above; serving on", code)

    async def _end(self, process: subprocess.Popen[bytes]) -> int:
        process.terminate()
        try:
            return await asyncio.to_thread(process.wait, SUCCESSOR_PATIENCE / 60)
        except subprocess.TimeoutExpired:
            process.kill()
            return await asyncio.to_thread(process.wait)

    async def _finish(self, follower: socket.socket) -> None:
        """Takes in nothing more, and lets what was begun come to its end; or ends with who has followed."""
        self._is_followed = True
        self._server.retire()
        self._distributor.release()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while loop.time() < begun + LAST_SECONDS:
            await asyncio.sleep(_LOOK_SECONDS)
            is_done = self._is_idle() and self._distributor.is_idle() and not self._server.connections()
            if (is_done and loop.time() > begun + RECEIVED_SECONDS) or has_ended(follower):
                return
        self._log.warning("%d connections are cut off", self._server.connections())
