"""Where this process stands between those before and after it: whose sockets it has, who hears of it.

A role tells what it has come to; here is known who wants to hear that: systemd, or the process whose place we
take. What must not live here: what a role has to do before it serves, or before it ends.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Protocol

from oakroot.operate.handed import NAME, Handed, HandedError
from oakroot.operate.handover import HANDED, Predecessor
from oakroot.operate.inheritance import STAYING_NAME, Passed, Socket, from_systemd
from oakroot.operate.staying import Stay, StayError, begin
from oakroot.operate.systemd import Supervisor

_log = logging.getLogger("oakroot.lifetime")

LEAVING_SECONDS = 90.0
"""For so long who has stayed may take to end: its connections half a minute, git what it gets at a stop."""
_LOADING_SECONDS = 30.0
"""For so long systemd is asked for patience, again and again, while zones are loaded."""


class Place(Protocol):
    """What only one process can have at a time, such as the path of a socket."""

    def take(self) -> None:
        """Has it from now on; OSError."""

    def step_aside(self) -> None:
        """Has another process take it, and is found elsewhere too; OSError."""

    def step_back(self) -> None:
        """Has it again, since the other process is gone; OSError."""


class Lifetime:
    """See the head of the file. Without systemd and predecessor, a lifetime like any other."""

    def __init__(
        self,
        supervisor: Supervisor | None = None,
        predecessor: Predecessor | None = None,
        inherited: tuple[Socket, ...] = (),
        handed: Handed | None = None,
    ) -> None:
        self.supervisor = supervisor or Supervisor()
        self.inherited = inherited
        """Sockets that were there before us; `let_go` closes them, once the server has its own copies."""
        self.handed = handed
        """What our predecessor has left; closed once we have all that there is to have."""
        self.has_sockets = bool(inherited)
        """Whether queries can wait for us: sockets that were there before us will be there after us."""
        self._predecessor = predecessor
        self._is_begun = False
        self._completed = asyncio.Event()
        self._places: list[Place] = []
        self._is_reloading = False
        self._describe: Callable[[], str] = str
        self._described = ""

    @staticmethod
    def of_process() -> Lifetime:
        """As the environment tells; InheritanceError where that is nonsense."""
        process = os.getpid()
        variables = dict(os.environ)
        predecessor = Predecessor.of(variables)
        passed = Passed(predecessor.receive()) if predecessor else from_systemd(variables, process)
        predecessor = predecessor or Predecessor.kept(
            socket.socket(fileno=each) for each in passed.predecessors
        )
        number = variables.pop(HANDED, "")
        handed = [int(number)] if predecessor and number.isdecimal() else passed.handed
        for name in os.environ.keys() - variables.keys():
            # No process of ours shall take what was for us for its own.
            del os.environ[name]
        return Lifetime(
            Supervisor.of(variables, process),
            predecessor,
            passed.sockets,
            _first_of(handed),
        )

    @property
    def _is_complete(self) -> bool:
        return self._completed.is_set()

    @property
    def is_succession(self) -> bool:
        """Whether another process serves until we do."""
        predecessor = self._predecessor
        return predecessor is not None and not self._is_complete and not predecessor.has_ended

    @property
    def is_silent(self) -> bool:
        """Whether systemd listens to our predecessor, and not to us."""
        predecessor = self._predecessor
        return predecessor is not None and not predecessor.stays and not self._is_complete

    def hold(self, place: Place) -> None:
        """Takes this with the rest of a predecessor's, and lets a successor have it."""
        self._places.append(place)

    def step_aside(self) -> None:
        """Another process is about to come in our place."""
        self._move(lambda place: place.step_aside())

    def step_back(self) -> None:
        """It is gone, and we are still there."""
        self._move(lambda place: place.step_back())

    def _move(self, move: Callable[[Place], None]) -> None:
        for place in self._places:
            try:
                move(place)
            except OSError as error:
                _log.warning("%s: %s", error.filename, error.strerror)

    def keep(self, descriptors: Iterable[int]) -> None:
        """Has systemd keep those of these sockets that are new; to be called before `let_go`.

        The others are in its store already, or those of a `.socket` unit, which could not bind its addresses
        anew as long as the store has them too.
        """
        known = {os.fstat(each.descriptor).st_ino for each in self.inherited}
        self.supervisor.keep([each for each in descriptors if os.fstat(each).st_ino not in known])

    def let_go(self) -> None:
        """Closes the descriptors of `inherited`."""
        for each in self.inherited:
            with suppress(OSError):
                os.close(each.descriptor)
        self.inherited = ()

    def progressed(self, *, begun: bool, complete: bool) -> None:
        """Tells those who wait: systemd that we have begun, a predecessor that nobody will miss it.

        `begun`: we answer, be it that something is not there yet. `complete`: we have what there is to have.
        """
        if begun and not self._is_begun:
            self._is_begun = True
            # To whom it listens, knows that the service is ready.
            if self._predecessor is None or self._predecessor.stays:
                self.supervisor.tell_ready(*self._news())
        if complete and not self._is_complete:
            was_silent = self.is_silent
            self._completed.set()
            if was_silent:
                self._move(lambda place: place.take())
            if self._predecessor is not None:
                self._predecessor.tell_complete()
                if self._predecessor.stays:
                    self.supervisor.forget(STAYING_NAME)
            if self.handed is not None:
                self.handed.close()
                self.handed = None
                self.supervisor.forget(NAME)

    def wait_for_predecessor(self, patience: float) -> bool:
        """Says that we are ready and waits for our predecessor's end; whether it came."""
        self.progressed(begun=False, complete=True)
        return self._predecessor is None or self._predecessor.wait_for_end(patience)

    def reloading(self) -> None:
        """Settings and zones begin to be read again."""
        if self._is_begun and not self.is_silent and not self._is_reloading:
            self._is_reloading = True
            self.supervisor.tell_reloading()

    def reloaded(self) -> None:
        """They were, or could not be: what is served now is what there is to serve."""
        if self._is_reloading:
            self._is_reloading = False
            self.supervisor.tell_ready(*self._news())

    def gave_place(self, successor: int) -> None:
        """The service is this process from now on. systemd listens to it, and no more to us.

        It says nothing of what we had begun: a start or a reload of ours ends here.
        """
        is_ready = self._is_begun and not self._is_reloading
        self.supervisor.tell(*([] if is_ready else ["READY=1"]), f"MAINPID={successor}")
        self.supervisor = Supervisor()

    def stay(self, pack: Callable[[], int]) -> Stay:
        """Has systemd end another process in our stead, and lead us to the one that it starts next.

        `pack` gives the descriptor of what is left to that one. StayError, OSError: we cannot stay, and
        nothing was changed.
        """
        supervisor = self.supervisor
        if not supervisor.address:
            raise StayError("there is no systemd to restart this process")
        if not (self.has_sockets or supervisor.stores):
            raise StayError("the sockets are not systemd's, so the next process cannot have them")
        stay = begin(supervisor, pack)
        self.gave_place(stay.placeholder)
        # Where it is not heard, systemd goes on to end us, as it would have done.
        supervisor.is_heard()
        return stay

    @asynccontextmanager
    async def watched(
        self, describe: Callable[[], str] = str, followed: Callable[[], object] = bool
    ) -> AsyncIterator[None]:
        """While the block runs, systemd hears that the event loop turns, and how we are.

        `describe` says that in one line; it is called now and then, and costs little. `followed` is called
        when nobody is left whose place we take.
        """
        self._describe = describe
        tasks = [asyncio.create_task(each) for each in (self._tell_now_and_then(), self._see_off())]
        try:
            with self._heeding_predecessor(followed):
                yield
        finally:
            for task in tasks:
                task.cancel()

    @contextmanager
    def _heeding_predecessor(self, followed: Callable[[], object]) -> Iterator[None]:
        predecessor, loop = self._predecessor, asyncio.get_running_loop()
        if predecessor is None:
            yield
            return
        descriptors = predecessor.descriptors()

        def it_ended(descriptor: int) -> None:
            loop.remove_reader(descriptor)
            if not predecessor.has_ended:
                return
            if self.is_silent and self.supervisor.address:
                # systemd knows nothing of us, and starts another one in the place of who has started us.
                _log.warning("the process whose place this one was to take has ended; ending too")
                signal.raise_signal(signal.SIGTERM)
            else:
                followed()

        for each in descriptors:
            loop.add_reader(each, it_ended, each)
        try:
            yield
        finally:
            for each in descriptors:
                loop.remove_reader(each)

    async def _see_off(self) -> None:
        """Ends who has stayed for us and hangs: for systemd it is a process left over, without a watchdog."""
        predecessor = self._predecessor
        if predecessor is None or not predecessor.stays:
            return
        await self._completed.wait()
        await asyncio.sleep(LEAVING_SECONDS)
        if predecessor.has_ended:
            return
        try:
            predecessor.kill()
        except OSError as error:
            _log.error("the process before has not ended, and cannot be killed: %s", error.strerror)
        else:
            _log.warning("the process before had not ended after %.0f s; killed", LEAVING_SECONDS)

    async def _tell_now_and_then(self) -> None:
        watchdog = self.supervisor.watchdog_seconds
        # Twice in each span, as sd_watchdog_enabled(3) recommends.
        pause = min(_LOADING_SECONDS, watchdog or _LOADING_SECONDS) / 2
        while self.supervisor.address:
            if not self.is_silent:
                self._tell(is_watched=watchdog is not None)
            await asyncio.sleep(pause)

    def _tell(self, *, is_watched: bool) -> None:
        lines = ["WATCHDOG=1"] if is_watched else []
        if self._is_begun:
            lines += self._news()
        else:
            lines.append(f"EXTEND_TIMEOUT_USEC={int(_LOADING_SECONDS * 1e6)}")
        if lines:
            self.supervisor.tell(*lines)

    def _news(self) -> list[str]:
        """How we are, if that is something else than systemd was told last."""
        line = self._describe()
        if self.is_succession:
            line += "; the process before serves until this one can"
        if line == self._described:
            return []
        self._described = line
        return [f"STATUS={line}"]


def _first_of(handed: Iterable[int]) -> Handed | None:
    """What is of use of these, all of which come from processes of ours."""
    found = None
    for descriptor in handed:
        try:
            each = Handed(descriptor)
        except HandedError as error:
            _log.warning("what the process before has left is of no use: %s", error)
            continue
        if found is None:
            found = each
        else:
            each.close()
    return found
